"""What changes many sessions locks them in the order of their ids, as heartbeats do: so nobody waits for each other."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from vod.catalog.v1 import catalog_pb2
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2

from vod_playback.domain import DeviceProfile, EpisodeKey, Source, profile_hash
from vod_playback.fallback_store import FallbackStore
from vod_storage import Database, postgres
from vod_testing import eventually

FIRST, LAST = "a" * 32, "z" * 32
SERIES = "tmdb:tv:9001"
PROFILE = DeviceProfile(h264=True)


def start(episode: int) -> pb2.StartSessionRequest:
    key = catalog_pb2.EpisodeKey(series_id=SERIES, season=1, episode=episode)
    return pb2.StartSessionRequest(key=key, device=scoring_pb2.DeviceProfile(h264=True), device_id="tv")


async def stall(database: Database, playback: Any) -> None:
    source = Source(infohash="a" * 40, file_index=0, magnet_uri="", pick={})
    now = datetime.now(UTC)
    await FallbackStore(database).stalled(source, holders=[LAST, FIRST], at=now, since=now, reason="x")


async def reject(database: Database, playback: Any) -> None:
    since = datetime.now(UTC) - timedelta(hours=1)
    await FallbackStore(database).not_ready(
        EpisodeKey(SERIES, 1, 2), profile_hash=profile_hash(PROFILE), ended_since=since
    )


async def start_the_next(database: Database, playback: Any) -> None:
    await playback.StartSession(start(2))


@pytest.mark.parametrize("change", [stall, reject, start_the_next])
async def test_many_sessions_are_locked_in_the_order_of_their_ids(
    change: Callable[[Database, Any], Any], settings: Any, playback: Any, pg_dsn: str
) -> None:
    made = (await playback.StartSession(start(1))).session.id
    connection = await asyncpg.connect(pg_dsn)
    await connection.execute("SET search_path = playback")
    # On the disk they are the other way round.
    await connection.execute("CREATE TEMP TABLE two AS SELECT * FROM sessions WHERE id = $1", made)
    for session in (LAST, FIRST):
        await connection.execute("UPDATE two SET id = $1", session)
        await connection.execute("INSERT INTO sessions SELECT * FROM two")
    await connection.execute("DELETE FROM sessions WHERE id = $1", made)

    async with (
        postgres(settings.pg_dsn, schema="playback") as database,
        asyncio.TaskGroup() as group,
        connection.transaction(),
    ):
        await connection.execute("SELECT FROM sessions WHERE id = $1 FOR UPDATE", FIRST)
        group.create_task(change(database, playback))

        async def why_not_waiting() -> str | None:
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            return None if await connection.fetchval(waiting) else "nobody waits"

        await eventually(why_not_waiting, within=30)

        await connection.execute("SELECT FROM sessions WHERE id = $1 FOR UPDATE NOWAIT", LAST)
    await connection.close()

"""What is written when two processes decide about one pick at the same time."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from vod_picks.choosing import Decision
from vod_picks.domain import (
    Candidate,
    Choice,
    ChosenFile,
    EpisodeKey,
    Profile,
    Ranking,
    Release,
    SourceKind,
    Tier,
    TorrentFile,
)
from vod_picks.rejections import Rejection, RejectionReason, RejectionScope
from vod_picks.store import PickStore
from vod_runtime import Runtime
from vod_storage import Database, postgres
from vod_testing import migrate_schema

KEY = EpisodeKey("tmdb:tv:9001", 1, 3)
STALLED = Rejection(
    RejectionReason.STALLED, RejectionScope.TORRENT, "nothing came", datetime.now(UTC) + timedelta(hours=2)
)


def decision(digit: str) -> Decision:
    release = Release(digit * 40, f"Harbor.Lights.S01E03-{digit}", "magnet:?", "NOVA", "1080p", "h264", {})
    candidate = Candidate(release, Ranking(Tier.OK, (), {}))
    chosen = ChosenFile(TorrentFile(0, "a.mkv", 1_000), SourceKind.SINGLE)
    return Decision(Choice(KEY, Profile("p1", {}), candidate, chosen), [candidate])


@pytest.fixture
async def database(pg_dsn: str) -> AsyncIterator[Database]:
    await migrate_schema(pg_dsn, "picks")
    async with postgres(SecretStr(pg_dsn), schema="picks") as opened:
        yield opened


async def told(database: Database) -> int:
    count: int = await database.pool.fetchval("SELECT count(*) FROM outbox")
    return count


async def test_one_that_finds_a_successor_after_the_other_found_none_still_puts_it_in_place(
    database: Database, runtime: Runtime
) -> None:
    store = PickStore(database, clock=runtime.clock)
    rejected = await store.keep(decision("a"))
    await store.give_up(rejected, STALLED, [])

    pick = await store.succeed(rejected, STALLED, decision("b"))

    assert (pick.infohash, pick.replaces_pick_id) == ("b" * 40, rejected.id)
    assert await told(database) == 1


async def test_of_two_successors_the_first_stays(database: Database, runtime: Runtime) -> None:
    store = PickStore(database, clock=runtime.clock)
    rejected = await store.keep(decision("a"))
    first = await store.succeed(rejected, STALLED, decision("b"))

    second = await store.succeed(rejected, STALLED, decision("c"))

    assert (first.id, first.infohash) == (second.id, "b" * 40)
    assert await told(database) == 1

"""A pick stays, unless it is dead or something much better has proved itself."""

from datetime import timedelta
from typing import Any

import asyncpg
from vod.catalog.v1 import catalog_pb2
from vod.picks.v1 import picks_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2

from vod_testing import eventually

DEVICE = scoring_pb2.DeviceProfile(h264=True, max_height=1080)
KEY = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=3)
ENSURE = pb2.EnsurePickRequest(key=KEY, device=DEVICE, profile_hash="p1")


async def age(pg_dsn: str, by: timedelta) -> None:
    """Let the picks have been made earlier."""
    connection = await asyncpg.connect(pg_dsn)
    try:
        await connection.execute("UPDATE picks.picks SET picked_at = picked_at - $1::interval", by)
    finally:
        await connection.close()


async def reviewed(pg_dsn: str) -> str | None:
    connection = await asyncpg.connect(pg_dsn)
    try:
        count = await connection.fetchval("SELECT count(*) FROM picks.picks WHERE reviewed_at IS NOT NULL")
        return None if count else "not reviewed yet"
    finally:
        await connection.close()


async def history(picks: Any) -> list[pb2.Pick]:
    return list((await picks.ListPicks(pb2.ListPicksRequest(key=KEY))).picks)


async def test_an_old_pick_that_is_beaten_by_a_margin_is_replaced_for_the_next_viewer(
    picks: Any, neighbours: Any, pg_dsn: str
) -> None:
    neighbours.offer_single("a", 3)
    first = (await picks.EnsurePick(ENSURE)).pick
    neighbours.offer_single("b", 3)
    neighbours.scoring.points = {"a" * 40: 600_000, "b" * 40: 700_000}
    await age(pg_dsn, timedelta(hours=7))

    assert (await picks.EnsurePick(ENSURE)).pick.infohash == "a" * 40
    await eventually(lambda: _replaced(picks), within=30)

    now, before = await history(picks)
    assert (now.infohash, now.replaces_pick_id) == ("b" * 40, first.id)
    assert before.replaced_because == "beaten by 10.0 points of 100"


async def _replaced(picks: Any) -> str | None:
    return None if len(await history(picks)) > 1 else "still the first pick"


async def test_a_little_better_is_not_enough(picks: Any, neighbours: Any, pg_dsn: str) -> None:
    neighbours.offer_single("a", 3)
    await picks.EnsurePick(ENSURE)
    neighbours.offer_single("b", 3)
    neighbours.scoring.points = {"a" * 40: 600_000, "b" * 40: 670_000}
    await age(pg_dsn, timedelta(hours=7))

    await picks.EnsurePick(ENSURE)
    await eventually(lambda: reviewed(pg_dsn), within=30)

    assert [one.infohash for one in await history(picks)] == ["a" * 40]
    calls = neighbours.search.calls
    await picks.EnsurePick(ENSURE)
    assert neighbours.search.calls == calls


async def test_a_challenger_that_does_not_prove_itself_takes_nobodys_place(
    picks: Any, neighbours: Any, pg_dsn: str
) -> None:
    neighbours.offer_single("a", 3)
    await picks.EnsurePick(ENSURE)
    neighbours.search.offer("d", "Harbor.Lights.S01E03.1080p.WEB-DL.H264-DEAD")
    neighbours.scoring.points = {"a" * 40: 600_000, "d" * 40: 900_000}
    await age(pg_dsn, timedelta(hours=7))

    await picks.EnsurePick(ENSURE)
    await eventually(lambda: reviewed(pg_dsn), within=30)

    assert [one.infohash for one in await history(picks)] == ["a" * 40]


async def test_a_pick_that_scoring_refuses_by_now_is_replaced(picks: Any, neighbours: Any, pg_dsn: str) -> None:
    neighbours.offer_single("a", 3)
    await picks.EnsurePick(ENSURE)
    neighbours.offer_single("b", 3)
    neighbours.scoring.refused = {"a" * 40: "filmed in a cinema"}
    await age(pg_dsn, timedelta(hours=7))

    await picks.EnsurePick(ENSURE)
    await eventually(lambda: _replaced(picks), within=30)

    assert (await history(picks))[1].replaced_because == "not playable any more: filmed in a cinema"


async def test_a_fresh_pick_is_left_alone(picks: Any, neighbours: Any, pg_dsn: str) -> None:
    neighbours.offer_single("a", 3)
    await picks.EnsurePick(ENSURE)
    await age(pg_dsn, timedelta(hours=5))

    await picks.EnsurePick(ENSURE)

    assert neighbours.search.calls == 1

"""The best candidates' swarms race; what they showed is remembered."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr
from vod.catalog.v1 import catalog_pb2
from vod.picks.v1 import picks_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2

from vod_picks.domain import Candidate, Ranking, Release, Tier
from vod_picks.memory import SwarmMemory
from vod_picks.race import Result, Run, Sighting
from vod_storage import postgres
from vod_testing import eventually, migrate_schema

DEVICE = scoring_pb2.DeviceProfile(h264=True, max_height=1080)
SLOW = 10  # bytes per second


def ensure(episode: int, *, profile: str = "p1") -> pb2.EnsurePickRequest:
    key = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=episode)
    return pb2.EnsurePickRequest(key=key, device=DEVICE, profile_hash=profile)


def announce(neighbours: Any, digit: str, *, seeders: int, indexer: str) -> None:
    """Say who announced a release that is on offer, and with how many seeders."""
    found = next(one for one in neighbours.search.releases if one.candidate.infohash == digit * 40)
    found.candidate.seeders = seeders
    found.candidate.indexer = indexer


@pytest.fixture
async def picks(settings: Any, open_picks: Any) -> AsyncIterator[Any]:
    """Picks that lets three swarms race."""
    async with open_picks(settings.model_copy(update={"race_runners": 3})) as stub:
        yield stub


async def test_the_swarm_that_gives_beats_better_ranked_ones_that_do_not(picks: Any, neighbours: Any) -> None:
    neighbours.search.offer("d", "Harbor.Lights.S01E03.1080p.WEB-DL.H264-DEAD")
    neighbours.offer_single("5", 3, group="SLOW")
    neighbours.stream_node.hesitant = {"5" * 40}
    neighbours.offer_single("b", 3)

    pick = (await picks.EnsurePick(ensure(3))).pick

    assert pick.infohash == "b" * 40
    assert set(neighbours.stream_node.probed) == {"d" * 40, "5" * 40, "b" * 40}


async def test_a_good_first_choice_wins_over_others_that_are_good_as_well(picks: Any, neighbours: Any) -> None:
    for digit in "abc":
        neighbours.offer_single(digit, 3, group=f"G{digit}")
    neighbours.stream_node.first = "a" * 40

    assert (await picks.EnsurePick(ensure(3))).pick.infohash == "a" * 40


async def test_when_nobody_proves_itself_the_least_slow_one_is_played(picks: Any, neighbours: Any) -> None:
    for digit, rate in (("a", SLOW), ("b", 300), ("c", SLOW)):
        neighbours.offer_single(digit, 3)
        neighbours.stream_node.rates[digit * 40] = rate

    assert (await picks.EnsurePick(ensure(3))).pick.infohash == "b" * 40


async def test_what_was_seen_is_told_to_scoring_next_time(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("5", 3, group="SLOW")
    neighbours.stream_node.rates["5" * 40] = SLOW
    neighbours.search.offer("d", "Harbor.Lights.S01E03.1080p.WEB-DL.H264-DEAD")
    await picks.EnsurePick(ensure(3))

    await picks.EnsurePick(ensure(3, profile="p2"))

    known = {one.infohash[0]: one.observed for one in neighbours.scoring.requests[-1].candidates}
    assert {digit: (one.peers, one.bytes_per_second) for digit, one in known.items()} == {"5": (3, SLOW), "d": (0, 0)}


async def test_an_indexer_that_lied_is_trusted_less_and_an_honest_one_more(picks: Any, neighbours: Any) -> None:
    neighbours.search.offer("d", "Harbor.Lights.S01E03.1080p.WEB-DL.H264-DEAD")
    announce(neighbours, "d", seeders=900, indexer="Siren")
    neighbours.offer_single("5", 3, group="SLOW")
    neighbours.stream_node.rates["5" * 40] = 500
    announce(neighbours, "5", seeders=12, indexer="Breakwater")
    await picks.EnsurePick(ensure(3))

    await picks.EnsurePick(ensure(3, profile="p2"))

    trust = {one.indexer: one.trust for one in neighbours.scoring.requests[-1].candidates}
    assert trust["Siren"] < 0.75
    assert trust["Breakwater"] > 0.8


async def test_nobody_is_blamed_while_nothing_comes_from_anybody(picks: Any, neighbours: Any, pg_dsn: str) -> None:
    neighbours.search.offer("d", "Harbor.Lights.S01E03.1080p.WEB-DL.H264-DEAD")
    announce(neighbours, "d", seeders=900, indexer="Siren")
    neighbours.offer_single("5", 3, group="SLOW")
    neighbours.stream_node.rates["5" * 40] = 0
    await picks.EnsurePick(ensure(3))

    connection = await asyncpg.connect(pg_dsn)
    try:
        assert await connection.fetchval("SELECT count(*) FROM picks.indexer_trust") == 0
    finally:
        await connection.close()


async def test_scoring_is_told_what_a_node_has_already(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3)
    neighbours.offer_single("b", 3)
    neighbours.stream_node.pins = ["b" * 40]

    profiles = count()

    async def why_not_told() -> str | None:
        # Where a node takes longer than a second to tell what it has, nothing is held.
        await picks.EnsurePick(ensure(3, profile=f"p{next(profiles)}"))
        held = {one.infohash[0]: one.held for one in neighbours.scoring.requests[-1].candidates}
        return None if held == {"a": False, "b": True} else f"{held}"

    await eventually(why_not_told, within=30)


async def test_scoring_is_told_which_torrent_the_episode_before_is_in(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 2)
    await picks.EnsurePick(ensure(2))
    neighbours.offer_single("b", 3)

    await picks.EnsurePick(ensure(3))

    assert neighbours.scoring.requests[-1].wanted.previous_infohash == "a" * 40


@pytest.mark.parametrize("at", ["probed", "sampled"])
async def test_a_torrent_that_the_node_fails_with_does_not_hurt_the_others(
    picks: Any, neighbours: Any, at: str
) -> None:
    neighbours.offer_single("e", 3)
    neighbours.offer_single("b", 3)
    neighbours.stream_node.fails_with = {("e" * 40, at)}

    assert (await picks.EnsurePick(ensure(3))).pick.infohash == "b" * 40


class Later:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()


def seen(infohash: str) -> Result:
    release = Release(infohash, "t", "", group="", resolution="", codec="", announced={})
    sighting = Sighting(3, 10, complete=False, here_before=False)
    return Result(None, [Run(Candidate(release, Ranking(Tier.OK, (), {})), sighting=sighting)])


async def test_races_at_once_after_a_pause_of_hours_are_all_remembered(pg_dsn: str, runtime: Any) -> None:
    await migrate_schema(pg_dsn, "picks")
    clock = Later()
    async with postgres(SecretStr(pg_dsn), schema="picks") as database:
        memory = SwarmMemory(database, clock=clock, log=runtime.log)
        for evening in range(10):
            clock.time += timedelta(hours=7)
            async with asyncio.TaskGroup() as group:
                for letter in "abcdef":
                    group.create_task(memory.note(seen(letter * 40)))

            count = await database.pool.fetchval(
                "SELECT count(*) FROM swarm_observations WHERE observed_at = $1", clock.time
            )
            assert (evening, 6) == (evening, count)

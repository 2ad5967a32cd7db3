"""Who wins a race, and who is waited for: swarms that do what a test says, when it says so."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from vod_picks.domain import Candidate, Episode, EpisodeKey, Kind, Ranking, Release, Tier, TorrentFile
from vod_picks.errors import SwarmSilent
from vod_picks.race import Leniency, Result, Sighting, race
from vod_testing import eventually

EPISODE = Episode(EpisodeKey("tmdb:tv:9001", 1, 2), Kind.SERIES, ("Harbor Lights",), runtime=timedelta(minutes=40))
SIZE = 240_000_000  # 100 kB/s are needed
GOOD, POOR = 400_000, 20_000
WAITING = Leniency(shown=600, silent=600)
"""However slow the machine is."""


class Swarms:
    """Swarms by the first letter of the infohash; each tells its file and its rate when it is let."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}
        self.rates: dict[str, Any] = {}

    async def files(self, release: Release, *, within: timedelta) -> Sequence[TorrentFile]:
        await self._future(self.told, release)
        return [TorrentFile(0, f"{release.title}.mkv", SIZE)]

    async def sample(
        self, release: Release, file: TorrentFile, *, size: int, enough_rate: int, within: timedelta
    ) -> Sighting:
        rate = await self._future(self.rates, release)
        return Sighting(peers=1, bytes_per_second=rate, complete=True, here_before=False)

    async def _future(self, futures: dict[str, Any], release: Release) -> Any:
        future = futures.setdefault(release.infohash[0], asyncio.get_running_loop().create_future())
        return await future

    async def tell(self, letter: str) -> None:
        await self._resolve(self.told, letter, None)
        await eventually(lambda: None if letter in self.rates else f"{letter}'s file is not shown", within=30)

    async def give(self, letter: str, rate: int) -> None:
        await self._resolve(self.rates, letter, rate)

    async def _resolve(self, futures: dict[str, Any], letter: str, value: object) -> None:
        await eventually(lambda: None if letter in futures else f"{letter} was not asked", within=30)
        futures[letter].set_result(value)

    def is_silent(self, letter: str) -> None:
        self.told[letter] = asyncio.get_running_loop().create_future()
        self.told[letter].set_exception(SwarmSilent())


def candidate(letter: str, points: int) -> Candidate:
    """Make a candidate; the points are its merit, in hundredths."""
    release = Release(
        letter * 40, f"Harbor.Lights.S01E02.1080p.WEB-DL.H264-{letter}{letter}", "magnet:?", "", "1080p", "h264", {}
    )
    return Candidate(release, Ranking(Tier.OK, (), {"score_micro": points * 10_000}))


async def run(
    swarms: Swarms, candidates: Sequence[Candidate], *events: tuple[str, int | None], leniency: Leniency = WAITING
) -> Result:
    """Let the candidates race while the events happen in order: a swarm tells its file (None), or gives at a rate."""
    async with asyncio.timeout(100), asyncio.TaskGroup() as group:
        racing = group.create_task(
            race(candidates, swarms=swarms, episode=EPISODE, within=timedelta(seconds=4), leniency=leniency)
        )
        for letter, rate in events:
            await (swarms.tell(letter) if rate is None else swarms.give(letter, rate))
    return racing.result()


def winner(result: Result) -> str:
    assert result.winner

    return result.winner.candidate.release.infohash[0]


async def test_the_best_one_wins_as_soon_as_it_proves_itself() -> None:
    result = await run(Swarms(), [candidate("a", 50), candidate("b", 40)], ("b", None), ("a", None), ("a", GOOD))

    assert winner(result) == "a"
    assert [one.candidate.release.infohash[0] for one in result.runs] == ["a"]


async def test_one_that_is_cut_off_after_it_showed_its_file_is_told_of() -> None:
    events = ("b", None), ("a", None), ("a", GOOD)

    result = await run(Swarms(), [candidate("a", 50), candidate("b", 40)], *events)

    assert [(one.candidate.release.infohash[0], one.shown) for one in result.dropped] == [("b", True)]


async def test_of_one_that_had_no_time_to_speak_nothing_is_told() -> None:
    result = await run(Swarms(), [candidate("a", 50), candidate("b", 40)], ("a", None), ("a", GOOD))

    assert list(result.dropped) == []


async def test_a_better_one_that_has_shown_its_file_is_waited_for() -> None:
    events = ("a", None), ("b", None), ("b", GOOD), ("a", GOOD)

    assert winner(await run(Swarms(), [candidate("a", 50), candidate("b", 40)], *events)) == "a"


async def test_a_better_one_that_shows_its_file_a_moment_late_is_waited_for() -> None:
    events = ("b", None), ("b", GOOD), ("a", None), ("a", GOOD)

    assert winner(await run(Swarms(), [candidate("a", 50), candidate("b", 40)], *events)) == "a"


async def test_a_better_one_that_shows_nothing_is_not_waited_for() -> None:
    events, leniency = (("b", None), ("b", GOOD)), Leniency(shown=600, silent=0.15)

    assert winner(await run(Swarms(), [candidate("a", 50), candidate("b", 40)], *events, leniency=leniency)) == "b"


async def test_a_better_one_that_shows_its_file_and_gives_nothing_is_given_up() -> None:
    events, leniency = (("a", None), ("b", None), ("b", GOOD)), Leniency(shown=0.15, silent=600)

    assert winner(await run(Swarms(), [candidate("a", 50), candidate("b", 40)], *events, leniency=leniency)) == "b"


async def test_one_that_is_hardly_better_is_not_waited_for() -> None:
    result = await run(Swarms(), [candidate("a", 50), candidate("b", 50)], ("a", None), ("b", None), ("b", GOOD))

    assert winner(result) == "b"
    assert len(result.runs) == 1


async def test_a_slow_one_does_not_end_the_race() -> None:
    events = ("a", None), ("a", POOR), ("b", None), ("b", GOOD)

    assert winner(await run(Swarms(), [candidate("a", 50), candidate("b", 40)], *events)) == "b"


async def test_of_slow_ones_merit_as_far_as_the_rate_carries_it_decides() -> None:
    events = ("a", None), ("a", POOR), ("b", None), ("b", 2 * POOR)

    assert winner(await run(Swarms(), [candidate("a", 50), candidate("b", 40)], *events)) == "b"


async def test_when_all_are_silent_nobody_wins_and_each_says_why() -> None:
    swarms = Swarms()
    swarms.is_silent("a")
    swarms.is_silent("b")

    result = await run(swarms, [candidate("a", 50), candidate("b", 40)])

    assert result.winner is None
    assert [one.reasons[0].code for one in result.runs] == ["SWARM_SILENT", "SWARM_SILENT"]

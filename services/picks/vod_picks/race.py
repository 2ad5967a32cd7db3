"""The race: the best candidates' swarms are tried side by side, and the one that proves itself is played.

Each runner asks its swarm what is in the torrent, finds the wanted file in it, and fetches that file's first bytes.

    proved        the bytes came at 1.5 times the file's bitrate, or were here already: it wins at once
    fell short    the file is there, but its bytes came slower, or not at all
    out           the swarm stayed silent, or has no such file

A runner that proves itself waits only for better ones (in picture, size and group: claims about swarms count no more),
so a good first choice is never held up: for those that have shown the file already a little more than a second, for
those that have not shown it a moment.
When nobody proves itself in time, the best of merit and rate together wins. Losers are dropped; what all of them
showed is remembered (`trust.py`).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from vod_picks.domain import Candidate, ChosenFile, Episode, Kind, Reason, Release, TorrentFile
from vod_picks.errors import NodeLate, SwarmHostile, SwarmSilent
from vod_picks.files import find_file
from vod_rpc import Failure, Unavailable

PROOF = 1.5
"""Times the bitrate: it plays, and gets ahead."""
GRACE = 0.1
"""Of the time that the first one took, at least."""
WORTH_WAITING = 0.01
"""Points: better by less than this is not better."""
TIME_TO_SPEAK = 2.0
"""Seconds: a swarm that has not told by then what is in it is silent, not just a little late."""
SAMPLE_SECONDS = 1.5
LEAST_SAMPLE, LARGEST_SAMPLE = 256 << 10, 3 << 20
NODE_LATE = "NODE_LATE"
"""Why one that ran is not known to be playable or not."""
USUAL_RUNTIME = {
    Kind.MOVIE: timedelta(minutes=100),
    Kind.SERIES: timedelta(minutes=40),
    Kind.ANIME: timedelta(minutes=24),
}


@dataclass(frozen=True, slots=True)
class Leniency:
    """How long better ones are waited for, at least, once another has proved itself; in seconds."""

    shown: float = 1.2
    """For one that has shown the file: peers that choke us let go at their ticks, a second apart."""
    silent: float = 0.15
    """For one that has not: two live swarms that were asked at the same time tell so much apart on a busy node."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a stream node saw of a swarm."""

    peers: int
    bytes_per_second: int
    complete: bool
    """All bytes that were asked for are here."""
    here_before: bool
    """They were here before; nothing is known of the swarm."""


@dataclass(frozen=True, slots=True)
class Run:
    """How far one candidate came. `needed_rate` is its file's bitrate, in bytes per second."""

    candidate: Candidate
    chosen: ChosenFile | None = None
    reasons: tuple[Reason, ...] = ()
    sighting: Sighting | None = None
    needed_rate: float = 0.0
    failure: Failure | None = None
    """How the node failed with it, if it did."""

    @property
    def proved(self) -> bool:
        seen = self.sighting
        if self.chosen is None or seen is None:
            return False
        return seen.here_before or seen.bytes_per_second >= PROOF * self.needed_rate

    @property
    def told(self) -> str:
        """Say for people what it showed."""
        if self.sighting is None:
            return "; ".join(reason.text for reason in self.reasons)
        if self.sighting.here_before:
            return "its first bytes were here already"
        rate, needed = self.sighting.bytes_per_second / 1e6, self.needed_rate / 1e6
        return f"tried: its first bytes came at {rate:.2f} MB/s, {needed:.2f} are needed to play"

    @property
    def promise(self) -> float:
        """How much it may please: its merit, as far as the rate carries it."""
        if self.chosen is None:
            return -1.0
        rate = self.sighting.bytes_per_second if self.sighting else 0
        carried = min(1.0, rate / (PROOF * self.needed_rate)) if self.needed_rate else 0.0
        return carried**2 * self.candidate.merit + self.candidate.score / 1000


@dataclass(frozen=True, slots=True)
class Dropped:
    """One that still ran when another had won. `shown`: its file had been shown by then."""

    candidate: Candidate
    shown: bool


@dataclass(frozen=True, slots=True)
class Result:
    """Who won, and what everybody showed; `dropped` are those that can be said something of though they never ended."""

    winner: Run | None
    runs: Sequence[Run]
    dropped: Sequence[Dropped] = ()


class Swarms(Protocol):
    async def files(self, release: Release, *, within: timedelta) -> Sequence[TorrentFile]:
        """Return what is in the torrent. Raises SwarmSilent when nobody tells in time."""
        ...

    async def sample(
        self, release: Release, file: TorrentFile, *, size: int, enough_rate: int, within: timedelta
    ) -> Sighting:
        """Fetch the first *size* bytes of a file. Raises SwarmSilent when the node can't even begin."""
        ...


@dataclass(slots=True)
class _Course:
    """What happens in one race; `shown` are the ranks that have shown the file.

    Arrivals: a runner has shown the file (None), or has finished.
    """

    arrivals: asyncio.Queue[tuple[int, Run | None]] = field(default_factory=asyncio.Queue)
    shown: set[int] = field(default_factory=set)
    finished: dict[int, Run] = field(default_factory=dict)
    took: float | None = None
    """Seconds until the first one proved itself."""


async def race(
    candidates: Sequence[Candidate],
    *,
    swarms: Swarms,
    episode: Episode,
    within: timedelta,
    leniency: Leniency = Leniency(),
) -> Result:
    """Let *candidates*, best first, run against each other.

    Raises:
        Unavailable: the stream node was away for all of them, which says nothing about the candidates.
    """
    course = _Course()
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_enter(course, rank, one, swarms=swarms, episode=episode, within=within))
            for rank, one in enumerate(candidates)
        ]
        await _watch(course, candidates, leniency)
        for task in tasks:
            task.cancel()
    runs = [course.finished[rank] for rank in sorted(course.finished)]
    away = [run.failure for run in runs if isinstance(run.failure, Unavailable)]
    if away and len(away) == len(runs):
        raise away[0]
    proved = max((run for run in runs if run.proved), key=lambda run: run.candidate.merit, default=None)
    best = max((run for run in runs if run.chosen), key=lambda run: run.promise, default=None)
    return Result(proved or best, runs, _dropped(course, candidates))


def _dropped(course: _Course, candidates: Sequence[Candidate]) -> list[Dropped]:
    """Return what can be said of those that were cut off: silence counts only if there was time to speak."""
    if not any(run.proved and run.sighting and not run.sighting.here_before for run in course.finished.values()):
        return []
    had_time = course.took is not None and course.took >= TIME_TO_SPEAK
    return [
        Dropped(one, rank in course.shown)
        for rank, one in enumerate(candidates)
        if rank not in course.finished and (rank in course.shown or had_time)
    ]


async def _watch(course: _Course, candidates: Sequence[Candidate], leniency: Leniency) -> None:
    """Return when the race is decided."""
    clock = asyncio.get_running_loop().time
    started = clock()
    while len(course.finished) < len(candidates):
        took = course.took
        until = None if took is None else started + took + _grace(course, candidates, took=took, leniency=leniency)
        try:
            async with asyncio.timeout_at(until):
                rank, arrived = await course.arrivals.get()
        except TimeoutError:
            return
        if arrived is None:
            course.shown.add(rank)
            continue
        course.finished[rank] = arrived
        if course.took is None and arrived.proved:
            course.took = clock() - started
        if course.took is not None and not _better(course, candidates):
            return


def _better(course: _Course, candidates: Sequence[Candidate]) -> list[int]:
    """Return the ranks of those that still run and are better than all that proved themselves."""
    best = max(run.candidate.merit for run in course.finished.values() if run.proved)
    return [
        rank for rank, one in enumerate(candidates) if rank not in course.finished and one.merit >= best + WORTH_WAITING
    ]


def _grace(course: _Course, candidates: Sequence[Candidate], *, took: float, leniency: Leniency) -> float:
    """Return how long better ones are waited for, after the first proved itself."""
    is_shown = any(rank in course.shown for rank in _better(course, candidates))
    return max(leniency.shown if is_shown else leniency.silent, GRACE * took)


async def _enter(
    course: _Course, rank: int, candidate: Candidate, *, swarms: Swarms, episode: Episode, within: timedelta
) -> None:
    try:
        run = await _run(course, rank, candidate, swarms=swarms, episode=episode, within=within)
    except Failure as failure:  # one torrent's, as far as anybody can tell: the others run on
        reason = Reason("NODE_FAILED", f"the stream node failed with it: {failure}")
        run = Run(candidate, reasons=(reason,), failure=failure)
    course.arrivals.put_nowait((rank, run))


async def _run(
    course: _Course, rank: int, candidate: Candidate, *, swarms: Swarms, episode: Episode, within: timedelta
) -> Run:
    clock = asyncio.get_running_loop().time
    end, release = clock() + within.total_seconds(), candidate.release
    try:
        files = await swarms.files(release, within=within)
    except NodeLate:
        return Run(candidate, reasons=(Reason(NODE_LATE, "the stream node did not answer in time"),))
    except SwarmSilent:
        text = f"nobody told within {within.total_seconds():.1f} s what is in it"
        return Run(candidate, reasons=(Reason("SWARM_SILENT", text),))
    except SwarmHostile as hostile:
        return Run(candidate, reasons=(Reason("SWARM_HOSTILE", str(hostile)),))
    # Parsing thousands of names takes a while, and other calls should not wait for it.
    found = await asyncio.to_thread(find_file, files, episode=episode, release_title=release.title)
    if isinstance(found, Reason):
        return Run(candidate, reasons=(found,))
    course.arrivals.put_nowait((rank, None))
    needed = needed_rate(found.file, episode)
    size = round(min(LARGEST_SAMPLE, max(LEAST_SAMPLE, needed * SAMPLE_SECONDS)))
    left = timedelta(seconds=max(0.1, end - clock()))
    try:
        seen = await swarms.sample(release, found.file, size=size, enough_rate=round(PROOF * needed), within=left)
    except (SwarmSilent, SwarmHostile):
        seen = Sighting(peers=0, bytes_per_second=0, complete=False, here_before=False)
    return Run(candidate, chosen=found, sighting=seen, needed_rate=needed)


def needed_rate(file: TorrentFile, episode: Episode) -> float:
    """Return a file's bitrate in bytes per second."""
    runtime = episode.runtime or USUAL_RUNTIME[episode.kind]
    return file.size_bytes / runtime.total_seconds()

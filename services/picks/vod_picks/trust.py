"""What a race teaches about those who announced its runners: does an indexer's number of seeders mean anything?

Trust is the mean of a Beta distribution, Beta(4, 1) before anything is known, whose past fades by half a percent with
each new lesson. What was seen of a swarm is a lesson as far as it tells a true number from a lie, of which a tenth is
there: silence of a claimed crowd tells nearly all, bytes from it next to nothing, because a tenth of a crowd gives
enough as well. Each lesson is weighed by Bayes' rule with the trust of the moment, so that an honest indexer is not
blamed for a swarm that fails by chance.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from vod_picks.domain import Candidate
from vod_picks.race import Dropped, Result, Run

PRIOR_KEPT, PRIOR_BROKEN = 4.0, 1.0
FADING = 0.995
BYTES_PER_SEEDER = 2_000_000 / 8
LEECHER_WEIGHT = 0.6
SHARE = 0.25
"""Of what so many seeders should give: less than this is a broken number."""
TELLABLE = 4.0
"""Times the bitrate: a sample ends when enough comes."""
LEAST_CLAIM = 5
"""Fewer seeders than this may be gone by chance."""
LEFT_OF_A_LIE = 0.1
"""The share of the claimed seeders that is there where the number is not true."""
KEPT_IF_TRUE = 0.9
"""The chance that a swarm whose number is true shows it in a race."""
KEPT_IF_NOT = 0.7
"""The chance that one whose number is a lie shows as much, where a tenth of it would give plenty."""
SHOWN_IN_TIME = 0.7
"""The chance that a swarm with anybody in it has shown its file when another has won."""
GONE = 0.7
"""The chance that a counted seeder can't be reached."""
STEEPNESS = 2.0
"""Of the logistic over the log of what a lie's swarm should give, against what was asked of it."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """How likely it was to see what was seen, if the number is true and if it is not."""

    if_true: float
    if_not: float

    @property
    def tells(self) -> float:
        """How much of a lesson it is: 0 where both are as likely, towards 1 where one is next to impossible."""
        return abs(self.if_true - self.if_not) / max(self.if_true, self.if_not)

    @property
    def opposite(self) -> "Lesson":
        """The lesson of not seeing it."""
        return Lesson(1 - self.if_true, 1 - self.if_not)


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known of one indexer's numbers."""

    kept: float = PRIOR_KEPT
    broken: float = PRIOR_BROKEN

    @property
    def mean(self) -> float:
        return self.kept / (self.kept + self.broken)

    def after(self, lesson: Lesson) -> "Trust":
        """Return the trust after one more lesson, which counts and makes the past fade as far as it tells something."""
        true, lie = self.mean * lesson.if_true, (1 - self.mean) * lesson.if_not
        fading, share = 1 - (1 - FADING) * lesson.tells, true / (true + lie)
        return Trust(self.kept * fading + lesson.tells * share, self.broken * fading + lesson.tells * (1 - share))


def lessons(result: Result) -> Iterator[tuple[str, Lesson]]:
    """Give indexer and lesson for each runner that says something about it.

    Nobody is blamed while nothing came from anybody: that is more likely our own network. Who was cut off is not blamed
    for bytes that did not come, only told from one that had shown its file by then.
    """
    anybody = any(run.sighting and run.sighting.bytes_per_second for run in result.runs)
    for run in result.runs:
        claimed = _claimed(run.candidate)
        if claimed and _is_about_swarm(run):
            lesson = _lesson(run, claimed)
            if lesson.if_true > lesson.if_not or anybody:
                yield from _for_each_indexer(run.candidate, lesson)
    for dropped in result.dropped:
        if claimed := _claimed(dropped.candidate):
            yield from _for_each_indexer(dropped.candidate, _half_lesson(dropped, claimed))


def _claimed(candidate: Candidate) -> int:
    """Return how many seeders are claimed; 0 where that can't be checked."""
    claimed = candidate.release.announced.get("seeders")
    return claimed if isinstance(claimed, int) and claimed >= LEAST_CLAIM else 0


def _for_each_indexer(candidate: Candidate, lesson: Lesson) -> Iterator[tuple[str, Lesson]]:
    for indexer in indexers(candidate.release.announced.get("indexer", "")):
        yield indexer, lesson


def indexers(announced: str) -> list[str]:
    """Return who announced a release; search joins them with commas."""
    return [name for name in announced.split(", ") if name]


def _is_about_swarm(run: Run) -> bool:
    """A wrong file or a hostile torrent says nothing about peers, nor does what was here before."""
    if run.sighting:
        return not run.sighting.here_before
    return any(reason.code == "SWARM_SILENT" for reason in run.reasons)


def _lesson(run: Run, seeders: int) -> Lesson:
    leechers = int(run.candidate.release.announced.get("leechers", 0))
    # Nobody can tell in seconds whether much more would come than is needed; of a silent one nobody knows what is.
    most = TELLABLE * run.needed_rate if run.needed_rate else _supply(seeders, leechers)
    threshold = SHARE * min(_supply(seeders, leechers), most)
    odds = (_supply(LEFT_OF_A_LIE * seeders, leechers) / threshold) ** STEEPNESS
    kept = Lesson(KEPT_IF_TRUE, KEPT_IF_NOT * odds / (1 + odds))
    is_kept = run.sighting is not None and run.sighting.bytes_per_second >= threshold
    return kept if is_kept else kept.opposite


def _half_lesson(dropped: Dropped, seeders: int) -> Lesson:
    shown = Lesson(
        SHOWN_IN_TIME * (1 - GONE**seeders),
        SHOWN_IN_TIME * (1 - GONE ** (LEFT_OF_A_LIE * seeders)),
    )
    return shown if dropped.shown else shown.opposite


def _supply(seeders: float, leechers: float) -> float:
    """Return what so many seeders should give, in bytes per second."""
    return BYTES_PER_SEEDER * seeders**2 / (seeders + LEECHER_WEIGHT * leechers)

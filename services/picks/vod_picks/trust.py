"""What a race teaches about those who announced its runners: does an indexer's number of seeders mean anything?

Trust is the mean of a Beta distribution, Beta(4, 1) before anything is known, whose past fades by half a percent with
each new lesson. A number proved true when a quarter of what so many seeders should give came, as far as that can be
told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from vod_picks.race import Run

PRIOR_KEPT, PRIOR_BROKEN = 4.0, 1.0
FADING = 0.995
BYTES_PER_SEEDER = 2_000_000 / 8
LEECHER_WEIGHT = 0.6
SHARE = 0.25
TELLABLE = 4.0
"""Times the bitrate: a sample ends when enough comes."""
LEAST_CLAIM = 5
"""Fewer seeders than this may be gone by chance."""


class Lesson(Enum):
    """What became of a number of seeders."""

    KEPT = "kept"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known of one indexer's numbers."""

    kept: float = PRIOR_KEPT
    broken: float = PRIOR_BROKEN

    @property
    def mean(self) -> float:
        return self.kept / (self.kept + self.broken)

    def after(self, lesson: Lesson) -> "Trust":
        """Return the trust after one more lesson."""
        kept, broken = self.kept * FADING, self.broken * FADING
        return Trust(kept + 1, broken) if lesson is Lesson.KEPT else Trust(kept, broken + 1)


def lessons(runs: Sequence[Run]) -> Iterator[tuple[str, Lesson]]:
    """Give indexer and lesson for each run that says something about it.

    Nobody is blamed while nothing came from anybody: that is more likely our own network.
    """
    anybody = any(run.sighting and run.sighting.bytes_per_second for run in runs)
    for run in runs:
        claimed = run.candidate.release.announced.get("seeders")
        if not isinstance(claimed, int) or claimed < LEAST_CLAIM or not _is_about_swarm(run):
            continue
        lesson = Lesson.KEPT if _is_kept(run, claimed) else Lesson.BROKEN
        if lesson is Lesson.KEPT or anybody:
            for indexer in indexers(run.candidate.release.announced.get("indexer", "")):
                yield indexer, lesson


def indexers(announced: str) -> list[str]:
    """Return who announced a release; search joins them with commas."""
    return [name for name in announced.split(", ") if name]


def _is_about_swarm(run: Run) -> bool:
    """A wrong file or a hostile torrent says nothing about peers, nor does what was here before."""
    if run.sighting:
        return not run.sighting.here_before
    return any(reason.code == "SWARM_SILENT" for reason in run.reasons)


def _is_kept(run: Run, seeders: int) -> bool:
    if run.sighting is None:
        return False
    leechers = int(run.candidate.release.announced.get("leechers", 0))
    supply = BYTES_PER_SEEDER * seeders**2 / (seeders + LEECHER_WEIGHT * leechers)
    # Nobody can tell in seconds whether much more would come than is needed.
    return run.sighting.bytes_per_second >= SHARE * min(supply, TELLABLE * run.needed_rate)

"""An indexer that fails is left alone, longer each time in a row, and at least as long as it asks for."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LADDER = (
    timedelta(0),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
    timedelta(hours=24),
)


@dataclass(frozen=True, slots=True)
class Rest:
    """How long an indexer is left alone, and why."""

    failures: int
    """In a row."""
    until: datetime
    reason: str
    """What it last said, for people."""

    def told(self) -> str:
        """Say for people why it was not asked."""
        times = "it failed" if self.failures == 1 else f"{self.failures} failures in a row"
        return f"rests until {self.until:%H:%M} UTC after {times}: {self.reason}"


def rest_after(before: Rest | None, *, known: int, reason: str, retry_after: timedelta | None, now: datetime) -> Rest:
    """Return the rest after one more failure; *retry_after* is what the indexer asked for.

    *known* failures were counted when this one's question was asked. If there are more by now, others that asked at the
    same time have noted the same failure already: one hiccup is one failure, however many searches it hits.
    """
    asked = min(retry_after or timedelta(0), LADDER[-1])
    if before and before.failures > known:
        return Rest(before.failures, max(before.until, now + asked), reason)
    failures = before.failures + 1 if before else 1
    step = LADDER[min(failures, len(LADDER)) - 1]
    return Rest(failures, now + max(step, asked), reason)

"""Rejections: what is not chosen for a while, because it failed or because somebody does not want it.

A rejection fades. Each strike adds 1 to a weight that halves with the half-life of its reason; as long as the weight
is above a half, the thing is blocked. So one strike blocks for one half-life, and each doubling of strikes adds one.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vod_picks.domain import Pick


class RejectionReason(StrEnum):
    """Why something was rejected."""

    STALLED = "stalled"
    BROKEN = "broken"
    UNWANTED = "unwanted"


class RejectionScope(StrEnum):
    """How much was rejected: a torrent, one file of it, or a release group for one series."""

    TORRENT = "torrent"
    FILE = "file"
    GROUP = "group"


HALF_LIFE = {
    RejectionReason.STALLED: timedelta(hours=2),  # swarms come and go within an evening
    RejectionReason.BROKEN: timedelta(days=30),  # files do not mend; but the judgement may have been wrong
    RejectionReason.UNWANTED: timedelta(days=180),  # a wish lasts, and is taken back by choosing it again
}
LEAST_WEIGHT = 0.5
SECOND_CHANCE = timedelta(minutes=10)
"""A stalled swarm is tried again after this, where nothing else was left: then our own network may be to blame."""
USUAL_WORDS = {
    RejectionReason.STALLED: "its swarm did not deliver fast enough",
    RejectionReason.BROKEN: "its file is not what its name promises, or can't be played",
    RejectionReason.UNWANTED: "somebody did not want it",
}


@dataclass(frozen=True, slots=True)
class Strike:
    """What is held against a pick."""

    pick: Pick
    reason: RejectionReason
    scope: RejectionScope
    explanation: str
    """For people."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """What is against something, and until when it is not chosen."""

    reason: RejectionReason
    scope: RejectionScope
    explanation: str
    blocked_until: datetime

    @property
    def told(self) -> str:
        """Say it for people."""
        what = {
            RejectionScope.TORRENT: "rejected",
            RejectionScope.FILE: "its file was rejected",
            RejectionScope.GROUP: "its group was rejected",
        }
        return f"{what[self.scope]}: {self.explanation}; not tried again before {self.blocked_until:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Standing:
    """The pick of a key and, if it must not be played any more, why."""

    pick: Pick
    rejection: Rejection | None = None
    is_due: bool = False
    """It is old, and was not reviewed lately."""


@dataclass(frozen=True, slots=True)
class Weight:
    """How much is held against something."""

    value: float
    at: datetime

    def after_strike(self, *, at: datetime, half_life: timedelta) -> "Weight":
        """Return the weight after one more strike."""
        age = max(timedelta(0), at - self.at)
        return Weight(self.value * 0.5 ** (age / half_life) + 1, at)

    def blocks_until(self, *, half_life: timedelta) -> datetime:
        """Return when it will have faded to a half."""
        return self.at + half_life * math.log2(self.value / LEAST_WEIGHT)

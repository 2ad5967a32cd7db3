"""What there is to prepare."""

from dataclasses import dataclass
from enum import Enum
from typing import NewType

SessionId = NewType("SessionId", str)
Profile = NewType("Profile", bytes)
"""The device profile as it came with the event: passed on to picks, never looked into."""


@dataclass(frozen=True, slots=True)
class EpisodeKey:
    """Names one episode."""

    series_id: str
    season: int
    episode: int

    def __str__(self) -> str:
        return f"{self.series_id}:S{self.season:02d}E{self.episode:02d}"


@dataclass(frozen=True, slots=True)
class Following:
    """The episode that a session will want next, and for which device."""

    session: SessionId
    key: EpisodeKey
    profile: Profile
    profile_hash: str
    subtitle_languages: tuple[str, ...]
    ready: bool = False
    """The viewer was told that it would start at once."""
    is_near: bool = False
    """It begins within minutes."""

    @property
    def looked(self) -> str:
        """Names a look at what is prepared already; the nearer, the more often."""
        return f"{self.mark}:{'near' if self.is_near else 'far'}"

    @property
    def mark(self) -> str:
        """Names this piece of work."""
        return f"prefetch:{self.session}:{self.key}"


@dataclass(frozen=True, slots=True)
class Pick:
    """The source chosen for an episode."""

    infohash: str
    magnet_uri: str
    file_index: int
    title: str

    def same_file(self, other: "Pick | None") -> bool:
        """Tell whether both are the same bytes."""
        return other is not None and (self.infohash, self.file_index) == (other.infohash, other.file_index)


class Outcome(Enum):
    """How preparing ended."""

    READY = "ready"
    """The first and the last bytes are on disk: a player can start at once."""
    NOT_READY = "not_ready"
    """The pick is made and pinned, but the bytes did not come in time."""
    NOTHING_PLAYABLE = "nothing_playable"

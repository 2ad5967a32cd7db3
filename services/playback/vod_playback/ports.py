"""What the use cases need of others, in their own words."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from vod_playback.domain import (
    Alternative,
    Device,
    DeviceProfile,
    Direct,
    DirectWish,
    Episode,
    EpisodeKey,
    Heard,
    How,
    JsonObject,
    LastWatched,
    Pin,
    Resume,
    Session,
    Source,
    State,
    Wish,
    Written,
)


class Catalog(Protocol):
    async def episode(self, key: EpisodeKey) -> Episode:
        """Return the episode that any of its names names. Fails with NotFound."""
        ...

    async def title(self, series_id: str) -> str:
        """Return the id under which a title is kept that any of its names names. Fails with NotFound."""
        ...

    async def ending(self, key: EpisodeKey, *, duration: timedelta) -> timedelta | None:
        """Return where the ending of a file of this length begins, None if nobody knows."""
        ...


class Picks(Protocol):
    async def ensure(self, key: EpisodeKey, *, profile: DeviceProfile, profile_hash: str) -> Source:
        """Return what to play. Fails with NotFound (NO_PLAYABLE_RELEASE)."""
        ...

    async def override(self, session: Session, *, infohash: str) -> Source: ...

    async def reject(self, pick_id: int, *, explanation: str) -> None:
        """Say that a pick's swarm does not deliver; nothing happens if it is not in force any more."""
        ...

    async def alternatives(self, key: EpisodeKey, *, profile_hash: str) -> Sequence[Alternative]:
        """Return what a pick was chosen from, best first; empty if there is no pick."""
        ...


class Pins(Protocol):
    async def hold(self, source: Source, *, holder: str, lasting: timedelta) -> Pin:
        """Pin the file for a session that plays it; returns when the swarm told its name and size."""
        ...

    async def hold_directly(self, wish: DirectWish, *, holder: str) -> tuple[Source, Pin]:
        """Pin what a viewer named, and return which torrent and file that is."""
        ...

    async def progress(self, source: Source) -> JsonObject:
        """Return a pin as the stream node tells it. Fails with NotFound (PIN_UNKNOWN)."""
        ...

    async def release(self, source: Source, *, holder: str, successor: str) -> None:
        """Give up a claim; *successor* is the address of what replaces the file, empty if nothing does."""
        ...

    async def session_is_over(self, holder: str) -> None:
        """Give up what a session watched at once, and what was to come next when its viewer has had time to go on."""
        ...


class Streams(Protocol):
    async def hold(self, direct: Direct) -> Pin:
        """Make sure that a direct source can be played. Fails with NotFound, Unavailable."""
        ...


class Events(Protocol):
    async def heartbeat(self, session: Session) -> None:
        """Tell that somebody watches; a failure is logged, not raised."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """A stored session, and the ids of the device's sessions after which it was expected."""

    session: Session
    expected_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replaced:
    """A session that plays another source, and what it played until then, which may be news to the caller."""

    session: Session
    before: Source


class Store(Protocol):
    async def session(self, session_id: str) -> Session | None: ...

    async def requested(self, *, device_id: str, request_id: str) -> Session | None: ...

    async def watched(self, wish: Wish, *, profile_hashes: Collection[str]) -> Source | None:
        """Return the source of the wished episode that the subject left unfinished on such a device."""
        ...

    async def open(self, session: Session) -> Opened:
        """Store session and device; the stored session is an earlier one if its request id was used before.

        Each session that expected this episode next is told once only.
        """
        ...

    async def touch(self, session_id: str, *, at: datetime) -> Session | None:
        """Note a sign of life that says nothing of the position; None unless the session is active."""
        ...

    async def end(
        self, session_id: str, *, at: datetime, how: How, unheard_since: datetime | None = None
    ) -> Session | None:
        """End a session and queue the event; None unless it was active, and unheard since then."""
        ...

    async def silent(self, *, since: datetime) -> Sequence[str]:
        """Return the ids of active sessions that were not heard of since then."""
        ...

    async def switch(self, session_id: str, source: Source) -> Replaced | None:
        """Let a session play another source; None unless it is active."""
        ...

    async def hint(self, session_id: str, next_key: EpisodeKey, *, ready: bool) -> State | None:
        """Store whether the next episode is ready; None unless it is the one that follows."""
        ...

    async def active(self) -> Sequence[Session]: ...


class Beats(Protocol):
    async def write(self, heard: Heard) -> Written | None:
        """Store a report; returns when it is on disk. None unless the session is active."""
        ...


class Progress(Protocol):
    async def unfinished(self, *, subject_id: str, series_id: str) -> Resume | None: ...

    async def subject_of(self, device_id: str) -> str | None: ...

    async def last_watched(self, subject_id: str, *, at_most: int) -> Sequence[LastWatched]:
        """Return what the subject watched last of each series, the latest series first."""
        ...

    async def devices(self, subject_id: str) -> Sequence[Device]: ...

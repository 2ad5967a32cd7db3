"""The next episode where no torrent of it can be played: its direct source is found ahead, and autoplay is quick."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from vod_playback.domain import DeviceProfile, Episode, EpisodeKey, Session, Source, Wish
from vod_playback.errors import NextMismatch, SessionNotFound
from vod_playback.ports import Catalog
from vod_runtime import Clock

GOOD_FOR = timedelta(minutes=30)
"""What was found longer ago is not taken: prefetch has it looked for again every few minutes."""


class LastResort(Protocol):
    """What is left without torrents."""

    async def without_torrents(self, episode: Episode, *, device_id: str, profile: DeviceProfile) -> Source | None:
        """Return a direct source that is well, None if there is none."""
        ...


class PreparedStore(Protocol):
    async def session(self, session_id: str) -> Session | None: ...

    async def prepare(self, session_id: str, next_key: EpisodeKey, source: Source | None, *, at: datetime) -> bool:
        """Keep what the next episode would begin with; with none it is not ready. False unless it follows."""
        ...

    async def prepared(self, wish: Wish, *, profile_hash: str, since: datetime) -> Source | None:
        """Return what was kept since then for an episode that follows on a device, None if nothing was."""
        ...


class Preparing:
    """Direct sources of what comes next."""

    def __init__(
        self,
        *,
        store: PreparedStore,
        catalog: Catalog,
        last_resort: LastResort,
        clock: Clock,
        changed: Callable[[str], None],
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._last_resort = last_resort
        self._clock = clock
        self._changed = changed

    async def prepare(self, session_id: str, key: EpisodeKey) -> None:
        """Find a direct source for the episode that follows, and tell the session whether that makes it ready.

        Raises:
            SessionNotFound
            NextMismatch: another episode follows.
        """
        session = await self._store.session(session_id)
        if session is None:
            raise SessionNotFound(session_id)
        episode = await self._catalog.episode(key)
        source = await self._last_resort.without_torrents(episode, device_id=session.device_id, profile=session.profile)
        if not await self._store.prepare(session_id, key, source, at=self._clock.now()):
            raise NextMismatch
        self._changed(session_id)

    async def prepared(self, wish: Wish, *, profile_hash: str) -> Source | None:
        """Return what was found ahead for a wish, None if nothing was, or if it is too old."""
        return await self._store.prepared(wish, profile_hash=profile_hash, since=self._clock.now() - GOOD_FOR)

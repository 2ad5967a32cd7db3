"""What a viewer would go on with: one episode of each series."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vod_playback.domain import Device, EpisodeKey, LastWatched
from vod_playback.ports import Catalog, Progress
from vod_rpc import Failure

MOST = 50
_LOOKED_AT = 100
"""Series; those that are finished and have nothing after them are left out of the list."""
_ASKED_AT_ONCE = 8


class Why(StrEnum):
    """Why somebody would go on with an episode."""

    UNFINISHED = "unfinished"
    NEXT = "next"
    """The one before it is finished."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """Where to go on with one series."""

    key: EpisodeKey
    position: timedelta
    duration: timedelta
    """Zero if unknown."""
    why: Why
    watched_at: datetime
    """When something of the series was watched last."""
    ready: bool
    """It would start at once."""


class Continuing:
    """The list of what was begun, and the devices it was watched on."""

    def __init__(self, store: Progress, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog

    async def entries(self, *, subject_id: str, device_id: str, at_most: int) -> Sequence[Continuation]:
        """Return one entry per series, what was watched last first.

        It is the episode that was watched last, if it is unfinished; else the one after it. Of a series whose last
        episode is finished nothing is listed until the catalog knows another.
        """
        subject = await self._subject(subject_id, device_id)
        watched = await self._store.last_watched(subject, at_most=_LOOKED_AT)
        slots = asyncio.Semaphore(_ASKED_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            entries = [group.create_task(self._entry(one, slots)) for one in watched]
        return [found for one in entries if (found := one.result()) is not None][:at_most]

    async def devices(self, *, subject_id: str, device_id: str) -> Sequence[Device]:
        """Return the devices of whoever asks."""
        return await self._store.devices(await self._subject(subject_id, device_id))

    async def _subject(self, subject_id: str, device_id: str) -> str:
        return subject_id or await self._store.subject_of(device_id) or device_id

    async def _entry(self, last: LastWatched, slots: asyncio.Semaphore) -> Continuation | None:
        if not last.finished:
            return Continuation(last.key, last.position, last.duration, Why.UNFINISHED, last.watched_at, ready=False)
        following = last.next
        if following is None and not last.key.is_film:
            async with slots:
                following = await self._known_by_now(last.key)
        if following is None:
            return None
        why = Why.UNFINISHED if last.next_position else Why.NEXT
        return Continuation(following, last.next_position, timedelta(), why, last.watched_at, ready=last.next_ready)

    async def _known_by_now(self, key: EpisodeKey) -> EpisodeKey | None:
        """Ask whether something follows that did not when the episode was watched."""
        try:
            return (await self._catalog.episode(key)).next
        except Failure:
            return None  # the rest of the list is worth more than this entry

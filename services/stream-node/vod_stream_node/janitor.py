"""Which files leave the disk: the ones not used for long, then the least recently used until the rest fits.

Single files go, also of a pack whose other files are being watched. Above the high water files go until the low water,
so that it is not done again for each new piece. What a node finds on its disk when it starts stays for a while: pins
are in memory, and who held one has to ask again first.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from structlog.typing import FilteringBoundLogger

from vod_rpc import Failure
from vod_runtime import Clock
from vod_stream_node.domain import Infohash, PinKey, short
from vod_stream_node.engine import Engine
from vod_stream_node.metrics import Metrics
from vod_stream_node.store import WHOLE, Stored, TorrentStore
from vod_stream_node.torrent import Torrent

TORRENT_EVICTED = "torrent_evicted"
EVICTION_FAILED = "eviction_failed"
_LEAST_RESERVE = 1 << 20
"""A disk on which no resume data can be written any more is full, too."""
_LOW = 0.9
"""The low water, as part of the high one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes on disk."""

    high: int
    """From which on files go."""
    low: int
    """Until which they go."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long what nobody wants any more is kept on disk."""

    ttl: timedelta
    budget: int
    """Bytes on disk from which on it goes sooner; 0 for no limit."""
    reserve: int
    """Bytes of the disk that stay free, whatever the budget."""


class Janitor:
    """Keeps the disk of a node within its limits."""

    def __init__(
        self,
        engine: Engine,
        *,
        store: TorrentStore,
        clock: Clock,
        metrics: Metrics,
        log: FilteringBoundLogger,
        keeping: Keeping,
    ) -> None:
        self._engine = engine
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._log = log
        self._keeping = keeping
        self._short_of_room = False
        self._spared: frozenset[PinKey] = frozenset()

    @property
    def short_of_room(self) -> bool:
        """Whether more lies on disk than may, and nothing of it can go."""
        return self._short_of_room

    async def spare_what_is_here(self) -> None:
        """Delete nothing that is on disk now, until `spare_nothing`."""
        self._spared = frozenset(one.key for one in await asyncio.to_thread(self._store.list_stored))

    def spare_nothing(self) -> None:
        """Keep no more than what is pinned or read."""
        self._spared = frozenset()

    async def clean(self, *, may_reload: Callable[[Torrent], bool]) -> None:
        """Delete what `evictions` chooses; never what is pinned or read.

        *may_reload* says whether a torrent can leave the session for a moment, as single files of it can only go then.
        """
        await self._note_use()
        stored, free = await asyncio.to_thread(lambda: (self._store.list_stored(), self._store.free()))
        limits = self._limits(sum(one.size for one in stored), free)
        chosen = evictions(
            stored, kept=self._kept(stored, may_reload), now=self._clock.now(), ttl=self._keeping.ttl, limits=limits
        )
        left = sum(one.size for one in stored)
        for infohash in dict.fromkeys(one.infohash for one in chosen):
            gone = [one for one in chosen if one.infohash == infohash]
            others = sum(one.infohash == infohash for one in stored) - len(gone)
            if await self._evict(infohash, [one.file_index for one in gone], may_reload, left=others):
                left -= sum(one.size for one in gone)
        self._short_of_room = left > limits.high
        self._metrics.disk_bytes.set(left)

    def _limits(self, used: int, free: int) -> Limits:
        """Return how much may lie on disk: the budget, or less where the disk itself is nearly full."""
        high = used + free - max(self._keeping.reserve, _LEAST_RESERVE)
        if self._keeping.budget:
            high = min(high, self._keeping.budget)
        return Limits(high=high, low=int(high * _LOW))

    def _kept(self, stored: Sequence[Stored], may_reload: Callable[[Torrent], bool]) -> set[PinKey]:
        """Return what must stay: what is pinned, CURRENT or NEXT, or read, and what is on its way into the session."""
        kept = set(self._spared)
        for one in stored:
            torrent = self._engine.torrents.get(one.infohash)
            if torrent is None:
                stays = self._engine.holds(one.infohash)
            else:
                wanted = torrent.purposes()
                # Of one whose resume data is not on disk it is not known which file takes how much.
                is_wanted = bool(wanted) if one.file_index == WHOLE else one.file_index in wanted
                stays = is_wanted or not may_reload(torrent)
            if stays:
                kept.add(one.key)
        return kept

    async def _note_use(self) -> None:
        """Let the disk know what is pinned or read: that is its last use, however long ago it was downloaded."""
        used = {
            torrent.infohash: [torrent.layout.files[index].path for index in torrent.purposes()]
            for torrent in self._engine.torrents.values()
            if torrent.layout is not None
        }
        await asyncio.to_thread(self._store.touch, used)

    async def _evict(
        self, infohash: Infohash, indexes: Sequence[int], may_reload: Callable[[Torrent], bool], *, left: int
    ) -> bool:
        # To delete all needs no room; to take out single files needs a little.
        try:
            torrent = self._engine.torrents.get(infohash)
            if torrent is not None and not left and not torrent.purposes() and may_reload(torrent):
                # All of it goes, and on a disk that is really full nothing could be written to bring it back without.
                self._engine.unpin(torrent)
                torrent = None
            if torrent is not None:
                shed = partial(self._store.shed, infohash, indexes)

                def may() -> bool:
                    # Since they were chosen somebody may have come for one of them.
                    return may_reload(torrent) and torrent.purposes().keys().isdisjoint(indexes)

                if not await self._engine.reload(torrent, shed, may=may):
                    return False
            elif not await self._engine.aside(infohash, partial(self._discard, infohash, indexes, left=left)):
                return False
        except (OSError, RuntimeError, Failure) as error:
            self._log.error(EVICTION_FAILED, infohash=short(infohash), why=type(error).__name__)
            return False
        self._log.info(TORRENT_EVICTED, infohash=short(infohash), files=len(indexes))
        return True

    def _discard(self, infohash: Infohash, indexes: Sequence[int], *, left: int) -> None:
        if not left or not self._store.shed(infohash, indexes):
            self._store.delete(infohash)


def evictions(
    stored: Sequence[Stored], *, kept: Collection[PinKey], now: datetime, ttl: timedelta, limits: Limits | None
) -> list[Stored]:
    """Return the files to delete, least recently used first; never one of *kept*.

    What was not used for longer than *ttl* goes, and, when there is more than the high water, so much more that
    the rest is below the low water. Kept files count although they stay.
    """
    total = sum(one.size for one in stored)
    full = limits is not None and total > limits.high
    gone: list[Stored] = []
    for one in sorted(stored, key=lambda one: one.used_at):
        too_old = now - one.used_at > ttl
        too_much = full and limits is not None and total > limits.low and one.size
        if one.key not in kept and (too_old or too_much):
            gone.append(one)
            total -= one.size
    return gone

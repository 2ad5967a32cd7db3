"""Which torrents leave the disk: the ones not used for long, then the least recently used until the rest fits."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from vod_runtime import Clock
from vod_stream_node.domain import Infohash, short
from vod_stream_node.engine import Engine
from vod_stream_node.metrics import Metrics
from vod_stream_node.store import Stored, TorrentStore

TORRENT_EVICTED = "torrent_evicted"


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long what nobody wants any more is kept on disk."""

    ttl: timedelta
    budget: int
    """Bytes on disk from which on it goes sooner; 0 for no limit."""


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

    async def clean(self) -> None:
        """Delete what `evictions` chooses; never what is in the session."""
        stored = await asyncio.to_thread(self._store.list_stored)
        held = {torrent.infohash for torrent in stored if self._engine.holds(torrent.infohash)}
        for infohash in evictions(
            stored, kept=held, now=self._clock.now(), ttl=self._keeping.ttl, budget=self._keeping.budget
        ):
            if not self._engine.holds(infohash):
                await asyncio.to_thread(self._store.delete, infohash)
                self._log.info(TORRENT_EVICTED, infohash=short(infohash))
        self._metrics.disk_bytes.set(sum(torrent.size for torrent in stored))


def evictions(
    stored: Sequence[Stored], *, kept: Collection[Infohash], now: datetime, ttl: timedelta, budget: int
) -> list[Infohash]:
    """Return the torrents to delete, least recently used first; never one of *kept* (pinned or being read).

    *budget* is in bytes, 0 for no limit. Kept torrents count towards it although they stay.
    """
    total = sum(torrent.size for torrent in stored)
    gone: list[Infohash] = []
    for torrent in sorted(stored, key=lambda torrent: torrent.used_at):
        too_old = now - torrent.used_at > ttl
        too_much = budget and total > budget
        if torrent.infohash not in kept and (too_old or too_much):
            gone.append(torrent.infohash)
            total -= torrent.size
    return gone

"""What a node among others does all the time: renew its leases, and leave recipes of what it streams."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from structlog.typing import FilteringBoundLogger

from vod_runtime import background
from vod_stream_node.domain import Infohash
from vod_stream_node.engine import Engine
from vod_stream_node.fleet import Fleet
from vod_stream_node.recipes import Recipes
from vod_stream_node.store import TorrentStore

RENEWAL_FAILED = "renewal_failed"


def active(engine: Engine) -> set[Infohash]:
    """Return the torrents that anybody pins or reads."""
    return {torrent.infohash for torrent in engine.torrents.values() if torrent.purposes()}


class Renewal:
    """Keeps the register true, whatever happened to it."""

    def __init__(
        self, fleet: Fleet, recipes: Recipes, *, engine: Engine, store: TorrentStore, log: FilteringBoundLogger
    ) -> None:
        self._fleet = fleet
        self._recipes = recipes
        self._engine = engine
        self._store = store
        self._log = log

    async def once(self) -> None:
        """Renew everything."""
        await self._fleet.directory.renew()
        if self._fleet.directory.me.draining:
            return  # what was given away must not be claimed again
        wanted = active(self._engine)
        stored = await asyncio.to_thread(self._store.infohashes)
        await self._fleet.ownership.renew({*wanted, *stored})
        await self._recipes.renew(wanted)

    @asynccontextmanager
    async def running(self, every: timedelta) -> AsyncIterator[None]:
        """Renew everything again and again until the caller leaves the context; then give up the node's lease."""
        await self._try_once()
        async with background(self._for_ever(every)):
            yield
        await self._fleet.directory.leave()

    async def _for_ever(self, every: timedelta) -> None:
        while True:
            await asyncio.sleep(every.total_seconds())
            await self._try_once()

    async def _try_once(self) -> None:
        try:
            await self.once()
        except OSError as error:  # the disk; the register's failures are dealt with there
            self._log.error(RENEWAL_FAILED, reason=error.strerror)

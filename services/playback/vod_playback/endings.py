"""Where an episode's ending begins: from there on it counts as watched."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

import asyncpg
from structlog.typing import FilteringBoundLogger

from vod_playback.domain import Session
from vod_playback.ports import Catalog
from vod_rpc import Failure, deadline
from vod_runtime import background

ENDING_UNKNOWN = "ending_unknown"
_WITHIN = timedelta(seconds=10)
_AT_ONCE = 4
_WAITING = 1_000
"""More sessions than this do not wait: they are asked about with their next heartbeat."""


class EndingStore(Protocol):
    async def asks_for_ending(self, session_id: str) -> bool:
        """Return True for the first to ask."""
        ...

    async def ending(self, session_id: str, *, at: timedelta) -> None: ...


class Endings:
    """Asks the catalog once per session, beside the heartbeats; made by `endings`, which does the work."""

    def __init__(self, store: EndingStore, catalog: Catalog, *, log: FilteringBoundLogger) -> None:
        self._store = store
        self._catalog = catalog
        self._log = log
        self._queue: asyncio.Queue[Session] = asyncio.Queue(_WAITING)

    def ask(self, session: Session) -> None:
        """Find out about a session's episode soon; the session must know its file's true length."""
        if not self._queue.full():
            self._queue.put_nowait(session)

    async def run(self) -> None:
        """Ask for one session after another, for ever."""
        while True:
            session = await self._queue.get()
            try:
                with deadline(_WITHIN):
                    await self._find(session)
            except (Failure, asyncpg.PostgresError) as error:
                # Then 90 % is what counts.
                self._log.info(ENDING_UNKNOWN, session_id=session.id, why=type(error).__name__)

    async def _find(self, session: Session) -> None:
        if not await self._store.asks_for_ending(session.id):
            return
        at = await self._catalog.ending(session.key, duration=session.duration)
        # What begins in the first half is not the end, whatever people entered.
        if at is not None and at >= session.duration / 2:
            await self._store.ending(session.id, at=at)


@asynccontextmanager
async def endings(store: EndingStore, catalog: Catalog, *, log: FilteringBoundLogger) -> AsyncIterator[Endings]:
    """Ask while the context is open."""
    asking = Endings(store, catalog, log=log)
    async with background(*(asking.run() for _ in range(_AT_ONCE))):
        yield asking

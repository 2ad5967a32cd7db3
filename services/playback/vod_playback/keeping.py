"""What sessions watch stays pinned as long as they run, and no longer.

A claim lapses when nobody reads for hours, as a player does not that is paused overnight; and nodes die and forget.
What nobody holds any more is the janitor's. So it is looked at again and again, and pinned anew where it is not held.
Whoever ended a session may have died before he gave up what it held; that is made good here, too.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

import asyncpg
from structlog.typing import FilteringBoundLogger

from vod_playback.domain import Session
from vod_playback.holding import Holding
from vod_playback.logged import session_fields
from vod_rpc import Failure, deadline
from vod_runtime import background

SESSION_HELD_AGAIN = "session_held_again"
SESSION_NOT_HELD = "session_not_held"
PINS_UNKNOWN = "pins_unknown"
_LISTED_WITHIN = timedelta(seconds=5)
_HELD_WITHIN = timedelta(seconds=10)
_AT_ONCE = 4

Claim = tuple[str, str, int]
"""Holder, infohash and file index."""


class Pins(Protocol):
    async def current(self) -> Collection[Claim]:
        """Return what is held to be watched, on all nodes that answer."""
        ...


class KeepingStore(Protocol):
    async def unheld(self, held: Collection[Claim]) -> Sequence[Session]:
        """Return active sessions whose torrent is not among what is held."""
        ...

    async def over(self, session_ids: Collection[str]) -> Sequence[str]:
        """Return which of these sessions have ended."""
        ...

    async def session(self, session_id: str) -> Session | None: ...


class Keeping:
    """Pins that were lost, made anew."""

    def __init__(self, store: KeepingStore, pins: Pins, *, holding: Holding, log: FilteringBoundLogger) -> None:
        self._store = store
        self._pins = pins
        self._holding = holding
        self._log = log

    async def look(self) -> None:
        """Pin what sessions watch and no node holds for them, and give up what is held for those that ended.

        Raises:
            Failure: no stream node answers, or the store is away.
        """
        with deadline(_LISTED_WITHIN):
            held = await self._pins.current()
            unheld = await self._store.unheld(held)
            over = await self._store.over({holder for holder, _, _ in held})
        for session_id in over:
            await self._holding.session_is_over(session_id)
        slots = asyncio.Semaphore(_AT_ONCE)

        async def one(session: Session) -> None:
            async with slots:
                await self._hold(session)

        async with asyncio.TaskGroup() as group:
            for session in unheld:
                group.create_task(one(session))

    async def run(self, every: timedelta) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(every.total_seconds())
            try:
                await self.look()
            except (Failure, asyncpg.PostgresError) as error:
                self._log.info(PINS_UNKNOWN, why=type(error).__name__)

    async def _hold(self, session: Session) -> None:
        try:
            with deadline(_HELD_WITHIN):
                await self._holding.hold(session.source, holder=session.id)
                now = await self._store.session(session.id)
        except Failure as failure:
            self._log.warning(SESSION_NOT_HELD, **session_fields(session), reason=failure.reason)
            return
        if now is None or not now.is_active or not now.source.same_file(session.source):
            # It ended or was switched meanwhile, and nobody else would give this up.
            await self._holding.let_go(session.source, holder=session.id)
            return
        self._log.info(SESSION_HELD_AGAIN, **session_fields(session))


@asynccontextmanager
async def keeping(
    store: KeepingStore, pins: Pins, *, holding: Holding, log: FilteringBoundLogger, every: timedelta
) -> AsyncIterator[None]:
    """Keep pinned what is watched while the context is open."""
    async with background(Keeping(store, pins, holding=holding, log=log).run(every)):
        yield

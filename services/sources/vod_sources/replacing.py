"""Keeping a play alive: what ends soon gets a fresh address, what died is replaced; whoever reads notices nothing.

A fresh address is looked for beside the readers, who go on with the old one as long as it is good: providers may take
seconds. Only when it has ended do they wait.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar
from weakref import WeakValueDictionary

from structlog.typing import FilteringBoundLogger

from vod_runtime import Clock, background
from vod_sources.domain import Play, StreamSource
from vod_sources.errors import SourceGone, SourceRefused
from vod_sources.finding import Finding
from vod_sources.guard import UnwellError
from vod_sources.store import Store

SOURCE_RENEWED = "source_renewed"
SOURCE_REPLACED = "source_replaced"
SOURCE_NOT_RENEWED = "source_not_renewed"

_REFUSED = frozenset({401, 403, 404, 410})
_MOST_REPLACEMENTS = 3
_BETWEEN_RENEWALS = timedelta(seconds=10)
_RENEWED_AT_ONCE = 4
_RENEWED_WITHIN = timedelta(seconds=30)
_T = TypeVar("_T")


class Replacing:
    """Another source in place of one that ended; one replacement of a play at a time. Made by `replacing`."""

    def __init__(self, finding: Finding, *, store: Store, clock: Clock, log: FilteringBoundLogger) -> None:
        self._finding = finding
        self._store = store
        self._clock = clock
        self._log = log
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._due: asyncio.Queue[Play] = asyncio.Queue()
        self._waiting: set[str] = set()

    async def run(self) -> None:
        """Renew one play after another that is due, for ever."""
        while True:
            play = await self._due.get()
            try:
                async with asyncio.timeout(_RENEWED_WITHIN.total_seconds()):
                    await self._renewed(play)
            except Exception as error:  # noqa: BLE001  the next reader asks again, and until then the old one is good
                self._log.warning(SOURCE_NOT_RENEWED, provider=play.source.provider, why=type(error).__name__)
            finally:
                self._waiting.discard(play.id)

    async def going_on(self, play: Play, read: Callable[[Play], Awaitable[_T]]) -> _T:
        """Return what *read* reads of the play, or of those that come in its place.

        Raises:
            SourceGone: it died, and nothing else is well; and what else *read* raises.
        """
        if self._has_ended(play.source):
            play = await self._renewed(play)
        elif self._ends_soon(play.source) and play.id not in self._waiting:
            self._waiting.add(play.id)
            self._due.put_nowait(play)
        failed: set[str] = set()
        while True:
            try:
                return await read(play)
            except (UnwellError, ValueError, SourceRefused) as error:
                # The second failure of an address ends it, however well it looks from outside; the first one of a
                # host that leads astray.
                not_again = failed | ({play.source.url} if isinstance(error, SourceRefused) else set())
                failed = failed | {play.source.url}
                if len(failed) > _MOST_REPLACEMENTS:
                    raise SourceGone("The source and those after it do not answer.") from error
                play = await self._replaced(play, error, not_again=not_again)

    def _ends_soon(self, source: StreamSource) -> bool:
        return source.renew_at is not None and self._clock.now() >= source.renew_at

    def _has_ended(self, source: StreamSource) -> bool:
        ended = source.expires_at is not None and self._clock.now() >= source.expires_at
        return ended and self._ends_soon(source)

    def _lock(self, play: Play) -> asyncio.Lock:
        return self._locks.setdefault(play.id, asyncio.Lock())

    async def _renewed(self, play: Play) -> Play:
        """Return the play with a fresh address of the same provider; the old one as long as there is none."""
        lock = self._lock(play)
        async with lock:
            current = await self._store.load(play.id) or play
            if not self._ends_soon(current.source):
                return current
            found = await self._finding.look(current.content, wanted=current.wanted)
            old = current.source
            fresh = [
                one
                for one in found.ordered
                if one.provider == old.provider and one.may_stand_in_for(old) and found.can_play(one)
            ]
            fresh.sort(key=lambda one: one.quality != old.quality)
            best = next((one for one in fresh if one.url != old.url and not self._ends_soon(one)), None)
            if best is None:
                # It is still good: no reason to change the host, but to ask again in a while.
                best = replace(old, renew_at=self._clock.now() + _BETWEEN_RENEWALS)
            renewed = replace(current, source=best, spare=found.spare_of(best) or current.spare)
            await self._store.save([renewed])
        if best.url != old.url:
            self._log.info(SOURCE_RENEWED, provider=best.provider)
        return renewed

    async def _replaced(self, play: Play, error: Exception, *, not_again: set[str]) -> Play:
        """Put another source in place of a dead one: a fresh address if it was refused, else the spare."""
        dead, lock = play.source, self._lock(play)
        status = error.status if isinstance(error, UnwellError) else 0
        async with lock:
            current = await self._store.load(play.id) or play
            if current.source.url != dead.url:
                # Somebody else's request met the same death.
                return current
            await self._store.count(dead, success=False)
            replacement = await self._replacement(current, status=status, not_again=not_again)
            if replacement is None:
                # Why it was refused says more than that there is no other.
                if isinstance(error, SourceRefused):
                    raise error
                raise SourceGone("The source died, and there is no other.") from error
            await self._store.save([replacement])
        self._log.info(SOURCE_REPLACED, provider=replacement.source.provider, status=status)
        return replacement

    async def _replacement(self, play: Play, *, status: int, not_again: set[str]) -> Play | None:
        dead, spare = play.source, play.spare
        if status not in _REFUSED and (ready := await self._ready_spare(spare, not_again)):
            return replace(play, source=ready, spare=None)
        found = await self._finding.look(play.content, wanted=play.wanted)
        others = [one for one in found.ordered if one.may_stand_in_for(dead) and one.url not in not_again]
        # Most likely cut the same way: the same provider's fresh address. The very same address only if all else fails.
        others.sort(key=lambda one: (one.url == dead.url, (one.provider, one.quality) != (dead.provider, dead.quality)))
        for one in others:
            if found.can_play(one):
                return replace(play, source=one, spare=found.spare_of(one))
        ready = await self._ready_spare(spare, not_again)
        return replace(play, source=ready, spare=None) if ready else None

    async def _ready_spare(self, spare: StreamSource | None, not_again: set[str]) -> StreamSource | None:
        if spare is None or spare.url in not_again or self._ends_soon(spare):
            return None
        return await self._finding.looked_at(spare)


@asynccontextmanager
async def replacing(
    finding: Finding, *, store: Store, clock: Clock, log: FilteringBoundLogger
) -> AsyncIterator[Replacing]:
    """Renew what is due while the context is open."""
    one = Replacing(finding, store=store, clock=clock, log=log)
    async with background(*(one.run() for _ in range(_RENEWED_AT_ONCE))):
        yield one

"""Pins as sessions hold them: none is left behind by a start that failed."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from structlog.typing import FilteringBoundLogger

from vod_playback.domain import DirectWish, JsonObject, Pin, Session, Source, Switched
from vod_playback.errors import NothingPinned
from vod_playback.ports import Pins, Streams
from vod_rpc import DeadlineExceeded, Failure, deadline, no_deadline

PIN_NOT_RELEASED = "pin_not_released"
SWITCH_NOT_TOLD = "switch_not_told"
SILENT = "Its swarm did not answer."
_SWARM_SILENT = "SWARM_SILENT"
_RELEASE_WITHIN = timedelta(seconds=3)
_SWITCH_WITHIN = timedelta(seconds=1)
"""There is more to answer than where a session goes on."""
SILENT_AFTER = timedelta(seconds=10)
"""Half of what a start may take, so that there is time for another candidate."""


def says_silent(late: DeadlineExceeded) -> bool:
    """Tell whether a node waited for a swarm in vain; else it is the node that did not answer in time."""
    return late.reason == _SWARM_SILENT


class Holding:
    """What sessions hold on the stream node, and the direct sources that they play instead."""

    def __init__(self, pins: Pins, *, streams: Streams, log: FilteringBoundLogger) -> None:
        self._pins = pins
        self._streams = streams
        self._log = log

    async def hold(self, source: Source, *, holder: str, lasting: timedelta = timedelta()) -> Pin:
        """Pin the file for a session, or renew its claim; of a direct source, make sure that it can be played.

        *lasting*: how long without being read; zero for as long as the node holds what a session plays.
        """
        if source.direct:
            return await self._streams.hold(source.direct)
        return await self._pins.hold(source, holder=holder, lasting=lasting)

    @asynccontextmanager
    async def held(self, source: Source, *, holder: str) -> AsyncIterator[Pin]:
        """Hold a pin that stays if the body succeeds, and is released if it does not."""
        try:
            yield await self.hold(source, holder=holder)
        except BaseException:
            # Even when the hold itself failed: its answer may be what was lost.
            await self.let_go(source, holder=holder)
            raise

    @asynccontextmanager
    async def held_soon(self, source: Source, *, holder: str) -> AsyncIterator[Pin]:
        """Hold as `held` does; fails with DeadlineExceeded while there is time to try something else."""
        async with AsyncExitStack() as held:
            with deadline(SILENT_AFTER):
                pin = await held.enter_async_context(self.held(source, holder=holder))
            yield pin

    @asynccontextmanager
    async def held_directly(self, wish: DirectWish, *, holder: str) -> AsyncIterator[tuple[Source, Pin]]:
        """Hold what a viewer named, as `held` does; which torrent and file that is, the node says."""
        source, pin = await self._pins.hold_directly(wish, holder=holder)
        try:
            yield source, pin
        except BaseException:
            await self.let_go(source, holder=holder)
            raise

    async def progress(self, source: Source) -> JsonObject:
        """Return how far a file has come, as the stream node tells it. Raises NothingPinned."""
        if source.direct:
            raise NothingPinned
        return await self._pins.progress(source)

    async def switched_to(self, session: Session) -> Switched | None:
        """Return where a session goes on that was switched to its source; None if that can't be said soon."""
        try:
            with deadline(_SWITCH_WITHIN):
                pin = await self.hold(session.source, holder=session.id)
        except Failure as failure:  # whoever asks again learns it
            self._log.info(SWITCH_NOT_TOLD, session_id=session.id, reason=failure.reason)
            return None
        return Switched(session.source, pin.stream_url, session.position, session.switch_reason)

    async def session_is_over(self, holder: str) -> None:
        """Release what a session held: what it watched at once, the next episode's file a little later.

        Until then no janitor takes it, and its viewer goes on to it at once.
        """
        try:
            with no_deadline(), deadline(_RELEASE_WITHIN):
                await self._pins.session_is_over(holder)
        except Failure as failure:
            self._log.warning(PIN_NOT_RELEASED, session_id=holder, reason=failure.reason)

    async def let_go(self, source: Source, *, holder: str, successor: str = "") -> None:
        """Release a claim as well as possible; what can't be released lapses on the node by itself.

        Reads of the holder that wait for their first byte are sent to *successor*, the address of what replaces it.
        """
        if source.direct:
            return
        try:
            with no_deadline(), deadline(_RELEASE_WITHIN):
                await self._pins.release(source, holder=holder, successor=successor)
        except Failure as failure:
            self._log.warning(PIN_NOT_RELEASED, session_id=holder, infohash=source.infohash[:12], reason=failure.reason)

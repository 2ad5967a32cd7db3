"""Whose next episode lies ready on a stream node, looked up once for all sessions.

Nodes die, are drained, run out of disk, and claims lapse, and nobody tells the sessions. To ask about each of them with
each of its heartbeats would cost more than the heartbeats; so one list of all pins answers for some seconds.
"""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Protocol

from vod_prefetch.domain import SessionId
from vod_rpc import Failure
from vod_runtime import Clock

LISTED_EVERY = timedelta(seconds=3)


class Pins(Protocol):
    async def ready_for(self) -> Collection[SessionId]:
        """Return the sessions that hold a file to come next whose first and last bytes are on disk."""
        ...


class Held:
    """Tells who still has what was prepared."""

    def __init__(self, pins: Pins, *, clock: Clock) -> None:
        self._pins = pins
        self._clock = clock
        self._sessions: Collection[SessionId] = ()
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    async def is_ready(self, session: SessionId) -> bool:
        """Tell whether a session's next episode lies ready; that it does not is never old news.

        False also when no node says anything: nothing can be played from there then.
        """
        now = self._clock.monotonic()
        if session in self._sessions and now - self._asked_at < LISTED_EVERY.total_seconds():
            return True
        async with self._asking:
            if self._asked_at <= now:  # else somebody asked while this one waited
                await self._ask()
        return session in self._sessions

    async def _ask(self) -> None:
        self._asked_at = self._clock.monotonic()
        try:
            self._sessions = frozenset(await self._pins.ready_for())
        except Failure:
            self._sessions = ()

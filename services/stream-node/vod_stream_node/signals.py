"""Waiting on the event loop until something holds."""

import asyncio
from collections.abc import Callable


class Signal:
    """Wakes all who wait, each time something changed; they look for themselves whether it is what they wait for."""

    def __init__(self) -> None:
        self._waiters: set[asyncio.Future[None]] = set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Return as soon as *holds* does; the caller bounds the time."""
        while not holds():
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)

    def notify(self) -> None:
        """Let everybody look again."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

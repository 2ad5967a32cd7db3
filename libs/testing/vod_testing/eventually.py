"""Waiting for something to become true, with a reason when it does not."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

_PAUSE_SECONDS = 0.02

WhyNotYet = Callable[[], str | None] | Callable[[], Awaitable[str | None]]


async def eventually(why_not_yet: WhyNotYet, *, within: float) -> None:
    """Return as soon as *why_not_yet* returns None; ask again until *within* seconds have passed.

    Raises:
        AssertionError: it never did; the message is the last reason.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while True:
        answer = why_not_yet()
        reason = await answer if inspect.isawaitable(answer) else answer
        if reason is None:
            return
        if loop.time() >= end:
            raise AssertionError(f"not within {within} s: {reason}")
        await asyncio.sleep(_PAUSE_SECONDS)

"""Ends sessions whose players went away without a word."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg

from vod_playback.errors import StoreUnavailable
from vod_rpc import deadline
from vod_runtime import Runtime, background

SWEEP_FAILED = "sweep_failed"
SWEEP_LATE = "sweep_late"
_SWEEP_WITHIN = timedelta(seconds=30)
_STOOD_STILL = timedelta(seconds=5)
"""A round that is so much late did not just wait for its turn."""


@asynccontextmanager
async def sweeper(
    sweep: Callable[[], Awaitable[None]], look: Callable[[], Awaitable[None]], runtime: Runtime, *, every: timedelta
) -> AsyncIterator[None]:
    """Call *sweep* again and again while the context is open.

    A database that was away heard nobody, so that all seem to have fallen silent: when a round failed, the next ones
    only *look* whether it is back, and once it is, everybody has one more round to be heard again. So it is when this
    process itself heard nobody, because it or its machine stood still, and when the clock was set forward.
    """
    async with background(_run(sweep, look, runtime, every)):
        yield


async def _run(
    sweep: Callable[[], Awaitable[None]], look: Callable[[], Awaitable[None]], runtime: Runtime, every: timedelta
) -> None:
    heard = True
    while True:
        before = runtime.clock.now()
        await asyncio.sleep(every.total_seconds())
        if (late := runtime.clock.now() - before - every) > max(every, _STOOD_STILL):
            heard = False
            runtime.log.warning(SWEEP_LATE, seconds=round(late.total_seconds()))
        try:
            with deadline(_SWEEP_WITHIN):
                await (sweep() if heard else look())
            heard = True
        except (StoreUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            heard = False
            runtime.log.warning(SWEEP_FAILED, why=type(error).__name__)

"""Ends sessions whose players went away without a word."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg

from vod_rpc import deadline
from vod_runtime import Runtime, background

SWEEP_FAILED = "sweep_failed"
_SWEEP_WITHIN = timedelta(seconds=30)


@asynccontextmanager
async def sweeper(sweep: Callable[[], Awaitable[None]], runtime: Runtime, *, every: timedelta) -> AsyncIterator[None]:
    """Call *sweep* again and again while the context is open; a database that is away is waited for."""
    async with background(_run(sweep, runtime, every)):
        yield


async def _run(sweep: Callable[[], Awaitable[None]], runtime: Runtime, every: timedelta) -> None:
    while True:
        await asyncio.sleep(every.total_seconds())
        try:
            with deadline(_SWEEP_WITHIN):
                await sweep()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            runtime.log.warning(SWEEP_FAILED, why=type(error).__name__)

"""Old search results are deleted now and then; reading them is guarded by their age anyway."""

import asyncio
from datetime import datetime, timedelta
from typing import Protocol

import asyncpg
from structlog.typing import FilteringBoundLogger

from vod_runtime import Clock

SWEPT = "search_cache_swept"
SWEEP_FAILED = "search_cache_sweep_failed"
SWEEP_EVERY = timedelta(minutes=5)


class Sweepable(Protocol):
    """What can be swept."""

    async def sweep(self, before: datetime) -> int: ...


async def sweep_forever(table: Sweepable, *, ttl: timedelta, clock: Clock, log: FilteringBoundLogger) -> None:
    """Delete results older than *ttl*, at once and then every five minutes."""
    while True:
        try:
            if swept := await table.sweep(clock.now() - ttl):
                log.info(SWEPT, rows=swept)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            log.warning(SWEEP_FAILED, error=type(error).__name__)
        await asyncio.sleep(SWEEP_EVERY.total_seconds())

"""The background job that keeps known titles up to date."""

import asyncio
import random
from datetime import timedelta

from structlog.typing import FilteringBoundLogger

from vod_catalog.listings import Listings
from vod_catalog.titles import Titles

TITLES_REFRESHED = "titles_refreshed"
REFRESH_FAILED = "refresh_failed"

_AT_ONCE = 20


async def refresh_forever(titles: Titles, listings: Listings, *, every: timedelta, log: FilteringBoundLogger) -> None:
    """Refresh what is due every so often, give or take a quarter, so that replicas don't march in step."""
    while True:
        await asyncio.sleep(every.total_seconds() * random.uniform(0.75, 1.25))  # noqa: S311  no secret depends on it
        try:
            if count := await titles.refresh_due(limit=_AT_ONCE):
                log.info(TITLES_REFRESHED, count=count)
            await listings.sweep()
        except Exception:
            log.exception(REFRESH_FAILED)

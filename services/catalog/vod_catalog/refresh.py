"""The background job that keeps known titles up to date; of all instances one at a time does it."""

import asyncio
import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from vod_catalog.domain import SeriesId
from vod_catalog.leases import Leases
from vod_catalog.listings import Listings
from vod_catalog.titles import Titles
from vod_rpc import Failure
from vod_runtime import Clock

TITLES_REFRESHED = "titles_refreshed"
TITLES_CHANGED = "titles_changed"
REFRESH_FAILED = "refresh_failed"

_AT_ONCE = 20
_LEASE = timedelta(minutes=5)
_CHANGES_EVERY = timedelta(hours=6)
_CHANGES_BACK = timedelta(days=2)


class Changing(Protocol):
    """A provider that tells which titles changed."""

    async def changed(self, *, since: date, until: date) -> Sequence[SeriesId]: ...


class Refreshing:
    """The job."""

    def __init__(
        self,
        titles: Titles,
        listings: Listings,
        *,
        leases: Leases,
        changing: Sequence[Changing],
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self._titles = titles
        self._listings = listings
        self._leases = leases
        self._changing = changing
        self._clock = clock
        self._log = log

    async def go_on(self, *, every: timedelta) -> None:
        """Do it every so often for ever, give or take a quarter, so that instances don't march in step."""
        while True:
            await asyncio.sleep(every.total_seconds() * random.uniform(0.75, 1.25))  # noqa: S311  it is no secret
            try:
                await self.once()
            except Exception:  # noqa: BLE001  the next round may go better
                self._log.exception(REFRESH_FAILED)

    async def once(self) -> int:
        """Refresh all that is due, and return how many titles that were; nothing where another instance is at it."""
        if not await self._leases.hold("refresh", time=_LEASE):
            return 0
        if self._changing and await self._leases.turn("changes", every=_CHANGES_EVERY):
            await self._hear_of_changes()
        count = 0
        while found := await self._titles.refresh_due(limit=_AT_ONCE):
            count += found
            if not await self._leases.hold("refresh", time=_LEASE):
                break
        await self._listings.sweep()
        if count:
            self._log.info(TITLES_REFRESHED, count=count)
        return count

    async def _hear_of_changes(self) -> None:
        today = self._clock.now().date()
        for provider in self._changing:
            try:
                changed = await provider.changed(since=today - _CHANGES_BACK, until=today)
            except Failure:
                # The next time: what a title's own date says holds meanwhile.
                continue
            self._log.info(TITLES_CHANGED, count=await self._titles.note_changes(changed))

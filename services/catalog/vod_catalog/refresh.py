"""The background job that keeps known titles up to date; of all instances one at a time does it for a provider."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from vod_catalog.domain import SeriesId
from vod_catalog.leases import Leases
from vod_catalog.listings import Listings
from vod_catalog.titles import Provider, Titles
from vod_rpc import Failure
from vod_runtime import Clock

TITLES_REFRESHED = "titles_refreshed"
TITLES_CHANGED = "titles_changed"
REFRESH_FAILED = "refresh_failed"

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
        providers: Sequence[Provider],
        leases: Leases,
        changing: Sequence[Changing],
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self._titles = titles
        self._listings = listings
        self._providers = providers
        self._leases = leases
        self._changing = changing
        self._clock = clock
        self._log = log

    async def go_on(self, *, every: timedelta) -> None:
        """Do it every so often for ever; no provider's titles wait for those of another."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._repeat(self._keep_house, every=every))
            for provider in self._providers:
                group.create_task(self._repeat(partial(self._refresh, provider), every=every))

    async def _repeat(self, job: Callable[[], Awaitable[None]], *, every: timedelta) -> None:
        while True:
            # Give or take a quarter, so that instances don't march in step.
            await asyncio.sleep(every.total_seconds() * random.uniform(0.75, 1.25))  # noqa: S311  it is no secret
            try:
                await job()
            except Exception:  # noqa: BLE001  the next round may go better
                self._log.exception(REFRESH_FAILED)

    async def _refresh(self, provider: Provider) -> None:
        """Refresh the provider's titles that are due, unless another instance is at it."""
        lease = partial(self._leases.hold, f"refresh {provider.name}", time=_LEASE)
        if count := await self._titles.refresh_due(provider.namespaces, may_go_on=lease):
            self._log.info(TITLES_REFRESHED, provider=provider.name, count=count)

    async def _keep_house(self) -> None:
        if self._changing and await self._leases.turn("changes", every=_CHANGES_EVERY):
            await self._hear_of_changes()
        await self._listings.sweep()

    async def _hear_of_changes(self) -> None:
        today = self._clock.now().date()
        for provider in self._changing:
            try:
                changed = await provider.changed(since=today - _CHANGES_BACK, until=today)
            except Failure:
                # The next time: what a title's own date says holds meanwhile.
                continue
            self._log.info(TITLES_CHANGED, count=await self._titles.note_changes(changed))

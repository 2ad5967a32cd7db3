"""Finding titles by name, and what is popular: all providers at once, and what answers is what there is."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain, zip_longest
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from vod_catalog.domain import Series
from vod_catalog.errors import InvalidQuery, UpstreamUnavailable
from vod_catalog.titles import Provider
from vod_catalog.upstream import NotThereError
from vod_rpc import Failure, Flights
from vod_runtime import Clock

LISTING_NOT_FETCHED = "listing_not_fetched"

_POPULAR = ""
_LONGEST_QUERY = 200
_FRESH_FOR = timedelta(minutes=15)
_KEPT_FOR = timedelta(days=30)


class ListingShelf(Protocol):
    """Where providers' answers are kept; see `Store`."""

    async def find(self, query: str, *, limit: int) -> list[Series]: ...
    async def load_listing(self, provider: str, query: str) -> tuple[list[Series], datetime] | None: ...
    async def save_listing(self, provider: str, query: str, titles: Sequence[Series], *, at: datetime) -> None: ...
    async def sweep_listings(self, *, before: datetime) -> None: ...


class Listings:
    """The use cases on lists of titles."""

    def __init__(
        self,
        shelf: ListingShelf,
        *,
        providers: Sequence[Provider],
        second: Mapping[str, Provider],
        flights: Flights,
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self._shelf = shelf
        self._providers = providers
        self._second = second
        self._flights = flights
        self._clock = clock
        self._log = log

    async def search(self, query: str, *, limit: int) -> list[Series]:
        """Return titles of that name, best first; for an empty *query* what is popular now.

        Where a provider fails, the titles that we know are searched, too.

        Raises:
            InvalidQuery: it is too long.
            UpstreamUnavailable, CatalogNotConfigured: every provider failed, and we know no such title.
        """
        wanted = " ".join(query.split()).casefold()
        if len(wanted) > _LONGEST_QUERY:
            raise InvalidQuery(f"A search has at most {_LONGEST_QUERY} characters.")
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._answer(provider, wanted)) for provider in self._providers]
        answers = [task.result() for task in tasks]
        found = [answer for answer in answers if not isinstance(answer, Failure)]
        failures = [answer for answer in answers if isinstance(answer, Failure)]
        if failures and (wanted or not found):
            found.append(await self._shelf.find(wanted, limit=limit))
        if failures and not any(found) and len(failures) == len(answers):
            raise failures[0]
        return merge(found, query=wanted)[:limit]

    async def sweep(self) -> None:
        """Forget answers that nobody has asked for again in a month."""
        await self._shelf.sweep_listings(before=self._clock.now() - _KEPT_FOR)

    async def _answer(self, provider: Provider, query: str) -> list[Series] | Failure:
        try:
            return await self._flights.join((provider.name, query), lambda: self._fresh(provider, query))
        except Failure as failure:
            # A host that does not answer is told of once, by `hosts.py`, not with every search.
            if not isinstance(failure, UpstreamUnavailable):
                self._log.warning(LISTING_NOT_FETCHED, provider=provider.name, reason=failure.reason)
            kept = await self._shelf.load_listing(provider.name, query)
            return kept[0] if kept else await self._instead(provider, query, failure)

    async def _instead(self, provider: Provider, query: str, failure: Failure) -> list[Series] | Failure:
        second = self._second.get(provider.namespaces[0])
        if second is None:
            return failure
        try:
            return await self._flights.join((second.name, query), lambda: self._fresh(second, query))
        except Failure:
            return failure

    async def _fresh(self, provider: Provider, query: str) -> list[Series]:
        kept = await self._shelf.load_listing(provider.name, query)
        if kept and self._clock.now() - kept[1] < _FRESH_FOR:
            return kept[0]
        try:
            found = await (provider.popular() if query == _POPULAR else provider.search(query))
        except NotThereError:
            found = []
        await self._shelf.save_listing(provider.name, query, found, at=self._clock.now())
        return list(found)


def merge(answers: Sequence[Sequence[Series]], *, query: str) -> list[Series]:
    """Return the answers' titles by turns, so that no provider hides another's best; exact names come first."""
    by_turns = [one for one in chain.from_iterable(zip_longest(*answers)) if one is not None]
    unique = {series.id: series for series in reversed(by_turns)}
    ranked = list(reversed(unique.values()))
    return sorted(ranked, key=lambda series: _distance(series, query))


def _distance(series: Series, query: str) -> int:
    if not query:
        return 0
    names = [name.casefold() for name in (series.title, *series.aliases)]
    if query in names:
        return 0
    return 1 if any(name.startswith(query) for name in names) else 2

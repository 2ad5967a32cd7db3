"""The use case: releases of one episode, from the cache or from the indexers, within the caller's time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Protocol

from prometheus_client import CollectorRegistry, Histogram
from structlog.typing import FilteringBoundLogger

from vod_rpc import Flights, time_left
from vod_runtime import Clock
from vod_search.asking import UNFORESEEN, Answers, Asking, Rests, side_by_side, summed
from vod_search.domain import Announcement, SearchResult, UnavailableIndexer, Wanted
from vod_search.indexers import Indexer, IndexerError, Provider
from vod_search.merging import prominent, releases, worth_resolving

SEARCHED = "searched"
INDEXER_UNAVAILABLE = "indexer_unavailable"
NEGATIVE_TTL = timedelta(minutes=3)
STALE_FACTOR = 2  # times its life: so long a complete answer may be given once more, while it is asked for again
LATE = "late"
LINKS_TO_FOLLOW = 8
FOLLOWING_DEADLINE = timedelta(seconds=2)
FOLLOWING_SHARE = 0.2  # of the budget stays for links, however slow the indexers are
MARGIN = timedelta(milliseconds=500)  # of the caller's time: merging, the cache, the way back
SHORTEST = timedelta(milliseconds=100)


class Table(Protocol):
    """Where results are kept."""

    async def load(self, key: str) -> SearchResult | None: ...
    async def save(self, key: str, result: SearchResult) -> None: ...


class HotCache(Protocol):
    """Where results are kept close at hand."""

    async def load(self, key: str) -> SearchResult | None: ...
    async def save(self, key: str, result: SearchResult, *, ttl: timedelta) -> None: ...


class Latency:
    """The histogram `search_latency_ms`, by where the answer came from: `cache` or `indexers`."""

    def __init__(self, metrics: CollectorRegistry) -> None:
        self._histogram = Histogram(
            "search_latency_ms",
            "Time from the request to the releases, in milliseconds",
            ["answered_from"],
            registry=metrics,
            buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000),
        )

    def observe(self, answered_from: str, *, seconds: float) -> None:
        """Count one answer."""
        self._histogram.labels(answered_from).observe(seconds * 1000)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long things stay good and may take."""

    cache_ttl: timedelta
    indexer_deadline: timedelta


def time_to_live(result: SearchResult, *, cache_ttl: timedelta) -> timedelta | None:
    """Return how long a result stays good; None if it must not be kept.

    What only some indexers answered is kept briefly, so that the others get their chance; nothing found is kept
    briefly if everybody says so, and not at all if somebody could not say.
    """
    if result.releases:
        return NEGATIVE_TTL if result.unavailable else cache_ttl
    return None if result.unavailable else NEGATIVE_TTL


class Searches:
    """Searches, one at a time per cache key."""

    def __init__(
        self,
        *,
        providers: Sequence[Provider],
        rests: Rests,
        table: Table,
        hot: HotCache,
        flights: Flights,
        limits: Limits,
        clock: Clock,
        log: FilteringBoundLogger,
        latency: Latency,
    ) -> None:
        self._providers = providers
        self._asking = Asking(rests=rests, flights=flights, log=log)
        self._rests = rests
        self._table = table
        self._hot = hot
        self._flights = flights
        self._limits = limits
        self._clock = clock
        self._log = log
        self._latency = latency

    async def search(self, wanted: Wanted) -> SearchResult:
        """Return releases of the wanted episode; what some indexers could not say is told in `unavailable`.

        A complete answer that is too old is returned once more, and asked for again meanwhile.
        """
        started = self._clock.monotonic()
        if cached := await self._cached(wanted.cache_key):
            if self._left(cached) is None:
                self._flights.launch(wanted.cache_key, lambda: self._answer(wanted, within=None))
            self._latency.observe("cache", seconds=self._clock.monotonic() - started)
            return cached
        left = time_left()  # the first caller's; what is asked goes on for the others
        return await self._flights.join(wanted.cache_key, lambda: self._answer(wanted, within=left))

    async def _answer(self, wanted: Wanted, *, within: timedelta | None) -> SearchResult:
        started = self._clock.monotonic()
        cached = await self._cached(wanted.cache_key)
        if cached and self._left(cached):  # the flight before this one has landed meanwhile
            return cached
        result, late = await self._ask(wanted, within)
        await self._keep(wanted, result)
        if late:  # not before: what is complete must be kept after what is not
            self._flights.launch((wanted.cache_key, LATE), late)
        seconds = self._clock.monotonic() - started
        self._latency.observe("indexers", seconds=seconds)
        self._log.info(SEARCHED, key=wanted.cache_key, releases=len(result.releases), ms=round(seconds * 1000))
        return result

    async def _keep(self, wanted: Wanted, result: SearchResult) -> None:
        if ttl := time_to_live(result, cache_ttl=self._limits.cache_ttl):
            await self._table.save(wanted.cache_key, result)
            await self._hot.save(wanted.cache_key, result, ttl=ttl)

    async def _cached(self, key: str) -> SearchResult | None:
        """Return what was kept, if it is good or, being complete, was good not long ago."""
        if (hot := await self._hot.load(key)) and self._left(hot):
            return hot
        stored = await self._table.load(key)
        if stored is None:
            return None
        if left := self._left(stored):
            await self._hot.save(key, stored, ttl=left)
            return stored
        is_complete = bool(stored.releases) and not stored.unavailable
        age = self._clock.now() - stored.fetched_at
        return stored if is_complete and age < STALE_FACTOR * self._limits.cache_ttl else None

    def _left(self, result: SearchResult) -> timedelta | None:
        """Return how much longer *result* is good; None if it is not."""
        ttl = time_to_live(result, cache_ttl=self._limits.cache_ttl) or timedelta(0)
        left = result.fetched_at + ttl - self._clock.now()
        return left if left > timedelta(0) else None

    async def _ask(
        self, wanted: Wanted, left: timedelta | None
    ) -> tuple[SearchResult, Callable[[], Awaitable[None]] | None]:
        """Return what is known in time, and how to keep the whole if somebody is late."""
        time = self._time(left)
        listed, missing = await self._listed(within=time.left(self._limits.indexer_deadline))
        rests = await self._rests.current()
        within = time.left(self._limits.indexer_deadline, keep=FOLLOWING_SHARE)
        answers = await self._asking.ask(
            list(listed.values()), wanted, rests=rests, now=self._clock.now(), within=within
        )
        answers = replace(answers, unavailable=[*missing, *answers.unavailable])
        late = partial(self._keep_late, answers, wanted, listed) if answers.late else None
        return await self._complete(answers, wanted, time, listed), late

    async def _listed(self, *, within: float) -> tuple[Mapping[str, Indexer], Sequence[UnavailableIndexer]]:
        """Return all indexers by name, and the providers that could not tell any, with the reason."""
        told = await side_by_side([partial(self._indexers, one, within=within) for one in self._providers])
        indexers = {one.name: one for part in told if not isinstance(part, UnavailableIndexer) for one in part}
        return indexers, [part for part in told if isinstance(part, UnavailableIndexer)]

    async def _indexers(self, provider: Provider, *, within: float) -> Sequence[Indexer] | UnavailableIndexer:
        try:
            async with asyncio.timeout(within):
                return await provider.indexers()
        except (IndexerError, TimeoutError) as failure:
            return UnavailableIndexer(provider.name, str(failure) or f"timed out after {within:.1f} s")
        except Exception as error:  # noqa: BLE001  whatever one provider does, the others are asked
            self._log.error(UNFORESEEN, indexer=provider.name, error=type(error).__name__)
            return UnavailableIndexer(provider.name, "gave an answer that can't be read")

    async def _keep_late(self, before: Answers, wanted: Wanted, indexers: Mapping[str, Indexer]) -> None:
        """Wait for the late answers, and keep all of them together with those that came in time."""
        late = summed([await answer for answer in before.late])
        if not late.found and len(late.unavailable) == len(before.late):
            return  # nothing that was not known
        found = [one for one in before.found if one.indexer not in before.late_names]
        unavailable = [one for one in before.unavailable if one.indexer not in before.late_names]
        answers = Answers([*found, *late.found], [*unavailable, *late.unavailable])
        await self._keep(wanted, await self._complete(answers, wanted, self._time(None), indexers))

    async def _complete(
        self, answers: Answers, wanted: Wanted, time: "_Time", indexers: Mapping[str, Indexer]
    ) -> SearchResult:
        found = await asyncio.to_thread(prominent, answers.found, wanted)
        followed = await self._follow(indexers, found, wanted, time)
        return self._result([*found, *followed], answers.unavailable, wanted)

    def _result(
        self, found: Sequence[Announcement], unavailable: Sequence[UnavailableIndexer], wanted: Wanted
    ) -> SearchResult:
        for one in unavailable:
            self._log.warning(INDEXER_UNAVAILABLE, indexer=one.indexer, why=one.reason)
        return SearchResult(releases(found, wanted.kind), unavailable, self._clock.now())

    async def _follow(
        self, indexers: Mapping[str, Indexer], found: Sequence[Announcement], wanted: Wanted, time: "_Time"
    ) -> Sequence[Announcement]:
        """Return what the most promising download links lead to, as far as time allows."""
        chosen = await asyncio.to_thread(worth_resolving, found, wanted, most=LINKS_TO_FOLLOW)
        within = time.left(FOLLOWING_DEADLINE)
        followed = await side_by_side(
            [partial(self._resolve, indexers[one.indexer], one, within=within) for one in chosen]
        )
        return [one for one in followed if one]

    async def _resolve(self, indexer: Indexer, found: Announcement, *, within: float) -> Announcement | None:
        try:
            async with asyncio.timeout(within):
                return await indexer.resolve(found)
        except TimeoutError:
            return None
        except Exception as error:  # noqa: BLE001  one link's, and the others are still worth following
            self._log.error(UNFORESEEN, indexer=indexer.name, error=type(error).__name__)
            return None

    def _time(self, left: timedelta | None) -> "_Time":
        longest = 2 * self._limits.indexer_deadline + FOLLOWING_DEADLINE
        return _Time(longest if left is None else min(longest, left - MARGIN), self._clock)


class _Time:
    """A budget, and what of it is left."""

    def __init__(self, budget: timedelta, clock: Clock) -> None:
        self._budget = budget.total_seconds()
        self._clock = clock
        self._end = clock.monotonic() + self._budget

    def left(self, longest: timedelta, *, keep: float = 0.0) -> float:
        """Return the seconds that a step may take: at most *longest*, and a share *keep* of the budget stays over."""
        left = self._end - self._clock.monotonic() - keep * self._budget
        return max(SHORTEST.total_seconds(), min(longest.total_seconds(), left))

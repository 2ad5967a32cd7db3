"""The use case: releases of one episode, from the cache or from the indexers, within the caller's time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol, TypeVar

from prometheus_client import CollectorRegistry, Histogram
from structlog.typing import FilteringBoundLogger

from vod_rpc import Flights, time_left
from vod_runtime import Clock
from vod_search.domain import Announcement, Kind, SearchResult, UnavailableIndexer, Wanted
from vod_search.merging import prominent, releases, worth_resolving
from vod_search.normalising import without_constants
from vod_search.prowlarr import NAME, Indexer, IndexerError
from vod_search.queries import queries

SEARCHED = "searched"
INDEXER_UNAVAILABLE = "indexer_unavailable"
NOT_CONFIGURED = "no indexer is configured: set PROWLARR_URL and PROWLARR_KEY"
NONE_ENABLED = "has no enabled torrent indexer"
NEGATIVE_TTL = timedelta(minutes=3)
LINKS_TO_FOLLOW = 8
FOLLOWING_DEADLINE = timedelta(seconds=2)
FOLLOWING_SHARE = 0.2  # of the budget stays for links, however slow the indexers are
MARGIN = timedelta(milliseconds=500)  # of the caller's time: merging, the cache, the way back
SHORTEST = timedelta(milliseconds=100)

T = TypeVar("T")


class Indexers(Protocol):
    """Who can be asked."""

    async def indexers(self) -> Sequence[Indexer]: ...
    async def search(self, indexer: Indexer, query: str, kind: Kind) -> list[Announcement]: ...
    async def resolve(self, found: Announcement) -> Announcement | None: ...


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


@dataclass(frozen=True, slots=True)
class Answer:
    """What one indexer said to all questions."""

    indexer: str
    announcements: Sequence[Announcement]
    failures: Sequence[str]


def time_to_live(result: SearchResult, *, cache_ttl: timedelta) -> timedelta | None:
    """Return how long a result stays good; None if it must not be kept.

    What only some indexers answered is kept briefly, so that the others get their chance; nothing found is kept
    briefly if everybody says so, and not at all if somebody could not say.
    """
    if result.releases:
        return NEGATIVE_TTL if result.unavailable else cache_ttl
    return None if result.unavailable else NEGATIVE_TTL


class Searches:
    """Searches, one at a time per cache key. *indexers* is None where the operator has configured none."""

    def __init__(
        self,
        *,
        indexers: Indexers | None,
        table: Table,
        hot: HotCache,
        flights: Flights,
        limits: Limits,
        clock: Clock,
        log: FilteringBoundLogger,
        latency: Latency,
    ) -> None:
        self._indexers = indexers
        self._table = table
        self._hot = hot
        self._flights = flights
        self._limits = limits
        self._clock = clock
        self._log = log
        self._latency = latency

    async def search(self, wanted: Wanted) -> SearchResult:
        """Return releases of the wanted episode; what some indexers could not say is told in `unavailable`."""
        # The first caller's time bounds the search: a partial answer in time is better than a whole one too late.
        time = self._time()
        return await self._flights.join(wanted.cache_key, lambda: self._answer(wanted, time))

    async def _answer(self, wanted: Wanted, time: "_Time") -> SearchResult:
        started = self._clock.monotonic()
        if cached := await self._cached(wanted.cache_key):
            self._latency.observe("cache", seconds=self._clock.monotonic() - started)
            return cached
        result = await self._ask(wanted, time)
        if ttl := time_to_live(result, cache_ttl=self._limits.cache_ttl):
            await self._table.save(wanted.cache_key, result)
            await self._hot.save(wanted.cache_key, result, ttl=ttl)
        seconds = self._clock.monotonic() - started
        self._latency.observe("indexers", seconds=seconds)
        self._log.info(SEARCHED, key=wanted.cache_key, releases=len(result.releases), ms=round(seconds * 1000))
        return result

    async def _cached(self, key: str) -> SearchResult | None:
        if (hot := await self._hot.load(key)) and self._left(hot):
            return hot
        stored = await self._table.load(key)
        if stored is None or not (left := self._left(stored)):
            return None
        await self._hot.save(key, stored, ttl=left)
        return stored

    def _left(self, result: SearchResult) -> timedelta | None:
        """Return how much longer *result* is good; None if it is not."""
        ttl = time_to_live(result, cache_ttl=self._limits.cache_ttl) or timedelta(0)
        left = result.fetched_at + ttl - self._clock.now()
        return left if left > timedelta(0) else None

    async def _ask(self, wanted: Wanted, time: "_Time") -> SearchResult:
        if self._indexers is None:
            return self._result([], [UnavailableIndexer(NAME, NOT_CONFIGURED)], wanted)
        try:
            async with asyncio.timeout(time.left(self._limits.indexer_deadline)):
                listed = await self._indexers.indexers()
        except (IndexerError, TimeoutError) as failure:
            return self._result([], [UnavailableIndexer(NAME, str(failure) or "timed out")], wanted)
        if not listed:
            return self._result([], [UnavailableIndexer(NAME, NONE_ENABLED)], wanted)
        within = time.left(self._limits.indexer_deadline, keep=FOLLOWING_SHARE)
        asking = [partial(_ask_one, self._indexers, indexer, wanted, within=within) for indexer in listed]
        answers = await _all(asking)
        unavailable = [
            UnavailableIndexer(answer.indexer, "; ".join(dict.fromkeys(answer.failures)))
            for answer in answers
            if answer.failures
        ]
        found = [one for answer in answers for one in without_constants(answer.announcements)]
        found = await asyncio.to_thread(prominent, found, wanted)
        followed = await self._follow(self._indexers, found, wanted, time)
        return self._result([*found, *followed], unavailable, wanted)

    def _result(
        self, found: Sequence[Announcement], unavailable: Sequence[UnavailableIndexer], wanted: Wanted
    ) -> SearchResult:
        for one in unavailable:
            self._log.warning(INDEXER_UNAVAILABLE, indexer=one.indexer, why=one.reason)
        return SearchResult(releases(found, wanted.kind), unavailable, self._clock.now())

    async def _follow(
        self, indexers: Indexers, found: Sequence[Announcement], wanted: Wanted, time: "_Time"
    ) -> Sequence[Announcement]:
        """Return what the most promising download links lead to, as far as time allows."""
        chosen = await asyncio.to_thread(worth_resolving, found, wanted, most=LINKS_TO_FOLLOW)
        within = time.left(FOLLOWING_DEADLINE)
        followed = await _all([partial(_resolve, indexers, one, within=within) for one in chosen])
        return [one for one in followed if one]

    def _time(self) -> "_Time":
        longest = 2 * self._limits.indexer_deadline + FOLLOWING_DEADLINE
        left = time_left()
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


async def _all(jobs: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """Run *jobs* side by side and return their outcomes in the same order."""

    async def run(job: Callable[[], Awaitable[T]]) -> T:
        return await job()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(job)) for job in jobs]
    return [task.result() for task in tasks]


async def _ask_one(indexers: Indexers, indexer: Indexer, wanted: Wanted, *, within: float) -> Answer:
    """Ask one indexer all questions at once; each has its own deadline of *within* seconds."""
    asking = [partial(_question, indexers, indexer, query, wanted.kind, within=within) for query in queries(wanted)]
    parts = await _all(asking)
    return Answer(
        indexer.name,
        [one for part in parts if not isinstance(part, str) for one in part],
        [part for part in parts if isinstance(part, str)],
    )


async def _question(
    indexers: Indexers, indexer: Indexer, query: str, kind: Kind, *, within: float
) -> list[Announcement] | str:
    """Return what was found, or why nothing could be."""
    try:
        async with asyncio.timeout(within):
            return await indexers.search(indexer, query, kind)
    except TimeoutError:
        return f"timed out after {within:.1f} s"
    except IndexerError as failure:
        return str(failure)


async def _resolve(indexers: Indexers, found: Announcement, *, within: float) -> Announcement | None:
    try:
        async with asyncio.timeout(within):
            return await indexers.resolve(found)
    except TimeoutError:
        return None

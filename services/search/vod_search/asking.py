"""Asks indexers side by side: who answers in time is used now, who answers later is used the next time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Protocol, TypeVar

from vod_rpc import Flights
from vod_search.domain import Announcement, Kind, UnavailableIndexer, Wanted
from vod_search.normalising import without_constants
from vod_search.prowlarr import Indexer, IndexerError, Misconfigured
from vod_search.queries import queries
from vod_search.resting import Rest

LATEST = timedelta(seconds=30)
"""After this an answer is not waited for any more, and counts as a failure."""

T = TypeVar("T")


class Indexers(Protocol):
    """Who can be asked."""

    async def indexers(self) -> Sequence[Indexer]: ...
    async def search(self, indexer: Indexer, query: str, kind: Kind) -> list[Announcement]: ...
    async def resolve(self, found: Announcement) -> Announcement | None: ...


class Rests(Protocol):
    """Who is left alone."""

    async def current(self) -> Mapping[str, Rest]:
        """Return all indexers that failed last time, by name."""
        ...

    async def failed(self, indexer: str, *, reason: str, retry_after: timedelta | None) -> None: ...
    async def recovered(self, indexer: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What one indexer said to all questions."""

    indexer: str
    announcements: Sequence[Announcement]
    failures: Sequence[IndexerError]


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known by now; `late` are the answers that are still to come."""

    found: Sequence[Announcement]
    unavailable: Sequence[UnavailableIndexer]
    late: Sequence["asyncio.Future[Answer]"] = ()
    late_names: frozenset[str] = frozenset()


class Asking:
    """Asks each indexer once per cache key at a time, whoever wants to know."""

    def __init__(self, indexers: Indexers, *, rests: Rests, flights: Flights) -> None:
        self._indexers = indexers
        self._rests = rests
        self._flights = flights

    async def ask(
        self, listed: Sequence[Indexer], wanted: Wanted, *, resting: Mapping[str, Rest], within: float
    ) -> Answers:
        """Return what the *listed* indexers answer *within* so many seconds; those that rest are not asked."""
        awake = [one for one in listed if one.name not in resting]
        asked = {
            one.name: self._flights.launch((wanted.cache_key, one), partial(self._one, one, wanted)) for one in awake
        }
        if asked:
            await asyncio.wait(asked.values(), timeout=within)
        done = {name: answer for name, answer in asked.items() if answer.done()}
        late = {name: answer for name, answer in asked.items() if name not in done}
        known = summed([answer.result() for answer in done.values()])
        absent = [UnavailableIndexer(one.name, resting[one.name].told()) for one in listed if one.name in resting]
        absent += [UnavailableIndexer(name, f"timed out after {within:.1f} s") for name in late]
        return Answers(known.found, [*known.unavailable, *absent], tuple(late.values()), frozenset(late))

    async def _one(self, indexer: Indexer, wanted: Wanted) -> Answer:
        """Ask one indexer all questions at once, and note whether it can be asked again soon."""
        parts = await side_by_side([partial(self._question, indexer, one, wanted.kind) for one in queries(wanted)])
        failures = [part for part in parts if isinstance(part, IndexerError)]
        answer = Answer(
            indexer.name, [one for part in parts if not isinstance(part, IndexerError) for one in part], failures
        )
        blamed = [failure for failure in failures if not isinstance(failure, Misconfigured)]
        if blamed:
            waits = [failure.retry_after for failure in blamed if failure.retry_after]
            await self._rests.failed(indexer.name, reason=str(blamed[0]), retry_after=max(waits, default=None))
        elif not failures:
            await self._rests.recovered(indexer.name)
        return answer

    async def _question(self, indexer: Indexer, query: str, kind: Kind) -> list[Announcement] | IndexerError:
        """Return what was found, or why nothing could be."""
        try:
            async with asyncio.timeout(LATEST.total_seconds()):
                return await self._indexers.search(indexer, query, kind)
        except TimeoutError:
            return IndexerError(f"timed out after {LATEST.total_seconds():.1f} s")
        except IndexerError as failure:
            return failure


def summed(answers: Sequence[Answer]) -> Answers:
    """Join what indexers said."""
    return Answers(
        found=[one for answer in answers for one in without_constants(answer.announcements)],
        unavailable=[
            UnavailableIndexer(answer.indexer, "; ".join(dict.fromkeys(map(str, answer.failures))))
            for answer in answers
            if answer.failures
        ],
    )


async def side_by_side(jobs: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """Run *jobs* together and return their outcomes in the same order."""

    async def run(job: Callable[[], Awaitable[T]]) -> T:
        return await job()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(job)) for job in jobs]
    return [task.result() for task in tasks]

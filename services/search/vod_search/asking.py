"""Asks indexers side by side: who answers in time is used now, who answers later is used the next time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from structlog.typing import FilteringBoundLogger

from vod_rpc import Flights
from vod_search.domain import Announcement, UnavailableIndexer, Wanted
from vod_search.indexers import Indexer, IndexerError, Misconfigured, Question
from vod_search.normalising import without_constants
from vod_search.resting import Rest

LATEST = timedelta(seconds=30)
"""After this an answer is not waited for any more, and counts as a failure."""

UNFORESEEN = "indexer_answered_unforeseen"

T = TypeVar("T")


class Rests(Protocol):
    """Who is left alone."""

    async def current(self) -> Mapping[str, Rest]:
        """Return all indexers that failed last time, by name."""
        ...

    async def failed(self, indexer: str, *, known: int, reason: str, retry_after: timedelta | None) -> None:
        """Note one more failure of an indexer of which *known* were counted when it was asked."""
        ...

    async def recovered(self, indexer: str) -> None: ...


@dataclass(slots=True)
class Answer:
    """What one indexer has said by now; it grows while questions are still open."""

    indexer: str
    announcements: list[Announcement] = field(default_factory=list)
    failures: list[IndexerError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answers:
    """What is known by now; `late` are the answers that are still to come, in full."""

    found: Sequence[Announcement]
    unavailable: Sequence[UnavailableIndexer]
    late: Sequence["asyncio.Future[Answer]"] = ()
    late_names: frozenset[str] = frozenset()


class Asking:
    """Asks each indexer once per cache key at a time, whoever wants to know."""

    def __init__(self, *, rests: Rests, flights: Flights, log: FilteringBoundLogger) -> None:
        self._rests = rests
        self._log = log
        self._flights = flights
        self._growing: dict[tuple[str, str], Answer] = {}

    async def ask(
        self, listed: Sequence[Indexer], wanted: Wanted, *, rests: Mapping[str, Rest], now: datetime, within: float
    ) -> Answers:
        """Return what the *listed* indexers answer *within* so many seconds; those that rest are not asked.

        Of one that is late with some questions, the answers to the others are used.
        """
        resting = {name: rest for name, rest in rests.items() if rest.until > now}
        failures = {name: rest.failures for name, rest in rests.items()}
        asked = {
            one.name: self._flights.launch(
                (wanted.cache_key, one.name), partial(self._one, one, wanted, known=failures.get(one.name, 0))
            )
            for one in listed
            if one.name not in resting
        }
        if asked:
            await asyncio.wait(asked.values(), timeout=within)
        late = {name: answer for name, answer in asked.items() if not answer.done()}
        known = [answer.result() for answer in asked.values() if answer.done()]
        partial_ones = [answer for name in late if (answer := self._growing.get((wanted.cache_key, name)))]
        found = [one for answer in (*known, *partial_ones) for one in without_constants(answer.announcements)]
        absent = [UnavailableIndexer(one.name, resting[one.name].told()) for one in listed if one.name in resting]
        absent += [UnavailableIndexer(name, f"timed out after {within:.1f} s") for name in late]
        return Answers(found, [*summed(known).unavailable, *absent], tuple(late.values()), frozenset(late))

    async def _one(self, indexer: Indexer, wanted: Wanted, *, known: int) -> Answer:
        """Ask one indexer all questions at once, and note whether it can be asked again soon."""
        answer = self._growing[wanted.cache_key, indexer.name] = Answer(indexer.name)
        try:
            async with asyncio.timeout(LATEST.total_seconds()):
                questions = await indexer.questions(wanted)
            await side_by_side([partial(self._question, one, answer) for one in questions])
        except TimeoutError:
            answer.failures.append(_too_late())
        except IndexerError as failure:
            answer.failures.append(failure)
        except Exception as error:  # noqa: BLE001  whatever one indexer does, the others' answers are used
            answer.failures.append(self._unforeseen(indexer.name, error))
        finally:
            del self._growing[wanted.cache_key, indexer.name]
        await self._note(answer, known=known)
        return answer

    async def _question(self, question: Question, answer: Answer) -> None:
        """Add to *answer* what was found, or why nothing could be."""
        try:
            async with asyncio.timeout(LATEST.total_seconds()):
                answer.announcements.extend(await question())
        except TimeoutError:
            answer.failures.append(_too_late())
        except IndexerError as failure:
            answer.failures.append(failure)
        except Exception as error:  # noqa: BLE001  as above
            answer.failures.append(self._unforeseen(answer.indexer, error))

    def _unforeseen(self, indexer: str, error: Exception) -> IndexerError:
        self._log.error(UNFORESEEN, indexer=indexer, error=type(error).__name__)
        return IndexerError("gave an answer that can't be read")

    async def _note(self, answer: Answer, *, known: int) -> None:
        blamed = [failure for failure in answer.failures if not isinstance(failure, Misconfigured)]
        if blamed:
            waits = [failure.retry_after for failure in blamed if failure.retry_after]
            await self._rests.failed(
                answer.indexer, known=known, reason=str(blamed[0]), retry_after=max(waits, default=None)
            )
        elif not answer.failures:
            await self._rests.recovered(answer.indexer)


def _too_late() -> IndexerError:
    return IndexerError(f"timed out after {LATEST.total_seconds():.1f} s")


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

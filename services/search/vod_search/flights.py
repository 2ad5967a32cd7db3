"""Work that several callers may want at once, and that goes on when they give up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flights(Generic[T]):
    """At most one job per key: whoever asks while it runs gets the same outcome. `take_off` makes them."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._outcomes: dict[str, asyncio.Future[T]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def join(self, key: str, job: Callable[[], Awaitable[T]]) -> T:
        """Wait for the outcome of the job *key*, starting it unless it runs; raise what the job raises."""
        if key not in self._outcomes:
            outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            # Nobody may be waiting any more; a failure is then nobody's, and asyncio need not complain about it.
            outcome.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._outcomes[key] = outcome
            task = self._group.create_task(self._fly(key, job, outcome))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(self._outcomes[key])

    def land(self) -> None:
        """Cancel all that is under way."""
        for task in self._tasks:
            task.cancel()

    async def _fly(self, key: str, job: Callable[[], Awaitable[T]], outcome: asyncio.Future[T]) -> None:
        try:
            outcome.set_result(await job())
        except asyncio.CancelledError:
            outcome.cancel()
            raise
        except Exception as failure:  # noqa: BLE001  it is handed to whoever waits, whatever it is
            outcome.set_exception(failure)
        finally:
            del self._outcomes[key]


@asynccontextmanager
async def take_off() -> AsyncIterator[Flights[Any]]:
    """Yield flights; those under way when the context ends are cancelled."""
    async with asyncio.TaskGroup() as group:
        flights: Flights[Any] = Flights(group)
        try:
            yield flights
        finally:
            flights.land()

"""Single flight: work that several callers may want at once, and that goes on when they give up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from vod_rpc.deadlines import no_deadline

T = TypeVar("T")


class Flights:
    """At most one job per key; whoever asks while it runs gets the same outcome.

    A caller that is cancelled does not stop the job: what was asked of a slow provider is worth keeping for the next
    caller. So the job is not bound by a caller's deadline, and must have one of its own. `take_off` makes flights.
    """

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}
        self._outcomes: dict[Hashable, asyncio.Future[Any]] = {}

    async def join(self, key: Hashable, job: Callable[[], Awaitable[T]]) -> T:
        """Wait for the outcome of the job *key*, starting it unless it runs; raises what the job raises."""
        return await asyncio.shield(self.launch(key, job))

    def launch(self, key: Hashable, job: Callable[[], Awaitable[T]]) -> asyncio.Future[T]:
        """Start the job *key* unless it runs, and return its outcome to come."""
        if key not in self._outcomes:
            outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()
            # Nobody may be waiting any more; a failure is then nobody's, and asyncio need not complain about it.
            outcome.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._outcomes[key] = outcome
            self._tasks[key] = self._group.create_task(self._fly(key, job, outcome))
        return self._outcomes[key]

    def land(self) -> None:
        """Cancel all that is under way."""
        for task in self._tasks.values():
            task.cancel()
        for outcome in self._outcomes.values():
            outcome.cancel()  # a task that had not begun yet can't do that itself

    async def _fly(self, key: Hashable, job: Callable[[], Awaitable[T]], outcome: asyncio.Future[T]) -> None:
        try:
            with no_deadline():
                result = await job()
        except asyncio.CancelledError:
            outcome.cancel()
            raise
        except Exception as failure:  # noqa: BLE001  it is handed to whoever waits, whatever it is
            if not outcome.done():  # it may have landed, and the job not have noticed
                outcome.set_exception(failure)
        else:
            if not outcome.done():
                outcome.set_result(result)
        finally:
            self._tasks.pop(key, None)
            self._outcomes.pop(key, None)


@asynccontextmanager
async def take_off() -> AsyncIterator[Flights]:
    """Yield flights; those under way when the context ends are cancelled."""
    async with asyncio.TaskGroup() as group:
        flights = Flights(group)
        try:
            yield flights
        finally:
            flights.land()

"""Lets concurrent callers share one piece of work: single-flight."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from types import TracebackType
from typing import Generic, Self, TypeVar

from vod_rpc.deadlines import no_deadline

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Flights(Generic[K, V]):
    """Work under way, by key; a process-local matter, the database decides between processes.

    A flight belongs to nobody: a caller that gives up, or whose deadline passes, does not end it for the others. So
    the work must have a deadline of its own. On leaving the context what is under way is cancelled, not waited for.
    """

    def __init__(self) -> None:
        self._tasks = asyncio.TaskGroup()
        self._flying: dict[K, asyncio.Future[V]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for task in self._running:
            task.cancel()
        for flight in self._flying.values():
            flight.cancel()  # a task that had not begun yet can't do that itself
        await self._tasks.__aexit__(kind, error, traceback)

    async def join(self, key: K, work: Callable[[], Awaitable[V]]) -> V:
        """Return the result of the flight of *key*, starting *work* if there is none."""
        flight = self._flying.get(key)
        if flight is None:
            flight = self._flying[key] = asyncio.get_running_loop().create_future()
            task = self._tasks.create_task(self._fly(key, work, flight))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return await asyncio.shield(flight)

    async def _fly(self, key: K, work: Callable[[], Awaitable[V]], flight: asyncio.Future[V]) -> None:
        try:
            with no_deadline():
                result = await work()
        except asyncio.CancelledError:
            flight.cancel()
            raise
        except Exception as error:  # noqa: BLE001  it is raised where it is awaited
            flight.set_exception(error)
            flight.exception()  # marks it as seen: everybody may have left
        else:
            flight.set_result(result)
        finally:
            self._flying.pop(key)

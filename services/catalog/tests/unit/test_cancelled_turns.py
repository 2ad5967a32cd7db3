"""A request whose caller gives up while it waits for its turn leaves the host as it was."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
import structlog

from vod_catalog.errors import UpstreamUnavailable
from vod_catalog.hosts import Host, State
from vod_catalog.upstream import Limits, Upstream
from vod_testing import MovableClock


class States:
    """Remembers nothing."""

    async def load(self, host: str) -> State | None:
        return None

    async def save(self, host: str, state: State) -> None: ...

    async def forget(self, host: str) -> None: ...


class Turns:
    """Everybody waits, until `are_free`."""

    def __init__(self) -> None:
        self.are_free = True
        self.waiting = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        if not self.are_free:
            self.waiting.set()
            await asyncio.Event().wait()


def upstream(http: httpx.AsyncClient, clock: MovableClock, sleep: Callable[[float], Awaitable[None]]) -> Upstream:
    host = Host("a host", states=States(), clock=clock, log=structlog.get_logger())
    return Upstream(http, name="a host", limits=Limits(1000, burst=10), host=host, clock=clock, sleep=sleep)


async def test_who_gives_up_waiting_for_a_turn_after_a_rest_lets_the_next_one_try(clock: MovableClock) -> None:
    answers = iter([httpx.Response(429, headers={"retry-after": "5"}), httpx.Response(200, json={"is": "well"})])
    turns = Turns()
    async with httpx.AsyncClient(
        base_url="http://host", transport=httpx.MockTransport(lambda _: next(answers))
    ) as http:
        host = upstream(http, clock, turns.sleep)
        with pytest.raises(UpstreamUnavailable, match="asks us to wait"):
            await host.get("a")
        clock.advance(timedelta(seconds=6))
        turns.are_free = False
        async with asyncio.TaskGroup() as group:
            impatient = group.create_task(host.get("a"))
            await turns.waiting.wait()
            impatient.cancel()
        turns.are_free = True

        assert await host.get("a") == {"is": "well"}

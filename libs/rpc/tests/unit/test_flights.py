"""Concurrent callers share one piece of work."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from vod_rpc import deadline, take_off, time_left


class Work:
    """Work that ends when it is told to, and counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.under_way = asyncio.Event()
        self.go_on = asyncio.Event()

    async def __call__(self) -> str:
        self.begun += 1
        self.under_way.set()
        await self.go_on.wait()
        return f"result {self.begun}"


async def test_callers_of_one_key_share_one_flight() -> None:
    work = Work()
    async with take_off() as flights, asyncio.TaskGroup() as group:
        callers = [group.create_task(flights.join("a", work)) for _ in range(5)]
        work.go_on.set()

    assert [caller.result() for caller in callers] == ["result 1"] * 5


async def test_a_caller_that_leaves_does_not_end_the_flight_of_the_others() -> None:
    work = Work()
    async with take_off() as flights, asyncio.TaskGroup() as group:
        first = group.create_task(flights.join("a", work))
        second = group.create_task(flights.join("a", work))
        await work.under_way.wait()
        first.cancel()
        work.go_on.set()

    assert (first.cancelled(), second.result(), work.begun) == (True, "result 1", 1)


async def test_a_failure_reaches_every_caller_and_the_next_one_starts_anew() -> None:
    async def fail() -> str:
        raise LookupError("nothing there")

    async with take_off() as flights:
        answers = await asyncio.gather(flights.join("a", fail), flights.join("a", fail), return_exceptions=True)
        work = Work()
        work.go_on.set()
        again = await flights.join("a", work)

    assert [str(answer) for answer in answers] == ["nothing there"] * 2
    assert again == "result 1"


async def test_the_deadline_of_the_first_caller_is_not_that_of_the_flight() -> None:
    async def look() -> object:
        return time_left()

    async with take_off() as flights:
        with deadline(timedelta(seconds=1)):
            seen = await flights.join("a", look)

    assert seen is None


async def test_leaving_cancels_what_is_under_way() -> None:
    work = Work()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group, take_off() as flights:
        caller = group.create_task(flights.join("a", work))
        await work.under_way.wait()

    assert caller.cancelled()


async def test_different_keys_fly_apart() -> None:
    work = Work()
    work.go_on.set()
    async with take_off() as flights:
        await asyncio.gather(flights.join("a", work), flights.join("b", work))

    assert work.begun == 2


async def test_a_flight_that_had_not_begun_is_cancelled_too() -> None:
    async with asyncio.timeout(5), asyncio.TaskGroup() as group, take_off() as flights:
        first = group.create_task(flights.join("a", Work()))
        nudge = asyncio.Event()
        asyncio.get_running_loop().call_soon(nudge.set)
        await nudge.wait()

    assert first.cancelled()


async def test_a_failure_that_nobody_waits_for_makes_no_noise() -> None:
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def fail() -> str:
        under_way.set()
        await go_on.wait()
        raise LookupError("nobody hears it")

    async with take_off() as flights, asyncio.TaskGroup() as group:
        waiting = group.create_task(flights.join("a", fail))
        await under_way.wait()
        waiting.cancel()
        go_on.set()

    assert waiting.cancelled()


@pytest.mark.parametrize("fails", [False, True])
async def test_a_flight_that_does_not_notice_that_it_was_cancelled_harms_nobody(fails: bool) -> None:
    under_way = asyncio.Event()

    async def stubborn() -> str:
        under_way.set()
        with suppress(asyncio.CancelledError):  # as asyncio.wait_for of Python 3.11 may
            await asyncio.Event().wait()
        if fails:
            raise ValueError
        return "too late"

    async with take_off() as flights:
        outcome = flights.launch("a", stubborn)
        await under_way.wait()

    assert outcome.cancelled()

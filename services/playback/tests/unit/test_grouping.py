"""Group commit: what shares a statement, and when those who wait are answered."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from vod_playback.domain import Beat, Heard, Written
from vod_playback.errors import StoreUnavailable
from vod_playback.grouping import group_commit

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def heard(session: str, *, position: int = 0) -> Heard:
    return Heard(Beat(session, timedelta(seconds=position)), NOON)


class Disk:
    """Writes when it may; fails as it is told to."""

    def __init__(self) -> None:
        self.groups: list[list[Heard]] = []
        self.began, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()
        self.error: Exception | None = None

    async def write(self, heard: Sequence[Heard]) -> dict[str, Written]:
        self.groups.append(list(heard))
        self.began.set()
        await self.go_on.wait()
        if self.error:
            raise self.error
        return {}


async def test_what_arrives_together_is_written_together() -> None:
    disk = Disk()
    async with group_commit(disk) as groups, asyncio.TaskGroup() as callers:
        for number in range(40):
            callers.create_task(groups.write(heard(f"s{number}")))

    assert [len(group) for group in disk.groups] == [40]


async def test_nobody_is_answered_before_the_group_is_on_disk() -> None:
    disk = Disk()
    disk.go_on.clear()
    async with group_commit(disk) as groups:
        callers = [asyncio.ensure_future(groups.write(heard(f"s{number}"))) for number in range(3)]
        await asyncio.wait_for(disk.began.wait(), 30)
        assert not any(caller.done() for caller in callers)

        disk.go_on.set()

        assert await asyncio.gather(*callers) == [None, None, None]


async def test_two_of_one_session_are_written_one_after_the_other() -> None:
    disk = Disk()
    async with group_commit(disk) as groups, asyncio.TaskGroup() as callers:
        for position in (1, 2, 3):
            callers.create_task(groups.write(heard("s", position=position)))
        callers.create_task(groups.write(heard("t")))

    assert [[int(one.beat.position.total_seconds()) for one in group] for group in disk.groups] == [[1, 0], [2], [3]]


async def test_when_the_database_is_away_each_caller_learns_it_and_the_next_group_is_tried() -> None:
    disk = Disk()
    disk.error = StoreUnavailable()
    async with group_commit(disk) as groups:
        failed = await asyncio.gather(*(groups.write(heard(name)) for name in "ab"), return_exceptions=True)
        disk.error = None
        after = await groups.write(heard("c"))

    assert [type(one) for one in failed] == [StoreUnavailable, StoreUnavailable]
    assert after is None


async def test_a_caller_that_gave_up_is_not_written() -> None:
    disk = Disk()
    async with group_commit(disk) as groups:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(groups.write(heard("gone")), 0.001)
        await groups.write(heard("here"))

    assert [[one.beat.session_id for one in group] for group in disk.groups] == [["here"]]


async def test_leaving_answers_those_who_wait() -> None:
    disk = Disk()
    disk.go_on.clear()
    async with group_commit(disk) as groups:
        writing = asyncio.ensure_future(groups.write(heard("writing")))
        await asyncio.wait_for(disk.began.wait(), 30)
        waiting = asyncio.ensure_future(groups.write(heard("waiting")))
        await asyncio.wait([waiting], timeout=0.01)

    for one in (writing, waiting):
        with pytest.raises(StoreUnavailable):
            await one

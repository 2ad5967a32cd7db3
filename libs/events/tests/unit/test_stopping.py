"""A task ends, even if it loses a cancellation."""

import asyncio
from contextlib import suppress

from vod_events.stopping import stop


async def test_a_task_that_loses_its_first_cancellation_ends_all_the_same() -> None:
    lost = asyncio.Event()

    async def forgetful() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        lost.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(forgetful())
    await asyncio.wait([task], timeout=0.01)

    await stop(task)

    assert lost.is_set()
    assert task.cancelled()

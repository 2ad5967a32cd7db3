"""Ending a task for sure."""

import asyncio

_AGAIN_SECONDS = 0.2


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel *task* until it has ended.

    Once is not always enough: `asyncio.wait_for`, by which nats-py waits for answers, loses a cancellation that comes
    at the same moment as the answer (python/cpython#86296, mended in Python 3.12).
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_AGAIN_SECONDS)

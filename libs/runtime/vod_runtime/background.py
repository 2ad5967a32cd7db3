"""Work that goes on beside a context, and ends with it for sure."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

_AGAIN_SECONDS = 0.2


@asynccontextmanager
async def background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do *work* while the context is open, then cancel it; an error of it ends the context.

    Work is cancelled until it has ended. Once is not always enough: `asyncio.wait_for`, by which redis-py and nats-py
    wait, loses a cancellation that comes at the same moment as the answer (python/cpython#86296, mended in Python
    3.12), and a loop would go on for ever.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one) for one in work]
        try:
            yield
        finally:
            while running := [task for task in tasks if not task.done()]:
                for task in running:
                    task.cancel()
                await asyncio.wait(running, timeout=_AGAIN_SECONDS)

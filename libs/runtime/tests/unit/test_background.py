"""Work ends with its context, even if it loses a cancellation."""

import asyncio
from contextlib import suppress

import pytest

from vod_runtime import background


async def test_work_that_loses_its_first_cancellation_ends_all_the_same() -> None:
    begun, lost, over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def forgetful() -> None:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        lost.set()
        try:
            await asyncio.Event().wait()
        finally:
            over.set()

    async with background(forgetful()):
        await begun.wait()

    assert lost.is_set()
    assert over.is_set()


async def test_an_error_of_the_work_ends_the_context() -> None:
    async def broken() -> None:
        raise OSError("the disk")

    with pytest.raises(ExceptionGroup) as raised:
        async with background(broken()):
            await asyncio.Event().wait()

    assert [str(one) for one in raised.value.exceptions] == ["the disk"]

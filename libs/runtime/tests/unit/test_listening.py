"""Who comes in the moment in which a server stops is not lost."""

import asyncio
import gc
import socket
import warnings

import pytest

from vod_runtime import stop_accepting


class Door(asyncio.Protocol):
    """Notes who came in."""

    def __init__(self, arrived: list[asyncio.BaseTransport]) -> None:
        self.arrived = arrived

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.arrived.append(transport)


async def nothing() -> None:
    """Takes a turn of the event loop."""


@pytest.mark.parametrize("turns", range(5))
async def test_who_comes_in_the_moment_of_the_end_is_let_in_or_left_out(turns: int) -> None:
    arrived: list[asyncio.BaseTransport] = []
    with socket.create_server(("127.0.0.1", 0)) as listening, warnings.catch_warnings(record=True) as lost:
        warnings.simplefilter("always", ResourceWarning)
        server = await asyncio.get_running_loop().create_server(lambda: Door(arrived), sock=listening)
        with socket.create_connection(listening.getsockname()):
            for _ in range(turns):
                await asyncio.ensure_future(nothing())

            await stop_accepting(listening)
            for transport in arrived:
                transport.close()
            server.close()
            await asyncio.ensure_future(nothing())
    gc.collect()

    assert [str(one.message) for one in lost] == []

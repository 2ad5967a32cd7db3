"""Who comes in the moment in which a server stops is not lost."""

import asyncio
import gc
import socket
import warnings

import pytest

from vod_runtime import stop_accepting


@pytest.mark.parametrize("turns", range(6))
async def test_who_comes_in_the_moment_of_the_end_is_let_in_or_left_out(turns: int) -> None:
    arrived: list[asyncio.Transport] = []

    class Door(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            arrived.append(transport)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = await asyncio.get_running_loop().create_server(Door, sock=listening)
        with socket.create_connection(listening.getsockname()) as client, warnings.catch_warnings(record=True) as lost:
            warnings.simplefilter("always", ResourceWarning)
            for _ in range(turns):
                await asyncio.sleep(0)

            await stop_accepting(listening)
            for transport in arrived:
                transport.close()
            server.close()
            await asyncio.sleep(0)
            gc.collect()
            said = [str(one.message) for one in lost if "transport" in str(one.message)]

            assert said == []
            assert client.fileno() > 0

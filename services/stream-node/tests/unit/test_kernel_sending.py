"""Files through real sockets on loopback."""

import asyncio
import gc
import os
import random
import socket
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path

import pytest

from vod_stream_node.kernel_sending import QUEUE_BYTES, limit_queue, send_file
from vod_testing import eventually

CONTENT = random.Random(1).randbytes(24 << 20)
"""More than the sockets between us hold."""


@pytest.fixture
def file(tmp_path: Path) -> Iterator[FileIO]:
    (tmp_path / "film").write_bytes(CONTENT)
    with FileIO(str(tmp_path / "film")) as opened:
        yield opened


@pytest.fixture
async def ends() -> AsyncIterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection: the node's and the client's."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        limit_queue(listening)
        with socket.create_connection(listening.getsockname()) as client, listening.accept()[0] as node:
            node.setblocking(False)
            client.setblocking(False)
            yield node, client


async def received(client: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        data += await asyncio.get_running_loop().sock_recv(client, 1 << 20)
    return bytes(data)


def names(connection: socket.socket) -> set[int]:
    """All descriptors of this process that stand for a connection."""
    open_ = [int(one.name) for one in Path("/dev/fd").iterdir() if _is_open(int(one.name))]
    return {one for one in open_ if os.path.sameopenfile(one, connection.fileno())}


def _is_open(descriptor: int) -> bool:
    """Whether it still is: the one by which they were listed is not."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


async def test_a_part_that_no_socket_holds_at_once_comes_whole(
    file: FileIO, ends: tuple[socket.socket, socket.socket]
) -> None:
    node, client = ends
    size = len(CONTENT) - 2_000

    _, data = await asyncio.gather(send_file(node.fileno(), file, 1_000, size), received(client, size))

    assert data == CONTENT[1_000:-1_000]


async def test_a_client_that_hangs_up_is_a_connection_error(
    file: FileIO, ends: tuple[socket.socket, socket.socket]
) -> None:
    node, client = ends
    sending = asyncio.ensure_future(send_file(node.fileno(), file, 0, len(CONTENT)))
    await received(client, 1)
    client.close()

    with pytest.raises(ConnectionError):
        await sending


async def test_a_client_that_hangs_up_leaves_nothing_behind_that_only_a_collection_would_find(
    tmp_path: Path, ends: tuple[socket.socket, socket.socket]
) -> None:
    (tmp_path / "film").write_bytes(CONTENT)
    node, client = ends
    gc.disable()
    try:
        with FileIO(str(tmp_path / "film")) as opened:
            known, sending = weakref.ref(opened), asyncio.ensure_future(send_file(node.fileno(), opened, 0, 24 << 20))
            await received(client, 1)
            client.close()
            with suppress(ConnectionError):
                await sending
        del opened, sending

        # The turn in which the task ended holds it until it is over.
        await eventually(lambda: "the file is still there" if known() else None, within=30)
    finally:
        gc.enable()


@pytest.mark.parametrize("begin", [0, len(CONTENT)])
async def test_a_file_that_ends_too_soon_is_an_error(
    file: FileIO, ends: tuple[socket.socket, socket.socket], begin: int
) -> None:
    node, client = ends
    taking = asyncio.ensure_future(received(client, len(CONTENT) - begin))

    with pytest.raises(OSError, match="shorter"):
        await send_file(node.fileno(), file, begin, len(CONTENT) + 1)
    await taking


async def test_who_is_cancelled_leaves_nothing_open(file: FileIO, ends: tuple[socket.socket, socket.socket]) -> None:
    node, client = ends
    sending = asyncio.ensure_future(send_file(node.fileno(), file, 0, len(CONTENT)))
    await received(client, 1)
    sending.cancel()

    with pytest.raises(asyncio.CancelledError):
        await sending
    assert names(node) == {node.fileno()}


async def test_nothing_goes_to_another_client_who_got_the_number_of_a_closed_socket(
    file: FileIO, ends: tuple[socket.socket, socket.socket]
) -> None:
    node, client = ends
    sending = asyncio.ensure_future(send_file(node.fileno(), file, 0, len(CONTENT)))
    got = len(await received(client, 1))
    number = node.detach()
    other, bystander = socket.socketpair()
    os.dup2(other.fileno(), number)  # closes the first client's, as far as its transport goes

    got += len(await received(client, len(CONTENT) - got))
    await sending
    other.close()
    os.close(number)

    assert (got, bystander.recv(1)) == (len(CONTENT), b"")
    bystander.close()


async def test_what_waits_in_an_accepted_socket_is_limited(ends: tuple[socket.socket, socket.socket]) -> None:
    node, _ = ends

    assert node.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == QUEUE_BYTES

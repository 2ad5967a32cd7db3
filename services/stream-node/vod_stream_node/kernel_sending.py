"""Files sent by the kernel alone, without blocking the event loop, and with few wake-ups.

`loop.sendfile` asks the selector to watch the socket, and to forget it, for each part that the socket takes. Here it is
watched once for all of them.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from ipaddress import ip_address

QUEUE_BYTES = 512 << 10
"""What may wait in a socket beyond what is on its way to the client.

The kernel's own limit is several MiB: they fall out of the processor's cache before they are sent, and each connection
holds them. What is on its way, which must be much for distant clients, does not count.
"""


def limit_queue(listening: socket.socket) -> None:
    """Limit what waits in each socket that *listening* will accept."""
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, QUEUE_BYTES)


def pace_nothing_at_home(connection: socket.socket) -> None:
    """Let TCP send to a client on this machine as it comes: a player, or the proxy before us.

    Many kernels send by BBR, which paces. Where nothing can get lost that costs three to five times the time and the
    processor. Reno (RFC 5681) is in every Linux, and everybody may choose it; who is elsewhere is sent to as the kernel
    likes.
    """
    if connection.family == socket.AF_UNIX:
        return
    with suppress(OSError):  # it is gone already, or the kernel's choice stands
        own, peer = (ip_address(address[0]) for address in (connection.getsockname(), connection.getpeername()))
        if peer == own or peer.is_loopback:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")


async def send_file(connection: int, file: FileIO, offset: int, count: int) -> None:
    """Send a part of a file to a connection (the descriptor of a socket that doesn't block).

    Returns when the kernel has taken it.

    Raises:
        ConnectionError: the client is gone.
        OSError: the file is shorter than it was.
    """
    position, end = offset, offset + count
    # A name of our own for the socket: its transport may close its one meanwhile, and another client get that number.
    # The selector, which knows the transport's, watches ours beside it.
    with _duplicate(connection) as own:
        while position < end:
            # Often that is all. What stopped `go_on` is met again here, and raised where it keeps nothing alive: an
            # error in a future would keep all frames that led to it, the event loop's with what it was to do next.
            position += _sent(own, file, position, end - position)
            if position == end:
                return
            stopped = asyncio.get_running_loop().create_future()

            def go_on(stopped: asyncio.Future[None] = stopped) -> None:
                nonlocal position
                if stopped.done():
                    return  # who waits has not run yet
                with suppress(OSError):
                    position += _sent(own, file, position, end - position)
                    if position < end:
                        return
                stopped.set_result(None)

            with _whenever_writable(own, go_on):
                await stopped


def _sent(connection: int, file: FileIO, offset: int, count: int) -> int:
    """Return how much of a part of a file a connection takes now."""
    try:
        sent = os.sendfile(connection, file.fileno(), offset, count)
    except BlockingIOError:
        return 0
    if not sent:
        raise OSError("the file is shorter than it was")
    return sent


@contextmanager
def _duplicate(descriptor: int) -> Iterator[int]:
    own = os.dup(descriptor)
    try:
        yield own
    finally:
        os.close(own)


@contextmanager
def _whenever_writable(connection: int, call: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    loop.add_writer(connection, call)
    try:
        yield
    finally:
        loop.remove_writer(connection)

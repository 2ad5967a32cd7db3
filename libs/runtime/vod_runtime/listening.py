"""Listening, and how to end it."""

import asyncio
import socket
from asyncio.trsock import TransportSocket

_TURNS = 3
"""Of the event loop, from a connection that was accepted to one that its protocol knows."""


async def stop_accepting(*sockets: socket.socket | TransportSocket) -> None:
    """Accept nobody else, and let those who were just accepted arrive; before an asyncio server is closed.

    It would lose them: neither served nor closed, for `Server._attach` fails an assertion of which nobody hears.
    """
    for listening in sockets:
        asyncio.get_running_loop().remove_reader(listening)
    for _ in range(_TURNS):
        await asyncio.sleep(0)

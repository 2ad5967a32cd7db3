"""Calls to peers: beside libtorrent's connection, or instead of it.

Most clients take one connection from an address. One that refused us is called again while libtorrent has none to it,
and given back to libtorrent when ours ends.
"""

import asyncio
from collections.abc import Callable, Coroutine

from vod_stream_node.lane.peer import PeerConnection
from vod_stream_node.peer_filter import PeerFilter

_DIAL_SECONDS = 5.0
_GREETING_SECONDS = 6.0
_HANG_UP_SECONDS = (0.05, 1.2)
"""How long a peer may take to see that libtorrent hung up, beyond the time of a call; by how often it refused us.
Transmission looks twice a second."""


class Calls:
    """The calls of one lane."""

    def __init__(
        self,
        peers: PeerFilter,
        *,
        give_back: Callable[[str, int], None],
        start: Callable[[Coroutine[None, None, None]], object],
    ) -> None:
        self._filter = peers
        self._give_back = give_back
        self._start = start
        self._loop = asyncio.get_running_loop()

    async def hold(self, peer: PeerConnection, *, refusals: int) -> None:
        """Call a peer and hold the connection until either side ends it.

        Raises:
            OSError, TimeoutError: there is none.
        """
        if not refusals:
            await self._hold(peer)
            return
        host, port = peer.address
        try:
            await self._filter.part(host)
            await asyncio.sleep(_HANG_UP_SECONDS[min(refusals, len(_HANG_UP_SECONDS)) - 1])
            await self._hold(peer)
        finally:
            self._start(self._back_to_libtorrent(host, port))

    async def _hold(self, peer: PeerConnection) -> None:
        async with asyncio.timeout(_DIAL_SECONDS):
            await self._loop.create_connection(lambda: peer, *peer.address)
        async with asyncio.timeout(_GREETING_SECONDS) as patience:
            if not await peer.greeting_seen:
                raise ConnectionResetError("the peer refused us")
            patience.reschedule(None)
            await peer.closed

    async def _back_to_libtorrent(self, host: str, port: int) -> None:
        await self._filter.reunite(host)
        self._give_back(host, port)

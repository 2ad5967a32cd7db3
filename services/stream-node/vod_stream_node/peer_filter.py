"""Which addresses libtorrent may talk to: none of our own network, and none that the express lane needs for itself.

Most clients take one connection from each address. Where libtorrent's was first, the lane is refused; then libtorrent
is parted from that peer, and gets it back when the lane is done.
"""

import asyncio
from collections import Counter
from typing import Any

_BLOCKED, _FREE = 1, 0


class PeerFilter:
    """The session's IP filter; one change at a time, because each is a read and a write."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._lock = asyncio.Lock()
        self._parted: Counter[str] = Counter()

    async def allow(self, address: str) -> None:
        """Let peers at an address of our own network through: another stream node's."""
        await self._set(address, _FREE)

    async def part(self, address: str) -> None:
        """End libtorrent's connections to an address and keep it from making new ones."""
        self._parted[address] += 1
        if self._parted[address] == 1:
            await self._set(address, _BLOCKED)

    async def reunite(self, address: str) -> None:
        """Undo one `part`."""
        self._parted[address] -= 1
        if not self._parted[address]:
            del self._parted[address]
            await self._set(address, _FREE)

    async def hang_up(self, address: str) -> None:
        """End libtorrent's connections to an address once; it may have new ones."""
        await self.part(address)
        await self.reunite(address)

    async def _set(self, address: str, access: int) -> None:
        async with self._lock:
            writing = asyncio.ensure_future(asyncio.to_thread(self._write, address, access))
            try:
                await asyncio.shield(writing)
            finally:
                await asyncio.wait([writing])  # who gives up does not end the thread, and the next one must not meet it

    def _write(self, address: str, access: int) -> None:
        ip_filter = self._session.get_ip_filter()
        ip_filter.add_rule(address, address, access)
        self._session.set_ip_filter(ip_filter)

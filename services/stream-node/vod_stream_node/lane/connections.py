"""The connections of one lane: whom to call and when, and when to call again.

A connection is dialled as soon as libtorrent names the address, so that the peer has unchoked us by the time the
metadata is there; that we are interested is said with the greeting, which saves a round trip.

A peer that hung up on us is called again without that, with the messages in the order in which everybody sends them.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from itertools import count

from vod_stream_node.lane import wire
from vod_stream_node.lane.addresses import Address, Addresses, Known, Room
from vod_stream_node.lane.calls import Calls
from vod_stream_node.lane.peer import Listener, PeerConnection
from vod_stream_node.peer_filter import PeerFilter

MAX_CONNECTIONS = 30
"""Of one torrent."""


class Connections:
    """The connections of one torrent; all methods run on the event loop and none waits."""

    def __init__(
        self,
        infohash: bytes,
        *,
        group: asyncio.TaskGroup,
        room: Room,
        allowed: Callable[[str], bool],
        peers: PeerFilter,
        give_back: Callable[[str, int], None],
        listener: Listener,
        on_end: Callable[[PeerConnection], None],
    ) -> None:
        self.peer_id = b"-NS0100-" + secrets.token_bytes(12)
        self.open: dict[int, PeerConnection] = {}
        """Connections, and what will become one."""
        self.first_at: float | None = None
        """When somebody was called for the first time."""
        self.metadata_is_known = False
        """Until then libtorrent needs some of the peers that take one connection."""
        self._infohash = infohash
        self._group = group
        self._room = room
        self._allowed = allowed
        # A peer goes back to libtorrent although the lane has ended.
        self._calls = Calls(peers, give_back=give_back, start=group.create_task)
        self._listener = listener
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._addresses = Addresses()
        self._keys = count()
        self._tasks: set[asyncio.Task[None]] = set()
        self._parted = 0
        """Peers that libtorrent is kept from for our sake."""

    def meet(self, addresses: Iterable[Address]) -> None:
        """Take in addresses of peers that libtorrent found."""
        for address in addresses:
            self._part_from_self(address)
            if self._allowed(address[0]):
                self._addresses.add(address)

    def dial(self) -> None:
        """Call everybody who can be called now."""
        now = self._loop.time()
        for address, known in list(self._addresses.due(now)):
            if len(self.open) >= MAX_CONNECTIONS or not self._room.left:
                return
            if known.refusals and not self._may_part(address):
                continue
            if self.first_at is None:
                self.first_at = now
            known.connected = True
            known.tries += 1
            self._parted += known.refusals > 0
            self._room.left -= 1
            peer = PeerConnection(next(self._keys), address, self._greeting(known), self._listener)
            self.open[peer.key] = peer
            talking = self.start(self._talk(peer, known))
            # Work that is cancelled before its first step never comes to its own end.
            talking.add_done_callback(partial(self._end, peer, known))

    def ban(self, address: Address) -> None:
        """Hang up on a peer and never call it again."""
        self._addresses.ban(address)
        for peer in list(self.open.values()):
            if peer.address == address:
                peer.drop()

    def hang_up(self) -> None:
        """End all connections; who is due may be called again."""
        for peer in list(self.open.values()):
            peer.drop()

    def start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run work that ends with the lane."""
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def close(self) -> None:
        """End all connections for good."""
        for task in self._tasks:
            task.cancel()

    def _greeting(self, known: Known) -> bytes:
        greeting = wire.handshake(self._infohash, self.peer_id)
        return greeting if known.refusals else greeting + wire.INTERESTED

    async def _talk(self, peer: PeerConnection, known: Known) -> None:
        """Hold a connection until either side ends it."""
        try:
            await self._calls.hold(peer, refusals=known.refusals)
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # an error that ends a task keeps its frames, and all that they know
        finally:
            self._end(peer, known)

    def _may_part(self, address: Address) -> bool:
        """Say whether libtorrent can do without a peer: half of them are left to it until it has the metadata."""
        enough = self.metadata_is_known or 2 * (self._parted + 1) <= self._addresses.refusals
        return enough and self._addresses.is_alone(address)

    def _end(self, peer: PeerConnection, known: Known, _: object = None) -> None:
        """Note that a connection is over, once."""
        if peer.key not in self.open:
            return
        self._parted -= known.refusals > 0
        peer.drop()
        if peer.local is not None and not peer.spoken:
            known.refused(self._loop.time())
        else:
            known.ended(self._loop.time(), served=peer.unchoked)
        self._room.left += 1
        del self.open[peer.key]
        self._on_end(peer)

    def _part_from_self(self, address: Address) -> None:
        """Hang up on our own libtorrent: it sees a connection from an address that one of ours has."""
        for peer in self.open.values():
            if peer.local == address:
                self._addresses.ban(peer.address)
                peer.drop()

"""The express lane of one torrent: connections of our own to the peers that libtorrent finds.

libtorrent finds peers, fetches metadata, keeps the disk and seeds. The lane fetches what a CURRENT file needs, checks
it and hands the pieces over. While it does, libtorrent asks for nothing of that torrent (`supply.py`), so the peers'
uplinks carry what the dispatcher chose and nothing else.

A connection is dialled as soon as libtorrent names the address, so that the peer has unchoked us by the time the
metadata is there. A peer that refuses, keeps choking us, or wants encryption stays libtorrent's.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from vod_stream_node.domain import Layout
from vod_stream_node.lane import wire
from vod_stream_node.lane.addresses import Address, Addresses, Known, Room
from vod_stream_node.lane.calls import Calls
from vod_stream_node.lane.dispatch import Ask, Block, Dispatcher, Order
from vod_stream_node.lane.peer import PeerConnection
from vod_stream_node.lane.pieces import Pieces, Verdict
from vod_stream_node.lane.wire import BLOCK, Handshake, Message, WireError
from vod_stream_node.peer_filter import PeerFilter

MAX_CONNECTIONS = 30
"""Of one torrent."""

_TICK = 0.05
_CHOKED_SECONDS = 15.0
_SILENT_SECONDS = 10.0
_PROMISE_SECONDS = 1.5
"""How long libtorrent asks for nothing because connections of ours are on their way."""
_LINGER_SECONDS = 15.0
_KEEP_ALIVE_SECONDS = 90.0
_MEMORY = 48 << 20
"""Bytes of unfinished pieces that are kept."""
_AHEAD = 64 << 20
"""Bytes of wanted pieces that are looked at."""


@dataclass(frozen=True, slots=True)
class _Work:
    """What can be done once the metadata is known."""

    dispatcher: Dispatcher
    pieces: Pieces
    layout: Layout


class Lane:
    """The connections of one torrent. All its methods run on the event loop and none waits."""

    def __init__(
        self,
        infohash: bytes,
        *,
        group: asyncio.TaskGroup,
        room: Room,
        allowed: Callable[[str], bool],
        on_piece: Callable[[int, bytes], None],
        on_change: Callable[[], None],
        peers: PeerFilter,
        give_back: Callable[[str, int], None],
    ) -> None:
        self._infohash = infohash
        self._peer_id = b"-NS0100-" + secrets.token_bytes(12)
        self._group = group
        self._room = room
        self._allowed = allowed
        self._on_piece = on_piece
        self._on_change = on_change
        self._calls = Calls(peers, give_back=give_back, start=self._start)
        self._loop = asyncio.get_running_loop()
        self._addresses = Addresses()
        self._peers: dict[int, PeerConnection] = {}
        self._keys = count()
        self._tasks: set[asyncio.Task[None]] = set()
        self._work: _Work | None = None
        self._active = self._running = self._closed = False
        self.received = 0
        self._idle_since = self._loop.time()
        self._served_at = 0.0
        self._parted = 0
        """Peers that libtorrent is kept from for our sake."""
        self._promised_at: float | None = None
        self._carried = False
        self._watched: set[Block] = set()

    # What the torrent says.

    def meet(self, addresses: Iterable[Address]) -> None:
        """Take in addresses of peers that libtorrent found."""
        for address in addresses:
            self._part_from_self(address)
            if self._allowed(address[0]):
                self._addresses.add(address)
        self._dial_more()

    def activate(self) -> None:
        """Connect to peers and stay connected: a viewer needs the torrent."""
        if self._closed:
            return
        if not self._active:
            self._active = True
            self._dial_more()
        if not self._running:
            self._running = True
            self._start(self._run())

    def rest(self) -> None:
        """Ask for nothing; connections end after a while."""
        if self._active:
            self._active, self._idle_since = False, self._loop.time()
            self.want([], critical=0)

    def close(self) -> None:
        """End all connections."""
        self._active, self._closed = False, True
        for task in self._tasks:
            task.cancel()

    def on_metadata(self, layout: Layout, hash_of: Callable[[int], bytes] | None) -> None:
        """Begin to serve: it is known what the pieces are. A torrent without SHA-1 hashes (v2) is libtorrent's."""
        if hash_of is None:
            self.close()
            return
        pieces = Pieces(size_of=layout.piece_size, hash_of=hash_of)
        self._work = _Work(Dispatcher(blocks_in=pieces.blocks_in), pieces, layout)
        for peer in self._peers.values():
            if peer.greeted:
                self._join(self._work, peer)
        self._dial_more()

    def want(self, wanted: Sequence[int], *, critical: int, watch: Iterable[int] = ()) -> None:
        """Say which pieces are wanted, in order; how many a viewer waits for; at which offsets bytes mean a change."""
        if self._work is None:
            return
        length = self._work.layout.piece_length
        self._watched = {(offset // length, offset % length // BLOCK) for offset in watch}
        self._carry_out(self._work, self._work.dispatcher.want(wanted, critical=critical))
        self._bound_memory(self._work)
        self._send_orders(self._work)

    def peek(self, offset: int) -> bytes:
        """Return what has come at an offset of the torrent, **unverified**."""
        if self._work is None:
            return b""
        piece, begin = divmod(offset, self._work.layout.piece_length)
        return self._work.pieces.peek(piece, begin)

    @property
    def horizon(self) -> int:
        """How many pieces are worth naming to `want`."""
        length = self._work.layout.piece_length if self._work else 1 << 20
        return max(4, min(512, _AHEAD // length))

    @property
    def carries(self) -> bool:
        """Whether the lane has peers that serve, or is about to."""
        if not self._active or self._closed:
            return False
        now = self._loop.time()
        if self._work and self._work.dispatcher.serving:
            self._served_at = now
            return True
        promising = self._promised_at is not None and now - self._promised_at < _PROMISE_SECONDS and bool(self._peers)
        return promising or now - self._served_at < 1.0

    @property
    def connections(self) -> int:
        return sum(peer.greeted for peer in self._peers.values())

    def rate(self) -> int:
        """Return the bytes/s that come."""
        return int(self._work.dispatcher.rate(self._loop.time())) if self._work and self._active else 0

    # Connections.

    def _dial_more(self) -> None:
        if not self._active or self._closed:
            return
        now = self._loop.time()
        for address, known in list(self._addresses.due(now)):
            if len(self._peers) >= MAX_CONNECTIONS or not self._room.left:
                return
            if known.refusals and not self._may_part(address):
                continue
            if self._promised_at is None:
                self._promised_at = now
            known.connected = True
            known.tries += 1
            self._parted += known.refusals > 0
            self._room.left -= 1
            key = next(self._keys)
            greeting = wire.handshake(self._infohash, self._peer_id)
            self._peers[key] = PeerConnection(key, address, greeting, self)
            self._start(self._talk(self._peers[key], known))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _talk(self, peer: PeerConnection, known: Known) -> None:
        """Hold a connection until either side ends it."""
        try:
            await self._calls.hold(peer, refusals=known.refusals)
        except (OSError, TimeoutError):
            pass
        finally:
            self._parted -= known.refusals > 0
            self._end(peer, known)

    def _may_part(self, address: Address) -> bool:
        """Say whether libtorrent can do without a peer: half of them are left to it until it has the metadata."""
        enough = self._work is not None or 2 * (self._parted + 1) <= self._addresses.refusals
        return enough and self._addresses.is_alone(address)

    def _end(self, peer: PeerConnection, known: Known) -> None:
        peer.drop()
        if peer.local is not None and not peer.spoken:
            known.refused(self._loop.time())
        else:
            known.ended(self._loop.time(), served=peer.unchoked)
        self._room.left += 1
        del self._peers[peer.key]
        if self._work and peer.joined:
            self._work.dispatcher.leave(peer.key)
            self._send_orders(self._work)
        self._tell_change()
        self._dial_more()

    def _join(self, work: _Work, peer: PeerConnection) -> None:
        peer.joined = True
        work.dispatcher.join(peer.key, peer.has, rtt=peer.rtt, now=self._loop.time())
        if peer.unchoked:
            work.dispatcher.unchoked(peer.key)

    # What a connection says (`peer.Listener`).

    def on_handshake(self, peer: PeerConnection, message: Handshake) -> None:
        if message.infohash != self._infohash or message.peer_id == self._peer_id:
            raise WireError("that is another torrent, or ourselves")
        peer.send([wire.HAVE_NONE, wire.INTERESTED] if message.fast else [wire.INTERESTED])
        if self._work:
            self._join(self._work, peer)

    def on_bytes(self, peer: PeerConnection, size: int) -> None:
        if self._work and peer.joined:
            self._work.dispatcher.heard(peer.key, size, self._loop.time())

    def on_message(self, peer: PeerConnection, message: Message) -> None:
        peer.note(message)
        if self._work is None or not peer.joined:
            return
        match message:
            case wire.Data():
                self._on_data(self._work, peer, message)
            case wire.Unchoked():
                self._work.dispatcher.unchoked(peer.key)
                self._send_orders(self._work)
                self._tell_change()
            case wire.Choked():
                self._work.dispatcher.choked(peer.key, self._loop.time())
                self._send_orders(self._work)
            case wire.Rejected():
                block = (message.piece, message.begin // BLOCK)
                self._work.dispatcher.rejected(peer.key, block, self._loop.time())

    def on_chunk_end(self, peer: PeerConnection) -> None:
        if self._work and peer.joined and self._active:
            self._send_orders(self._work, only=[peer.key])

    def _on_data(self, work: _Work, peer: PeerConnection, message: wire.Data) -> None:
        block = (message.piece, message.begin // BLOCK)
        if message.begin % BLOCK or len(message.data) != work.pieces.length(*block):
            raise WireError("a block has another size than was asked for")
        useful, orders = work.dispatcher.received(peer.key, block, self._loop.time())
        if not useful:
            return
        self._carry_out(work, orders)
        self.received += len(message.data)
        work.pieces.put(*block, message.data, peer.address)
        if work.dispatcher.is_complete(message.piece):
            self._finish(work, message.piece)
        elif block in self._watched:
            self._on_change()

    def _finish(self, work: _Work, piece: int) -> None:
        finished = work.pieces.finish(piece)
        for liar in finished.liars:
            self._ban(liar)
        if finished.verdict is Verdict.GOOD:
            work.dispatcher.forget(piece)
            self._on_piece(piece, finished.data)
            return
        work.dispatcher.again(piece, only=work.dispatcher.best(piece, now=self._loop.time()))
        self._send_orders(work)

    def _part_from_self(self, address: Address) -> None:
        """Hang up on our own libtorrent: it sees a connection from an address that one of ours has."""
        for peer in self._peers.values():
            if peer.local == address:
                self._addresses.ban(peer.address)
                peer.drop()

    def _ban(self, address: Address) -> None:
        self._addresses.ban(address)
        for peer in list(self._peers.values()):
            if peer.address == address:
                peer.drop()

    # What we say.

    def _send_orders(self, work: _Work, only: Iterable[int] | None = None) -> None:
        if not self._active:
            return
        work.dispatcher.coming = len(self._peers)
        self._carry_out(work, work.dispatcher.orders(self._loop.time(), only))

    def _carry_out(self, work: _Work, orders: Iterable[Order]) -> None:
        letters: dict[int, list[bytes]] = {}
        for order in orders:
            piece, index = order.block
            say = wire.request if isinstance(order, Ask) else wire.cancel
            letters.setdefault(order.peer, []).append(say(piece, index * BLOCK, work.pieces.length(piece, index)))
        for key, parts in letters.items():
            self._peers[key].send(parts)

    def _bound_memory(self, work: _Work) -> None:
        """Forget unfinished pieces that nobody wants any more, when they take too much."""
        for piece in work.dispatcher.unwanted():
            if work.pieces.held <= _MEMORY:
                return
            work.pieces.drop(piece)
            work.dispatcher.forget(piece)

    # Time.

    async def _run(self) -> None:
        """Look after what only time shows, as long as the lane is needed."""
        try:
            while not self._closed and (self._active or self._loop.time() - self._idle_since < _LINGER_SECONDS):
                await asyncio.sleep(_TICK if self._active else 1.0)
                self._tick(self._loop.time())
        finally:
            self._running = False
            for peer in list(self._peers.values()):
                peer.drop()

    def _tick(self, now: float) -> None:
        if self._work:
            self._work.dispatcher.sweep(now)
            self._send_orders(self._work)
        for peer in list(self._peers.values()):
            if self._is_useless(peer, now):
                peer.drop()
            elif peer.greeted and now - peer.spoke_at > _KEEP_ALIVE_SECONDS:
                peer.send([wire.KEEP_ALIVE])
        self._dial_more()
        self._tell_change()

    def _is_useless(self, peer: PeerConnection, now: float) -> bool:
        if not peer.greeted or self._work is None or not peer.joined:
            return False
        since = self._work.dispatcher.quiet_since(peer.key)
        if since is not None:
            return now - since > _SILENT_SECONDS
        return not peer.unchoked and now - peer.choked_since > _CHOKED_SECONDS

    def _tell_change(self) -> None:
        """Tell the torrent when libtorrent has to take over, or need not any more."""
        if self._carried != self.carries:
            self._carried = not self._carried
            self._on_change()

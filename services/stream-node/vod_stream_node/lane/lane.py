"""The express lane of one torrent: what is fetched over connections of our own to the peers that libtorrent finds.

libtorrent finds peers, fetches metadata, keeps the disk and seeds. The lane fetches what a CURRENT file needs, checks
it and hands the pieces over. While it does, libtorrent asks for nothing of that torrent (`supply.py`), so the peers'
uplinks carry what the dispatcher chose and nothing else.

Where a torrent's first file is wanted, its first bytes are asked for before the metadata is there: they are the first
bytes of the torrent, however large its pieces are.

A peer that refuses, keeps choking us, or wants encryption stays libtorrent's.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from vod_stream_node.domain import Layout, PieceData
from vod_stream_node.lane import wire
from vod_stream_node.lane.addresses import Address, Room
from vod_stream_node.lane.connections import Connections
from vod_stream_node.lane.dispatch import Ask, Dispatcher, Order
from vod_stream_node.lane.peer import PeerConnection
from vod_stream_node.lane.pieces import Pieces, Verdict
from vod_stream_node.lane.spans import Span
from vod_stream_node.lane.wire import Handshake, Message, WireError
from vod_stream_node.peer_filter import PeerFilter

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
_OPENING = 256 << 10
"""Bytes that are asked for before it is known how large a piece is: hardly any film has smaller ones."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the metadata says."""

    layout: Layout
    hash_of: Callable[[int], bytes]


class Lane:
    """The connections of one torrent. All its methods run on the event loop and none waits."""

    def __init__(
        self,
        infohash: bytes,
        *,
        group: asyncio.TaskGroup,
        room: Room,
        allowed: Callable[[str], bool],
        on_piece: Callable[[int, PieceData], None],
        on_change: Callable[[], None],
        peers: PeerFilter,
        give_back: Callable[[str, int], None],
    ) -> None:
        self._infohash = infohash
        self._on_piece = on_piece
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._connections = Connections(
            infohash,
            group=group,
            room=room,
            allowed=allowed,
            peers=peers,
            give_back=give_back,
            listener=self,
            on_end=self._on_call_end,
        )
        self._dispatcher = Dispatcher(size_of=self._size_of)
        self._pieces = Pieces()
        self._known: _Known | None = None
        self._active = self._running = self._closed = False
        self.received = 0
        """Bytes that came and were of use."""
        self._idle_since = self._loop.time()
        self._served_at = 0.0
        self._carried = False
        self._watched: frozenset[int] = frozenset()

    # What the torrent says.

    def meet(self, addresses: Iterable[Address]) -> None:
        """Take in addresses of peers that libtorrent found."""
        self._connections.meet(addresses)
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
            self._connections.start(self._run())

    def open(self) -> None:
        """Ask for the torrent's first bytes, whose place is known before the metadata is."""
        if self._known is None and not self._closed:
            self._carry_out(self._dispatcher.want([0], critical=1))
            self._send_orders()

    def rest(self) -> None:
        """Ask for nothing; connections end after a while."""
        if self._active:
            self._active, self._idle_since = False, self._loop.time()
            self.want([], critical=0)

    def close(self) -> None:
        """End all connections; let go of what is unfinished and of the torrent, which would keep itself alive."""
        self._active, self._closed, self._known = False, True, None
        self._pieces = Pieces()
        self._on_piece = self._on_change = _nobody
        self._connections.close()

    def on_metadata(self, layout: Layout, hash_of: Callable[[int], bytes] | None) -> None:
        """Begin to serve: it is known what the pieces are. A torrent without SHA-1 hashes (v2) is libtorrent's."""
        if hash_of is None:
            self.close()
            return
        self._known = _Known(layout, hash_of)
        self._connections.metadata_is_known = True
        if layout.piece_size(0) < _OPENING:
            self._pieces.drop(0)
        self._dispatcher.resize(0, layout.piece_size(0))
        if self._dispatcher.is_complete(0):
            self._finish(self._known, 0)
        self._dial_more()

    def want(self, wanted: Sequence[int], *, critical: int, watch: Iterable[int] = ()) -> None:
        """Say which pieces are wanted, in order; how many a viewer waits for; at which offsets bytes mean a change."""
        if self._known is None:
            return
        self._watched = frozenset(watch)
        self._carry_out(self._dispatcher.want(wanted, critical=critical))
        self._bound_memory()
        self._send_orders()

    def peek(self, offset: int) -> bytes:
        """Return what has come at an offset of the torrent, **unverified**."""
        if self._known is None:
            return b""
        return self._pieces.peek(*divmod(offset, self._known.layout.piece_length))

    @property
    def horizon(self) -> int:
        """How many pieces are worth naming to `want`."""
        length = self._known.layout.piece_length if self._known else 1 << 20
        return max(4, min(512, _AHEAD // length))

    @property
    def carries(self) -> bool:
        """Whether the lane has peers that serve, or is about to."""
        if not self._active or self._closed:
            return False
        now = self._loop.time()
        if self._known and self._dispatcher.serving:
            self._served_at = now
            return True
        first = self._connections.first_at
        promising = first is not None and now - first < _PROMISE_SECONDS and bool(self._connections.open)
        return promising or now - self._served_at < 1.0

    @property
    def connections(self) -> int:
        return sum(peer.greeted for peer in self._connections.open.values())

    def rate(self) -> int:
        """Return the bytes/s that come."""
        return int(self._dispatcher.rate(self._loop.time())) if self._active else 0

    # What a connection says (`peer.Listener`).

    def on_handshake(self, peer: PeerConnection, message: Handshake) -> None:
        if message.infohash != self._infohash or message.peer_id == self._connections.peer_id:
            raise WireError("that is another torrent, or ourselves")
        peer.send([wire.HAVE_NONE, wire.INTERESTED] if message.fast else [wire.INTERESTED])
        peer.joined = True
        self._dispatcher.join(peer.key, peer.has, rtt=peer.rtt, now=self._loop.time())

    def on_bytes(self, peer: PeerConnection, size: int) -> None:
        if peer.joined:
            self._dispatcher.heard(peer.key, size, self._loop.time())

    def on_message(self, peer: PeerConnection, message: Message) -> None:
        peer.note(message)
        match message:
            case wire.Data():
                self._on_data(peer, message)
            case wire.Unchoked():
                self._dispatcher.unchoked(peer.key)
                self._send_orders()
                self._tell_change()
            case wire.Choked():
                self._dispatcher.choked(peer.key, self._loop.time())
                self._send_orders()
            case wire.Rejected(piece, begin, length):
                self._dispatcher.rejected(peer.key, Span(piece, begin, length), self._loop.time())

    def on_chunk_end(self, peer: PeerConnection) -> None:
        if peer.joined and self._active:
            self._send_orders(only=[peer.key])

    def _on_data(self, peer: PeerConnection, message: wire.Data) -> None:
        span = Span(message.piece, message.begin, len(message.data))
        useful, orders = self._dispatcher.received(peer.key, span, self._loop.time())
        if not useful or self._closed:
            return
        self._carry_out(orders)
        self.received += span.length
        self._pieces.put(span, message.data, peer.address)
        if self._known is None:
            return
        if self._dispatcher.is_complete(span.piece):
            self._finish(self._known, span.piece)
        elif self._watched:
            begin = span.piece * self._known.layout.piece_length + span.begin
            if any(begin <= offset < begin + span.length for offset in self._watched):
                self._on_change()

    def _finish(self, known: _Known, piece: int) -> None:
        finished = self._pieces.finish(piece, known.hash_of(piece))
        for liar in finished.liars:
            self._connections.ban(liar)
        if finished.verdict is Verdict.GOOD:
            self._dispatcher.forget(piece)
            self._on_piece(piece, finished.data)
            return
        self._dispatcher.again(piece, only=self._dispatcher.best(piece, now=self._loop.time()))
        self._send_orders()

    def _on_call_end(self, peer: PeerConnection) -> None:
        if peer.joined:
            self._dispatcher.leave(peer.key)
            self._send_orders()
        self._tell_change()
        self._dial_more()

    # What we say.

    def _size_of(self, piece: int) -> int:
        return self._known.layout.piece_size(piece) if self._known else _OPENING

    def _dial_more(self) -> None:
        if self._active and not self._closed:
            self._connections.dial()

    def _send_orders(self, only: Iterable[int] | None = None) -> None:
        if not self._active:
            return
        self._dispatcher.coming = len(self._connections.open)
        self._carry_out(self._dispatcher.orders(self._loop.time(), only))

    def _carry_out(self, orders: Iterable[Order]) -> None:
        letters: dict[int, list[bytes]] = {}
        for order in orders:
            say = wire.request if isinstance(order, Ask) else wire.cancel
            letters.setdefault(order.peer, []).append(say(*order.span))
        for key, parts in letters.items():
            self._connections.open[key].send(parts)

    def _bound_memory(self) -> None:
        """Forget unfinished pieces that nobody wants any more, when they take too much."""
        for piece in self._dispatcher.unwanted():
            if self._pieces.held <= _MEMORY:
                return
            self._pieces.drop(piece)
            self._dispatcher.forget(piece)

    # Time.

    async def _run(self) -> None:
        """Look after what only time shows, as long as the lane is needed."""
        try:
            while not self._closed and (self._active or self._loop.time() - self._idle_since < _LINGER_SECONDS):
                await asyncio.sleep(_TICK if self._active else 1.0)
                self._tick(self._loop.time())
        finally:
            self._running = False
            self._connections.hang_up()

    def _tick(self, now: float) -> None:
        self._dispatcher.sweep(now)
        self._send_orders()
        for peer in list(self._connections.open.values()):
            if self._is_useless(peer, now):
                peer.drop()
            elif peer.greeted and now - peer.spoke_at > _KEEP_ALIVE_SECONDS:
                peer.send([wire.KEEP_ALIVE])
        self._dial_more()
        self._tell_change()

    def _is_useless(self, peer: PeerConnection, now: float) -> bool:
        if not peer.joined:
            return False
        since = self._dispatcher.quiet_since(peer.key)
        if since is not None:
            return now - since > _SILENT_SECONDS
        return not peer.unchoked and now - peer.choked_since > _CHOKED_SECONDS

    def _tell_change(self) -> None:
        """Tell the torrent when libtorrent has to take over, or need not any more."""
        if self._carried != self.carries:
            self._carried = not self._carried
            self._on_change()


def _nobody(*_: object) -> None:
    """Stand for a torrent that has left."""

"""One connection to a peer: dialled, greeted, and its messages handed on as they come."""

import asyncio
import socket
from collections.abc import Iterable
from typing import Any, Protocol

from vod_stream_node.lane import wire
from vod_stream_node.lane.wire import Handshake, Message, WireError

MAX_PIECES = 1 << 18
"""As libtorrent's session takes (`session.py`): nobody fills our memory with pieces that do not exist."""
_MAX_UNSENT = 1 << 16
"""Bytes of ours that a peer leaves lying before it is dropped; a request is 17."""


class Listener(Protocol):
    """Who is told what a peer says; all times are the loop's."""

    def on_handshake(self, peer: "PeerConnection", message: Handshake) -> None: ...
    def on_bytes(self, peer: "PeerConnection", size: int) -> None: ...
    def on_message(self, peer: "PeerConnection", message: Message) -> None: ...
    def on_chunk_end(self, peer: "PeerConnection") -> None: ...


class PeerConnection(asyncio.Protocol):
    """A connection that we opened. `closed` is done when it ended, whoever ended it."""

    def __init__(self, key: int, address: tuple[str, int], greeting: bytes, listener: Listener) -> None:
        self.key = key
        self.address = address
        self._loop = asyncio.get_running_loop()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self.greeting_seen: asyncio.Future[bool] = self._loop.create_future()
        """Whether the peer answered our handshake; False when it hung up."""
        self.joined = False
        """Whether the dispatcher knows the peer."""
        self.spoken = False
        """Whether it said anything beyond the handshake."""
        self.bits = b""
        """The peer's pieces as it told them, before the number of pieces is known to us as well as after."""
        self.seed = False
        self.more: set[int] = set()
        """Pieces it got since."""
        self.unchoked = False
        self.choked_since = self._loop.time()
        self.spoke_at = 0.0
        self.rtt = 0.0
        """Seconds until the handshake was answered: hardly less than any later answer takes."""
        self.local: tuple[str, int] | None = None
        self._greeting = greeting
        self._listener = listener
        self._inbox = wire.Inbox()
        self._transport: asyncio.Transport | None = None
        self._socket: Any = None

    @property
    def greeted(self) -> bool:
        """Whether the peer has answered our handshake."""
        return self.greeting_seen.done() and not self.greeting_seen.cancelled() and self.greeting_seen.result()

    def note(self, message: Message) -> None:
        """Keep what the peer says of itself."""
        self.spoken = True
        match message:
            case wire.HaveAll():
                self.seed = True
            case wire.HaveMany(bits):
                self.bits = bits
            case wire.Have(piece) if piece < MAX_PIECES:
                self.more.add(piece)
            case wire.Unchoked():
                self.unchoked = True
            case wire.Choked():
                self.unchoked, self.choked_since = False, self._loop.time()

    def has(self, piece: int) -> bool:
        """Say whether the peer has a piece."""
        if self.seed or piece in self.more:
            return True
        at = piece >> 3
        return at < len(self.bits) and bool(self.bits[at] & (0x80 >> (piece & 7)))

    def send(self, parts: Iterable[bytes]) -> None:
        """Send messages; a peer that does not read is dropped."""
        if self._transport is None or self._transport.is_closing():
            return
        self.spoke_at = self._loop.time()
        self._transport.write(b"".join(parts))
        if self._transport.get_write_buffer_size() > _MAX_UNSENT:
            self.drop()

    def drop(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  for the type checker
        self._transport = transport
        self.local = transport.get_extra_info("sockname")[:2]
        self._socket = transport.get_extra_info("socket")
        self.send([self._greeting])

    def data_received(self, data: bytes) -> None:
        self._acknowledge()
        try:
            before = self._inbox.data_bytes
            messages = list(self._inbox.feed(data))
            if self.greeted:
                self._listener.on_bytes(self, self._inbox.data_bytes - before)
            for message in messages:
                if isinstance(message, Handshake):
                    self.rtt = self._loop.time() - self.spoke_at
                    self._listener.on_handshake(self, message)
                    self.greeting_seen.set_result(True)
                else:
                    self._listener.on_message(self, message)
            self._listener.on_chunk_end(self)
        except WireError:
            self.drop()

    def _acknowledge(self) -> None:
        """Have the kernel acknowledge at once; it forgets that it was told to.

        A peer that waits for it with the end of a block (Nagle's algorithm, RFC 1122 section 4.2.3.4) else gives two
        blocks in 40 ms (4.2.3.2), and seems to be a slow one.
        """
        if self._socket is not None and hasattr(socket, "TCP_QUICKACK"):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if not self.closed.done():
            self.closed.set_result(None)
        if not self.greeting_seen.done():
            self.greeting_seen.set_result(False)

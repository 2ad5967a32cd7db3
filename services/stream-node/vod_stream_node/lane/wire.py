"""The peer wire protocol (BEP 3, with the fast extension of BEP 6): bytes to messages and back. No I/O.

Only what a downloader needs. What a peer says beyond that (extension messages, DHT ports, requests, which we never
serve) is skipped.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK = 1 << 14
"""Bytes in a request; larger ones are refused by most peers."""
HANDSHAKE_BYTES = 68
MAX_MESSAGE = 1 << 17
"""Larger than any message of an honest peer: a bitfield of 2^18 pieces is 32 KiB."""

KEEP_ALIVE = bytes(4)
INTERESTED = b"\0\0\0\1\2"
NOT_INTERESTED = b"\0\0\0\1\3"
HAVE_NONE = b"\0\0\0\1\x0f"

_PROTOCOL = b"\x13BitTorrent protocol"
_FAST = 0x04
_REQUEST = struct.Struct(">IBIII")
_LENGTH = struct.Struct(">I")
_PLACE = struct.Struct(">II")
_TRIPLE = struct.Struct(">III")


class WireError(Exception):
    """The peer says what no peer may say."""


@dataclass(frozen=True, slots=True)
class Handshake:
    """A peer's first 68 bytes."""

    infohash: bytes
    peer_id: bytes
    fast: bool
    """Whether it understands the fast extension."""


@dataclass(frozen=True, slots=True)
class Choked:
    """The peer serves nothing any more."""


@dataclass(frozen=True, slots=True)
class Unchoked:
    """The peer serves requests from now on."""


@dataclass(frozen=True, slots=True)
class Have:
    """The peer has one more piece."""

    piece: int


@dataclass(frozen=True, slots=True)
class HaveMany:
    """The peer's pieces, a bit for each, the first one highest."""

    bits: bytes


@dataclass(frozen=True, slots=True)
class HaveAll:
    """The peer has every piece."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The peer will not answer a request."""

    piece: int
    begin: int
    length: int


@dataclass(frozen=True, slots=True)
class Data:
    """A block."""

    piece: int
    begin: int
    data: bytes


_BARE: dict[int, "Message"] = {0: Choked(), 1: Unchoked(), 14: HaveAll(), 15: HaveMany(b"")}

Message = Handshake | Choked | Unchoked | Have | HaveMany | HaveAll | Rejected | Data


def handshake(infohash: bytes, peer_id: bytes) -> bytes:
    """Return our first 68 bytes."""
    reserved = bytes(7) + bytes([_FAST])
    return _PROTOCOL + reserved + infohash + peer_id


def request(piece: int, begin: int, length: int) -> bytes:
    return _REQUEST.pack(13, 6, piece, begin, length)


def cancel(piece: int, begin: int, length: int) -> bytes:
    return _REQUEST.pack(13, 8, piece, begin, length)


class Inbox:
    """What came from a peer, cut into messages."""

    def __init__(self) -> None:
        self.data_bytes = 0
        """How many bytes of data messages have come, also of one that is not complete."""
        self._buffer = bytearray()
        self._greeted = False
        self._counted = 0
        """Bytes of the incomplete message that are counted already."""

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take in bytes; yield the messages that are complete now.

        Raises:
            WireError: the connection is of no use.
        """
        self._buffer += data
        at = 0
        if not self._greeted:
            if len(self._buffer) < HANDSHAKE_BYTES:
                return
            self._greeted, at = True, HANDSHAKE_BYTES
            yield _handshake(bytes(self._buffer[:at]))
        while len(self._buffer) - at >= 4:
            (length,) = _LENGTH.unpack_from(self._buffer, at)
            if length > MAX_MESSAGE:
                raise WireError("a message is too long")
            if len(self._buffer) - at < 4 + length:
                break
            message = _message(self._buffer, at + 4, length) if length else None
            at += 4 + length
            if isinstance(message, Data):
                self._count(4 + length)
            self._counted = 0
            if message is not None:
                yield message
        del self._buffer[:at]
        if self._buffer[4:5] == b"\7":
            self._count(len(self._buffer))

    def _count(self, size: int) -> None:
        """Count a data message of which so many bytes are here."""
        self.data_bytes += size - self._counted
        self._counted = size


def _handshake(data: bytes) -> Handshake:
    if not data.startswith(_PROTOCOL):
        raise WireError("that is not BitTorrent")
    return Handshake(infohash=data[28:48], peer_id=data[48:68], fast=bool(data[27] & _FAST))


def _message(buffer: bytearray, at: int, length: int) -> Message | None:
    try:
        return _parsed(buffer, at, length)
    except struct.error:
        raise WireError("a message is too short") from None


def _parsed(buffer: bytearray, at: int, length: int) -> Message | None:
    kind = buffer[at]
    if kind == 7:
        piece, begin = _PLACE.unpack_from(buffer, at + 1)
        return Data(piece, begin, bytes(buffer[at + 9 : at + length]))
    if kind == 4:
        return Have(_LENGTH.unpack_from(buffer, at + 1)[0])
    if kind == 5:
        return HaveMany(bytes(buffer[at + 1 : at + length]))
    if kind == 16:
        return Rejected(*_TRIPLE.unpack_from(buffer, at + 1))
    return _BARE.get(kind)

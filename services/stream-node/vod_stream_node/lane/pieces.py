"""From spans to pieces with the right hash; and, when the hash is wrong, who sent what is wrong.

A piece is hashed and put together as it grows, so that no large one stops the event loop at its end.

A piece that fails is asked for again from one peer alone. When that one passes, everybody who had sent other bytes for
a part of it is known to have lied; when it fails too, the one peer is.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from vod_stream_node.domain import PieceData
from vod_stream_node.lane.spans import Span

Sender = tuple[str, int]
"""A peer's address and port."""


@dataclass(frozen=True, slots=True)
class _Part:
    end: int
    sender: Sender


@dataclass(slots=True)
class _Growing:
    data: bytearray
    """Room for all of it."""
    parts: dict[int, _Part] = field(default_factory=dict)
    """What came, by where it begins."""
    digest: "hashlib._Hash" = field(default_factory=lambda: hashlib.sha1(usedforsecurity=False))
    hashed: int = 0
    """Up to where the digest has taken in everything."""

    def put(self, begin: int, data: bytes, sender: Sender) -> None:
        end = begin + len(data)
        if end > len(self.data):  # begun before it was known how large it is
            self.data.extend(bytes(end - len(self.data)))
        self.data[begin:end] = data
        self.parts[begin] = _Part(end, sender)
        before, self.hashed = self.hashed, self.end(self.hashed)
        self.digest.update(memoryview(self.data)[before : self.hashed])

    def end(self, begin: int) -> int:
        """Return up to where there is no gap from the beginning of a part on."""
        while (part := self.parts.get(begin)) is not None:
            begin = part.end
        return begin

    @property
    def size(self) -> int:
        return sum(part.end - begin for begin, part in self.parts.items())


@dataclass(frozen=True, slots=True)
class _Sent:
    """What a peer sent of a piece that failed."""

    sender: Sender
    begin: int
    end: int
    digest: bytes


class Verdict(Enum):
    """What came of a piece."""

    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finished:
    """A piece that is all here."""

    verdict: Verdict
    data: PieceData
    liars: frozenset[Sender]
    """Peers that are proven to have sent wrong data."""


class Pieces:
    """The pieces of one torrent that are on their way."""

    def __init__(self, *, size_of: Callable[[int], int]) -> None:
        self._size_of = size_of
        self._growing: dict[int, _Growing] = {}
        self._failed: dict[int, list[_Sent]] = {}
        self.held = 0
        """Bytes that are here."""

    def put(self, span: Span, data: bytes, sender: Sender) -> None:
        """Keep what came."""
        growing = self._growing.get(span.piece)
        if growing is None:
            growing = self._growing[span.piece] = _Growing(bytearray(self._size_of(span.piece)))
        growing.put(span.begin, data, sender)
        self.held += len(data)

    def peek(self, piece: int, begin: int) -> bytes:
        """Return what is here of a piece from a byte on, **unverified**: it may steer what is asked for, no more."""
        growing = self._growing.get(piece)
        if growing is None:
            return b""
        part = max((start for start in growing.parts if start <= begin), default=0)
        return bytes(memoryview(growing.data)[begin : growing.end(part)])

    def drop(self, piece: int) -> None:
        """Let go of what is here of a piece."""
        growing = self._growing.pop(piece, None)
        if growing is not None:
            self.held -= growing.size

    def finish(self, piece: int, digest: bytes) -> Finished:
        """Judge a piece that is all here by its SHA-1, and let go of it."""
        growing = self._growing[piece]
        self.drop(piece)
        if growing.digest.digest() == digest:
            return Finished(Verdict.GOOD, growing.data, _liars(self._failed.pop(piece, ()), growing.data))
        if piece not in self._failed:
            self._failed[piece] = [
                _Sent(part.sender, begin, part.end, _short(growing.data[begin : part.end]))
                for begin, part in growing.parts.items()
            ]
        senders = frozenset(part.sender for part in growing.parts.values())
        return Finished(Verdict.BAD, b"", senders if len(senders) == 1 else frozenset())


def _liars(before: Iterable[_Sent], good: bytearray) -> frozenset[Sender]:
    return frozenset(sent.sender for sent in before if sent.digest != _short(good[sent.begin : sent.end]))


def _short(part: bytearray) -> bytes:
    return hashlib.sha1(part, usedforsecurity=False).digest()

"""From spans to pieces with the right hash; and, when the hash is wrong, who sent what is wrong.

A piece is hashed and put together as it grows, so that no large one stops the event loop at its end.

A piece that fails is asked for again from one peer alone. When that one passes, everybody who had sent other bytes for
a part of it is known to have lied; when it fails too, the one peer is.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise

from vod_stream_node.domain import PieceData
from vod_stream_node.lane.spans import Span

Sender = tuple[str, int]
"""A peer's address and port."""


@dataclass(slots=True)
class _Growing:
    data: bytearray = field(default_factory=bytearray)
    """The beginning, as far as there is no gap."""
    digest: "hashlib._Hash" = field(default_factory=lambda: hashlib.sha1(usedforsecurity=False))
    """Of that."""
    later: dict[int, bytes] = field(default_factory=dict)
    """What came from beyond a gap, by where it begins."""
    senders: dict[int, Sender] = field(default_factory=dict)
    """Of all parts, by where they begin."""

    def put(self, begin: int, part: bytes) -> None:
        self.later[begin] = part
        while (following := self.later.pop(len(self.data), None)) is not None:
            self.digest.update(following)
            self.data += following

    def peek(self, begin: int) -> bytes:
        if begin < len(self.data):
            return bytes(memoryview(self.data)[begin:])
        at = max((start for start in self.later if start <= begin), default=0)
        found = bytearray()
        skipped = begin - at
        while (part := self.later.get(at)) is not None:
            found += part
            at += len(part)
        return bytes(found[skipped:])

    @property
    def size(self) -> int:
        return len(self.data) + sum(map(len, self.later.values()))


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

    def __init__(self) -> None:
        self._growing: dict[int, _Growing] = {}
        self._failed: dict[int, list[_Sent]] = {}
        self.held = 0
        """Bytes that are here."""

    def put(self, span: Span, data: bytes, sender: Sender) -> None:
        """Keep what came."""
        growing = self._growing.setdefault(span.piece, _Growing())
        growing.senders[span.begin] = sender
        growing.put(span.begin, data)
        self.held += len(data)

    def peek(self, piece: int, begin: int) -> bytes:
        """Return what is here of a piece from a byte on, **unverified**: it may steer what is asked for, no more."""
        growing = self._growing.get(piece)
        return growing.peek(begin) if growing else b""

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
            begins = sorted(growing.senders)
            self._failed[piece] = [
                _Sent(growing.senders[begin], begin, end, _short(growing.data[begin:end]))
                for begin, end in pairwise([*begins, len(growing.data)])
            ]
        senders = frozenset(growing.senders.values())
        return Finished(Verdict.BAD, b"", senders if len(senders) == 1 else frozenset())


def _liars(before: Iterable[_Sent], good: bytearray) -> frozenset[Sender]:
    return frozenset(sent.sender for sent in before if sent.digest != _short(good[sent.begin : sent.end]))


def _short(part: bytearray) -> bytes:
    return hashlib.sha1(part, usedforsecurity=False).digest()

"""From spans to pieces with the right hash; and, when the hash is wrong, who sent what is wrong.

A piece is hashed as it grows, so that no large piece stops the event loop at its end.

A piece that fails is asked for again from one peer alone. When that one passes, everybody who had sent other bytes for
a part of it is known to have lied; when it fails too, the one peer is.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from vod_stream_node.lane.spans import Span

Sender = tuple[str, int]
"""A peer's address and port."""


@dataclass(slots=True)
class _Growing:
    parts: dict[int, bytes] = field(default_factory=dict)
    """By where they begin."""
    senders: dict[int, Sender] = field(default_factory=dict)
    digest: "hashlib._Hash" = field(default_factory=lambda: hashlib.sha1(usedforsecurity=False))
    hashed: int = 0
    """Up to where the digest has taken in everything."""


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
    data: bytes
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
        growing.parts[span.begin] = data
        growing.senders[span.begin] = sender
        self.held += len(data)
        while (part := growing.parts.get(growing.hashed)) is not None:
            growing.digest.update(part)
            growing.hashed += len(part)

    def peek(self, piece: int, begin: int) -> bytes:
        """Return what is here of a piece from a byte on, **unverified**: it may steer what is asked for, no more."""
        growing = self._growing.get(piece)
        if growing is None:
            return b""
        at = max((start for start in growing.parts if start <= begin), default=0)
        found = bytearray()
        skipped = begin - at
        while (part := growing.parts.get(at)) is not None:
            found += part
            at += len(part)
        return bytes(found[skipped:])

    def drop(self, piece: int) -> None:
        """Let go of what is here of a piece."""
        growing = self._growing.pop(piece, None)
        if growing is not None:
            self.held -= sum(map(len, growing.parts.values()))

    def finish(self, piece: int, digest: bytes) -> Finished:
        """Judge a piece that is all here by its SHA-1, and let go of it."""
        growing = self._growing[piece]
        self.drop(piece)
        if growing.digest.digest() == digest:
            data = b"".join(growing.parts[begin] for begin in sorted(growing.parts))
            return Finished(Verdict.GOOD, data, _liars(self._failed.pop(piece, ()), data))
        if piece not in self._failed:
            self._failed[piece] = [
                _Sent(growing.senders[begin], begin, begin + len(part), _short(part))
                for begin, part in growing.parts.items()
            ]
        senders = frozenset(growing.senders.values())
        return Finished(Verdict.BAD, b"", senders if len(senders) == 1 else frozenset())


def _liars(before: Iterable[_Sent], good: bytes) -> frozenset[Sender]:
    return frozenset(sent.sender for sent in before if sent.digest != _short(good[sent.begin : sent.end]))


def _short(part: bytes) -> bytes:
    return hashlib.sha1(part, usedforsecurity=False).digest()

"""From blocks to pieces with the right hash; and, when the hash is wrong, who sent what is wrong.

A piece is hashed as it grows, so that no large piece stops the event loop at its end.

A piece that fails is asked for again from one peer alone. When that one passes, everybody who had sent other bytes for
one of its blocks is known to have lied; when it fails too, the one peer is.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from vod_stream_node.lane.wire import BLOCK

Sender = tuple[str, int]
"""A peer's address and port."""


@dataclass(slots=True)
class _Growing:
    blocks: list[bytes | None]
    senders: list[Sender | None]
    digest: "hashlib._Hash" = field(default_factory=lambda: hashlib.sha1(usedforsecurity=False))
    hashed: int = 0
    """How many of the first blocks the digest covers."""


class Verdict(Enum):
    """What came of a piece."""

    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finished:
    """A piece whose blocks are all here."""

    verdict: Verdict
    data: bytes
    liars: frozenset[Sender]
    """Peers that are proven to have sent wrong data."""


class Pieces:
    """The pieces of one torrent that are on their way."""

    def __init__(self, *, size_of: Callable[[int], int], hash_of: Callable[[int], bytes]) -> None:
        self._size_of = size_of
        self._hash_of = hash_of
        self._growing: dict[int, _Growing] = {}
        self._failed: dict[int, list[tuple[Sender | None, bytes]]] = {}

    def blocks_in(self, piece: int) -> int:
        return -(-self._size_of(piece) // BLOCK)

    def length(self, piece: int, index: int) -> int:
        """Return the bytes of a block; the last one of a piece may be shorter."""
        return min(BLOCK, self._size_of(piece) - index * BLOCK)

    @property
    def held(self) -> int:
        """Bytes of memory taken, at most."""
        return sum(len(growing.blocks) * BLOCK for growing in self._growing.values())

    def put(self, piece: int, index: int, data: bytes, sender: Sender) -> None:
        """Keep a block."""
        growing = self._growing.get(piece)
        if growing is None:
            count = self.blocks_in(piece)
            growing = self._growing[piece] = _Growing([None] * count, [None] * count)
        growing.blocks[index] = data
        growing.senders[index] = sender
        while growing.hashed < len(growing.blocks) and (block := growing.blocks[growing.hashed]) is not None:
            growing.digest.update(block)
            growing.hashed += 1

    def peek(self, piece: int, begin: int) -> bytes:
        """Return what is here of a piece from a byte on, **unverified**: it may steer what is asked for, no more."""
        growing = self._growing.get(piece)
        if growing is None:
            return b""
        found, index = bytearray(), begin // BLOCK
        while index < len(growing.blocks) and (block := growing.blocks[index]) is not None:
            found += block
            index += 1
        return bytes(found[begin % BLOCK :])

    def drop(self, piece: int) -> None:
        self._growing.pop(piece, None)

    def finish(self, piece: int) -> Finished:
        """Judge a piece whose blocks are all here, and let go of it."""
        growing = self._growing.pop(piece)
        blocks = [block for block in growing.blocks if block is not None]
        senders = set(growing.senders) - {None}
        if growing.digest.digest() == self._hash_of(piece):
            before = self._failed.pop(piece, None)
            liars = _liars(before, blocks) if before else frozenset()
            return Finished(Verdict.GOOD, b"".join(blocks), liars)
        if piece not in self._failed:
            self._failed[piece] = [
                (sender, _short(block)) for sender, block in zip(growing.senders, blocks, strict=True)
            ]
        proven = senders if len(senders) == 1 else ()
        return Finished(Verdict.BAD, b"", frozenset(sender for sender in proven if sender))


def _liars(before: Iterable[tuple[Sender | None, bytes]], good: Iterable[bytes]) -> frozenset[Sender]:
    pairs = zip(before, good, strict=True)
    return frozenset(sender for (sender, digest), block in pairs if sender and digest != _short(block))


def _short(block: bytes) -> bytes:
    return hashlib.sha1(block, usedforsecurity=False).digest()

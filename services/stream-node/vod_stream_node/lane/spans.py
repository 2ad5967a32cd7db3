"""What is asked of a peer at a time: a few KiB of a piece.

A span never crosses a multiple of 16 KiB, so that no peer has to read two blocks of its disk for it.
"""

from typing import NamedTuple

from vod_stream_node.lane.wire import BLOCK

PeerKey = int


class Span(NamedTuple):
    """A part of a piece."""

    piece: int
    begin: int
    length: int


class Coming:
    """A piece on its way: what came, what is asked of whom, and what is still to be asked for."""

    __slots__ = ("_fresh", "_got", "free", "holders", "only", "size", "taken")

    def __init__(self, size: int, *, only: PeerKey | None = None) -> None:
        self.size = size
        self.only = only
        """The one peer that may send this piece: after wrong data, to find out who sent it."""
        self.taken = 0
        """Bytes that came."""
        self.free: list[Span] = []
        """Spans that were asked for in vain, the next one last."""
        self.holders: dict[Span, list[PeerKey]] = {}
        self._fresh = 0
        """From where on nothing was ever asked for."""
        self._got: set[Span] = set()

    @property
    def missing(self) -> int:
        """Bytes that have not come."""
        return self.size - self.taken

    @property
    def is_free(self) -> bool:
        """Whether there is anything that nobody is asked for."""
        return bool(self.free) or self._fresh < self.size

    @property
    def is_untouched(self) -> bool:
        """Whether nothing came and nothing is asked for."""
        return not self.taken and not self.holders

    def take(self, piece: int, most: int, key: PeerKey) -> Span:
        """Return the next span to ask a peer for, of so many bytes at most unless it was asked for before."""
        if self.free:
            span = self.free.pop()
        else:
            length = min(most, BLOCK - self._fresh % BLOCK, self.size - self._fresh)
            span = Span(piece, self._fresh, length)
            self._fresh += length
        self.holders[span] = [key]
        return span

    def came(self, span: Span, key: PeerKey) -> list[PeerKey] | None:
        """Note that a span came from a peer; return who else was asked for it, or None when it is of no use."""
        if span in self._got or (self.only is not None and self.only != key):
            return None
        holders = self.holders.pop(span, None)
        if holders is None:
            if span not in self.free:
                return None
            self.free.remove(span)
        self._got.add(span)
        self.taken += span.length
        return [other for other in holders or () if other != key]

    def release(self, span: Span, key: PeerKey) -> None:
        """Let others be asked for a span that a peer will not send."""
        holders = self.holders.get(span)
        if holders is None:
            return
        if key in holders:
            holders.remove(key)
        if not holders:
            del self.holders[span]
            self.free.append(span)

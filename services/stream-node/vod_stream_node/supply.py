"""Who fetches a torrent's pieces: the express lane while it has peers that serve, else libtorrent.

While the lane carries the torrent, libtorrent's priorities are all 0: it stays connected, finds peers and serves
others, and the peers' uplinks carry what the lane asks for. When the lane has nobody, libtorrent gets the plan.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from vod_stream_node.container import index_of
from vod_stream_node.domain import Layout, Purpose, TorrentFile
from vod_stream_node.lane.lane import Lane
from vod_stream_node.picker import Demand, NextFill, Plan, changes, plan, sequence


@dataclass(frozen=True, slots=True)
class Wish:
    """A file that is wanted."""

    file: TorrentFile
    purpose: Purpose
    readers: tuple[int, ...]
    """The piece each reader is at, the one that came last first."""
    window: int
    """Bytes ahead of each reader that come before the rest."""


class Supply:
    """What is asked of the swarm for one torrent, and by whom."""

    def __init__(self, handle: Any, lane: Lane | None) -> None:
        self._handle = handle
        self._lane = lane
        self._plan = Plan()
        self._waiting: Counter[int] = Counter()
        self._soon: Collection[int] = ()
        self._hurried: set[int] = set()
        self._may_hurry = True
        self._carried = False
        self._indexes: dict[int, range] = {}

    def expect(self, files: Collection[int]) -> None:
        """Connect to peers in time: a viewer will need something of the torrent, of these files if that is known.

        Where the first one is among them its first bytes are asked for: they are the torrent's first bytes.
        """
        if self._lane:
            self._lane.activate()
            if 0 in files:
                self._lane.open()

    def ask(self, wishes: Sequence[Wish], have: Collection[int], layout: Layout, next_fill: NextFill) -> None:
        """Ask for what is wanted and not here."""
        length = layout.piece_length
        demands = [
            Demand(
                pieces=layout.pieces(wish.file),
                purpose=wish.purpose,
                readers=wish.readers,
                index=self._index(wish.file, layout),
                window=wish.window,
            )
            for wish in wishes
        ]
        planned = plan(demands, have, piece_length=length, next_fill=next_fill)
        self._soon = planned.urgent
        if self._express(wishes, demands, have, length, next_fill):
            after = Plan()
            self._calm()
        else:
            after = planned
            self._hurry(have)
        if changed := changes(self._plan, after):
            self._handle.prioritize_pieces(changed)
        self._plan = after

    def window(self, have: Collection[int]) -> int:
        """Return how many pieces that are not here are wanted soon."""
        return sum(piece not in have for piece in self._soon)

    @contextmanager
    def waited_for(self, piece: int, have: Collection[int]) -> Iterator[None]:
        """Make a piece time-critical for libtorrent meanwhile, unless the lane carries the torrent.

        That lets libtorrent ask a second peer for a late block, and when nobody waited for anything before (a start, a
        jump) it cancels all requests that stand in the way.
        """
        self._waiting[piece] += 1
        if not self._carried:
            self._hurry(have)
        try:
            yield
        finally:
            self._waiting[piece] -= 1
            if not self._waiting[piece]:
                del self._waiting[piece]
                if piece in self._hurried:
                    self._hurried.discard(piece)
                    if piece not in have:
                        self._reset(piece)

    def cancel_nothing(self) -> None:
        """Make no piece time-critical any more: libtorrent cancels what stands in its way."""
        self._may_hurry = False
        self._calm()

    def close(self) -> None:
        if self._lane:
            self._lane.close()

    def _express(
        self,
        wishes: Sequence[Wish],
        demands: Sequence[Demand],
        have: Collection[int],
        length: int,
        next_fill: NextFill,
    ) -> bool:
        """Tell the lane what is wanted, if a viewer needs anything; say whether it will see to it."""
        if self._lane is None:
            return False
        wanted: list[int] = []
        if any(wish.purpose is Purpose.CURRENT for wish in wishes):
            wanted, critical = sequence(
                demands, have, piece_length=length, next_fill=next_fill, limit=self._lane.horizon
            )
        if not wanted:
            self._lane.rest()
            self._carried = False
            return False
        self._lane.activate()
        heads = [wish.file.offset for wish, demand in zip(wishes, demands, strict=True) if demand.index is None]
        self._lane.want(wanted, critical=critical, watch=heads)
        self._carried = self._lane.carries
        return self._carried

    def _index(self, file: TorrentFile, layout: Layout) -> range | None:
        """Return the pieces with a file's index, as soon as its first bytes have been seen."""
        if file.index not in self._indexes and self._lane:
            found = index_of(self._lane.peek(file.offset)[: file.size], file.size)
            if found is not None:
                self._indexes[file.index] = _pieces(file, found, layout)
        return self._indexes.get(file.index)

    def _hurry(self, have: Collection[int]) -> None:
        for piece in self._waiting if self._may_hurry else ():
            if piece not in self._hurried and piece not in have:
                self._hurried.add(piece)
                self._handle.set_piece_deadline(piece, 0)

    def _calm(self) -> None:
        for piece in self._hurried:
            self._reset(piece)
        self._hurried.clear()

    def _reset(self, piece: int) -> None:
        # This leaves the piece at a priority of libtorrent's choice, so the plan's is set again.
        self._handle.reset_piece_deadline(piece)
        self._handle.piece_priority(piece, self._plan.level(piece))


def _pieces(file: TorrentFile, found: range, layout: Layout) -> range:
    if not found:
        return range(0)
    first, last = file.offset + found.start, file.offset + found.stop - 1
    return range(first // layout.piece_length, last // layout.piece_length + 1)

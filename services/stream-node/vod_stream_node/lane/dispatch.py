"""Which span is asked of which peer, when: pure; the caller has the clock and the connections.

The rules
- Pieces are wanted in an order; the first few are *critical*: a viewer waits for them.
- A span goes to the peer that will deliver it first, by its measured rate, its round trip and what it already owes.
- A peer that would deliver a span later than its whole piece will be here (at the rate of all) does not get it, but
  one of a later piece, for which it is in time.
- As much is asked of a peer at a time as its `Pace` says.
- A span that is late is asked of a second and third peer too, when they will have it sooner; when it comes, it is
  cancelled at the others. For critical pieces "late" is "later than the other would be".
- When a viewer jumps, all that is asked for and not critical is cancelled.
"""

import heapq
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from vod_stream_node.lane.pace import Pace
from vod_stream_node.lane.spans import Coming, PeerKey, Span
from vod_stream_node.lane.uplink import Uplink
from vod_stream_node.lane.wire import BLOCK

_FIRST = 1 << 20
"""Bytes that are shared out evenly while nothing is known of the peers."""
_START = 2 * _FIRST
"""Bytes that are needed in a hurry by a viewer who has just come or jumped: players begin with a few seconds."""
_LEAST = 4 * BLOCK
"""Bytes that are asked of each peer then, however many there are: some of them will not come."""
_COPIES = 3
"""How often a late span is asked for at most."""
_GRACE = 0.08
"""Seconds beyond a round trip after which a peer's rate is believed."""
_FAR = 0.25
"""Seconds that a round trip takes at most, for that: a slow peer's seems long."""
_SLACK = 0.25
"""Seconds by which a span that nobody waits for yet may be late."""
_SILENCE = 1.5
"""Seconds without a byte after which a peer's spans are free for others."""
_SPARE = 0.02
"""Seconds of queue at a peer that may be of what a viewer needs to start: it must not be idle then."""
_CLOSE = 0.02
"""Seconds that make no difference."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a peer for a span."""

    peer: PeerKey
    span: Span


@dataclass(frozen=True, slots=True)
class Cancel:
    """Tell a peer that a span is no longer wanted of it."""

    peer: PeerKey
    span: Span


Order = Ask | Cancel


@dataclass(frozen=True, slots=True)
class _Moment:
    """What holds for all that is decided at one time."""

    now: float
    total: float
    """Bytes/s of all peers."""
    nearest: float
    """The shortest round trip."""
    share: int
    """Bytes of what is wanted first that would go to each peer."""
    latest: float
    """By when all that was asked for is expected."""


class Dispatcher:
    """The requests of one torrent. All times are seconds of one monotonic clock."""

    def __init__(self, *, size_of: Callable[[int], int]) -> None:
        self.coming = 0
        """Peers that are connected and will serve soon: the first spans are shared out with them in mind."""
        self._size_of = size_of
        self._peers: dict[PeerKey, Uplink] = {}
        self._pieces: dict[int, Coming] = {}
        self._wanted: list[int] = []
        self._critical = 0
        self._sought: Collection[int] = ()
        """Pieces that a viewer waits for who has just come, or jumped, and has nothing yet."""

    # Peers.

    def join(self, key: PeerKey, has: Callable[[int], bool], *, rtt: float, now: float) -> None:
        """Take in a peer that is still choking us, and how long an answer of it may take."""
        self._peers[key] = Uplink(key, has, Pace(rtt), heard=now)

    def leave(self, key: PeerKey) -> None:
        """Forget a peer; what it owes is free for others."""
        self._free_all(self._peers.pop(key))
        for piece in self._pieces.values():
            if piece.only == key:
                piece.only = None

    def unchoked(self, key: PeerKey) -> None:
        self._peers[key].open = True

    def choked(self, key: PeerKey, now: float) -> None:
        """Note that a peer serves nothing: what was asked of it will not come."""
        peer = self._peers[key]
        peer.open = False
        self._free_all(peer)
        peer.forgive(now)

    @property
    def serving(self) -> int:
        """How many peers can be asked."""
        return sum(peer.serves for peer in self._peers.values())

    def rate(self, now: float) -> float:
        """Return the bytes/s of all peers to expect."""
        return sum(peer.pace.rate(now) for peer in self._peers.values() if peer.serves)

    def quiet_since(self, key: PeerKey) -> float | None:
        """Return since when a peer that owes us something has been silent; None if it is not."""
        peer = self._peers[key]
        return peer.heard if peer.silent else None

    # What is wanted.

    def want(self, pieces: Sequence[int], *, critical: int) -> list[Order]:
        """Say which pieces are wanted, in order, and how many of the first ones a viewer waits for.

        What is on order is cancelled when a viewer jumped or nothing is wanted any more; else it is of use later.
        """
        before = set(self._wanted[: self._critical])
        self._wanted, self._critical = list(pieces), critical
        orders: list[Order] = []
        now_critical = set(pieces[:critical])
        new = (self._pieces.get(piece) for piece in now_critical - before)
        jumped = any(piece is None or piece.is_untouched for piece in new)
        if jumped or not before:
            self._sought = set(self._first_of(pieces, critical))
        if jumped or not pieces:
            orders += self._cancel_all_but(now_critical)
        for piece in pieces:
            if piece not in self._pieces:
                self._pieces[piece] = Coming(self._size_of(piece))
        return orders

    def _first_of(self, pieces: Sequence[int], critical: int) -> Iterator[int]:
        """Yield the critical pieces, and further ones as long as they begin within what a viewer needs to start."""
        size = 0
        for rank, piece in enumerate(pieces):
            if rank >= critical and size >= _START:
                return
            size += self._size_of(piece)
            yield piece

    def _cancel_all_but(self, kept: Collection[int]) -> Iterator[Order]:
        for peer in self._peers.values():
            for span in [span for span in peer.queue if span.piece not in kept]:
                peer.cancel(span)
                self._release(peer.key, span)
                yield Cancel(peer.key, span)

    def resize(self, piece: int, size: int) -> None:
        """Note how large a piece is of which parts were asked for before that was known."""
        before = self._pieces.get(piece)
        if before is not None and size >= before.size:
            before.size = size
        elif before is not None:
            self._pieces[piece] = Coming(size)
            for peer in self._peers.values():
                for span in [span for span in peer.queue if span.piece == piece]:
                    peer.cancel(span)

    def forget(self, piece: int) -> None:
        """Drop what is known of a piece: it is here, or given up."""
        self._pieces.pop(piece, None)

    def again(self, piece: int, *, only: PeerKey | None) -> None:
        """Ask for a piece again from its first byte, of one peer alone if given: its data was wrong."""
        self._pieces[piece] = Coming(self._size_of(piece), only=only)

    def best(self, piece: int, *, now: float) -> PeerKey | None:
        """Return the peer that would deliver a piece first."""
        able = [peer for peer in self._peers.values() if peer.serves and peer.has(piece)]
        return max(able, key=lambda peer: peer.pace.rate(now)).key if able else None

    def unwanted(self) -> Iterator[int]:
        """Yield pieces that have begun to come and are not wanted any more."""
        wanted = set(self._wanted)
        return (piece for piece in list(self._pieces) if piece not in wanted)

    # What comes.

    def heard(self, key: PeerKey, size: int, now: float) -> None:
        """Note that a peer sent something, and how many bytes of it were data: the others say nothing of its rate."""
        peer = self._peers[key]
        peer.heard = now
        peer.silent = False
        peer.progress += size
        if size:
            peer.pace.came(size, now)

    def received(self, key: PeerKey, span: Span, now: float) -> tuple[bool, list[Order]]:
        """Note that a span came; return whether it is of use, and what to cancel because of it."""
        self._peers[key].came(span, now)
        piece = self._pieces.get(span.piece)
        others = piece.came(span, key) if piece else None
        if others is None:
            return False, []
        for other in others:
            self._peers[other].cancel(span)
        return True, [Cancel(other, span) for other in others]

    def is_complete(self, piece: int) -> bool:
        """Say whether every byte of a piece has come."""
        return piece in self._pieces and self._pieces[piece].missing <= 0

    def rejected(self, key: PeerKey, span: Span, now: float) -> None:
        """Note that a peer will not send a span."""
        if self._peers[key].reject(span, now):
            self._release(key, span)

    # What to do.

    def sweep(self, now: float) -> None:
        """Give up what silent peers owe; to be called several times a second."""
        for peer in self._peers.values():
            if peer.sweep(now, patience=max(_SILENCE, 8 * peer.pace.rtt)):
                self._free_all(peer)

    def orders(self, now: float, only: Iterable[PeerKey] | None = None) -> list[Order]:
        """Return what to ask for now; of all peers, or only of those that have become free."""
        orders: list[Order] = []
        moment = self._moment(now)
        able = self._peers.values() if only is None else [self._peers[key] for key in only]
        heap = [(peer.eta(peer.pace.span, now), peer.key) for peer in able if self._has_room(peer, moment)]
        heapq.heapify(heap)
        while heap:
            eta, key = heapq.heappop(heap)
            peer = self._peers[key]
            span = self._choose(peer, eta, moment)
            if span is None:
                continue
            peer.ask(span, now)
            orders.append(Ask(key, span))
            if self._has_room(peer, moment):
                heapq.heappush(heap, (peer.eta(peer.pace.span, now), key))
        return orders

    def _moment(self, now: float) -> _Moment:
        nearest = min((peer.pace.rtt for peer in self._peers.values() if peer.open), default=0.0)
        first = self._first_bytes()
        share = max(first // max(1, self.serving, self.coming), _LEAST if first >= _FIRST else 0)
        latest = max((peer.through(now) for peer in self._peers.values() if peer.queue), default=now)
        return _Moment(now, max(1.0, self.rate(now)), nearest, share, latest)

    def _first_bytes(self) -> int:
        """Return how many bytes of what is wanted first are missing, up to what is shared out evenly."""
        missing = 0
        for piece in self._wanted:
            if missing >= _FIRST:
                break
            missing += self._pieces[piece].missing if piece in self._pieces else 0
        return min(missing, _FIRST)

    def _choose(self, peer: Uplink, eta: float, moment: _Moment) -> Span | None:
        """Return the most urgent span that the peer would deliver in time; it is noted as asked of it."""
        before = 0
        for rank, number in enumerate(self._wanted):
            piece = self._pieces.get(number)
            if piece is None:
                continue
            if rank == self._critical and self._just_jumped(peer, moment):
                return None
            before += piece.missing
            if piece.only not in {None, peer.key} or not peer.has(number):
                continue
            due = moment.now + moment.nearest + before / moment.total
            if piece.is_free:
                if eta <= due + _CLOSE or self._is_best(peer, number, eta, moment.now):
                    return piece.take(number, peer.pace.span, peer.key)
                continue
            late = self._latest(peer, piece, eta, moment, due=None if rank < self._critical else due)
            if late is not None:
                piece.holders[late].append(peer.key)
                return late
        return None

    def _latest(self, peer: Uplink, piece: Coming, eta: float, moment: _Moment, *, due: float | None) -> Span | None:
        """Return the span of a piece that is expected last, and after *due*, if the peer would have it sooner."""
        if piece.only is not None:
            return None
        now = moment.now
        limit = eta + max(0.05, peer.pace.span / peer.pace.rate(now), (eta - now) / 3)
        if due is not None:
            limit = max(limit, due + _SLACK)
        if moment.latest <= limit:
            return None
        latest: Span | None = None
        for span, holders in piece.holders.items():
            if peer.key in holders or len(holders) >= _COPIES:
                continue
            expected = min(self._peers[key].expected(span, now) for key in holders)
            if expected > limit and self._had_time(holders, span, now):
                latest, limit = span, expected
        return latest

    def _had_time(self, holders: Iterable[PeerKey], span: Span, now: float) -> bool:
        """Say whether the peers that were asked for a span could have shown by now how fast they are."""
        peers = (self._peers[key] for key in holders)
        return all(now - peer.queue[span].at > min(peer.pace.rtt, _FAR) + _GRACE for peer in peers)

    def _is_best(self, peer: Uplink, piece: int, eta: float, now: float) -> bool:
        """Say whether nobody else would deliver a span of a piece much sooner than this peer."""
        others = (one for one in self._peers.values() if one.serves and one is not peer and one.has(piece))
        return all(eta <= one.eta(one.pace.span, now) + _CLOSE for one in others)

    def _has_room(self, peer: Uplink, moment: _Moment) -> bool:
        """Say whether to ask a peer for more: what is outstanding is below its window by a part of a span."""
        if not peer.serves:
            return False
        spare = _SPARE if self._is_urgent() else 0.0
        return peer.outstanding < self._room(peer, moment, spare=spare)

    def _room(self, peer: Uplink, moment: _Moment, *, spare: float = 0.0) -> int:
        return peer.pace.window(moment.now, share=moment.share, spare=spare) - peer.pace.span // 5

    def _is_urgent(self) -> bool:
        """Say whether there is something that a viewer waits for who has just come, and nobody is asked for.

        Who reads on is served by what is on order already; a longer queue would be in his way when he jumps.
        """
        waited = (self._pieces.get(number) for number in self._wanted[: self._critical] if number in self._sought)
        return any(piece is not None and piece.is_free for piece in waited)

    def _just_jumped(self, peer: Uplink, moment: _Moment) -> bool:
        """Say whether only what a viewer jumped to should be asked of a peer now, and later what follows it.

        A seeder answers in the order in which its disk does. So it gets a lead of half a round trip, while it still
        sends what was asked for before.
        """
        oldest = next(iter(peer.queue.values()), None)
        lead = moment.now - oldest.at if oldest else math.inf
        return lead < peer.pace.rtt / 2 and peer.coming >= self._room(peer, moment)

    def _release(self, key: PeerKey, span: Span) -> None:
        piece = self._pieces.get(span.piece)
        if piece is not None:
            piece.release(span, key)

    def _free_all(self, peer: Uplink) -> None:
        for span in list(peer.queue):
            peer.cancel(span)
            self._release(peer.key, span)

"""Which block is asked of which peer, when: pure; the caller has the clock and the connections.

The rules
- Pieces are wanted in an order; the first few are *critical*: a viewer waits for them.
- A block goes to the peer that will deliver it first, by its measured rate, its round trip and what it already owes.
- A peer that would deliver a block later than its whole piece will be here (at the rate of all) does not get it, but
  one of a later piece, for which it is in time.
- As much is asked of a peer at a time as its `Pace` says.
- A block that is late is asked of a second and third peer too, when they will have it sooner; when it comes, it is
  cancelled at the others. For critical pieces "late" is "later than the other would be".
- When a viewer jumps, all that is asked for and not critical is cancelled.
"""

import heapq
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from vod_stream_node.lane.pace import Pace
from vod_stream_node.lane.wire import BLOCK

Block = tuple[int, int]
"""A piece, and the number of a block of 16 KiB in it."""
PeerKey = int

_FIRST = 1 << 20
"""Bytes that are shared out evenly while nothing is known of the peers."""
_COPIES = 3
"""How often a late block is asked for at most."""
_CONTROL = 64
"""Bytes of messages that are not data: they say nothing of a peer's rate."""
_GRACE = 0.08
"""Seconds beyond a round trip after which a peer's rate is believed."""
_FAR = 0.25
"""Seconds that a round trip takes at most, for that: a slow peer's seems long."""
_SLACK = 0.25
"""Seconds by which a block that nobody waits for yet may be late."""
_SILENCE = 1.5
"""Seconds without a byte after which a peer's blocks are free for others."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a peer for a block."""

    peer: PeerKey
    block: Block


@dataclass(frozen=True, slots=True)
class Cancel:
    """Tell a peer that a block is no longer wanted of it."""

    peer: PeerKey
    block: Block


Order = Ask | Cancel


@dataclass(frozen=True, slots=True)
class _Asked:
    at: float
    ahead: int
    """Blocks outstanding at the peer then, this one included."""
    clear: bool
    """Whether nothing that was cancelled was still to come before it."""


@dataclass(slots=True)
class _Peer:
    key: PeerKey
    has: Callable[[int], bool]
    pace: Pace
    open: bool = False
    silent: bool = False
    queue: dict[Block, _Asked] = field(default_factory=dict)
    cancelled: dict[Block, float] = field(default_factory=dict)
    """What is not wanted any more but may still come, and when it was asked for."""
    progress: int = 0
    """Bytes of the block that is coming."""
    heard: float = 0.0

    def owed(self) -> int:
        blocks = len(self.queue) + len(self.cancelled)
        return max(0, blocks * BLOCK - min(self.progress, BLOCK - 1))


@dataclass(slots=True)
class _Piece:
    blocks: int
    free: list[int]
    """Blocks to ask for, the next one last."""
    got: set[int] = field(default_factory=set)
    holders: dict[int, list[PeerKey]] = field(default_factory=dict)
    only: PeerKey | None = None
    """The one peer that may send this piece: after wrong data, to find out who sent it."""

    @property
    def missing(self) -> int:
        return (self.blocks - len(self.got)) * BLOCK


class Dispatcher:
    """The requests of one torrent. All times are seconds of one monotonic clock."""

    def __init__(self, *, blocks_in: Callable[[int], int]) -> None:
        self.coming = 0
        """Peers that are connected and will serve soon: the first blocks are shared out with them in mind."""
        self._blocks_in = blocks_in
        self._peers: dict[PeerKey, _Peer] = {}
        self._pieces: dict[int, _Piece] = {}
        self._wanted: list[int] = []
        self._critical = 0

    # Peers.

    def join(self, key: PeerKey, has: Callable[[int], bool], *, rtt: float, now: float) -> None:
        """Take in a peer that is still choking us, and how long an answer of it may take."""
        self._peers[key] = _Peer(key, has, Pace(rtt), heard=now)

    def leave(self, key: PeerKey) -> None:
        """Forget a peer; what it owes is free for others."""
        self._free_all(self._peers.pop(key))
        for state in self._pieces.values():
            if state.only == key:
                state.only = None

    def unchoked(self, key: PeerKey) -> None:
        self._peers[key].open = True

    def choked(self, key: PeerKey, now: float) -> None:
        """Note that a peer serves nothing: what was asked of it will not come."""
        peer = self._peers[key]
        peer.open = False
        self._free_all(peer)
        peer.cancelled.clear()
        peer.pace.idle(now)

    @property
    def serving(self) -> int:
        """How many peers can be asked."""
        return sum(peer.open and not peer.silent for peer in self._peers.values())

    def rate(self, now: float) -> float:
        """Return the bytes/s of all peers to expect."""
        return sum(peer.pace.rate(now) for peer in self._peers.values() if peer.open and not peer.silent)

    def rate_of(self, key: PeerKey, now: float) -> float:
        return self._peers[key].pace.rate(now)

    def owes(self, key: PeerKey) -> int:
        """Return how many blocks are asked of a peer."""
        return len(self._peers[key].queue)

    def quiet_since(self, key: PeerKey) -> float | None:
        """Return since when a peer that owes us something has been silent; None if it is not."""
        peer = self._peers[key]
        return peer.heard if peer.silent else None

    # What is wanted.

    def want(self, pieces: Sequence[int], *, critical: int) -> list[Order]:
        """Say which pieces are wanted, in order, and how many of the first ones a viewer waits for.

        What is on order is cancelled when a viewer jumped or nothing is wanted any more; else it is of use later.
        """
        self._wanted, self._critical = list(pieces), critical
        orders: list[Order] = []
        now_critical = set(pieces[:critical])
        jumped = any(piece not in self._pieces or self._is_untouched(piece) for piece in now_critical)
        if jumped or not pieces:
            orders += self._cancel_all_but(now_critical)
        for piece in pieces:
            if piece not in self._pieces:
                count = self._blocks_in(piece)
                self._pieces[piece] = _Piece(count, list(range(count - 1, -1, -1)))
        return orders

    def _cancel_all_but(self, kept: Collection[int]) -> Iterator[Order]:
        for peer in self._peers.values():
            for block in [block for block in peer.queue if block[0] not in kept]:
                yield self._cancel(peer, block)
                self._release(peer.key, block)

    def forget(self, piece: int) -> None:
        """Drop what is known of a piece: it is here, or given up."""
        self._pieces.pop(piece, None)

    def again(self, piece: int, *, only: PeerKey | None) -> None:
        """Ask for a piece again from its first block, of one peer alone if given: its data was wrong."""
        count = self._blocks_in(piece)
        self._pieces[piece] = _Piece(count, list(range(count - 1, -1, -1)), only=only)

    def best(self, piece: int, *, now: float) -> PeerKey | None:
        """Return the peer that would deliver a piece first."""
        able = [peer for peer in self._peers.values() if peer.open and not peer.silent and peer.has(piece)]
        return max(able, key=lambda peer: peer.pace.rate(now)).key if able else None

    def unwanted(self) -> Iterator[int]:
        """Yield pieces that have begun to come and are not wanted any more."""
        wanted = set(self._wanted)
        return (piece for piece in list(self._pieces) if piece not in wanted)

    # What comes.

    def heard(self, key: PeerKey, size: int, now: float) -> None:
        """Note that a peer sent bytes."""
        peer = self._peers[key]
        peer.heard = now
        peer.silent = False
        peer.progress += size
        if size > _CONTROL:
            peer.pace.came(size, now)

    def received(self, key: PeerKey, block: Block, now: float) -> tuple[bool, list[Order]]:
        """Note that a block came; return whether it is of use, and what to cancel because of it."""
        peer = self._peers[key]
        peer.progress = 0
        asked = peer.queue.pop(block, None)
        if asked is not None:
            # Behind what was cancelled too late it took longer than the peer does.
            # Peers answer in order: what was cancelled before this was asked for will not come any more.
            peer.cancelled = {other: at for other, at in peer.cancelled.items() if at >= asked.at}
            if asked.clear:
                peer.pace.block(now - asked.at, asked.ahead, now)
            peer.pace.measure(now)
        peer.cancelled.pop(block, None)
        if not peer.queue and not peer.cancelled:
            peer.pace.idle(now)
        piece, index = block
        state = self._pieces.get(piece)
        if state is None or index in state.got or (state.only is not None and state.only != key):
            return False, []
        if asked is None and index not in state.holders and index not in state.free:
            return False, []
        state.got.add(index)
        if index in state.free:
            state.free.remove(index)
        others = [self._peers[other] for other in state.holders.pop(index, []) if other != key]
        return True, [self._cancel(other, block) for other in others]

    def is_complete(self, piece: int) -> bool:
        """Say whether every block of a piece has come."""
        return self._pieces[piece].missing <= 0

    def rejected(self, key: PeerKey, block: Block, now: float) -> None:
        """Note that a peer will not send a block."""
        peer = self._peers[key]
        peer.cancelled.pop(block, None)
        if block in peer.queue:
            del peer.queue[block]
            self._release(key, block)
        if not peer.queue and not peer.cancelled:
            peer.pace.idle(now)

    # What to do.

    def sweep(self, now: float) -> None:
        """Give up what silent peers owe; to be called several times a second."""
        for peer in self._peers.values():
            patience = max(_SILENCE, 8 * peer.pace.rtt)
            for block in [block for block, at in peer.cancelled.items() if now - max(at, peer.heard) > patience]:
                del peer.cancelled[block]  # peers without the fast extension say nothing
            oldest = next(iter(peer.queue.values()), None)
            if oldest is not None and now - max(peer.heard, oldest.at) > patience:
                peer.silent = True
                self._free_all(peer)
            if not peer.queue and not peer.cancelled:
                peer.pace.idle(now)

    def orders(self, now: float, only: Iterable[PeerKey] | None = None) -> list[Order]:
        """Return what to ask for now; of all peers, or only of those that have become free."""
        orders: list[Order] = []
        total = max(1.0, self.rate(now))
        share = self._share()
        keys = self._peers if only is None else only
        able = [self._peers[key] for key in keys]
        heap = [(self._eta(peer, now), peer.key) for peer in able if self._has_room(peer, now, share)]
        heapq.heapify(heap)
        while heap:
            eta, key = heapq.heappop(heap)
            peer = self._peers[key]
            block = self._choose(peer, eta, now, total)
            if block is None:
                continue
            self._ask(peer, block, now)
            orders.append(Ask(key, block))
            if self._has_room(peer, now, share):
                heapq.heappush(heap, (self._eta(peer, now), key))
        return orders

    def _choose(self, peer: _Peer, eta: float, now: float, total: float) -> Block | None:
        """Return the most urgent block that the peer would deliver in time."""
        before, nearest = 0, min(one.pace.rtt for one in self._peers.values() if one.open)
        for rank, piece in enumerate(self._wanted):
            state = self._pieces.get(piece)
            if state is None:
                continue
            before += state.missing
            if state.only not in {None, peer.key} or not peer.has(piece):
                continue
            due = now + nearest + before / total
            if state.free and (eta <= due + 0.02 or self._is_best(peer, piece, eta, now)):
                return piece, state.free[-1]
            if not state.free:
                late = self._latest(peer, piece, eta, now, due=None if rank < self._critical else due)
                if late is not None:
                    return late
        return None

    def _latest(self, peer: _Peer, piece: int, eta: float, now: float, *, due: float | None) -> Block | None:
        """Return the block of a piece that is expected last, and after *due*, if the peer would have it sooner."""
        state = self._pieces[piece]
        if state.only is not None:
            return None
        limit = eta + max(0.05, BLOCK / peer.pace.rate(now), (eta - now) / 3)
        if due is not None:
            limit = max(limit, due + _SLACK)
        latest: Block | None = None
        for index, holders in state.holders.items():
            if peer.key in holders or len(holders) >= _COPIES:
                continue
            expected = min(self._expected(self._peers[key], (piece, index), now) for key in holders)
            if expected > limit and self._has_had_time(holders, (piece, index), now):
                latest, limit = (piece, index), expected
        return latest

    def _has_had_time(self, holders: Iterable[PeerKey], block: Block, now: float) -> bool:
        """Say whether the peers that were asked for a block could have shown by now how fast they are."""
        peers = (self._peers[key] for key in holders)
        return all(now - peer.queue[block].at > min(peer.pace.rtt, _FAR) + _GRACE for peer in peers)

    def _is_best(self, peer: _Peer, piece: int, eta: float, now: float) -> bool:
        """Say whether nobody else would deliver a block of a piece much sooner than this peer."""
        others = (one for one in self._peers.values() if one.open and not one.silent and one is not peer)
        return all(eta <= self._eta(one, now) + 0.02 for one in others if one.has(piece))

    def _expected(self, peer: _Peer, block: Block, now: float) -> float:
        """Return when a peer will have delivered a block that was asked of it."""
        place = next(number for number, queued in enumerate(peer.queue, start=1) if queued == block)
        owed = place * BLOCK - min(peer.progress, BLOCK - 1)
        return max(now, peer.queue[block].at + peer.pace.rtt) + owed / peer.pace.rate(now)

    def _eta(self, peer: _Peer, now: float) -> float:
        """Return when a peer would have delivered one more block."""
        rate = peer.pace.rate(now)
        return now + max(peer.pace.rtt, peer.owed() / rate) + BLOCK / rate

    def _has_room(self, peer: _Peer, now: float, share: int) -> bool:
        return peer.open and not peer.silent and len(peer.queue) < peer.pace.depth(now, share=share)

    def _share(self) -> int:
        """Return how many blocks of what is wanted first would go to each peer."""
        missing = 0
        for piece in self._wanted:
            if missing >= _FIRST:
                break
            missing += self._pieces[piece].missing if piece in self._pieces else 0
        return math.ceil(min(missing, _FIRST) / BLOCK / max(1, self.serving, self.coming))

    def _ask(self, peer: _Peer, block: Block, now: float) -> None:
        if not peer.queue and not peer.cancelled:
            peer.pace.asked(now)
            peer.progress = 0
        peer.queue[block] = _Asked(now, len(peer.queue) + 1, clear=not peer.cancelled)
        state = self._pieces[block[0]]
        if state.free and state.free[-1] == block[1]:
            state.free.pop()
        state.holders.setdefault(block[1], []).append(peer.key)

    def _cancel(self, peer: _Peer, block: Block) -> Cancel:
        asked = peer.queue.pop(block)
        peer.cancelled[block] = asked.at
        return Cancel(peer.key, block)

    def _release(self, key: PeerKey, block: Block) -> None:
        """Let others be asked for a block that a peer will not send."""
        state = self._pieces.get(block[0])
        if state is None or block[1] not in state.holders:
            return
        holders = state.holders[block[1]]
        if key in holders:
            holders.remove(key)
        if not holders:
            del state.holders[block[1]]
            state.free.append(block[1])

    def _free_all(self, peer: _Peer) -> None:
        for block in list(peer.queue):
            peer.cancelled[block] = peer.queue.pop(block).at
            self._release(peer.key, block)

    def _is_untouched(self, piece: int) -> bool:
        state = self._pieces[piece]
        return not state.got and not state.holders

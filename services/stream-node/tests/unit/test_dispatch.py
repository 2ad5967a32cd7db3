"""The dispatcher in simulated swarms: a virtual clock, peers with a rate and a distance that answer in order."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

import pytest

from vod_stream_node.lane.dispatch import Ask, Dispatcher, Order
from vod_stream_node.lane.spans import Span
from vod_stream_node.lane.wire import BLOCK

KB = 1000
MIB = 1 << 20
BLOCKS = MIB // BLOCK


@dataclass(slots=True)
class Uplink:
    """A peer: blocks leave it one after the other; it has `buffered` of them beyond recall."""

    rate: float
    rtt: float
    pieces: frozenset[int] | None = None
    dies_at: float = float("inf")
    seems: float | None = None
    """The round trip that its handshake showed, if that was another."""
    free_at: float = 0.0
    sent: list[Span] = field(default_factory=list)
    cancelled: set[Span] = field(default_factory=set)

    def has(self, piece: int) -> bool:
        return self.pieces is None or piece in self.pieces


class Simulation:
    """A swarm and one viewer; pieces of 1 MiB unless said."""

    def __init__(self, uplinks: Sequence[Uplink], *, blocks: int = BLOCKS) -> None:
        self.now = 0.0
        self.uplinks = list(uplinks)
        self.here: dict[int, float] = {}
        self.wasted = 0
        self._blocks = blocks
        self._events: list[tuple[float, int, int, Span, bool]] = []
        self._order = count()
        self.dispatcher = Dispatcher(size_of=lambda _: blocks * BLOCK)
        for key, uplink in enumerate(uplinks):
            self.dispatcher.join(key, uplink.has, rtt=uplink.seems or uplink.rtt, now=0.0)
            self.dispatcher.unchoked(key)
        self._got: dict[int, int] = {}
        self._wanted: list[int] = []
        self._critical = 0

    def want(self, pieces: Sequence[int], *, critical: int = 1) -> None:
        self._wanted, self._critical = list(pieces), critical
        self._carry_out(self.dispatcher.want(self._wanted, critical=critical))
        self._carry_out(self.dispatcher.orders(self.now))

    def run(self, until: int, *, within: float) -> float:
        """Return how long it takes until a piece is here."""
        start, end = self.now, self.now + within
        tick = self.now
        while until not in self.here:
            if tick <= self.now:
                tick += 0.05
            if self._events and self._events[0][0] <= tick:
                self._deliver(*heapq.heappop(self._events))
            else:
                self.now = tick
                self.dispatcher.sweep(self.now)
                self._carry_out(self.dispatcher.orders(self.now))
            assert self.now < end, f"piece {until} is not here after {within} s"
        return self.here[until] - start

    @property
    def on_order(self) -> set[int]:
        """Pieces of which something is on its way."""
        return {span.piece for _, _, _, span, _ in self._events}

    def _deliver(self, at: float, _: int, key: int, span: Span, whole: bool) -> None:
        self.now = max(self.now, at)
        uplink = self.uplinks[key]
        if at > uplink.dies_at or (span in uplink.cancelled and span not in uplink.sent):
            return
        self.dispatcher.heard(key, span.length // 2, self.now)
        if not whole:
            uplink.sent.append(span)
            return
        useful, orders = self.dispatcher.received(key, span, self.now)
        self.wasted += not useful
        self._carry_out(orders)
        piece = span.piece
        if useful and self.dispatcher.is_complete(piece):
            self.here[piece] = self.now
            self.dispatcher.forget(piece)
            rest = [one for one in self._wanted if one != piece]
            self.want(rest, critical=self._critical)
        self._carry_out(self.dispatcher.orders(self.now, [key]))

    def _carry_out(self, orders: Sequence[Order]) -> None:
        for order in orders:
            uplink = self.uplinks[order.peer]
            if not isinstance(order, Ask):
                uplink.cancelled.add(order.span)
                continue
            uplink.cancelled.discard(order.span)
            leaves = max(self.now + uplink.rtt / 2, uplink.free_at)
            uplink.free_at = leaves + order.span.length / uplink.rate
            for share in (0.5, 1.0):
                arrives = leaves + share * order.span.length / uplink.rate + uplink.rtt / 2
                heapq.heappush(self._events, (arrives, next(self._order), order.peer, order.span, share == 1.0))


def near(peers: int, rate: float = 400 * KB, rtt: float = 0.06) -> list[Uplink]:
    return [Uplink(rate, rtt) for _ in range(peers)]


def floor(uplinks: Sequence[Uplink], size: int) -> float:
    """Return what the network needs at least: a round trip, and the bytes at the rate of all."""
    return min(uplink.rtt for uplink in uplinks) + size / sum(uplink.rate for uplink in uplinks)


@pytest.mark.parametrize(("peers", "rate", "rtt"), [(8, 400 * KB, 0.06), (6, 200 * KB, 0.08), (3, 3000 * KB, 0.15)])
def test_the_first_piece_comes_nearly_as_fast_as_the_network_allows(peers: int, rate: float, rtt: float) -> None:
    swarm = Simulation(near(peers, rate, rtt))
    swarm.want(range(60))

    took = swarm.run(0, within=5)

    assert took <= 1.1 * floor(swarm.uplinks, MIB)


@pytest.mark.parametrize(("peers", "rate", "rtt"), [(8, 400 * KB, 0.06), (6, 200 * KB, 0.08), (3, 3000 * KB, 0.15)])
def test_nothing_of_the_swarm_is_left_idle_and_little_is_asked_for_twice(peers: int, rate: float, rtt: float) -> None:
    swarm = Simulation(near(peers, rate, rtt))
    swarm.want(range(60))

    took = swarm.run(39, within=60)

    assert took <= 1.1 * floor(swarm.uplinks, 40 * MIB)
    assert swarm.wasted <= 0.02 * 40 * BLOCKS


@pytest.mark.parametrize(("peers", "rate", "rtt"), [(8, 400 * KB, 0.06), (6, 200 * KB, 0.08), (3, 3000 * KB, 0.15)])
def test_after_a_jump_little_of_the_old_stands_in_the_way(peers: int, rate: float, rtt: float) -> None:
    swarm = Simulation(near(peers, rate, rtt))
    swarm.want(range(60))
    swarm.run(4, within=10)

    swarm.want([500, *range(501, 550)])
    took = swarm.run(500, within=5)

    assert took <= 1.15 * floor(swarm.uplinks, MIB)


def test_what_follows_a_jump_is_asked_for_later_and_comes_right_behind() -> None:
    swarm = Simulation(near(3, 3000 * KB, 0.15))
    swarm.want(range(60))
    swarm.run(4, within=10)

    swarm.want([500, *range(501, 550)])
    at_once = swarm.on_order & set(range(500, 550))
    swarm.run(500, within=5)
    behind = swarm.run(501, within=5)

    assert at_once == {500}
    assert behind <= 1.1 * MIB / (3 * 3000 * KB)


def test_who_reads_on_has_less_on_order_than_who_has_just_jumped() -> None:
    swarm = Simulation(near(8))
    swarm.want(range(60))
    swarm.run(3, within=10)
    swarm.want([500, *range(501, 550)])

    swarm.run(500, within=5)
    at_first = [uplink.free_at - swarm.now for uplink in swarm.uplinks]
    swarm.run(503, within=5)
    later = [uplink.free_at - swarm.now for uplink in swarm.uplinks]

    assert max(later) < min(at_first)


def test_peers_that_hardly_answer_do_not_delay_what_a_viewer_waits_for() -> None:
    good = near(6)
    swarm = Simulation([*good, *(Uplink(1 * KB, 0.06, seems=seems) for seems in (0.06, 1.0))])
    swarm.want(range(60))

    first, third = swarm.run(0, within=5), swarm.run(2, within=10)

    assert first <= 1.5 * floor(good, MIB)
    assert third <= 1.3 * floor(good, 3 * MIB)


def test_a_peer_that_dies_is_replaced_by_the_others() -> None:
    swarm = Simulation([*near(5), Uplink(400 * KB, 0.06, dies_at=1.0)])
    swarm.want(range(60))

    took = swarm.run(9, within=20)

    assert took <= 1.3 * floor(near(5), 10 * MIB)


def test_a_slow_peer_gets_what_is_needed_later_and_not_what_is_needed_now() -> None:
    slow = Uplink(30 * KB, 0.06)
    swarm = Simulation([*near(8), slow])
    swarm.want(range(60))

    took = swarm.run(20, within=30)

    assert {piece for piece, *_ in slow.sent} - {0}
    assert took <= 1.15 * floor(near(8), 21 * MIB)


def test_a_piece_that_only_a_slow_peer_has_is_asked_of_it() -> None:
    others = [Uplink(400 * KB, 0.06, pieces=frozenset(range(1, 60))) for _ in range(4)]
    swarm = Simulation([*others, Uplink(100 * KB, 0.06)])
    swarm.want(range(60))

    took = swarm.run(0, within=30)

    assert took <= 1.3 * (0.06 + MIB / (100 * KB))


def test_large_pieces_and_small_ones_come_as_fast() -> None:
    large, small = Simulation(near(8), blocks=256), Simulation(near(8), blocks=1)
    large.want(range(10))
    small.want(range(1000))

    assert large.run(0, within=5) <= 1.1 * floor(near(8), 4 * MIB)
    assert small.run(63, within=5) <= 1.15 * floor(near(8), MIB)


def test_what_a_peer_owed_is_asked_of_others_when_it_leaves_or_chokes() -> None:
    swarm = Simulation(near(2))
    swarm.want([0])

    swarm.dispatcher.leave(0)
    swarm.dispatcher.choked(1, 0.0)
    swarm.dispatcher.unchoked(1)

    orders = swarm.dispatcher.orders(0.0)
    assert {order.peer for order in orders} == {1}
    assert {order.span for order in orders} <= {Span(0, index * BLOCK, BLOCK) for index in range(BLOCKS)}


def test_a_piece_with_wrong_data_is_asked_of_one_peer_alone_until_that_one_leaves() -> None:
    swarm = Simulation(near(3))
    swarm.dispatcher.want([0], critical=1)
    swarm.dispatcher.again(0, only=1)

    alone = {order.peer for order in swarm.dispatcher.orders(0.0)}
    swarm.dispatcher.leave(1)
    after = {order.peer for order in swarm.dispatcher.orders(0.0)}

    assert (alone, after) == ({1}, {0, 2})


def test_a_block_that_nobody_asked_for_is_of_no_use() -> None:
    swarm = Simulation(near(1))
    swarm.dispatcher.want([0], critical=1)

    assert swarm.dispatcher.received(0, Span(7, 0, BLOCK), 0.1) == (False, [])


def test_a_rejected_block_is_asked_for_again() -> None:
    swarm = Simulation(near(2), blocks=4)
    swarm.dispatcher.want([0], critical=1)
    asked = [order for order in swarm.dispatcher.orders(0.0) if order.peer == 0]

    for order in asked:
        swarm.dispatcher.rejected(0, order.span, 0.0)
    again = swarm.dispatcher.orders(0.0)

    assert asked
    assert {order.span for order in again} >= {order.span for order in asked}


def test_what_was_asked_for_before_the_size_of_the_piece_was_known_is_not_asked_for_again() -> None:
    sizes = {0: 16 * BLOCK}
    dispatcher = Dispatcher(size_of=sizes.__getitem__)
    for key in range(2):
        dispatcher.join(key, lambda _: True, rtt=0.06, now=0.0)
        dispatcher.unchoked(key)
    dispatcher.want([0], critical=1)
    early = [order.span for order in dispatcher.orders(0.0)]

    sizes[0] = 64 * BLOCK
    dispatcher.resize(0, sizes[0])
    dispatcher.want([0], critical=1)
    later = [order.span for order in dispatcher.orders(0.1)]

    assert sum(span.length for span in early) == 16 * BLOCK
    assert later
    assert not {*early} & {*later}


def test_a_piece_that_is_smaller_than_was_thought_is_begun_again() -> None:
    dispatcher = Dispatcher(size_of=lambda _: 16 * BLOCK)
    dispatcher.join(0, lambda _: True, rtt=0.06, now=0.0)
    dispatcher.unchoked(0)
    dispatcher.want([0], critical=1)
    dispatcher.orders(0.0)

    dispatcher.resize(0, BLOCK)

    assert dispatcher.received(0, Span(0, BLOCK, BLOCK), 0.1) == (False, [])
    assert Ask(0, Span(0, 0, BLOCK)) in dispatcher.orders(0.1)

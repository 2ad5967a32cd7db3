import hashlib
import random

from vod_stream_node.lane.pieces import Finished, Pieces, Sender, Verdict
from vod_stream_node.lane.spans import Span
from vod_stream_node.lane.wire import BLOCK

SIZE = 4 * BLOCK - 100
GOOD = random.Random(1).randbytes(SIZE)
BAD = bytes(BLOCK)
ANNA, BEN, EVE = ("192.0.2.1", 1), ("192.0.2.2", 2), ("192.0.2.3", 3)


def block(index: int) -> bytes:
    return GOOD[index * BLOCK : (index + 1) * BLOCK]


def send(to: Pieces, senders: list[Sender], order: tuple[int, ...] = (0, 1, 2, 3)) -> None:
    """Put all blocks, each from its sender; those of Eve are wrong."""
    for index in order:
        data = BAD[: len(block(index))] if senders[index] is EVE else block(index)
        to.put(Span(0, index * BLOCK, len(data)), data, senders[index])


def judged(growing: Pieces) -> Finished:
    return growing.finish(0, hashlib.sha1(GOOD, usedforsecurity=False).digest())


def test_a_piece_is_good_in_whatever_order_its_blocks_came() -> None:
    growing = Pieces()
    send(growing, [ANNA, BEN, ANNA, BEN], order=(3, 1, 0, 2))

    finished = judged(growing)

    assert (finished.verdict, finished.data, finished.liars) == (Verdict.GOOD, GOOD, frozenset())
    assert growing.held == 0


def test_who_sent_a_bad_piece_alone_is_a_liar() -> None:
    growing = Pieces()
    send(growing, [EVE] * 4)

    finished = judged(growing)

    assert (finished.verdict, finished.data, finished.liars) == (Verdict.BAD, b"", frozenset({EVE}))


def test_of_several_senders_the_liar_is_found_when_the_piece_is_good() -> None:
    growing = Pieces()
    send(growing, [ANNA, EVE, BEN, BEN])
    first = judged(growing)

    send(growing, [BEN] * 4)
    second = judged(growing)

    assert (first.verdict, first.liars) == (Verdict.BAD, frozenset())
    assert (second.verdict, second.data, second.liars) == (Verdict.GOOD, GOOD, frozenset({EVE}))


def test_a_liar_is_found_although_the_piece_came_in_other_parts_the_second_time() -> None:
    growing = Pieces()
    send(growing, [ANNA, EVE, BEN, BEN])
    judged(growing)

    for begin in range(0, SIZE, BLOCK // 4):
        part = GOOD[begin : begin + BLOCK // 4]
        growing.put(Span(0, begin, len(part)), part, BEN)

    assert judged(growing) == Finished(Verdict.GOOD, GOOD, frozenset({EVE}))


def test_the_first_bytes_can_be_seen_before_the_piece_is_whole() -> None:
    growing = Pieces()
    growing.put(Span(0, BLOCK, BLOCK), block(1), ANNA)
    growing.put(Span(0, 2 * BLOCK, 100), block(2)[:100], ANNA)

    assert growing.peek(0, BLOCK + 10) == GOOD[BLOCK + 10 : 2 * BLOCK + 100]
    assert (growing.peek(0, 0), growing.peek(0, 3 * BLOCK), growing.peek(9, 0)) == (b"", b"", b"")


def test_what_is_dropped_takes_no_memory() -> None:
    growing = Pieces()
    growing.put(Span(0, BLOCK, BLOCK), block(1), ANNA)
    held = growing.held

    growing.drop(0)

    assert (held, growing.held) == (BLOCK, 0)

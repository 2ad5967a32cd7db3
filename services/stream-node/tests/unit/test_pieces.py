import hashlib
import random

from vod_stream_node.lane.pieces import Pieces, Sender, Verdict
from vod_stream_node.lane.wire import BLOCK

SIZE = 4 * BLOCK - 100
GOOD = random.Random(1).randbytes(SIZE)
BAD = bytes(BLOCK)
ANNA, BEN, EVE = ("192.0.2.1", 1), ("192.0.2.2", 2), ("192.0.2.3", 3)


def pieces() -> Pieces:
    digest = hashlib.sha1(GOOD, usedforsecurity=False).digest()
    return Pieces(size_of=lambda _: SIZE, hash_of=lambda _: digest)


def block(index: int) -> bytes:
    return GOOD[index * BLOCK : (index + 1) * BLOCK]


def send(to: Pieces, senders: list[Sender], order: tuple[int, ...] = (0, 1, 2, 3)) -> None:
    """Put all blocks, each from its sender; those of Eve are wrong."""
    for index in order:
        data = BAD[: len(block(index))] if senders[index] is EVE else block(index)
        to.put(0, index, data, senders[index])


def test_a_piece_is_good_in_whatever_order_its_blocks_came() -> None:
    growing = pieces()
    send(growing, [ANNA, BEN, ANNA, BEN], order=(3, 1, 0, 2))

    finished = growing.finish(0)

    assert (finished.verdict, finished.data, finished.liars) == (Verdict.GOOD, GOOD, frozenset())
    assert growing.held == 0


def test_the_last_block_may_be_shorter() -> None:
    assert [pieces().length(0, index) for index in range(4)] == [BLOCK, BLOCK, BLOCK, BLOCK - 100]


def test_who_sent_a_bad_piece_alone_is_a_liar() -> None:
    growing = pieces()
    send(growing, [EVE] * 4)

    finished = growing.finish(0)

    assert (finished.verdict, finished.data, finished.liars) == (Verdict.BAD, b"", frozenset({EVE}))


def test_of_several_senders_the_liar_is_found_when_the_piece_is_good() -> None:
    growing = pieces()
    send(growing, [ANNA, EVE, BEN, BEN])
    first = growing.finish(0)

    send(growing, [BEN] * 4)
    second = growing.finish(0)

    assert (first.verdict, first.liars) == (Verdict.BAD, frozenset())
    assert (second.verdict, second.data, second.liars) == (Verdict.GOOD, GOOD, frozenset({EVE}))


def test_the_first_bytes_can_be_seen_before_the_piece_is_whole() -> None:
    growing = pieces()
    growing.put(0, 1, block(1), ANNA)
    growing.put(0, 2, block(2), ANNA)

    assert growing.peek(0, BLOCK + 10) == GOOD[BLOCK + 10 : 3 * BLOCK]
    assert (growing.peek(0, 0), growing.peek(9, 0)) == (b"", b"")

"""What of a piece is asked of whom, and what has come of it."""

from vod_stream_node.lane.spans import Coming, Span
from vod_stream_node.lane.wire import BLOCK

ANNA, BEN = 1, 2


def test_a_piece_is_cut_into_spans_that_stay_within_blocks_and_end_where_it_ends() -> None:
    piece = Coming(2 * BLOCK + 100)

    taken = [piece.take(7, most, ANNA) for most in (BLOCK // 4, BLOCK, BLOCK, BLOCK)]

    assert [(span.begin, span.length) for span in taken] == [
        (0, BLOCK // 4),
        (BLOCK // 4, BLOCK * 3 // 4),
        (BLOCK, BLOCK),
        (2 * BLOCK, 100),
    ]
    assert not piece.is_free


def test_what_a_peer_will_not_send_is_asked_for_again_as_it_was() -> None:
    piece = Coming(2 * BLOCK)
    span = piece.take(7, BLOCK, ANNA)
    piece.release(span, ANNA)

    again = piece.take(7, BLOCK // 4, BEN)

    assert (again, piece.holders) == (span, {span: [BEN]})


def test_a_span_counts_once_and_whom_else_it_was_asked_of_is_told() -> None:
    piece = Coming(BLOCK)
    span = piece.take(7, BLOCK, ANNA)
    piece.holders[span].append(BEN)

    first, second = piece.came(span, BEN), piece.came(span, ANNA)

    assert (first, second) == ([ANNA], None)
    assert piece.missing == 0


def test_what_was_given_up_is_of_use_when_it_comes_all_the_same() -> None:
    piece = Coming(BLOCK)
    span = piece.take(7, BLOCK, ANNA)
    piece.release(span, ANNA)

    assert piece.came(span, ANNA) == []
    assert not piece.is_free


def test_nothing_counts_that_was_not_asked_for_or_that_only_another_may_send() -> None:
    piece, sealed = Coming(BLOCK), Coming(BLOCK, only=BEN)
    span = sealed.take(7, BLOCK, BEN)

    assert piece.came(Span(7, 0, BLOCK), ANNA) is None
    assert sealed.came(span, ANNA) is None

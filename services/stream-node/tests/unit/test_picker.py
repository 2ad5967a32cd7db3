from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from vod_stream_node.domain import Purpose
from vod_stream_node.picker import (
    AHEAD,
    ENDS,
    FOLLOWING,
    NEAR,
    NOTHING,
    REST,
    SOON,
    WAITED,
    Demand,
    NextFill,
    Plan,
    changes,
    ends,
    is_starving,
    plan,
    sequence,
)

MIB = 1 << 20
FILE = range(10, 110)
CURRENT, NEXT = Purpose.CURRENT, Purpose.NEXT

purposes = st.sampled_from(Purpose)
fills = st.sampled_from(NextFill)
pieces_here = st.frozensets(st.integers(0, 130))


@st.composite
def demands(draw: st.DrawFn) -> Demand:
    start = draw(st.integers(0, 100))
    pieces = range(start, start + draw(st.integers(1, 30)))
    readers = draw(st.lists(st.sampled_from(pieces), max_size=3))
    return Demand(pieces=pieces, purpose=draw(purposes), readers=tuple(readers))


def levels(asked: Plan, pieces: range) -> list[int]:
    return [asked.level(piece) for piece in pieces]


def test_nothing_is_asked_for_before_a_pin_says_so() -> None:
    asked = plan([], frozenset(), piece_length=MIB, next_fill=NextFill.ALLOWED)

    assert levels(asked, range(120)) == [NOTHING] * 120


def test_a_current_file_gets_its_first_and_last_bytes_first_and_the_rest_after() -> None:
    asked = plan([Demand(FILE, CURRENT)], frozenset(), piece_length=MIB, next_fill=NextFill.HELD)

    assert levels(asked, FILE) == [ENDS] * 2 + [REST] * 97 + [ENDS]


def test_pieces_outside_of_the_wanted_file_are_never_asked_for() -> None:
    asked = plan([Demand(FILE, CURRENT, (50,))], frozenset(), piece_length=MIB, next_fill=NextFill.ALLOWED)

    assert levels(asked, range(10)) + levels(asked, range(110, 120)) == [NOTHING] * 20


def test_what_a_reader_waits_for_comes_before_all_else_and_falls_with_distance() -> None:
    asked = plan([Demand(FILE, CURRENT, (50,))], frozenset(), piece_length=MIB, next_fill=NextFill.HELD)

    assert levels(asked, range(50, 85)) == [WAITED] * 2 + [SOON] * 2 + [NEAR] * 6 + [AHEAD] * 24 + [REST]
    assert asked.level(10) == ENDS


def test_the_window_is_counted_in_missing_pieces_so_it_moves_as_they_arrive() -> None:
    have = frozenset({50, 51, 53})

    asked = plan([Demand(FILE, CURRENT, (50,))], have, piece_length=MIB, next_fill=NextFill.HELD)

    assert [asked.level(piece) for piece in (52, 54, 55)] == [WAITED, WAITED, SOON]


def test_several_readers_have_windows_of_their_own_and_one_that_left_has_none() -> None:
    both = plan([Demand(FILE, CURRENT, (20, 70))], frozenset(), piece_length=MIB, next_fill=NextFill.HELD)
    one = plan([Demand(FILE, CURRENT, (70,))], frozenset(), piece_length=MIB, next_fill=NextFill.HELD)

    assert [both.level(20), both.level(70)] == [WAITED, WAITED]
    assert [one.level(20), one.level(70)] == [REST, WAITED]


def test_with_pieces_larger_than_the_window_still_one_is_waited_for() -> None:
    asked = plan([Demand(FILE, CURRENT, (50,))], frozenset(), piece_length=16 * MIB, next_fill=NextFill.HELD)

    assert levels(asked, range(50, 56)) == [WAITED, SOON, NEAR, AHEAD, AHEAD, REST]


def test_the_rest_of_a_next_file_waits_until_nothing_current_lacks_anything() -> None:
    held = plan([Demand(FILE, NEXT)], frozenset(), piece_length=MIB, next_fill=NextFill.HELD)
    allowed = plan([Demand(FILE, NEXT)], frozenset(), piece_length=MIB, next_fill=NextFill.ALLOWED)

    assert levels(held, FILE) == [NEAR] * 2 + [NOTHING] * 97 + [NEAR]
    assert levels(allowed, FILE) == [NEAR] * 2 + [FOLLOWING] * 97 + [NEAR]


def test_once_a_viewer_has_all_to_the_end_the_next_file_comes_before_what_he_skipped() -> None:
    here, later = frozenset(range(50, 110)), range(110, 120)
    wanted = [Demand(FILE, CURRENT, (60,)), Demand(later, NEXT)]

    asked = plan(wanted, here, piece_length=MIB, next_fill=NextFill.ALLOWED)
    order, _ = sequence(wanted, here, piece_length=MIB, next_fill=NextFill.ALLOWED, limit=100)

    assert (asked.level(115), asked.level(40)) == (FOLLOWING, REST)
    assert order == [10, 11, 110, 111, 119, *range(112, 119), *range(12, 50)]


def test_nothing_of_a_next_file_is_asked_for_while_a_viewer_has_little_ahead() -> None:
    asked = plan([Demand(FILE, NEXT)], frozenset(), piece_length=MIB, next_fill=NextFill.STOPPED)
    order, _ = sequence([Demand(FILE, NEXT)], frozenset(), piece_length=MIB, next_fill=NextFill.STOPPED, limit=50)

    assert (levels(asked, FILE), order) == ([NOTHING] * 100, [])


def test_how_much_comes_before_the_rest_depends_on_the_window() -> None:
    wide = plan([Demand(FILE, CURRENT, (50,), window=40 * MIB)], frozenset(), piece_length=MIB, next_fill=NextFill.HELD)
    narrow = plan(
        [Demand(FILE, CURRENT, (50,), window=8 * MIB)], frozenset(), piece_length=MIB, next_fill=NextFill.HELD
    )

    assert [sum(plan_.level(piece) >= AHEAD for piece in range(50, 105)) for plan_ in (wide, narrow)] == [42, 10]


def test_with_two_viewers_each_window_comes_before_the_rest_of_any() -> None:
    both = [
        Demand(range(0, 100), CURRENT, (10,), window=6 * MIB),
        Demand(range(100, 200), CURRENT, (110,), window=20 * MIB),
    ]

    order, _ = sequence(both, frozenset(), piece_length=MIB, next_fill=NextFill.HELD, limit=200)

    # 4 and 4 at once, both files' ends, 2 and 16 of the windows, then the rest.
    windows = {*range(10, 16), *range(110, 130)}
    before = max(order.index(piece) for piece in windows)
    assert before < min(order.index(piece) for piece in range(16, 98))


def test_a_viewer_is_starving_until_the_pieces_ahead_of_him_are_here() -> None:
    assert is_starving(50, FILE, frozenset(range(50, 57)), MIB)
    assert not is_starving(50, FILE, frozenset(range(50, 58)), MIB)
    assert is_starving(50, FILE, frozenset(range(50, 58)), MIB, comfort=9 * MIB)
    assert not is_starving(50, FILE, frozenset(range(50, 52)), MIB, comfort=2 * MIB)


def test_near_the_end_a_viewer_needs_no_more_than_what_is_left() -> None:
    assert not is_starving(FILE.stop - 2, FILE, frozenset(FILE[-2:]), MIB)


def test_the_order_begins_where_the_viewer_has_jumped_to_then_the_index_then_older_readers() -> None:
    watched = Demand(FILE, CURRENT, (108, 20), index=range(107, 110))

    order, waited = sequence([watched], frozenset({108}), piece_length=MIB, next_fill=NextFill.HELD, limit=6)

    assert (order, waited) == ([109, 107, 20, 21, 22, 23], 3)


def test_however_large_pieces_are_the_next_one_comes_before_the_end_of_the_file() -> None:
    watched = Demand(FILE, CURRENT, (30,))
    order, _ = sequence([watched], frozenset(), piece_length=8 * MIB, next_fill=NextFill.HELD, limit=4)

    assert order == [30, 31, 10, 109]


def test_without_a_reader_nobody_waits_and_the_first_bytes_come_first() -> None:
    order, waited = sequence([Demand(FILE, CURRENT)], frozenset(), piece_length=MIB, next_fill=NextFill.HELD, limit=5)

    assert (order, waited) == ([10, 11, 109, 12, 13], 0)


@given(wanted=st.lists(demands(), max_size=4), have=pieces_here, fill=fills)
def test_every_piece_that_the_plan_wants_is_in_the_order_once(
    wanted: list[Demand], have: frozenset[int], fill: NextFill
) -> None:
    wanted = [replace(demand, purpose=CURRENT) if demand.readers else demand for demand in wanted]
    asked = plan(wanted, have, piece_length=MIB, next_fill=fill)

    order, waited = sequence(wanted, have, piece_length=MIB, next_fill=fill, limit=1_000)

    assert sorted(order) == [piece for piece in range(140) if asked.level(piece) and piece not in have]
    assert waited <= len(order)


def test_a_piece_that_two_files_share_gets_the_stronger_wish() -> None:
    both = [Demand(range(0, 11), NEXT), Demand(range(10, 40), CURRENT)]

    asked = plan(both, frozenset(), piece_length=MIB, next_fill=NextFill.HELD)

    assert asked.level(10) == ENDS


def test_the_ends_of_a_small_file_are_the_whole_of_it() -> None:
    assert (range(5, 7), range(6, 7)) == ends(range(5, 7), MIB)
    assert (range(0), range(0)) == ends(range(0), MIB)


@given(wanted=st.lists(demands(), max_size=4), have=pieces_here, fill=fills, length=st.sampled_from([1 << 18, MIB]))
def test_only_wanted_pieces_are_asked_for_and_of_current_files_all(
    wanted: list[Demand], have: frozenset[int], fill: NextFill, length: int
) -> None:
    asked = plan(wanted, have, piece_length=length, next_fill=fill)

    for piece in range(140):
        named = [demand for demand in wanted if piece in demand.pieces]
        assert bool(named) or asked.level(piece) == NOTHING
        if piece not in have and any(demand.purpose is CURRENT for demand in named):
            assert asked.level(piece) >= REST


@given(wanted=st.lists(demands(), max_size=4), have=pieces_here, fill=fills)
def test_the_next_missing_piece_of_each_reader_is_waited_for(
    wanted: list[Demand], have: frozenset[int], fill: NextFill
) -> None:
    asked = plan(wanted, have, piece_length=MIB, next_fill=fill)

    for demand in wanted:
        for reader in demand.readers:
            missing = [piece for piece in range(reader, demand.pieces.stop) if piece not in have]
            assert all(asked.level(piece) == WAITED for piece in missing[:2])


@given(first=st.lists(demands(), max_size=4), second=st.lists(demands(), max_size=4), have=pieces_here, fill=fills)
def test_the_changes_turn_one_plan_into_the_other(
    first: list[Demand], second: list[Demand], have: frozenset[int], fill: NextFill
) -> None:
    before = plan(first, have, piece_length=MIB, next_fill=fill)
    after = plan(second, have, piece_length=MIB, next_fill=fill)
    priorities = {piece: before.level(piece) for piece in range(140)}

    priorities.update(changes(before, after))

    assert {piece: after.level(piece) for piece in range(140)} == priorities
    assert changes(after, after) == []

from vod_stream_node.readers import Readers


def test_who_has_got_nothing_yet_comes_first_and_then_who_has_waited_longest() -> None:
    readers = Readers(lambda: 0.0)
    first, second, third = (readers.open(0, 0) for _ in range(3))
    for reader, piece in ((first, 10), (second, 20), (third, 30)):
        readers.move(reader, piece)
    fresh = readers.pieces(0)

    readers.move(third, 31)
    readers.move(first, 11)
    served = readers.pieces(0)
    readers.move(second, 21)

    assert fresh == [30, 20, 10]
    assert served == [20, 31, 11]
    assert readers.pieces(0) == [31, 11, 21]


def test_a_reader_that_left_is_nowhere_and_files_are_kept_apart() -> None:
    readers = Readers(lambda: 0.0)
    one, two = readers.open(0, 5), readers.open(1, 7)
    moved, stayed = readers.move(one, 6), readers.move(one, 6)

    readers.close(one)

    assert (moved, stayed) == (True, False)
    assert (readers.pieces(0), readers.pieces(1), readers.files(), len(readers)) == ([], [7], {1}, 1)
    readers.close(two)


def test_who_does_not_take_what_is_offered_for_long_is_not_among_those_who_take() -> None:
    now = 0.0
    readers = Readers(lambda: now)
    quick, slow = readers.open(0, 5), readers.open(1, 7)
    with readers.offering(slow):
        now = 10.0
        patient = readers.taking(within=10)
        with readers.offering(quick):
            now = 10.1
            taking = readers.taking(within=10)
    again = readers.taking(within=10)

    assert patient == again == [(0, 5), (1, 7)]
    assert taking == [(0, 5)]

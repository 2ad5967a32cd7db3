"""Seconds of media in bytes."""

import pytest

from vod_stream_node.read_ahead import ReadAhead, ReadAheads

MB = 1_000_000
MIB = 1 << 20


def test_as_long_as_nobody_knows_how_fast_it_plays_bytes_are_counted() -> None:
    assert ReadAheads().of(0) == ReadAhead(window=32 * MIB, comfort=8 * MIB)


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (MB, ReadAhead(window=32 * MB, comfort=8 * MB)),
        (5 * MB, ReadAhead(window=160 * MB, comfort=40 * MB)),
        (20_000, ReadAhead(window=8 * MIB, comfort=2 * MIB)),  # the least
        (100 * MB, ReadAhead(window=512 * MIB, comfort=64 * MIB)),  # the most
    ],
)
def test_a_window_is_half_a_minute_of_what_is_watched(rate: int, expected: ReadAhead) -> None:
    ahead = ReadAheads()

    ahead.plays(0, rate)

    assert ahead.of(0) == expected
    assert ahead.of(1) == ReadAhead()  # nobody knows of the others


def test_it_is_three_times_as_long_while_the_swarm_is_rich() -> None:
    ahead = ReadAheads()
    ahead.plays(0, MB)

    seen = [(ahead.swarm_gives(rate * MB), ahead.of(0).window // MB) for rate in (1.9, 2.0, 1.6, 1.4, 1.6)]

    # What wavers around the limit changes nothing.
    assert seen == [(False, 32), (True, 96), (False, 96), (True, 32), (False, 32)]

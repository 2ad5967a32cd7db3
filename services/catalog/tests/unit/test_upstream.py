"""Turns, and how long to wait."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_catalog.upstream import TokenBucket, retry_after

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_a_burst_is_free_and_then_turns_come_at_the_rate() -> None:
    turns = TokenBucket(per_second=2, burst=3)

    assert [turns.take(0) for _ in range(5)] == [0, 0, 0, 0.5, 1.0]


def test_waiting_earns_turns_but_no_more_than_a_burst() -> None:
    turns = TokenBucket(per_second=2, burst=3)
    for _ in range(3):
        turns.take(0)

    assert [turns.take(100) for _ in range(4)] == [0, 0, 0, 0.5]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_no_window_sees_more_than_the_burst_and_the_rate_allow(pauses: list[float]) -> None:
    turns = TokenBucket(per_second=5, burst=3)
    now, sent = 0.0, []
    for pause in pauses:
        now += pause
        sent.append(now + turns.take(now))

    for start in range(len(sent)):
        for end in range(start, len(sent)):
            assert end - start + 1 <= 3 + 5 * (sent[end] - sent[start]) + 1e-6


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("7", timedelta(seconds=7)),
        (" 0 ", timedelta(0)),
        ("Sun, 01 Mar 2026 12:01:00 GMT", timedelta(minutes=1)),
        ("Sun, 01 Mar 2026 11:00:00 GMT", timedelta(0)),
        ("", None),
        ("soon", None),
        ("-5", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, wait: timedelta | None) -> None:
    assert retry_after(header, now=NOW) == wait

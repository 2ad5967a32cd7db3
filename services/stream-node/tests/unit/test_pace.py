"""How much is asked of a peer at a time, by what it showed; the clock is a number."""

import pytest

from vod_stream_node.lane.pace import Asked, Pace
from vod_stream_node.lane.spans import Span
from vod_stream_node.lane.uplink import Uplink
from vod_stream_node.lane.wire import BLOCK

KB = 1000
SHARE = 1 << 20


def served(pace: Pace, *, rate: float, rtt: float, seconds: float, start: float = 0.0) -> float:
    """Let a peer answer what its window allows, in order and at its rate; return when it ended."""
    now, free_at = start, start
    waiting: list[tuple[float, Asked, int]] = []
    owed = 0
    pace.asked(now)
    while now < start + seconds:
        while owed < pace.window(now, share=SHARE) - pace.span // 5:
            size = pace.span
            owed += size
            free_at = max(free_at, now + rtt) + size / rate
            waiting.append((free_at, Asked(now, owed, clear=True, ruled=pace.is_known), size))
        now, asked, size = waiting.pop(0)
        owed -= size
        pace.came(size, now)
        pace.measure(now)
        pace.answered(asked, size, now, outstanding=owed)
    return now


def test_a_slow_peer_is_asked_for_less_at_a_time_than_a_fast_one() -> None:
    slow, middling, fast = Pace(0.06), Pace(0.06), Pace(0.06)
    for pace, rate in ((slow, 100 * KB), (middling, 800 * KB), (fast, 3000 * KB)):
        served(pace, rate=rate, rtt=0.06, seconds=3)

    assert (slow.span, middling.span, fast.span) == (BLOCK // 4, BLOCK // 2, BLOCK)


def test_of_a_peer_that_has_shown_nothing_its_share_is_asked_and_no_more() -> None:
    assert Pace(0.06).window(0.0, share=32 << 10) == 32 << 10
    assert Pace(0.06).window(0.0, share=100 << 20) == 4 * BLOCK + 180_000


def test_the_window_is_what_the_way_holds_and_hardly_more() -> None:
    pace = Pace(0.06)
    now = served(pace, rate=400 * KB, rtt=0.06, seconds=8)

    held = 0.06 * 400 * KB
    assert held <= pace.window(now + 1, share=SHARE) <= 2 * held


def test_a_far_and_fast_peer_is_used_in_full() -> None:
    pace = Pace(0.15)
    now = served(pace, rate=3000 * KB, rtt=0.15, seconds=8)

    assert pace.window(now + 1, share=SHARE) >= 0.15 * 3000 * KB


def test_a_first_answer_that_was_late_does_not_make_a_peer_seem_far_for_good() -> None:
    pace = Pace(0.06)
    late = served(pace, rate=400 * KB, rtt=0.16, seconds=0.3)

    now = served(pace, rate=400 * KB, rtt=0.06, seconds=12, start=late)

    assert pace.window(now + 1, share=SHARE) <= 2 * 0.06 * 400 * KB


def test_for_what_a_viewer_waits_more_may_be_outstanding() -> None:
    pace = Pace(0.06)
    now = served(pace, rate=400 * KB, rtt=0.06, seconds=3)

    assert pace.window(now, share=SHARE, spare=0.03) >= pace.window(now, share=SHARE) + int(0.03 * 390 * KB)


def test_answers_to_what_was_asked_for_earlier_do_not_make_a_window_grow_again_and_again() -> None:
    pace = Pace(0.06)
    now = served(pace, rate=400 * KB, rtt=0.06, seconds=4)
    asked = Asked(now, 40 * KB, clear=True, ruled=True)

    for _ in range(20):  # nothing seems to queue: half a round trip ago less was on order
        pace.answered(asked, pace.span, now + 0.06 + pace.span / (400 * KB), outstanding=50 * KB)

    assert pace.window(now + 1, share=SHARE) <= 40 * KB + pace.span


def test_a_silence_that_comes_of_asking_too_late_does_not_make_a_peer_seem_slow() -> None:
    pace = Pace(0.15)
    now = served(pace, rate=3000 * KB, rtt=0.15, seconds=0.3)
    before = pace.rate(now)

    pace.waits(now)  # and not before: nothing can come for 0.15 s
    meanwhile = pace.rate(now + 0.14)
    pace.came(BLOCK, now + 0.15)
    after = pace.rate(now + 0.15)
    silent = pace.rate(now + 0.45)

    assert (meanwhile, after) == pytest.approx((before, before), rel=0.01)
    assert silent < 0.8 * before


def test_a_peer_that_was_asked_in_two_goes_is_not_slow_between_them() -> None:
    uplink = Uplink(0, lambda _: True, Pace(0.15), heard=0.0)
    spans = [Span(0, index * BLOCK, BLOCK) for index in range(16)]
    for span in spans[:8]:
        uplink.ask(span, 0.0)
    for span in spans[8:]:
        uplink.ask(span, 0.14)

    for index, span in enumerate(spans[:8]):
        now = 0.15 + 0.005 * (index + 1)
        uplink.pace.came(BLOCK, now)
        uplink.came(span, now)

    assert uplink.pace.rate(0.28) >= 0.9 * uplink.pace.rate(0.19)

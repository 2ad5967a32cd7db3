"""How much is asked of a peer at a time, by what it showed; the clock is a number."""

from vod_stream_node.lane.pace import Asked, Pace
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
        pace.answered(asked, size, now)
    return now


def test_a_slow_peer_is_asked_for_less_at_a_time_than_a_fast_one() -> None:
    slow, middling, fast = Pace(0.06), Pace(0.06), Pace(0.06)
    for pace, rate in ((slow, 100 * KB), (middling, 400 * KB), (fast, 3000 * KB)):
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

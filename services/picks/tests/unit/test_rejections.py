"""Rejections fade, and those that come again last longer."""

from datetime import UTC, datetime, timedelta

import pytest

from vod_picks.rejections import HALF_LIFE, RejectionReason, Weight

NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)


@pytest.mark.parametrize("reason", list(RejectionReason))
def test_one_strike_blocks_for_one_half_life(reason: RejectionReason) -> None:
    half_life = HALF_LIFE[reason]

    weight = Weight(0.0, NOW).after_strike(at=NOW, half_life=half_life)

    assert weight.blocks_until(half_life=half_life) == NOW + half_life


def test_what_is_struck_again_as_soon_as_it_is_free_stays_away_longer() -> None:
    half_life = timedelta(hours=2)
    weight, at, blocked = Weight(0.0, NOW), NOW, []
    for _ in range(4):
        weight = weight.after_strike(at=at, half_life=half_life)
        blocked.append(weight.blocks_until(half_life=half_life) - at)
        at = weight.blocks_until(half_life=half_life)

    hours = [round(one / timedelta(hours=1), 2) for one in blocked]
    assert hours == [2.0, 3.17, 3.17, 3.17]


def test_what_was_long_ago_is_forgotten() -> None:
    half_life = timedelta(hours=2)
    old = Weight(1.0, NOW - timedelta(days=3))

    assert old.after_strike(at=NOW, half_life=half_life).value == pytest.approx(1.0, abs=1e-6)

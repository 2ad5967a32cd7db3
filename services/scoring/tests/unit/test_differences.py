"""Why one release goes before another, in words."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from vod_scoring.differences import Difference, Line, Placed, differences, summary
from vod_scoring.domain import Tier

GOOD = Placed(
    title="Good",
    tier=Tier.OK,
    score_micro=800_000,
    lines={"health": Line(400_000, "44 seeders for 2.0 Mbit/s"), "quality": Line(400_000, "1080p")},
    gates=(),
    unknowns=(),
    version=1,
    seeders=44,
)
POOR = replace(
    GOOD,
    title="Poor",
    score_micro=700_000,
    lines={"health": Line(288_000, "9 seeders for 14.0 Mbit/s"), "quality": Line(412_000, "2160p")},
)


def test_the_largest_difference_is_told_first_with_both_sides() -> None:
    assert differences(GOOD, POOR) == [
        Difference("health", 112_000, "44 seeders for 2.0 Mbit/s - the other: 9 seeders for 14.0 Mbit/s"),
        Difference("quality", -12_000, "1080p - the other: 2160p"),
    ]
    assert summary(GOOD, POOR) == "Good goes first, by 10.0 points of 100, most of them for health."


def test_what_is_not_playable_says_why_it_comes_last() -> None:
    cam = replace(POOR, tier=Tier.REFUSED, score_micro=990_000, gates=("the source is bad: CAM",))
    few = replace(POOR, tier=Tier.LAST_RESORT, gates=("only 1 of 3 seeders reported by Breakwater",))
    vague = replace(POOR, tier=Tier.UNVERIFIED, unknowns=("seeders",))

    assert summary(cam, GOOD) == "Good goes first: Poor is refused (the source is bad: CAM)."
    assert summary(GOOD, few).endswith("Poor is only a last resort (only 1 of 3 seeders reported by Breakwater).")
    assert summary(GOOD, vague).endswith("Poor comes behind all of which everything is known (seeders not known).")


def test_equal_points_are_told_apart_by_what_decides_then() -> None:
    later = replace(GOOD, title="Later", version=2)
    fewer = replace(GOOD, title="Fewer", seeders=3)

    assert "Later goes first, because it is the later issue" in summary(GOOD, later)
    assert "Good goes first, because it has more seeders" in summary(fewer, GOOD)
    assert "hash decide" in summary(GOOD, replace(GOOD, title="Same"))


placed = st.builds(
    replace, st.just(GOOD), tier=st.sampled_from(Tier), score_micro=st.integers(0, 10**6), version=st.integers(1, 2)
)


@given(placed, placed)
def test_the_sentence_does_not_depend_on_who_is_asked_about_first(one: Placed, other: Placed) -> None:
    other = replace(other, title="Other")

    assert summary(one, other).split(" goes first")[0] == summary(other, one).split(" goes first")[0]

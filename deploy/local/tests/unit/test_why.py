"""`vod why` tells what decided, in words."""

from typing import Any

from vod_local.why import compared, differences, explained, points

GOOD = {"health": 0.5, "quality": 1.0, "size": 1.0, "consistency": 0.5}
LOUD = {"health": 1.0, "quality": 0.6, "size": 1.0, "consistency": 0.5}


def candidate(digit: str, score: dict[str, float], *reasons: str, tier: str = "ok") -> dict[str, Any]:
    return {"infohash": digit * 40, "title": f"Release {digit}", "tier": tier, "score": score, "reasons": reasons}


def test_the_pick_is_marked_and_each_candidate_has_its_reasons() -> None:
    answer = {
        "picks": [
            {"id": 2, "infohash": "b" * 40, "title": "Release b", "filePath": "b.mkv", "pickedAt": "today"}
            | {"replacesPickId": 1, "replaced": False, "replacedBecause": None},
            {"id": 1, "title": "Release a", "replacedBecause": "rejected: it stalled"},
        ],
        "candidates": [
            candidate("a", LOUD, "nobody told within 4.0 s what is in it"),
            candidate("b", GOOD, "12 seeders"),
            candidate("c", GOOD, "filmed in a cinema", tier="refused"),
        ],
    }

    assert explained("Harbor Lights S1E2", answer) == [
        "Harbor Lights S1E2: Release b",
        "  picked at today, file b.mkv",
        "  in place of Release a, rejected: it stalled",
        "",
        "chosen from, best first (points of 100; claims about swarms are checked in the race):",
        "   1.  83.5  Release a",
        "          nobody told within 4.0 s what is in it",
        "→  2.  75.0  Release b",
        "          12 seeders",
        "          against the first: -22.5 health, +14.0 quality",
        "   3.  75.0  Release c  [refused]",
        "          filmed in a cinema",
    ]


def test_a_pick_that_nothing_could_replace_is_said_to_be_gone() -> None:
    gone = {"id": 2, "infohash": "b" * 40, "title": "Release b", "filePath": "b.mkv", "pickedAt": "today"}
    gone |= {"replacesPickId": None, "replaced": True, "replacedBecause": "rejected: it stalled"}

    lines = explained("Harbor Lights S1E2", {"picks": [gone], "candidates": []})

    assert lines[2] == "  not played any more, rejected: it stalled; nothing could take its place"


def test_two_candidates_are_compared_in_words() -> None:
    gap = {"name": "health", "points": 11.2, "reason": "44 seeders - the other: 9 seeders"}

    lines = compared({"summary": "A goes first, by 11.2 points of 100.", "differences": [gap]})

    assert lines == ["A goes first, by 11.2 points of 100.", " +11.2 health: 44 seeders - the other: 9 seeders"]


def test_differences_add_up_to_the_difference_of_the_points() -> None:
    assert points(GOOD) - points(LOUD) == -8.5
    assert differences(GOOD, GOOD) == ""

"""Finding by how much a track is off."""

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from vod_subtitles.align import Fit, align
from vod_subtitles.cues import Cue, write_webvtt
from vod_subtitles.domain import Timing
from vod_subtitles.timing import retimed
from vod_subtitles.unreadable import UnreadableSubtitleError

MINUTE = 60_000


def talk(seed: int, *, minutes: int = 23) -> list[Cue]:
    """Cues as a film has them: talk of several lines, then silence."""
    chance, cues, at = random.Random(seed), [], 3_000
    while at < minutes * MINUTE:
        length = chance.randint(900, 5_000)
        cues.append(Cue(at, at + length, f"Line {len(cues)}"))
        at += length + chance.choice([80, 200, 700, 1_500, 9_000])
    return cues


def other_language(cues: Sequence[Cue], seed: int) -> list[Cue]:
    """The same talk, translated: begins alike, ends a little otherwise, some lines less."""
    chance = random.Random(seed)
    return [
        Cue(cue.start_ms, cue.end_ms + chance.randint(-300, 300), cue.text) for cue in cues if chance.random() < 0.85
    ]


def fit(cues: Sequence[Cue], reference: Sequence[Cue], *, timing: Timing | None = None) -> Fit:
    text = retimed(write_webvtt(cues), timing or Timing())
    *progress, found = align(text, write_webvtt(reference))

    assert progress == sorted(progress)
    assert isinstance(found, Fit)
    return found


@pytest.mark.parametrize("seconds", [3.5, -2.96, 0.04, 61.3, -47.111])
def test_an_offset_is_found_to_the_frame(seconds: float) -> None:
    reference = talk(1)
    late = Timing(timedelta(seconds=seconds))

    found = fit(other_language(reference, 2), reference, timing=late)

    assert found.rate == 1.0
    assert found.offset_ms == pytest.approx(-seconds * 1000, abs=41)


@pytest.mark.parametrize(("of", "to"), [(25.0, 24000 / 1001), (24000 / 1001, 25.0), (24.0, 25.0)])
def test_a_track_made_for_another_frame_rate_is_brought_back(of: float, to: float) -> None:
    reference = talk(3)
    off = Timing(timedelta(seconds=1.2), rate=of / to)

    found = fit(other_language(reference, 4), reference, timing=off)
    back = retimed(
        retimed(write_webvtt(reference), off), Timing(timedelta(milliseconds=found.offset_ms), rate=found.rate)
    )

    assert found.rate == pytest.approx(to / of, abs=1e-6)
    assert _starts(back) == pytest.approx([cue.start_ms for cue in reference], abs=60)


def test_a_third_of_the_lines_may_be_missing() -> None:
    reference = talk(5)
    chance = random.Random(6)
    few = [cue for cue in reference if chance.random() < 0.7]

    found = fit(few, reference, timing=Timing(timedelta(seconds=-12)))

    assert found.offset_ms == pytest.approx(12_000, abs=41)


def test_half_of_the_reference_is_enough() -> None:
    reference = talk(7)

    found = fit(reference, reference[: len(reference) // 2], timing=Timing(timedelta(seconds=8)))

    assert found.offset_ms == pytest.approx(-8_000, abs=41)


def test_tracks_of_two_films_are_told_apart() -> None:
    refused = 0
    for seed in range(10):
        with pytest.raises(UnreadableSubtitleError, match="don't go together"):
            fit(talk(100 + seed), talk(200 + seed))
        refused += 1

    assert refused == 10


def test_a_film_with_a_scene_more_is_not_given_one_offset() -> None:
    reference = talk(8)
    longer = [
        Cue(
            cue.start_ms + 15_000 * (cue.start_ms > 12 * MINUTE),
            cue.end_ms + 15_000 * (cue.start_ms > 12 * MINUTE),
            "x",
        )
        for cue in reference
    ]

    with pytest.raises(UnreadableSubtitleError, match="cut differently"):
        fit(longer, reference)


def test_a_few_cues_tell_nothing() -> None:
    with pytest.raises(UnreadableSubtitleError, match="fewer than 30"):
        fit(talk(9)[:20], talk(9))


def _starts(webvtt: str) -> list[int]:
    begun = [line.split(" --> ")[0] for line in webvtt.split("\n") if " --> " in line]
    return [
        int(
            timedelta(hours=int(at[:2]), minutes=int(at[3:5]), milliseconds=float(at[6:]) * 1000)
            / timedelta(milliseconds=1)
        )
        for at in begun
    ]

"""Reading SubRip and WebVTT."""

import pytest

from vod_subtitles.cues import Cue
from vod_subtitles.subrip import Dialect, read_subrip


def read(text: str, dialect: Dialect = Dialect.SUBRIP) -> list[Cue]:
    return list(read_subrip(text.split("\n"), dialect=dialect))


@pytest.mark.parametrize(
    ("timing", "start_ms", "end_ms"),
    [
        ("00:00:01,002 --> 00:00:03,004", 1002, 3004),
        ("00:00:01.002 --> 00:00:03.004", 1002, 3004),
        ("00:00:01:002 --> 00:00:03:004", 1002, 3004),
        ("0:0:1,5 --> 0:0:3,04", 1500, 3040),
        ("00:01 --> 00:03", 1000, 3000),
        ("  00:00:01,002-->00:00:03,004 ", 1002, 3004),
        ("00:00:01,002 -> 00:00:03,004", 1002, 3004),
        ("00:00:01,002 --> 00:00:03,004  X1:40 X2:600 Y1:20 Y2:50", 1002, 3004),
        ("123:59:59,999 --> 124:00:00,000", 446399999, 446400000),
    ],
)
def test_times_are_read_however_they_are_written(timing: str, start_ms: int, end_ms: int) -> None:
    assert read(f"1\n{timing}\nHi\n") == [Cue(start_ms, end_ms, "Hi")]


def test_the_index_is_no_text_with_and_without_blank_lines() -> None:
    tight = "1\n00:01 --> 00:02\nOne\n2\n00:03 --> 00:04\nTwo"
    loose = "1\n00:01 --> 00:02\nOne\n\n\n2\n00:03 --> 00:04\nTwo\n\n"

    assert read(tight) == read(loose) == [Cue(1000, 2000, "One"), Cue(3000, 4000, "Two")]


def test_without_indices_numbers_are_text() -> None:
    assert read("00:01 --> 00:02\n42\n\n00:03 --> 00:04\n43\n") == [Cue(1000, 2000, "42"), Cue(3000, 4000, "43")]


def test_a_blank_line_inside_a_cue_does_not_end_it() -> None:
    assert read("1\n00:01 --> 00:02\nOne\n\nstill one\n\n2\n00:03 --> 00:04\nTwo") == [
        Cue(1000, 2000, "One\nstill one"),
        Cue(3000, 4000, "Two"),
    ]


def test_what_looks_like_webvtt_inside_a_text_is_text() -> None:
    text = "1\n00:01 --> 00:02\nx\n\nNOTE x\n\nSTYLE\n::cue{}\n00:00:09.000 ==> later"

    assert [cue.text for cue in read(text)] == ["x\nNOTE x\nSTYLE\n::cue{}\n00:00:09.000 ==&gt; later"]


def test_webvtt_keeps_sane_settings_and_leaves_out_notes_and_styles() -> None:
    text = (
        "WEBVTT - title\n\nSTYLE\n::cue { color: red }\n\nid-1\n"
        "00:01.000 --> 00:02.000 line:10% position:50% region:x align:start evil:1 size:1e9%\nHi &amp; bye\n\n"
        "NOTE\nnot shown\n\n00:03.000 --> 00:04.000\n- <b>Two</b>\n"
    )

    assert read(text, Dialect.WEBVTT) == [
        Cue(1000, 2000, "Hi &amp; bye", "line:10% position:50% align:start"),
        Cue(3000, 4000, "- <b>Two</b>"),
    ]


def test_a_text_without_timings_has_no_cues() -> None:
    assert read("Hello\n\n1\n2\n-->\n") == []

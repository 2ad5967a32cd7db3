"""From files to WebVTT."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_subtitles.convert import MAX_BYTES, convert
from vod_subtitles.unreadable import UnreadableSubtitleError

ASS = """[Script Info]
PlayResX: 640

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,20,&H00FFFFFF,&H000000FF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,2,2,2,10,10,10,1
Style: Sign,Arial,20,&H00FFFFFF,&H000000FF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,2,2,8,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,not shown
Dialogue: 0,0:00:03.00,0:00:04.50,Sign,,0,0,0,,HARBOR
Dialogue: 1,0:00:03.00,0:00:04.50,Sign,,0,0,0,,HARBOR
Dialogue: 0,0:00:01.02,0:00:02.03,Default,,0,0,0,,{\\i1}One{\\i0}, two\\Nthree
"""


def cues(raw: bytes, *, fps: float | None = None) -> list[str]:
    return convert(raw, language="en", fps=fps).webvtt.strip().split("\n\n")[1:]


def test_cues_are_in_order_and_those_that_show_nothing_are_dropped() -> None:
    raw = (
        b"1\n00:00:05,000 --> 00:00:06,000\nlater\n\n2\n00:00:01,000 --> 00:00:02,000\nfirst\n\n"
        b"3\n00:00:03,000 --> 00:00:03,000\nno time\n\n4\n00:00:04,000 --> 00:00:03,000\nbackward\n\n"
        b"5\n00:00:07,000 --> 00:00:08,000\n\n6\n00:00:05,000 --> 00:00:06,000\nlater\n\n"
        b"7\n00:00:05,500 --> 00:00:06,500\noverlaps\n"
    )

    assert cues(raw) == [
        "00:00:01.000 --> 00:00:02.000\nfirst",
        "00:00:05.000 --> 00:00:06.000\nlater",
        "00:00:05.500 --> 00:00:06.500\noverlaps",
    ]


def test_a_file_is_webvtt_from_its_first_byte_to_its_last() -> None:
    converted = convert("\ufeff1\r\n00:00:01,000 --> 00:00:02,000\r\nHé\r\n".encode(), language="fr")

    assert converted.webvtt == "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHé\n"
    assert converted.cue_count == 1


@given(st.lists(st.tuples(st.integers(0, 86_400_000), st.integers(1, 60_000)), min_size=1, max_size=20))
def test_times_are_exact_to_the_millisecond(spans: list[tuple[int, int]]) -> None:
    def time(ms: int) -> str:
        return f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"

    raw = "\n".join(f"{n}\n{time(at)} --> {time(at + long)}\nx{n}\n" for n, (at, long) in enumerate(spans))

    assert sorted(cue.split("\n")[0] for cue in cues(raw.encode())) == sorted(
        f"{time(at)} --> {time(at + long)}".replace(",", ".") for at, long in spans
    )


def test_substation_keeps_places_and_styles_and_draws_a_glow_once() -> None:
    assert cues(ASS.encode()) == [
        "00:00:01.020 --> 00:00:02.030\n<i>One</i>, two\nthree",
        "00:00:03.000 --> 00:00:04.500 line:0\nHARBOR",
    ]


def test_frames_are_counted_at_the_rate_in_the_file_before_that_of_the_source() -> None:
    lines = b"{25}{50}one|two\n{75}{100}{y:i}three\n"

    assert cues(b"{1}{1}25.000\n" + lines, fps=50.0) == [
        "00:00:01.000 --> 00:00:02.000\none\ntwo",
        "00:00:03.000 --> 00:00:04.000\n<i>three</i>",
    ]
    assert cues(lines, fps=50.0)[0].startswith("00:00:00.500 --> 00:00:01.000")


def test_frames_without_any_rate_are_refused() -> None:
    with pytest.raises(UnreadableSubtitleError):
        convert(b"{25}{50}one\n", language="en")


def test_other_old_formats_are_read() -> None:
    assert cues(b"[10][20]/slanted|plain\n") == ["00:00:01.000 --> 00:00:02.000\n<i>slanted</i>\nplain"]
    assert cues(b"00:00:01:Hello|you\n00:00:02:Bye\n")[0] == "00:00:01.000 --> 00:00:02.000\nHello\nyou"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "nothing to show"),
        (b"<html><body>502</body></html>", "nothing to show"),
        (b"WEBVTT\n\nNOTE nothing\n", "nothing to show"),
        (b"x" * (MAX_BYTES + 1), "bytes"),
        (b"\n" * 150_000, "lines"),
        (b"x" * 5_000, "characters"),
        (b"00:01 --> 00:02\nx\n" * 25_000, "cues"),
    ],
)
def test_what_is_no_subtitle_or_too_much_of_one_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(UnreadableSubtitleError, match=why):
        convert(raw, language="en")


@given(
    st.binary(max_size=500),
    st.sampled_from([b"", b"WEBVTT\n\n", b"[Script Info]\n", b"{1}{1}25\n", b"[1][2]", b"0:00:01:"]),
)
def test_no_bytes_break_the_converter(raw: bytes, prefix: bytes) -> None:
    try:
        converted = convert(prefix + raw, language="de", fps=25.0)
    except UnreadableSubtitleError:
        return

    assert converted.webvtt.startswith("WEBVTT\n\n")


@pytest.mark.timeout(20)
def test_a_megabyte_is_converted_soon() -> None:
    line = "A line of dialogue that goes on for a while, as they do.\n" * 2
    raw = "".join(
        f"{n}\n00:{n // 60 % 60:02}:{n % 60:02},000 --> 00:{n // 60 % 60:02}:{n % 60:02},900\n{line}\n"
        for n in range(7000)
    )

    assert convert(raw.encode(), language="en").cue_count > 3000

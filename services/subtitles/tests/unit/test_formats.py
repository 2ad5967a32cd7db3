"""The formats, one by one: times to the millisecond, text, style and place."""

import random

import pytest

from vod_subtitles.convert import Format, convert
from vod_subtitles.unreadable import UnreadableSubtitleError

TTML = """<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling"
    xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="25" ttp:tickRate="10000000">
  <head><styling><style xml:id="slanted" tts:fontStyle="italic"/></styling>
  <layout><region xml:id="up" tts:origin="10% 10%" tts:displayAlign="before"/></layout></head>
  <body><div begin="10s">
    <p begin="00:00:01.250" end="00:00:02.5">One<br/>two &lt; three &amp; four</p>
    <p begin="3s" dur="500ms" region="up"><span style="slanted">Above</span> it</p>
    <p begin="00:00:05:12" end="00:00:06:00" tts:fontWeight="bold">Frames</p>
    <p begin="70000000t" end="80000000t">Ticks</p>
    <p begin="8s">Without an end</p>
  </div></body></tt>"""
ASS = """[Script Info]
PlayResX: 640
PlayResY: 480

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,20,&H00FFFFFF,&H000000FF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,2,2,2,10,10,10,1
Style: Loud,Arial,20,&H00FFFFFF,&H000000FF,&H00000000,&H00000000,-1,0,0,0,100,100,0,0,1,2,2,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:02.00,Loud,,0,0,0,,Shout {\\b0}calm
Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\pos(320,40)}Sign {\\c&H0000FF&}red
Dialogue: 0,0:00:05.00,0:00:06.00,Default,,0,0,0,,{\\p1}m 0 0 l 1 1{\\p0}
Dialogue: 0,0:00:07.00,0:00:08.00,Default,,0,0,0,,{\\k20}ka{\\k30}ra
Dialogue: 0,0:00:09.00,0:00:09.02,Default,,0,0,0,,one frame of a moving sign
Dialogue: 0,0:00:10.00,0:00:11.00,Default,,0,0,0,,fades
Dialogue: 0,0:00:11.00,0:00:12.00,Default,,0,0,0,,fades
"""


def cues(raw: str) -> list[str]:
    return convert(raw.encode(), language="en").webvtt.strip().split("\n\n")[1:]


def test_ttml() -> None:
    assert cues(TTML) == [
        "00:00:11.250 --> 00:00:12.500\nOne\ntwo &lt; three &amp; four",
        "00:00:13.000 --> 00:00:13.500 line:0\n<i>Above</i> it",
        "00:00:15.480 --> 00:00:16.000\n<b>Frames</b>",
        "00:00:17.000 --> 00:00:18.000\nTicks",
    ]
    with pytest.raises(UnreadableSubtitleError, match="broken TTML"):
        cues(TTML[:-20])


def test_substation() -> None:
    assert cues(ASS) == [
        "00:00:01.000 --> 00:00:02.000\n<b>Shout </b>calm",
        "00:00:03.000 --> 00:00:04.000 line:8% position:50%\nSign red",
        "00:00:07.000 --> 00:00:08.000\nkara",
        "00:00:10.000 --> 00:00:12.000\nfades",
    ]
    assert convert(ASS.encode("utf-16"), language="en").script == ASS


def test_subviewer() -> None:
    two = "[INFORMATION]\n[SUBTITLE]\n00:04:35.03,00:04:38.82\nHello there[br]you\n\n00:05:00.19,00:05:03.47\nBye\n"
    one = "[TITLE]\nx\n[BEGIN]\n[00:00:01]\nHello|you\n[00:00:03]\n\n[00:00:04]\nBye\n[00:00:05]\n[END]\n"

    assert cues(two) == [
        "00:04:35.030 --> 00:04:38.820\nHello there\nyou",
        "00:05:00.190 --> 00:05:03.470\nBye",
    ]
    assert cues(one) == ["00:00:01.000 --> 00:00:03.000\nHello\nyou", "00:00:04.000 --> 00:00:05.000\nBye"]
    assert convert(two.encode(), language="en").format is Format.SUBVIEWER


def test_webvtt_comes_back_as_it_was() -> None:
    """A file of ours is read as what it says, place and all: converting twice is converting once."""
    dice = random.Random(6)
    lines = ["<i>it</i> & <b>bo <u>x</u></b>", "a < b --> c", "{\\an8}top", "- One.\n- Two.", "größer 你好"]
    raw = "".join(
        f"{n}\n{_time(n * 1500 + dice.randrange(900))} --> {_time(n * 1500 + 1000 + dice.randrange(2000))}\n"
        f"{dice.choice(lines)}\n\n"
        for n in range(200)
    )
    once = convert(raw.encode(), language="de")
    twice = convert(once.webvtt.encode(), language="de")

    assert once.cue_count == 200  # many overlap, and all are kept
    assert twice.webvtt == once.webvtt


def _time(ms: int) -> str:
    return f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"

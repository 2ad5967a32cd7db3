"""What hostile files do elsewhere, they don't do here: one test for each attack."""

import contextlib
import io
import math
import struct
import time
import zipfile
import zlib
from datetime import timedelta

import pytest

from vod_subtitles.archives import unpacked
from vod_subtitles.convert import MAX_BYTES, convert
from vod_subtitles.domain import Lang, Listed, Track
from vod_subtitles.members import Wanted
from vod_subtitles.unreadable import UnreadableSubtitleError
from vod_subtitles.workers import workers

SRT = b"1\n00:00:01,000 --> 00:00:02,000\nHi\n"
FORMAT = b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
ASS = b"[Script Info]\n[V4+ Styles]\n[Events]\n" + FORMAT
LINE = b"Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,"


def said(text: str) -> str:
    """Return what a cue with this SubRip text says in WebVTT."""
    return convert(f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n".encode(), language="en").webvtt.split("\n", 3)[3]


def zipped(files: dict[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name) if name.startswith("..") else name, content)
    return out.getvalue()


def test_markup_that_a_page_would_run_is_text() -> None:
    written = said("<script>alert(1)</script><img src=x onerror=alert(1)>")

    assert written == "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;\n"


def test_an_arrow_in_the_text_starts_no_cue() -> None:
    assert said("a < b & c > d --> x") == "a &lt; b &amp; c &gt; d --&gt; x\n"


def test_a_style_or_a_note_in_the_text_is_text() -> None:
    raw = b"1\n00:00:01,000 --> 00:00:02,000\nx\n\nNOTE x\n\nSTYLE\n::cue{}\n"

    assert convert(raw, language="en").webvtt == "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nx\nNOTE x\nSTYLE\n::cue{}\n"


def test_webvtt_styles_and_regions_do_not_come_through() -> None:
    style = b"STYLE\n::cue{background:url(//evil)}\n\nREGION\nid:x\n\n"
    raw = b"WEBVTT\n\n" + style + b"00:01.000 --> 00:02.000 region:x\n<v Bob>Hi</v>\n"

    assert convert(raw, language="en").webvtt == "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHi\n"


def test_text_can_t_turn_its_direction_or_hide_control_characters() -> None:
    assert said("\u202eevil\u202c\u2066x\u2069 ok\x00\x1b") == "evilx ok\n"


def test_a_label_from_a_source_can_t_either() -> None:
    listed = Listed("embedded", "x:0:1", Lang("en"), "", 0, title="\u202eLive\x07\n<b>")

    assert Track(1, listed).label == "English (Live  <b>)"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"1\n00:00:01,000 --> 00:00:02,000\n" + b"<a" * 160_000, id="tags in a line"),
        pytest.param(SRT + (b"<a" * 1_900 + b"\n") * 500, id="tags"),
        pytest.param(ASS + LINE + b"Hi\n" + (b"{" * 3_900 + b"\n") * 500, id="braces"),
        pytest.param(ASS + (LINE + b"{\\an8" * 650 + b"\n") * 500, id="overrides"),
        pytest.param((b"00:00:01,000 " + b"-" * 3_900 + b">\n") * 500, id="half arrows"),
        pytest.param(b"<tt><body><p begin='1s' end='2s'>" + b"<span>" * 100_000, id="spans"),
        pytest.param(b"{1}{1}25\n" + (b"{10}{20}" + b"{y:" * 1_200 + b"\n") * 200, id="frames"),
        pytest.param(b"1:" * 1_000_000, id="colons"),
        pytest.param(b"\xff\xfe" * 500_000, id="marks"),
        pytest.param(bytes(range(256)) * 4_000, id="all bytes"),
    ],
)  # fmt: skip
def test_no_input_takes_more_than_linear_time(raw: bytes) -> None:
    took = math.inf
    for _ in range(3):  # neighbours slow down even our own time
        begun = time.process_time()
        with contextlib.suppress(UnreadableSubtitleError):
            convert(raw, language="en", fps=25.0)
        took = min(took, time.process_time() - begun)
        if took < 1:
            break

    assert took < 2.0


def test_entities_of_xml_are_not_expanded() -> None:
    entities = b"<!DOCTYPE t [<!ENTITY a 'aaaaaaaa'><!ENTITY b '&a;&a;&a;'>]>"
    bomb = b"<?xml version='1.0'?>" + entities + b"<tt><body><p>&b;</p></body></tt>"
    with pytest.raises(UnreadableSubtitleError, match="document type"):
        convert(bomb, language="en")


def test_xml_that_is_nested_without_end_is_refused() -> None:
    raw = b"<tt><body>" + b"<div>" * 10_000 + b"</div>" * 10_000 + b"</body></tt>"
    with pytest.raises(UnreadableSubtitleError, match="nested"):
        convert(raw, language="en")


def test_a_zip_bomb_is_not_unpacked() -> None:
    with pytest.raises(UnreadableSubtitleError, match="bytes"):
        unpacked(zipped({"a.srt": b"\0" * 50_000_000}))


def test_a_zip_that_lies_about_its_sizes_is_found_out_while_it_is_read() -> None:
    honest = zipped({"a.srt": b"\0" * (MAX_BYTES + 100_000)})
    lying = honest.replace(struct.pack("<I", MAX_BYTES + 100_000), struct.pack("<I", 100))
    with pytest.raises(UnreadableSubtitleError):
        unpacked(lying)


def test_a_zip_whose_files_overlap_is_refused() -> None:
    raw = zipped({"a.srt": SRT})
    at = raw.index(b"PK\x01\x02")
    end = raw.index(b"PK\x05\x06")
    entry, tail = raw[at:end], bytearray(raw[end:])
    tail[8:12] = struct.pack("<HH", 2, 2)
    tail[12:16] = struct.pack("<I", 2 * len(entry))
    with pytest.raises(UnreadableSubtitleError, match="overlap"):
        unpacked(raw[:at] + entry * 2 + bytes(tail))


def test_a_zip_with_too_many_files_is_refused() -> None:
    with pytest.raises(UnreadableSubtitleError, match="more than 300 files"):
        unpacked(zipped({f"{n}.srt": SRT for n in range(301)}))


def test_names_in_a_zip_lead_nowhere() -> None:
    """They are only compared: whatever a name says, all that comes out is bytes."""
    assert unpacked(zipped({"../../etc/cron.d/x.srt": SRT})) == SRT
    assert unpacked(zipped({"C:\\windows\\..\\y.srt": SRT})) == SRT
    with pytest.raises(UnreadableSubtitleError, match="without the subtitle"):
        unpacked(zipped({"../../etc/passwd": SRT}))


def test_a_link_in_a_zip_is_not_followed() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("a.srt")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnreadableSubtitleError, match="without the subtitle"):
        unpacked(out.getvalue())


def test_an_archive_in_an_archive_stays_closed() -> None:
    with pytest.raises(UnreadableSubtitleError):
        unpacked(zipped({"inner.zip": zipped({"a.srt": SRT})}))


def test_a_gzip_bomb_is_not_unpacked() -> None:
    bomb = zlib.compressobj(wbits=31)
    raw = bomb.compress(b"\0" * 50_000_000) + bomb.flush()
    with pytest.raises(UnreadableSubtitleError, match="bytes"):
        unpacked(raw)


def test_honest_archives_are_read() -> None:
    season = {f"Show.S01E{n:02}.srt": SRT.replace(b"Hi", b"Hi %d" % n) for n in (1, 2, 3)}
    gzip = zlib.compressobj(wbits=31)

    assert unpacked(SRT) == SRT
    assert unpacked(gzip.compress(SRT) + gzip.flush()) == SRT
    assert unpacked(zipped({"readme.nfo": b"x", "a.SRT": SRT})) == SRT
    assert unpacked(zipped(season), wanted=Wanted(1, 2)) == season["Show.S01E02.srt"]
    with pytest.raises(UnreadableSubtitleError, match="without the subtitle"):
        unpacked(zipped(season), wanted=Wanted(1, 9))


async def test_a_worker_that_takes_too_long_or_dies_is_replaced() -> None:
    async with workers(1) as some:
        with pytest.raises(UnreadableSubtitleError):
            await some.convert(SRT * 20_000, language="en", within=timedelta(milliseconds=1))
        after = await some.convert(zipped({"a.srt": SRT}), language="en")

    assert after.webvtt == "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nHi\n"


async def test_a_video_that_is_none_fails_alone() -> None:
    async def read(offset: int, size: int) -> bytes:
        return b"\x1a\x45\xdf\xa3" + b"\xff" * (size - 4) if offset == 0 else b"\xff" * size

    async with workers(1) as some:
        with pytest.raises(UnreadableSubtitleError):
            async for _ in some.extract(read, size=10_000_000, present=5_000_000, within=timedelta(seconds=30)):
                pass
        after = await some.convert(SRT, language="en")

    assert after.cue_count == 1

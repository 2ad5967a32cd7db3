"""Codecs, as playlists, files and words tell them."""

import pytest

from vod_sources.codecs import moov_at, of_head, of_variant, of_words


def box(kind: bytes, body: bytes = b"") -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + kind + body


def described(entry: bytes) -> bytes:
    """Return the description of a track whose samples are of this format."""
    return box(b"stsd", bytes(4) + (1).to_bytes(4, "big") + box(entry, bytes(70)))


@pytest.mark.parametrize(
    ("entry", "codec"),
    [
        (b"avc1", "h264"),
        (b"hvc1", "hevc"),
        (b"hev1", "hevc"),
        (b"av01", "av1"),
        (b"dvh1", "dolby_vision"),
        (b"mp4v", ""),
    ],
)
def test_a_files_codec_is_that_of_its_video_track_wherever_that_is_described(entry: bytes, codec: str) -> None:
    moov = box(b"moov", box(b"mvhd", bytes(100)) + box(b"trak", described(b"mp4a")) + box(b"trak", described(entry)))

    assert of_head(box(b"ftyp", b"isom") + moov) == codec


def test_matroska_names_its_codec() -> None:
    assert of_head(b"\x1aE\xdf\xa3" + bytes(300) + b"\x86\x8fV_MPEGH/ISO/HEVC") == "hevc"


def test_a_description_that_is_cut_off_says_nothing() -> None:
    whole = described(b"avc1")

    assert {of_head(whole[:length]) for length in range(24)} == {""}
    assert of_head(whole[:24]) == "h264"


@pytest.mark.parametrize(
    ("before", "at"),
    [
        (box(b"ftyp", b"isom") + box(b"moov", bytes(50)), 12),
        (box(b"ftyp", b"isom") + (5_000).to_bytes(4, "big") + b"mdat" + bytes(60), 5_012),
        (box(b"ftyp", b"isom") + (1).to_bytes(4, "big") + b"mdat" + (2**33).to_bytes(8, "big") + bytes(9), 2**33 + 12),
        (box(b"ftyp", b"isom") + bytes(40), None),
    ],
)
def test_where_tracks_are_described_is_told_by_the_boxes_before(before: bytes, at: int | None) -> None:
    assert moov_at(before) == at


@pytest.mark.parametrize(
    ("line", "codec"),
    [
        ('#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="mp4a.40.2,avc1.4d401f"', "h264"),
        ('#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="hvc1.1.6.L93.B0, mp4a.40.2"', "hevc"),
        ("#EXT-X-STREAM-INF:BANDWIDTH=1", ""),
    ],
)
def test_a_variant_states_its_codecs(line: str, codec: str) -> None:
    assert of_variant(line) == codec


@pytest.mark.parametrize(
    ("words", "codec"),
    [
        ("The.Film.2023.2160p.x265-A", "hevc"),
        ("1080p H.264", "h264"),
        ("AV1 4K", "av1"),
        ("HEVC 10bit", "hevc"),
        ("1080p", ""),
        ("Pavane1", ""),
    ],
)
def test_words_say_a_codec_only_as_words(words: str, codec: str) -> None:
    assert of_words(words) == codec

"""Subtitles beside and inside the picked video, while it arrives."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

import av
import pytest
from vod.catalog.v1 import catalog_pb2
from vod.subtitles.v1.subtitles_service_pb2 import (
    GetSubtitleRequest,
    ListSubtitlesRequest,
    PickedFile,
    SetTimingRequest,
    Timing,
)

from vod_fakes.library import LIBRARY
from vod_fakes.opensubtitles import OpenSubtitles
from vod_rpc import NotFound
from vod_subtitles.moviehash import moviehash
from vod_testing import eventually

if TYPE_CHECKING:
    from vod.subtitles.v1.subtitles_service_pb2_grpc import SubtitlesServiceAsyncStub

RunSubtitles = Callable[..., AbstractAsyncContextManager["SubtitlesServiceAsyncStub"]]
KEY = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=1)
PICKED = PickedFile(infohash="5d" * 20, file_index=0, release_title="Harbor.Lights.S01E01.1080p.WEB-DL.H264-NOVA")
LINES = 40
SCRIPT = """[Script Info]
ScriptType: v4.00+
PlayResX: 640
PlayResY: 360

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, \
StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,20,&H00FFFFFF,&H000000FF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,2,2,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def _srt() -> bytes:
    lines = (f"{n}\n00:00:{n:02},000 --> 00:00:{n:02},500\nLine {n}, größer.\n\n" for n in range(LINES))
    return "".join(lines).encode()


def _ass() -> bytes:
    lines = (f"Dialogue: 0,0:00:{n:02}.00,0:00:{n:02}.50,Default,,0,0,0,,{{\\an8}}Sign {n}\n" for n in range(LINES))
    return (SCRIPT + "".join(lines)).encode()


@pytest.fixture(scope="module")
def film() -> bytes:
    """A Matroska film of 40 seconds and about 4 MB, with a SubRip and a SubStation track."""
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as container:
        picture = container.add_stream("rawvideo", rate=4)
        picture.width, picture.height, picture.pix_fmt = 160, 120, "yuv420p"
        sources = [av.open(io.BytesIO(data), "r") for data in (_srt(), _ass())]
        tracks = [container.add_stream_from_template(source.streams.subtitles[0]) for source in sources]
        tracks[0].metadata["language"], tracks[1].metadata["language"] = "ger", "eng"
        tracks[1].metadata["title"] = "Signs"
        packets = []
        for number in range(LINES * 4):
            frame = av.VideoFrame(160, 120, "yuv420p")
            frame.pts = number
            packets += [(number / 4, 1, packet) for packet in picture.encode(frame)]
        for source, track in zip(sources, tracks, strict=True):
            for packet in source.demux():
                if packet.size:
                    at = float(packet.pts * packet.time_base)
                    packet.stream = track
                    packets.append((at, 0, packet))
        for _, _, packet in sorted(packets, key=lambda one: one[:2]):
            container.mux(packet)
        for source in sources:
            source.close()
    return out.getvalue()


async def test_tracks_inside_a_film_that_is_half_here_are_served_so_far_and_whole_later(
    run_subtitles: RunSubtitles, stream_node: Any, film: bytes
) -> None:
    stream_node.files, stream_node.here = {"Film.mkv": film}, {"Film.mkv": len(film) // 2}
    async with run_subtitles(os_key=None) as subtitles:
        seen: list[Any] = []

        async def why_not_at_once() -> str | None:
            # Whatever the machine is busy with now and then; and the first time, a process is started.
            begun = monotonic()
            listed = await subtitles.ListSubtitles(ListSubtitlesRequest(key=KEY, picked=PICKED))
            if not listed.tracks:
                return "no tracks"
            half = await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="de", picked=PICKED))
            if (lines := half.webvtt.count("-->")) < LINES // 2 - 3:
                return f"{lines} lines"
            seen.append((listed, half))
            return None if (took := monotonic() - begun) < 2 else f"it took {took:.1f} s"

        await eventually(why_not_at_once, within=30)
        listed, half = seen[-1]
        stream_node.here = {}
        await subtitles.ListSubtitles(ListSubtitlesRequest(key=KEY, picked=PICKED))

        async def why_not() -> str | None:
            found = await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="de", picked=PICKED))
            return str(found.webvtt.count("-->")) if found.partial else None

        await eventually(why_not, within=30)
        whole = await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="de", picked=PICKED))
        signs = await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en", picked=PICKED))

    assert [(track.lang, track.source, track.label, track.exact) for track in listed.tracks] == [
        ("en", "embedded", "English (Signs)", True),
        ("de", "embedded", "Deutsch", True),
    ]
    assert LINES // 2 - 3 <= half.webvtt.count("-->") <= LINES // 2 + 1
    assert half.partial
    assert whole.webvtt.count("-->") == LINES
    assert "00:00:39.000 --> 00:00:39.500\nLine 39, größer." in whole.webvtt
    assert "00:00:07.000 --> 00:00:07.500 line:0\nSign 7" in signs.webvtt
    assert signs.script.count("Dialogue:") == LINES
    assert "[V4+ Styles]" in signs.script


async def test_files_beside_the_film_are_had_from_the_swarm_once(
    run_subtitles: RunSubtitles, stream_node: Any, film: bytes
) -> None:
    stream_node.files = {
        "Pack/Harbor.Lights.S01E01.mkv": b"\0" * 200_000,
        "Pack/Harbor.Lights.S01E02.mkv": b"\0" * 200_000,
        "Pack/Harbor.Lights.S01E01.pl.forced.srt": "1\n00:01 --> 00:02\nZażółć gęślą jaźń\n".encode("cp1250"),
        "Pack/Harbor.Lights.S01E02.pl.srt": b"1\n00:01 --> 00:02\nOf another\n",
        "Pack/Subs/Harbor.Lights.S01E01/2_Polish.srt": b"1\n00:01 --> 00:02\nPolski\n",
        "Pack/Harbor.Lights.S01E01.fr.sub": b"pictures",
        "Pack/Harbor.Lights.S01E01.fr.idx": b"their index",
    }
    async with run_subtitles(os_key=None) as subtitles:
        asked = GetSubtitleRequest(key=KEY, lang="pl", picked=PICKED)
        found = [await subtitles.GetSubtitle(asked) for _ in range(2)]
        listed = await subtitles.ListSubtitles(ListSubtitlesRequest(key=KEY, languages=["pl"], picked=PICKED))
        forced = await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, track=listed.tracks[1].id, picked=PICKED))

    assert "Polski" in found[1].webvtt
    assert [(track.lang, track.source, track.forced) for track in listed.tracks] == [
        ("pl", "torrent", False),
        ("pl", "torrent", True),
    ]
    assert "Zażółć gęślą jaźń" in forced.webvtt
    assert (stream_node.pinned, stream_node.released) == ([4, 2], [4, 2])


async def test_the_track_made_for_this_very_file_is_found_by_its_hash(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles, stream_node: Any
) -> None:
    content = bytes(range(256)) * 1024
    stream_node.files = {"Film.avi": content}
    of_two = next(s for s in LIBRARY.subtitles if (s.tmdb_id, s.episode, s.language) == (9001, 2, "en"))
    ours = replace(of_two, file_id=77, downloads=0, release="Unlike.Any.Other", lines=("By its hash.",))
    opensubtitles.library = replace(LIBRARY, subtitles=(*LIBRARY.subtitles, ours))
    opensubtitles.hashes = {moviehash(len(content), content[:65536], content[-65536:]): (9001, 1, 2)}

    found = await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en", picked=PICKED))
    (asked,) = opensubtitles.control.asked("/api/v1/subtitles")

    assert dict(asked.query)["moviehash"] in opensubtitles.hashes
    assert found.track.exact
    assert found.track.release_title in {"Unlike.Any.Other", of_two.release}


async def test_a_timing_is_remembered_for_the_file_and_one_of_a_request_is_not(
    subtitles: SubtitlesServiceAsyncStub,
) -> None:
    before = await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"))
    later = Timing(rate=1.0)
    later.offset.FromTimedelta(timedelta(seconds=1.5))
    once = await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en", timing=later))
    again = await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"))
    await subtitles.SetTiming(SetTimingRequest(key=KEY, track=before.track.id, timing=Timing(rate=2.0)))
    remembered = await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, track=before.track.id))

    assert "00:00:02.000 --> 00:00:05.500\n" in before.webvtt
    assert "00:00:03.500 --> 00:00:07.000\n" in once.webvtt
    assert once.etag != before.etag
    assert again == before
    assert "00:00:04.000 --> 00:00:11.000\n" in remembered.webvtt


async def test_a_viewer_may_say_what_a_file_is_in(subtitles: SubtitlesServiceAsyncStub) -> None:
    key = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=3)
    right = await subtitles.GetSubtitle(GetSubtitleRequest(key=key, lang="de"))
    forced = await subtitles.GetSubtitle(GetSubtitleRequest(key=key, lang="de", encoding="cp1251"))
    with pytest.raises(NotFound, match="no encoding"):
        await subtitles.GetSubtitle(GetSubtitleRequest(key=key, lang="de", encoding="rot13"))

    assert "Größer" in right.webvtt
    assert "tдuschen" in forced.webvtt
    assert right.etag != forced.etag


async def test_the_list_names_each_track_once_and_when_the_quota_ends(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles
) -> None:
    one = next(s for s in LIBRARY.subtitles if (s.tmdb_id, s.episode, s.language) == (9001, 1, "en"))
    same = replace(one, file_id=5, downloads=1)
    opensubtitles.library = replace(LIBRARY, subtitles=(*LIBRARY.subtitles, same))
    unread = await subtitles.ListSubtitles(ListSubtitlesRequest(key=KEY, languages=["de", "en"]))
    for track in unread.tracks:
        await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, track=track.id))
    opensubtitles.remaining = 0
    with pytest.raises(Exception, match="used up"):
        await subtitles.GetSubtitle(
            GetSubtitleRequest(key=catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=2), lang="en")
        )
    listed = await subtitles.ListSubtitles(ListSubtitlesRequest(key=KEY, languages=["de", "en"]))

    assert [track.lang for track in unread.tracks] == ["de", "en", "en"]
    assert [track.lang for track in listed.tracks] == ["de", "en"]
    assert all(track.ready for track in listed.tracks)
    assert listed.HasField("quota_reset_time")
    assert not unread.HasField("quota_reset_time")

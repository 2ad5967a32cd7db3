"""Searching for a track's right timing, and what videos bring along."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import av
import pytest
from vod.catalog.v1 import catalog_pb2
from vod.subtitles.v1 import subtitles_service_pb2 as pb2

from vod_rpc import FailedPrecondition, NotFound
from vod_testing import eventually

if TYPE_CHECKING:
    from vod.subtitles.v1.subtitles_service_pb2_grpc import SubtitlesServiceAsyncStub

RunSubtitles = Callable[..., AbstractAsyncContextManager["SubtitlesServiceAsyncStub"]]
KEY = catalog_pb2.EpisodeKey(series_id="mal:anime:9201", season=1, episode=1)
PICKED = pb2.PickedFile(infohash="5d" * 20, file_index=0, release_title="[Tomoshibi] Harbor Lights - 01 (1080p)")
FONT = b"\0\1\0\0" + b"glyphs" * 200


def srt(seed: int, *, late_ms: int = 0, language: str = "Line") -> bytes:
    """Ten minutes of talk; the same seed talks at the same moments."""
    chance, at, blocks = random.Random(seed), 5_000, []
    while at < 600_000:
        length = chance.randint(900, 4_000)
        blocks.append(
            f"{len(blocks)}\n{_clock(at + late_ms)} --> {_clock(at + length + late_ms)}\n{language} {len(blocks)}\n"
        )
        at += length + chance.choice([100, 600, 5_000])
    return "\n".join(blocks).encode()


def _clock(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"


async def ended(subtitles: SubtitlesServiceAsyncStub, track: str) -> pb2.Alignment:
    async def why_not() -> str | None:
        found = (await subtitles.GetAlignment(pb2.GetAlignmentRequest(key=KEY, track=track))).alignment
        return f"at {found.progress}" if found.state == pb2.ALIGNMENT_STATE_RUNNING else None

    await eventually(why_not, within=30)
    return (await subtitles.GetAlignment(pb2.GetAlignmentRequest(key=KEY, track=track))).alignment


async def listed(subtitles: SubtitlesServiceAsyncStub, lang: str) -> pb2.SubtitleTrack:
    found = await subtitles.ListSubtitles(pb2.ListSubtitlesRequest(key=KEY, languages=[lang], picked=PICKED))
    return found.tracks[0]


async def test_a_track_is_brought_in_time_with_one_of_the_torrent(
    run_subtitles: RunSubtitles, stream_node: Any, tmp_path: Path
) -> None:
    (tmp_path / "Harbor.Lights.S01E01.de.srt").write_bytes(srt(1, late_ms=3_480, language="Zeile"))
    stream_node.files = {"Film.avi": b"\0" * 200_000, "Film.en.srt": srt(1)}
    async with run_subtitles(os_key=None, folder=tmp_path) as subtitles:
        german = await listed(subtitles, "de")
        begun = await subtitles.AlignTrack(pb2.AlignTrackRequest(key=KEY, track=german.id, picked=PICKED))
        done = await ended(subtitles, german.id)
        text = await subtitles.GetSubtitle(pb2.GetSubtitleRequest(key=KEY, track=german.id))

    assert begun.alignment.state == pb2.ALIGNMENT_STATE_RUNNING
    assert begun.alignment.reference != german.id
    assert (done.state, done.explanation) == (pb2.ALIGNMENT_STATE_DONE, "")
    assert done.timing.offset.ToMilliseconds() == pytest.approx(-3_480, abs=41)
    assert "00:00:05.00" in text.webvtt.split("\n")[2]


async def test_what_does_not_go_together_is_left_alone_and_the_reason_told(
    run_subtitles: RunSubtitles, stream_node: Any, tmp_path: Path
) -> None:
    (tmp_path / "Harbor.Lights.S01E01.de.srt").write_bytes(srt(2))
    stream_node.files = {"Film.avi": b"\0" * 200_000, "Film.en.srt": srt(1)}
    async with run_subtitles(os_key=None, folder=tmp_path) as subtitles:
        german = await listed(subtitles, "de")
        await subtitles.AlignTrack(pb2.AlignTrackRequest(key=KEY, track=german.id, picked=PICKED))
        failed = await ended(subtitles, german.id)
        again = await listed(subtitles, "de")

    assert failed.state == pb2.ALIGNMENT_STATE_FAILED
    assert failed.explanation == "Not aligned: the two tracks don't go together."
    assert not again.HasField("timing")


async def test_without_a_track_that_fits_there_is_nothing_to_compare_with(
    run_subtitles: RunSubtitles, stream_node: Any, tmp_path: Path
) -> None:
    (tmp_path / "Harbor.Lights.S01E01.de.srt").write_bytes(srt(2))
    stream_node.files = {"Film.avi": b"\0" * 200_000}
    async with run_subtitles(os_key=None, folder=tmp_path) as subtitles:
        german = await listed(subtitles, "de")
        with pytest.raises(FailedPrecondition, match="nothing to compare with") as refused:
            await subtitles.AlignTrack(pb2.AlignTrackRequest(key=KEY, track=german.id, picked=PICKED))
        with pytest.raises(NotFound, match="Nobody asked"):
            await subtitles.GetAlignment(pb2.GetAlignmentRequest(key=KEY, track=german.id))

    assert refused.value.reason == "NO_REFERENCE_TRACK"


async def test_of_a_seasons_archive_each_episode_gets_its_own(run_subtitles: RunSubtitles, tmp_path: Path) -> None:
    with ZipFile(tmp_path / "Harbor Lights S01 de.zip", "w") as archive:
        for number in (1, 2):
            archive.writestr(f"[G] Harbor Lights - {number:02}.srt", srt(number, language=f"Folge {number}, Zeile"))
    async with run_subtitles(os_key=None, folder=tmp_path) as subtitles:
        keys = [catalog_pb2.EpisodeKey(series_id="mal:anime:9201", season=1, episode=number) for number in (2, 1)]
        found = [await subtitles.GetSubtitle(pb2.GetSubtitleRequest(key=key, lang="de")) for key in keys]

    assert ["Folge 2, Zeile 0" in found[0].webvtt, "Folge 1, Zeile 0" in found[1].webvtt] == [True, True]


async def test_of_tracks_for_no_release_the_one_that_runs_as_long_comes_first(
    run_subtitles: RunSubtitles, stream_node: Any, tmp_path: Path
) -> None:
    for name, text in (("a", srt(3)), ("b", srt(3)[:2_000]), ("c", srt(3, late_ms=60_000))):
        (tmp_path / f"Harbor Lights S01E01 {name} de.srt").write_bytes(text)
    stream_node.files = {"Film.mkv": _film(seconds=600)}
    async with run_subtitles(os_key=None, folder=tmp_path) as subtitles:
        unread = await subtitles.ListSubtitles(pb2.ListSubtitlesRequest(key=KEY, languages=["de"], picked=PICKED))
        for track in unread.tracks:
            await subtitles.GetSubtitle(pb2.GetSubtitleRequest(key=KEY, track=track.id))
        read = await subtitles.ListSubtitles(pb2.ListSubtitlesRequest(key=KEY, languages=["de"], picked=PICKED))

    assert [track.release_title[-4:-3] for track in read.tracks if track.source == "folder"] == ["a", "b", "c"]


async def test_fonts_inside_a_film_come_with_its_substation_track(
    run_subtitles: RunSubtitles, stream_node: Any
) -> None:
    stream_node.files = {"Film.mkv": _film(seconds=20)}
    async with run_subtitles(os_key=None) as subtitles:
        fonts: list[pb2.Font] = []

        async def why_not_found() -> str | None:
            # Nobody waits long for a video to be read, and the first time a process is started.
            request = pb2.ListSubtitlesRequest(key=KEY, languages=["en"], picked=PICKED)
            fonts[:] = (await subtitles.ListSubtitles(request)).fonts
            return None if fonts else "no font"

        await eventually(why_not_found, within=30)
        (font,) = fonts
        file = await subtitles.GetFont(pb2.GetFontRequest(id=font.id))
        with pytest.raises(NotFound, match="such a font"):
            await subtitles.GetFont(pb2.GetFontRequest(id="0" * 64))

    assert (font.file_name, font.content_type, font.size_bytes) == ("Keeper Sans.ttf", "font/ttf", len(FONT))
    assert file.content == FONT


def _film(*, seconds: int) -> bytes:
    """A film with a SubStation track, its font, and a program that claims to be one."""
    script = (
        "[Script Info]\nScriptType: v4.00+\n\n"
        "[V4+ Styles]\nFormat: Name, Fontname, Fontsize\nStyle: Default,Keeper Sans,20\n\n"
        "[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,Hello\n"
    )
    out = io.BytesIO()
    with av.open(out, "w", format="matroska") as container, av.open(io.BytesIO(script.encode()), "r") as source:
        picture = container.add_stream("rawvideo", rate=1)
        picture.width, picture.height, picture.pix_fmt = 16, 16, "yuv420p"
        track = container.add_stream_from_template(source.streams.subtitles[0])
        track.metadata["language"] = "eng"
        container.add_attachment("../../Keeper Sans.ttf", "font/ttf", FONT)
        container.add_attachment("evil.ttf", "font/ttf", b"\x7fELF" + b"\0" * 100)
        for packet in source.demux():
            if packet.size:
                packet.stream = track
                container.mux(packet)
        for number in range(seconds):
            frame = av.VideoFrame(16, 16, "yuv420p")
            frame.pts = number
            container.mux(picture.encode(frame))
    return out.getvalue()

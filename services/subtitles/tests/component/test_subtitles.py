"""Subtitles' RPCs, when all is well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from vod.catalog.v1 import catalog_pb2
from vod.subtitles.v1.subtitles_service_pb2 import EnsureSubtitlesRequest, GetSubtitleRequest

from vod_fakes.library import LIBRARY
from vod_fakes.opensubtitles import OpenSubtitles
from vod_fakes.shapes import Subtitle
from vod_rpc import InvalidArgument, NotFound

if TYPE_CHECKING:
    from vod.subtitles.v1.subtitles_service_pb2_grpc import SubtitlesServiceAsyncStub

RunSubtitles = Callable[..., AbstractAsyncContextManager["SubtitlesServiceAsyncStub"]]


def key(number: int, *, series_id: str = "tmdb:tv:9001") -> catalog_pb2.EpisodeKey:
    return catalog_pb2.EpisodeKey(series_id=series_id, season=1, episode=number)


def of_episode_one(file_id: int, release: str, *, downloads: int) -> Subtitle:
    one = next(s for s in LIBRARY.subtitles if (s.tmdb_id, s.episode, s.language) == (9001, 1, "en"))
    return replace(one, file_id=file_id, release=release, downloads=downloads, lines=(f"This is {file_id}.",))


async def test_a_track_is_found_converted_and_served_as_webvtt(subtitles: SubtitlesServiceAsyncStub) -> None:
    found = await subtitles.GetSubtitle(GetSubtitleRequest(key=key(1), lang="en"))

    assert found.webvtt.split("\n")[:5] == [
        "WEBVTT",
        "",
        "00:00:02.000 --> 00:00:05.500",
        "The lamp has been cold for a week.",
        "",
    ]
    assert found.webvtt.count(" --> ") == 7
    assert "<i>That is what we ask the sea.</i>" in found.webvtt
    assert (found.track.lang, found.track.label) == ("en", "English")
    assert found.etag.startswith('"')


async def test_umlauts_in_windows_1252_come_out_right(subtitles: SubtitlesServiceAsyncStub) -> None:
    found = await subtitles.GetSubtitle(GetSubtitleRequest(key=key(3), lang="de"))

    assert "Dann sind es zwei. Größer als unseres." in found.webvtt
    assert "Oder eins, das uns täuschen möchte." in found.webvtt
    assert "Zünde die Lampe an." in found.webvtt


async def test_a_film_has_subtitles_too(subtitles: SubtitlesServiceAsyncStub) -> None:
    found = await subtitles.GetSubtitle(GetSubtitleRequest(key=key(1, series_id="tmdb:movie:9101"), lang="de"))

    assert "Hast du je gewartet, bis die Äpfel süß sind?" in found.webvtt


async def test_a_hundred_viewers_cost_one_search_and_one_download(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles
) -> None:
    asked = GetSubtitleRequest(key=key(1), lang="en")

    found = await asyncio.gather(*(subtitles.GetSubtitle(asked) for _ in range(100)))

    assert len({one.etag for one in found}) == 1
    assert len(opensubtitles.downloads) == 1
    assert opensubtitles.control.count("/api/v1/subtitles") == 1


async def test_two_replicas_cost_one_download(run_subtitles: RunSubtitles, opensubtitles: OpenSubtitles) -> None:
    asked = GetSubtitleRequest(key=key(1), lang="en")

    async with run_subtitles() as one, run_subtitles() as other:
        found = await asyncio.gather(*(stub.GetSubtitle(asked) for stub in (one, other) * 10))

    assert len({answer.webvtt for answer in found}) == 1
    assert len(opensubtitles.downloads) == 1


async def test_a_file_is_downloaded_once_ever(run_subtitles: RunSubtitles, opensubtitles: OpenSubtitles) -> None:
    for _ in range(2):
        async with run_subtitles() as subtitles:
            await subtitles.EnsureSubtitles(EnsureSubtitlesRequest(key=key(1), languages=["en"]))
            await subtitles.GetSubtitle(GetSubtitleRequest(key=key(1), lang="en"))

    assert len(opensubtitles.downloads) == 1


async def test_ensured_tracks_come_in_the_order_wanted_without_those_that_there_are_not(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles
) -> None:
    ensured = await subtitles.EnsureSubtitles(EnsureSubtitlesRequest(key=key(1), languages=["fr", "de", "EN-us"]))
    spent = len(opensubtitles.downloads)
    await subtitles.GetSubtitle(GetSubtitleRequest(key=key(1), lang="de"))

    assert [(track.lang, track.label) for track in ensured.tracks] == [("de", "Deutsch"), ("en", "English")]
    assert spent == 2
    assert len(opensubtitles.downloads) == 2


async def test_the_track_made_for_the_picked_release_wins_and_stays_chosen(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles
) -> None:
    tide, nova = "Harbor.Lights.S01E01.720p.WEB-DL.H264-TIDE", "Harbor.Lights.S01E01.1080p.WEB-DL.H264-NOVA"
    tracks = (of_episode_one(1, nova, downloads=9999), of_episode_one(2, tide, downloads=3))
    opensubtitles.library = replace(LIBRARY, subtitles=tracks)

    await subtitles.EnsureSubtitles(EnsureSubtitlesRequest(key=key(1), languages=["en"], release_title=tide))
    found = await subtitles.GetSubtitle(GetSubtitleRequest(key=key(1), lang="en"))

    assert "This is 2." in found.webvtt
    assert opensubtitles.downloads == [2]


async def test_without_a_release_the_most_downloaded_track_wins(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles
) -> None:
    tracks = (of_episode_one(1, "a", downloads=3), of_episode_one(2, "b", downloads=9))
    opensubtitles.library = replace(LIBRARY, subtitles=tracks)

    found = await subtitles.GetSubtitle(GetSubtitleRequest(key=key(1), lang="en"))

    assert "This is 2." in found.webvtt


async def test_without_a_language_a_track_that_is_ready_is_taken(subtitles: SubtitlesServiceAsyncStub) -> None:
    default = await subtitles.GetSubtitle(GetSubtitleRequest(key=key(1)))
    await subtitles.EnsureSubtitles(EnsureSubtitlesRequest(key=key(2), languages=["de"]))
    ready = await subtitles.GetSubtitle(GetSubtitleRequest(key=key(2)))

    assert (default.track.lang, ready.track.lang) == ("en", "de")


async def test_an_anime_is_looked_for_by_its_name(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles, catalog: Any
) -> None:
    found = await subtitles.GetSubtitle(GetSubtitleRequest(key=key(2, series_id="mal:anime:9201"), lang="en"))
    (asked,) = opensubtitles.control.asked("/api/v1/subtitles")

    assert "There is no wreck on the chart." in found.webvtt
    assert catalog.asked == ["mal:anime:9201"]
    assert dict(asked.query) == {
        "episode_number": "2",
        "languages": "en",
        "query": "harbor lights",
        "season_number": "1",
    }


async def test_catalog_is_not_asked_for_ids_that_we_know(subtitles: SubtitlesServiceAsyncStub, catalog: Any) -> None:
    await subtitles.GetSubtitle(GetSubtitleRequest(key=key(1), lang="en"))

    assert catalog.asked == []


async def test_an_episode_without_tracks_has_none(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles
) -> None:
    nowhere = key(1, series_id="tmdb:tv:9002")
    ensured = await subtitles.EnsureSubtitles(EnsureSubtitlesRequest(key=nowhere, languages=["en"]))
    with pytest.raises(NotFound) as missing:
        await subtitles.GetSubtitle(GetSubtitleRequest(key=nowhere, lang="en"))

    assert list(ensured.tracks) == []
    assert missing.value.reason == "SUBTITLE_NOT_FOUND"
    assert opensubtitles.control.count("/api/v1/subtitles") == 1  # "none" is remembered


async def test_without_a_key_there_are_no_tracks_and_the_reason_is_said(run_subtitles: RunSubtitles) -> None:
    async with run_subtitles(os_key=None) as subtitles:
        ensured = await subtitles.EnsureSubtitles(EnsureSubtitlesRequest(key=key(1), languages=["en"]))
        with pytest.raises(NotFound, match="No source is configured") as missing:
            await subtitles.GetSubtitle(GetSubtitleRequest(key=key(1), lang="en"))

    assert list(ensured.tracks) == []
    assert missing.value.reason == "SUBTITLE_NOT_FOUND"


async def test_what_was_kept_is_served_without_a_key(run_subtitles: RunSubtitles) -> None:
    async with run_subtitles() as subtitles:
        before = await subtitles.GetSubtitle(GetSubtitleRequest(key=key(1), lang="en"))

    async with run_subtitles(os_key=None) as subtitles:
        after = await subtitles.GetSubtitle(GetSubtitleRequest(key=key(1), lang="en"))

    assert after == before


async def test_nonsense_is_refused(subtitles: SubtitlesServiceAsyncStub) -> None:
    for nonsense in (
        GetSubtitleRequest(key=key(1), lang="english"),
        GetSubtitleRequest(key=key(-1), lang="en"),
        GetSubtitleRequest(key=key(1, series_id="tmdb:tv:../../etc"), lang="en"),
    ):
        with pytest.raises(InvalidArgument) as refused:
            await subtitles.GetSubtitle(nonsense)
        assert refused.value.reason == "INVALID_SUBTITLE_REQUEST"

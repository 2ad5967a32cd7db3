"""Subtitles when OpenSubtitles has no downloads left, is broken, or sends what is no subtitle."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from starlette.responses import PlainTextResponse
from vod.catalog.v1 import catalog_pb2
from vod.subtitles.v1.subtitles_service_pb2 import EnsureSubtitlesRequest, GetSubtitleRequest

from vod_fakes.control import Control, CutBody, Delay, Fault, Reply, html_error, json_reply, too_many_requests
from vod_fakes.library import LIBRARY
from vod_fakes.opensubtitles import OpenSubtitles
from vod_fakes.serving import Site, bind, http_servers
from vod_rpc import DeadlineExceeded, NotFound, ResourceExhausted, Unavailable
from vod_testing import MovableClock

if TYPE_CHECKING:
    from vod.subtitles.v1.subtitles_service_pb2_grpc import SubtitlesServiceAsyncStub

RunSubtitles = Callable[..., AbstractAsyncContextManager["SubtitlesServiceAsyncStub"]]
KEY = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=1)
NEXT = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=2)
SEARCH, DOWNLOAD, FILE = "/api/v1/subtitles", "/api/v1/download", "/download"


async def test_a_used_up_quota_is_remembered_until_it_resets(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles, clock: MovableClock
) -> None:
    opensubtitles.remaining = 0
    for _ in range(3):
        with pytest.raises(ResourceExhausted) as refused:
            await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"))

    assert refused.value.reason == "SUBTITLE_QUOTA_EXHAUSTED"
    assert refused.value.retry_after is not None
    assert timedelta(hours=19) < refused.value.retry_after <= timedelta(hours=20)
    assert datetime.fromisoformat(refused.value.metadata["resets_at"]) > clock.now()
    assert opensubtitles.control.count(DOWNLOAD) == 1

    opensubtitles.remaining = 100
    clock.advance(timedelta(hours=21))

    assert (await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"))).track.lang == "en"


async def test_without_downloads_there_is_what_is_ready(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles
) -> None:
    opensubtitles.remaining = 1

    ensured = await subtitles.EnsureSubtitles(EnsureSubtitlesRequest(key=KEY, languages=["de", "en"]))
    again = await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="de"))
    nothing = await subtitles.EnsureSubtitles(EnsureSubtitlesRequest(key=NEXT, languages=["de", "en"]))

    assert [track.lang for track in ensured.tracks] == ["de"]
    assert again.track.lang == "de"
    assert list(nothing.tracks) == []


async def test_a_quota_that_comes_as_401_is_one(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles
) -> None:
    words = {"message": "You have downloaded your allowed 20 subtitles for 24h."}
    opensubtitles.control.misbehave(json_reply(words, status=401), path=DOWNLOAD)

    with pytest.raises(ResourceExhausted):
        await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"))


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(too_many_requests(retry_after="9"), id="429"),
        pytest.param(html_error(502), id="502 in HTML"),
        pytest.param(json_reply({"message": "You cannot consume this service"}, status=403), id="403"),
        pytest.param(json_reply({"data": None, "link": None}), id="nulls"),
        pytest.param(json_reply([]), id="a list"),
        pytest.param(json_reply({"link": "file:///etc/passwd"}), id="a link to a file"),
        pytest.param(CutBody(), id="cut off"),
    ],
)
async def test_a_broken_source_is_said_to_be_unavailable(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles, clock: MovableClock, fault: Fault
) -> None:
    for path in (SEARCH, DOWNLOAD):
        opensubtitles.control.behave()
        opensubtitles.control.misbehave(fault, path=path)
        clock.advance(timedelta(minutes=1))

        ensured = await subtitles.EnsureSubtitles(EnsureSubtitlesRequest(key=KEY, languages=["en"]))
        with pytest.raises(Unavailable) as failed:
            await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"))

        assert list(ensured.tracks) == []
        assert failed.value.reason == "SUBTITLE_SOURCE_UNAVAILABLE"
        assert failed.value.retry_after is not None


async def test_nobody_is_asked_in_the_source_s_name(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles, clock: MovableClock
) -> None:
    inside = Site(PlainTextResponse("1\n00:01 --> 00:02\nsecret"), Control(), bind())
    faults = {
        SEARCH: Reply(302, headers={"location": f"{inside.url}/redirected"}),
        DOWNLOAD: json_reply({"link": f"{inside.url}/linked"}),
    }
    async with http_servers([inside]):
        for path, fault in faults.items():
            opensubtitles.control.behave()
            opensubtitles.control.misbehave(fault, path=path)
            clock.advance(timedelta(minutes=1))
            with pytest.raises(Unavailable):
                await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"))

    assert list(inside.control.seen) == []


async def test_a_source_that_asks_us_to_wait_is_left_alone(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles, clock: MovableClock
) -> None:
    opensubtitles.control.misbehave(too_many_requests(retry_after="60"), times=1)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"))

    assert opensubtitles.control.count() == 1

    clock.advance(timedelta(seconds=61))

    assert (await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"))).track.lang == "en"


async def test_one_bad_gateway_is_tried_again(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles
) -> None:
    opensubtitles.control.misbehave(html_error(502), times=1)

    assert (await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"))).track.lang == "en"


async def test_a_download_goes_on_when_the_viewer_has_given_up(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles
) -> None:
    opensubtitles.control.misbehave(Delay(timedelta(seconds=0.5)), times=1, path=FILE)
    with pytest.raises(DeadlineExceeded):
        await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"), timeout=0.2)

    await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"))

    assert len(opensubtitles.downloads) == 1


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"<html>Too many requests</html>", id="HTML"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00" * 1000, id="zeros"),
    ],
)
async def test_a_file_that_is_no_subtitle_makes_way_for_the_next_and_is_not_fetched_again(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles, content: bytes
) -> None:
    one = next(s for s in LIBRARY.subtitles if (s.tmdb_id, s.episode, s.language) == (9001, 1, "en"))
    other = replace(one, file_id=2, downloads=1, lines=("The other one.",))
    opensubtitles.library = replace(LIBRARY, subtitles=(one, other))
    opensubtitles.control.misbehave(Reply(200, content), times=1, path=FILE)

    for _ in range(2):
        found = await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"))
        assert "The other one." in found.webvtt

    assert opensubtitles.downloads == [one.file_id, 2]


async def test_a_file_that_is_gone_at_the_source_costs_no_quota_memory(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles
) -> None:
    opensubtitles.control.misbehave(json_reply({"message": "Invalid file_id"}, status=406), times=1, path=DOWNLOAD)

    with pytest.raises(NotFound) as missing:
        await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"))
    other = await subtitles.GetSubtitle(GetSubtitleRequest(key=NEXT, lang="en"))

    assert missing.value.reason == "SUBTITLE_NOT_FOUND"
    assert other.track.lang == "en"


async def test_known_tracks_outlive_a_source_that_fails_to_be_searched(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles, clock: MovableClock
) -> None:
    before = await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"))
    opensubtitles.control.misbehave(html_error())
    clock.advance(timedelta(days=2))

    after = await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"))

    assert after == before


async def test_the_key_goes_to_the_api_and_not_to_the_file_host(
    subtitles: SubtitlesServiceAsyncStub, opensubtitles: OpenSubtitles
) -> None:
    await subtitles.GetSubtitle(GetSubtitleRequest(key=KEY, lang="en"))

    with_key = {seen.path: "api-key" in seen.headers for seen in opensubtitles.control.seen}
    assert with_key.pop(SEARCH)
    assert with_key.pop(DOWNLOAD)
    assert set(with_key.values()) == {False}

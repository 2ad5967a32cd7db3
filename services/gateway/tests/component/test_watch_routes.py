"""What a player fetches: where it was, the stream, the subtitles."""

import pytest
from google.protobuf.duration_pb2 import Duration
from vod.catalog.v1.catalog_pb2 import EpisodeKey
from vod.playback.v1 import playback_service_pb2 as playback
from vod.subtitles.v1 import subtitles_service_pb2 as subtitles

VTT = "WEBVTT\n\n00:01.000 --> 00:02.000\nWer hütet das Licht?\n"


@pytest.fixture
def subtitle() -> subtitles.GetSubtitleResponse:
    track = subtitles.SubtitleTrack(lang="de", label="Deutsch")
    return subtitles.GetSubtitleResponse(track=track, webvtt=VTT, etag='"5d1ce7a9"')


async def test_resume_tells_where_and_from_what(http, fakes, samples) -> None:
    fakes.answers["GetResume"] = playback.GetResumeResponse(
        key=samples.key,
        position=Duration(seconds=612, nanos=500_000_000),
        duration=Duration(seconds=1260),
        pick=samples.pick,
    )
    answer = await http.get("/v1/resume", params={"seriesId": "tmdb:tv:9001"})

    assert answer.json() == {
        "seriesId": "tmdb:tv:9001",
        "season": 1,
        "episode": 3,
        "position_s": 612.5,
        "duration_s": 1260.0,
        "pick": samples.pick_json,
    }
    [asked] = fakes.asked["GetResume"]
    assert asked.series_id == "tmdb:tv:9001"
    assert asked.subject_id == ""


async def test_resume_without_a_series_asks_for_whatever_was_watched_last(http, fakes, samples) -> None:
    fakes.answers["GetResume"] = playback.GetResumeResponse(key=samples.key, pick=samples.pick)
    await http.get("/v1/resume")

    [asked] = fakes.asked["GetResume"]
    assert asked.series_id == ""


async def test_whose_progress_it_is_only_the_cookie_says(http, fakes, samples) -> None:
    fakes.answers["GetResume"] = playback.GetResumeResponse(key=samples.key, pick=samples.pick)
    await http.get("/v1/resume", params={"subjectId": "anna", "subject_id": "anna", "deviceId": "0" * 32})

    [asked] = fakes.asked["GetResume"]
    assert asked.subject_id == ""
    assert asked.device_id != "0" * 32


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_the_stream_is_where_its_signed_address_says(http, fakes, samples, method) -> None:
    fakes.answers["GetStream"] = playback.GetStreamResponse(stream_url=samples.stream_url)
    answer = await http.request(method, "/v1/stream/session-1")

    assert answer.status_code == 307
    assert answer.headers["location"] == samples.stream_url
    assert answer.headers["cache-control"] == "no-store"
    assert fakes.asked["GetStream"] == [playback.GetStreamRequest(session_id="session-1")]


async def test_subtitles_are_plain_webvtt_that_no_browser_mistakes_for_a_page(http, fakes, subtitle) -> None:
    fakes.answers["GetSubtitle"] = subtitle
    answer = await http.get("/v1/subtitles/tmdb:tv:9001:S01E02.vtt", params={"lang": "de"})

    assert answer.status_code == 200
    assert answer.content.decode() == VTT
    assert answer.headers["content-type"] == "text/vtt; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["content-language"] == "de"
    assert fakes.asked["GetSubtitle"] == [
        subtitles.GetSubtitleRequest(key=EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=2), lang="de")
    ]


@pytest.mark.parametrize("known", ['"5d1ce7a9"', 'W/"5d1ce7a9"', '"other", "5d1ce7a9"', "*"])
async def test_known_subtitles_are_not_sent_again(http, fakes, subtitle, known) -> None:
    fakes.answers["GetSubtitle"] = subtitle
    answer = await http.get("/v1/subtitles/tmdb:tv:9001:S01E02.vtt", headers={"If-None-Match": known})

    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["etag"] == '"5d1ce7a9"'


async def test_changed_subtitles_are_sent(http, fakes, subtitle) -> None:
    fakes.answers["GetSubtitle"] = subtitle
    answer = await http.get("/v1/subtitles/tmdb:tv:9001:S01E02.vtt", headers={"If-None-Match": '"older"'})

    assert answer.status_code == 200


@pytest.mark.parametrize("key", ["x", "tmdb:tv:9001", "..%2f..%2fetc%2fpasswd", "%2e%2e", "tmdb:tv:9001:S1E2"])
async def test_what_names_no_episode_has_no_subtitles(http, fakes, key) -> None:
    answer = await http.get(f"/v1/subtitles/{key}.vtt")

    assert answer.status_code in {400, 404}
    assert answer.headers["content-type"] == "application/problem+json"
    assert not fakes.asked["GetSubtitle"]

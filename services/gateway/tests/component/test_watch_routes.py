"""What a player fetches: where it was, the stream, the subtitles."""

import httpx
import pytest
from google.protobuf.duration_pb2 import Duration
from vod.catalog.v1 import catalog_service_pb2 as catalog
from vod.catalog.v1.catalog_pb2 import Episode, EpisodeKey, Series
from vod.picks.v1 import picks_service_pb2 as picks
from vod.playback.v1 import playback_service_pb2 as playback
from vod.scoring.v1 import scoring_pb2 as scoring
from vod.sources.v1 import sources_service_pb2 as sources_pb2
from vod.subtitles.v1 import subtitles_service_pb2 as subtitles

from vod_rpc import DeadlineExceeded, Failure, Unavailable

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
        "source": {
            "type": "torrent",
            "quality": samples.pick_json["resolution"],
            "provider": "torrent",
            "collection": "",
            "reasons": samples.pick_json["reasons"],
        },
    }
    [asked] = fakes.asked["GetResume"]
    assert asked.series_id == "tmdb:tv:9001"
    assert asked.subject_id == ""


async def test_what_was_watched_elsewhere_is_resumed_from_no_source(http, fakes, samples) -> None:
    fakes.answers["GetResume"] = playback.GetResumeResponse(key=samples.key, position=Duration(seconds=612))
    answer = (await http.get("/v1/resume")).json()

    assert (answer["position_s"], answer["pick"], answer["source"]) == (612.0, None, None)


async def test_resume_without_a_series_asks_for_whatever_was_watched_last(http, fakes, samples) -> None:
    fakes.answers["GetResume"] = playback.GetResumeResponse(key=samples.key, pick=samples.pick)
    await http.get("/v1/resume")

    [asked] = fakes.asked["GetResume"]
    assert asked.series_id == ""


async def test_a_resume_can_be_asked_for_by_the_subject_but_the_device_is_the_cookies(http, fakes, samples) -> None:
    fakes.answers["GetResume"] = playback.GetResumeResponse(key=samples.key, pick=samples.pick)
    await http.get("/v1/resume", params={"subjectId": "anna", "deviceId": "0" * 32})

    [asked] = fakes.asked["GetResume"]
    assert asked.subject_id == "anna"
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


async def test_of_several_picks_the_one_that_is_watched_says_which_file_the_subtitles_are_for(
    http, fakes, subtitle, samples
) -> None:
    other = picks.Pick(id=samples.pick.id + 1, infohash="0b" * 20, file_index=3, title="Other")
    fakes.answers["ListPicks"] = picks.ListPicksResponse(picks=[other, samples.pick])
    fakes.answers["ListSubtitles"] = subtitles.ListSubtitlesResponse(tracks=[subtitles.SubtitleTrack(id="17")])
    newest = await http.get("/v1/subtitles/tmdb:tv:9001:S01E02")
    watched = await http.get("/v1/subtitles/tmdb:tv:9001:S01E02", params={"pick": samples.pick.id})

    assert [asked.picked.infohash for asked in fakes.asked["ListSubtitles"]] == ["0b" * 20, samples.pick.infohash]
    assert newest.json()["tracks"][0]["url"].endswith(".vtt?track=17")
    assert watched.json()["tracks"][0]["url"].endswith(f".vtt?track=17&pick={samples.pick.id}")


async def test_a_font_of_the_video_is_kept_for_ever(http, fakes) -> None:
    font = subtitles.Font(id="9f" * 32, content_type="font/otf")
    fakes.answers["GetFont"] = subtitles.GetFontResponse(font=font, content=b"OTTO")
    answer = await http.get(f"/v1/subtitles/fonts/{'9f' * 32}")

    assert (answer.content, answer.headers["content-type"]) == (b"OTTO", "font/otf")
    assert "immutable" in answer.headers["cache-control"]


async def test_the_search_for_a_timing_is_begun_and_looked_at(http, fakes) -> None:
    begun = subtitles.Alignment(track="17", reference="21", state=subtitles.ALIGNMENT_STATE_RUNNING, progress=0.5)
    done = subtitles.Alignment(track="17", state=subtitles.ALIGNMENT_STATE_DONE, timing=subtitles.Timing(rate=1.25))
    fakes.answers["AlignTrack"] = subtitles.AlignTrackResponse(alignment=begun)
    fakes.answers["GetAlignment"] = subtitles.GetAlignmentResponse(alignment=done)
    first = await http.post("/v1/subtitles/tmdb:tv:9001:S01E02/alignment", json={"track": "17"})
    later = await http.get("/v1/subtitles/tmdb:tv:9001:S01E02/alignment", params={"track": "17"})

    assert (first.status_code, first.json()["state"], first.json()["progress"]) == (202, "running", 0.5)
    assert first.json()["offset_s"] is None
    assert (later.json()["state"], later.json()["rate"], later.json()["offset_s"]) == ("done", 1.25, 0.0)


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


@pytest.fixture
def page(fakes, samples) -> None:
    """What the catalog knows for a watch page."""
    opening = catalog.SkipRange(kind=catalog.SKIP_KIND_OPENING, start=Duration(seconds=5), end=Duration(seconds=95))
    fakes.answers |= {
        "GetEpisode": catalog.GetEpisodeResponse(
            series=Series(id="tmdb:tv:9001", title="Harbor Lights"),
            episode=Episode(key=samples.key, name="The Lamp"),
            next=EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=4),
        ),
        "GetSkipRanges": catalog.GetSkipRangesResponse(ranges=[opening]),
        "ListDevices": Unavailable("Away."),
    }


def _has_all_but_sources(answer: httpx.Response) -> None:
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["sources"] == []
    assert (told["content"]["title"], told["episode"]["title"]) == ("Harbor Lights", "The Lamp")
    assert told["nextEpisodeId"] == "tmdb:tv:9001:S01E04"
    assert [(one["start"], one["end"]) for one in told["skipRanges"]] == [(5.0, 95.0)]


@pytest.mark.parametrize("failure", [Unavailable("Away."), DeadlineExceeded("Slow.")])
@pytest.mark.usefixtures("page")
async def test_a_watch_page_without_an_answer_of_sources_has_all_else(http, fakes, failure: Failure) -> None:
    fakes.answers["ListSources"] = failure

    _has_all_but_sources(await http.get("/v1/content/tmdb:tv:9001/watch", params={"episode": 3}))


@pytest.mark.usefixtures("page")
async def test_a_watch_page_has_all_else_while_nobody_is_where_sources_should_be(run_gateway, tmp_path) -> None:
    async with run_gateway(sources_target=f"unix:{tmp_path}/nobody.sock") as (client, _):
        _has_all_but_sources(await client.get("/api/content/tmdb:tv:9001/watch", params={"episode": 3}))


async def test_the_list_of_sources_alone_says_that_they_are_away(http, fakes, samples) -> None:
    fakes.answers["GetEpisode"] = catalog.GetEpisodeResponse(episode=Episode(key=samples.key))
    fakes.answers["ListDevices"] = playback.ListDevicesResponse()
    fakes.answers["ListSources"] = Unavailable("Away.")
    answer = await http.get("/v1/sources", params={"seriesId": "tmdb:tv:9001"})

    assert answer.status_code == 503


@pytest.mark.parametrize(
    ("path", "asked", "limits"),
    [
        ("/v1/content/tmdb:tv:9001/watch", {}, (8_000_000, 1080)),
        ("/v1/sources", {"seriesId": "tmdb:tv:9001"}, (8_000_000, 1080)),
        ("/v1/sources", {"seriesId": "tmdb:tv:9001", "maxBitrate": 3_000_000, "maxHeight": 0}, (3_000_000, 0)),
    ],
)
@pytest.mark.usefixtures("page")
async def test_sources_are_those_that_device_and_link_carry_unless_something_else_is_said(
    http, fakes, path: str, asked: dict[str, object], limits: tuple[int, int]
) -> None:
    profile = scoring.DeviceProfile(h264=True, av1=True, max_height=1080, max_bitrate=20_000_000)
    other = playback.Device(profile=scoring.DeviceProfile(hevc=True), link_bitrate=1)
    own = playback.Device(self=True, profile=profile, link_bitrate=8_000_000)
    found = fakes.answers["GetEpisode"]
    found.episode.runtime.FromSeconds(2400)
    fakes.answers |= {
        "ListDevices": playback.ListDevicesResponse(devices=[other, own]),
        "ListSources": sources_pb2.ListSourcesResponse(
            sources=[sources_pb2.Source(path="p/file.mp4", is_healthy=True, bitrate=5, codec="av1", fits=True)]
        ),
    }
    answer = (await http.get(path, params=asked)).json()

    [request] = fakes.asked["ListSources"]
    [source] = answer if isinstance(answer, list) else answer["sources"]
    assert (request.max_bitrate, request.max_height) == limits
    assert (request.device_bitrate, list(request.codecs)) == (20_000_000, ["h264", "av1"])
    assert request.content.runtime.seconds == 2400
    assert (source["fits"], source["bitrate"], source["codec"]) == (True, 5, "av1")

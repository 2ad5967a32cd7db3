"""Subtitles: the list, one of them, its original, and by how much it is off."""

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from vod.catalog.v1.catalog_pb2 import EpisodeKey
from vod.picks.v1 import picks_service_pb2 as picks
from vod.subtitles.v1 import subtitles_service_pb2 as subtitles

KEY = EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=2)
PICKED = subtitles.PickedFile(infohash="5d" * 20, file_index=3, release_title="A.Release")
TRACK = subtitles.SubtitleTrack(
    id="17",
    lang="de",
    label="Deutsch (SDH)",
    source="embedded",
    release_title="A.Release",
    hearing_impaired=True,
    exact=True,
    ready=True,
    encoding="utf-8",
    has_script=True,
    timing=subtitles.Timing(offset=Duration(seconds=-1, nanos=-500_000_000), rate=1.0),
)


def picked(*, replaced: bool = False) -> picks.Pick:
    return picks.Pick(infohash="5d" * 20, file_index=3, title="A.Release", replaced=replaced)


async def test_the_list_has_every_track_with_its_address(http, fakes) -> None:
    older = picks.Pick(infohash="aa" * 20, replaced=True)
    fakes.answers["ListPicks"] = picks.ListPicksResponse(picks=[older, picked()])
    fakes.answers["ListSubtitles"] = subtitles.ListSubtitlesResponse(
        tracks=[TRACK],
        fonts=[
            subtitles.Font(id="9f" * 32, file_name="Keeper.ttf", content_type="font/ttf", size_bytes=81_236),
        ],
        quota_reset_time=Timestamp(seconds=1_795_219_200),
    )
    answer = await http.get("/v1/subtitles/tmdb:tv:9001:S01E02", params={"lang": ["de", "en"]})

    assert answer.json() == {
        "tracks": [
            {
                "id": "17",
                "lang": "de",
                "label": "Deutsch (SDH)",
                "url": "/v1/subtitles/tmdb:tv:9001:S01E02.vtt?track=17",
                "source": "embedded",
                "releaseTitle": "A.Release",
                "forced": False,
                "hearingImpaired": True,
                "machineTranslated": False,
                "exact": True,
                "ready": True,
                "encoding": "utf-8",
                "hasScript": True,
                "offset_s": -1.5,
                "rate": 1.0,
            }
        ],
        "fonts": [
            {
                "url": f"/v1/subtitles/fonts/{'9f' * 32}",
                "fileName": "Keeper.ttf",
                "contentType": "font/ttf",
                "sizeBytes": 81_236,
            }
        ],
        "quotaResetsAt": "2026-11-21T00:00:00Z",
    }
    assert fakes.asked["ListSubtitles"] == [
        subtitles.ListSubtitlesRequest(key=KEY, languages=["de", "en"], picked=PICKED)
    ]


async def test_a_track_is_asked_for_as_the_viewer_wants_it(http, fakes) -> None:
    fakes.answers["ListPicks"] = picks.ListPicksResponse(picks=[picked()])
    fakes.answers["GetSubtitle"] = subtitles.GetSubtitleResponse(track=TRACK, webvtt="WEBVTT\n", etag="e", partial=True)
    wanted = {"track": "17", "offset": "-1.5", "rate": "1.0427", "encoding": "cp1250"}
    answer = await http.get("/v1/subtitles/tmdb:tv:9001:S01E02.vtt", params=wanted)

    assert answer.headers["cache-control"] == "no-store"  # the rest comes later
    assert fakes.asked["GetSubtitle"] == [
        subtitles.GetSubtitleRequest(
            key=KEY,
            track="17",
            timing=subtitles.Timing(offset=Duration(seconds=-1, nanos=-500_000_000), rate=1.0427),
            encoding="cp1250",
            picked=PICKED,
        )
    ]


async def test_the_original_is_had_where_it_is_substation(http, fakes) -> None:
    fakes.answers["GetSubtitle"] = subtitles.GetSubtitleResponse(track=TRACK, script="[Script Info]\n", etag="e")
    answer = await http.get("/v1/subtitles/tmdb:tv:9001:S01E02.ass", params={"track": "17"})
    fakes.answers["GetSubtitle"] = subtitles.GetSubtitleResponse(track=TRACK, webvtt="WEBVTT\n", etag="e")
    none = await http.get("/v1/subtitles/tmdb:tv:9001:S01E02.ass")

    assert (answer.text, answer.headers["content-type"]) == ("[Script Info]\n", "text/x-ssa; charset=utf-8")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (none.status_code, none.json()["reason"]) == (404, "SUBTITLE_NOT_FOUND")


async def test_a_timing_is_remembered(http, fakes) -> None:
    fakes.answers["SetTiming"] = subtitles.SetTimingResponse(track=TRACK)
    answer = await http.post("/v1/subtitles/tmdb:tv:9001:S01E02/timing", json={"track": "17", "offset_s": -1.5})

    assert answer.json()["offset_s"] == -1.5
    [asked] = fakes.asked["SetTiming"]
    assert (asked.track, asked.timing.offset.ToMilliseconds(), asked.timing.rate) == ("17", -1500, 1.0)


@pytest.mark.parametrize(
    "wrong", [{"track": "x"}, {"offset": "4000"}, {"rate": "9"}, {"encoding": "../x"}, {"lang": "english"}]
)
async def test_what_can_t_be_wanted_is_refused(http, fakes, wrong) -> None:
    answer = await http.get("/v1/subtitles/tmdb:tv:9001:S01E02.vtt", params=wrong)

    assert answer.status_code == 400
    assert not fakes.asked["GetSubtitle"]

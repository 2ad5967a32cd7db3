"""Episodes by names that say nothing of a season: catalog says which key is meant."""

import pytest
from vod.catalog.v1 import catalog_pb2
from vod.catalog.v1 import catalog_service_pb2 as catalog
from vod.picks.v1 import picks_service_pb2 as picks
from vod.playback.v1 import playback_service_pb2 as playback
from vod.subtitles.v1 import subtitles_service_pb2 as subtitles

from vod_rpc import InvalidArgument, Unavailable

KEPT = catalog_pb2.EpisodeKey(series_id="mal:anime:9201", season=2, episode=2)
FOUND = catalog.GetEpisodeResponse(episode=catalog_pb2.Episode(key=KEPT))


async def test_a_session_may_be_started_by_a_running_number(http, fakes, samples) -> None:
    fakes.answers |= {"GetEpisode": FOUND, "StartSession": samples.started}
    body = {"seriesId": "mal:anime:9201", "absoluteEp": 5, "deviceCaps": {}}
    answer = await http.post("/v1/session/start", json=body)

    assert answer.status_code == 200, answer.text
    assert [one.ref for one in fakes.asked["GetEpisode"]] == ["mal:anime:9201:abs5"]
    assert fakes.asked["StartSession"][0].key == KEPT


@pytest.mark.parametrize("name", ["mal:anime:9202:S01E02", "mal:anime:9202:2", "mal:anime:9201:abs5"])
async def test_subtitles_and_picks_are_those_of_the_kept_key(http, fakes, name: str) -> None:
    fakes.answers |= {
        "GetEpisode": FOUND,
        "ListPicks": picks.ListPicksResponse(),
        "ListSubtitles": subtitles.ListSubtitlesResponse(),
    }
    await http.get(f"/v1/subtitles/{name}")

    assert [one.key for one in (*fakes.asked["ListPicks"], *fakes.asked["ListSubtitles"])] == [KEPT, KEPT]


async def test_without_the_catalog_a_key_is_taken_as_it_is(http, fakes) -> None:
    fakes.answers |= {
        "GetEpisode": Unavailable("The catalog is away."),
        "ListPicks": picks.ListPicksResponse(),
        "ListSubtitles": subtitles.ListSubtitlesResponse(),
    }
    answer = await http.get("/v1/subtitles/mal:anime:9201:S02E02")

    assert answer.status_code == 200
    assert fakes.asked["ListSubtitles"][0].key == KEPT


async def test_progress_may_name_an_episode_by_its_entry(http, fakes) -> None:
    fakes.answers |= {"GetEpisode": FOUND, "RecordProgress": playback.RecordProgressResponse()}
    body = {"contentId": "mal:anime:9202", "episodeId": "mal:anime:9202:2", "position": 60, "duration": 1420}
    answer = await http.post("/api/user/progress", json=body)

    assert answer.status_code == 204, answer.text
    assert fakes.asked["RecordProgress"][0].key == KEPT


async def test_a_name_that_makes_no_sense_is_said_to_be_so(http, fakes) -> None:
    fakes.answers["GetEpisode"] = InvalidArgument("A ref looks like …", reason="INVALID_REFERENCE")
    answer = await http.get("/v1/subtitles/tmdb:tv:9001:7")

    assert (answer.status_code, answer.json()["reason"]) == (400, "INVALID_REFERENCE")

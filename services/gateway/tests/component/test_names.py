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


async def test_progress_takes_any_name_of_the_title_but_no_episode_of_another(http, fakes) -> None:
    titles = {"tmdb:tv:9201": "mal:anime:9201", "mal:anime:9201": "mal:anime:9201"}

    async def series(request: catalog.GetSeriesRequest) -> catalog.GetSeriesResponse:
        found = titles.get(request.series_id, request.series_id)
        return catalog.GetSeriesResponse(series=catalog_pb2.Series(id=found))

    fakes.answers |= {"GetEpisode": FOUND, "GetSeries": series, "RecordProgress": playback.RecordProgressResponse()}
    body = {"episodeId": "mal:anime:9202:2", "position": 60, "duration": 1420}
    same = await http.post("/v1/progress", json={"contentId": "tmdb:tv:9201", **body})
    other = await http.post("/v1/progress", json={"contentId": "tmdb:tv:9001", **body})

    assert (same.status_code, len(fakes.asked["RecordProgress"])) == (204, 1)
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (400, "#/episodeId")
    assert "another title" in other.json()["errors"][0]["detail"]


@pytest.mark.parametrize(("kind", "status"), [(catalog_pb2.KIND_SERIES, 400), (catalog_pb2.KIND_MOVIE, 204)])
async def test_progress_of_what_has_several_episodes_must_say_which(http, fakes, kind: int, status: int) -> None:
    found = catalog.GetEpisodeResponse(series=catalog_pb2.Series(kind=kind), episode=catalog_pb2.Episode(key=KEPT))
    if status == 400:
        found.next.CopyFrom(KEPT)
    fakes.answers |= {"GetEpisode": found, "RecordProgress": playback.RecordProgressResponse()}
    answer = await http.post("/v1/progress", json={"contentId": "tmdb:tv:9001", "position": 60, "duration": 1420})

    assert answer.status_code == status, answer.text
    assert [one.key for one in fakes.asked["RecordProgress"]] == ([KEPT] if status == 204 else [])


@pytest.mark.parametrize(("at", "year"), [("0001-01-01T00:00:00+14:00", 1), ("9999-12-31T23:59:59-12:00", 9999)])
async def test_an_impossible_time_is_passed_on_as_one_and_not_taken_for_now(http, fakes, at: str, year: int) -> None:
    fakes.answers |= {"GetEpisode": FOUND, "RecordProgress": playback.RecordProgressResponse()}
    body = {"contentId": "mal:anime:9202", "episodeId": "mal:anime:9202:2", "position": 60, "duration": 1420}
    await http.post("/v1/progress", json=body | {"updatedAt": at})

    assert fakes.asked["RecordProgress"][0].update_time.ToDatetime().year == year


@pytest.mark.parametrize("at", ["2026-02-30T10:00:00Z", "2026-11-20T20:25:12", "now", ""])
async def test_a_time_that_no_calendar_has_is_refused_and_not_taken_for_now(http, fakes, at: str) -> None:
    fakes.answers |= {"GetEpisode": FOUND, "RecordProgress": playback.RecordProgressResponse()}
    body = {"contentId": "mal:anime:9202", "episodeId": "mal:anime:9202:2", "position": 60, "duration": 1420}
    answer = await http.post("/v1/progress", json=body | {"updatedAt": at})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "#/updatedAt")
    assert fakes.asked["RecordProgress"] == []


async def test_a_name_that_makes_no_sense_is_said_to_be_so(http, fakes) -> None:
    fakes.answers["GetEpisode"] = InvalidArgument("A ref looks like …", reason="INVALID_REFERENCE")
    answer = await http.get("/v1/subtitles/tmdb:tv:9001:7")

    assert (answer.status_code, answer.json()["reason"]) == (400, "INVALID_REFERENCE")

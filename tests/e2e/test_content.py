"""NovaStream's own routes, for a film, an anime, and who comes back: over the public API of a whole system."""

import asyncio

import av
import httpx
import pytest
from allinone import HARBOR, System, start

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANIME, OPEN_FILM = "mal:anime:9201", "ia:item:paper_boats_test"


async def test_the_film_flow_finds_an_open_film_and_plays_its_file_before_its_torrent(
    vod: System, viewer: httpx.AsyncClient
) -> None:
    trending = (await viewer.get("/api/content/trending")).json()
    page = (await viewer.get(f"/api/content/{OPEN_FILM}/watch")).json()
    best = page["sources"][0]

    def play() -> int:
        with av.open(f"{vod.base}{best['url']}", timeout=20.0) as container:
            return sum(1 for _, _ in zip(container.decode(video=0), range(20), strict=False))

    assert OPEN_FILM in [one["id"] for one in trending]
    assert (page["content"]["title"], page["content"]["type"]) == ("Paper Boats", "movie")
    assert [(one["type"], one["healthy"]) for one in page["sources"]] == [("mp4", True), ("torrent", False)]
    assert best["url"].startswith("/v1/play/")
    assert await asyncio.to_thread(play) == 20


async def test_the_anime_flow_has_skip_ranges_and_goes_on_across_seasons(viewer: httpx.AsyncClient) -> None:
    asked = {"season": 1, "episode": 3, "duration": 61.0}
    page = (await viewer.get(f"/v1/content/{ANIME}/watch", params=asked)).json()
    asked = {"season": 2, "episode": 1, "duration": 60.0}
    following = (await viewer.get(f"/v1/content/{ANIME}/watch", params=asked)).json()

    assert [(one["type"], one["start"], one["end"], one["exact"]) for one in page["skipRanges"]] == [
        ("opening", 7.0, 17.0, True)
    ]
    assert (f"{ANIME}:S02E01", following["episode"]["id"]) == (page["nextEpisodeId"], f"{ANIME}:S02E01")
    assert [one["type"] for one in following["skipRanges"]] == ["opening", "ending"]


async def test_who_stopped_in_the_next_season_goes_on_there(viewer: httpx.AsyncClient) -> None:
    first = await start(viewer, ANIME, 1, 3)
    await viewer.post(
        "/v1/session/heartbeat", json={"sessionId": first["sessionId"], "position_s": 59, "duration_s": 60}
    )
    await viewer.post("/v1/session/ended", json={"sessionId": first["sessionId"]})
    second = await start(viewer, ANIME, 2, 1)
    await viewer.post("/v1/session/heartbeat", json={"sessionId": second["sessionId"], "position_s": 12})

    resumed = (await viewer.get("/v1/resume", params={"seriesId": ANIME})).json()

    assert (resumed["season"], resumed["episode"], int(resumed["position_s"])) == (2, 1, 12)
    assert second["pick"]["infohash"] == resumed["pick"]["infohash"]


async def test_a_sequel_by_its_own_id_is_the_next_season_and_no_new_mapping_moves_what_was_watched(
    vod: System, viewer: httpx.AsyncClient
) -> None:
    listed = (await viewer.get("/v1/episodes", params={"seriesId": "mal:anime:9202"})).json()
    first = await start(viewer, "mal:anime:9202", 1, 2)
    await viewer.post("/v1/session/heartbeat", json={"sessionId": first["sessionId"], "position_s": 21})
    somewhere_else = {"seriesId": HARBOR, "season": 1, "episode": 4}
    said = await viewer.put("/v1/aliases/mal:anime:9202:2", json=somewhere_else, headers=vod.admin)
    again = await start(viewer, "mal:anime:9202", 1, 2)
    body = {"seriesId": ANIME, "absoluteEp": 5, "deviceCaps": {"h264": True}}
    counted = (await viewer.post("/v1/session/start", json=body)).json()

    resumed = [(await viewer.get("/v1/resume", params={"seriesId": one})).json() for one in (ANIME, "mal:anime:9202")]

    assert said.status_code == 204, said.text
    assert [(one["episodeKey"], one["absoluteEp"]) for one in listed][3:] == [
        (f"{ANIME}:S02E0{n}", n + 3) for n in (1, 2, 3)
    ]
    assert len({one["pick"]["infohash"] for one in (first, again, counted, *resumed)}) == 1
    assert [(one["season"], one["episode"], int(one["position_s"])) for one in resumed] == [(2, 2, 21)] * 2


async def test_progress_from_elsewhere_is_kept_and_trends_here(viewer: httpx.AsyncClient) -> None:
    report = {"contentId": HARBOR, "episodeId": f"{HARBOR}:S01E02", "position": 50.0, "duration": 60.0}

    answer = await viewer.post("/api/user/progress", json=report)

    assert answer.status_code == 204, answer.text
    assert HARBOR in [one["id"] for one in (await viewer.get("/v1/trending")).json()]

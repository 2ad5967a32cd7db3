"""NovaStream's own routes, for a film, an anime, and who comes back: over the public API of a whole system."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import av
import httpx
import pytest
from allinone import HARBOR, System, beat, start

from vod_testing import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

# NovaStream's own document, section 2, to the letter.
TYPES = """
export interface Content {
  id: string;
  tmdbId?: number;
  title: string;
  type: 'movie' | 'series' | 'anime';
  backdropUrl: string;
  posterUrl: string;
  genres: string[];
  year: number;
}

export interface Episode {
  id: string;
  contentId: string;
  season: number;
  episodeNumber: number;
  title: string;
  thumbnailUrl?: string;
}

export interface StreamSource {
  url: string;
  quality: string;
  type: 'hls' | 'mp4' | 'torrent';
  provider: string;
  headers?: Record<string, string>;
}

export interface SubtitleTrack {
  lang: string;
  url: string;
  label: string;
}

export interface WatchProgress {
  contentId: string;
  episodeId?: string;
  position: number; // seconds
  duration: number;
  updatedAt: string;
}
"""
ANIME, OPEN_FILM = "mal:anime:9201", "ia:item:paper_boats_test"


def misfits(value: dict[str, Any], interface: str) -> list[str]:
    """Return what keeps a value from being of that document's type; fields beyond it are allowed, as in TypeScript."""
    body = TYPES.partition(f"interface {interface} {{")[2].partition("}")[0]
    found = []
    for name, optional, kind in re.findall(r"(\w+)(\??): ([^;]+);", body):
        if name not in value:
            found += [] if optional else [f"{name} is missing"]
        elif not _is(value[name], kind):
            found.append(f"{name} is {value[name]!r}, not {kind}")
    return found


def _is(value: object, kind: str) -> bool:
    if kind.startswith("'"):
        return value in re.findall(r"'(\w+)'", kind)
    if kind.endswith("[]"):
        return isinstance(value, list) and all(_is(one, kind[:-2]) for one in value)
    types = {"string": str, "number": int | float, "Record<string, string>": dict}
    return isinstance(value, types[kind]) and not isinstance(value, bool)


@pytest.mark.parametrize("series", [HARBOR, ANIME, "tmdb:movie:9101", OPEN_FILM])
async def test_watch_pages_have_that_documents_types(viewer: httpx.AsyncClient, series: str) -> None:
    asked = {"season": 1, "episode": 1, "duration": 60.0}
    answers = [await viewer.get(f"/{base}/content/{series}/watch", params=asked) for base in ("api", "v1")]
    pages = [one.json() for one in answers]

    assert [one.status_code for one in answers] == [200, 200], [one.text for one in answers]
    assert "device" in "".join(viewer.cookies).lower()
    for page in pages:
        assert misfits(page["content"], "Content") + misfits(page["episode"], "Episode") == []
        assert [wrong for one in page["sources"] for wrong in misfits(one, "StreamSource")] == []
        assert [wrong for one in page["subtitles"] for wrong in misfits(one, "SubtitleTrack")] == []
        assert all(one["start"] < one["end"] for one in page["skipRanges"])
    assert pages[0]["content"] == pages[1]["content"]


async def test_posters_come_from_us_and_only_they_may_be_kept_by_others(viewer: httpx.AsyncClient) -> None:
    listed = (await viewer.get("/v1/titles", params={"query": "Paper Boats"})).json()["titles"]
    [film] = [one for one in listed if one["seriesId"] == OPEN_FILM]
    poster = await viewer.get(film["posterUrl"])

    assert film["posterUrl"] == f"/v1/images/{OPEN_FILM}/poster"
    assert (poster.status_code, poster.headers["content-type"]) == (200, "image/png")
    assert poster.headers["cache-control"].startswith("public, max-age=")


async def test_trending_and_sources_have_that_documents_types_and_progress_takes_them(
    viewer: httpx.AsyncClient,
) -> None:
    trending = [(await viewer.get(path)).json() for path in ("/api/content/trending", "/v1/trending")]
    asked = {"seriesId": OPEN_FILM}
    sources = [(await viewer.get(path, params=asked)).json() for path in ("/api/sources", "/v1/sources")]
    progress = {
        "contentId": HARBOR,
        "episodeId": f"{HARBOR}:S01E03",
        "position": 5.5,
        "duration": 60,
        "updatedAt": "2026-11-20T20:25:12.123Z",
    }
    kept = [await viewer.post(path, json=progress) for path in ("/api/user/progress", "/v1/progress")]

    assert [wrong for one in trending[0] + trending[1] for wrong in misfits(one, "Content")] == []
    assert [wrong for one in sources[0] + sources[1] for wrong in misfits(one, "StreamSource")] == []
    assert misfits(progress, "WatchProgress") == []
    assert min(map(len, trending + sources)) >= 2
    assert [one.status_code for one in kept] == [204, 204]


async def test_the_film_flow_finds_an_open_film_and_plays_its_file_before_its_torrent(
    vod: System, viewer: httpx.AsyncClient
) -> None:
    trending = (await viewer.get("/api/content/trending")).json()
    page = (await viewer.get(f"/api/content/{OPEN_FILM}/watch")).json()
    best = page["sources"][0]

    def play() -> int:
        with av.open(f"{vod.base}{best['url']}", timeout=60.0) as container:
            return sum(1 for _, _ in zip(container.decode(video=0), range(20), strict=False))

    assert OPEN_FILM in [one["id"] for one in trending]
    assert (page["content"]["title"], page["content"]["type"]) == ("Paper Boats", "movie")
    assert [(one["type"], one["healthy"]) for one in page["sources"]] == [("mp4", True), ("torrent", False)]
    assert best["url"].startswith("/v1/play/")
    assert await asyncio.to_thread(play) == 20


async def page_with_ranges(viewer: httpx.AsyncClient, *, season: int, episode: int, duration: float) -> dict[str, Any]:
    """Return a watch page; what came too late for a page, which does not wait for AniSkip, is in the next one."""
    asked = {"season": season, "episode": episode, "duration": duration}
    page: dict[str, Any] = {}

    async def why_not_yet() -> str | None:
        page.update((await viewer.get(f"/v1/content/{ANIME}/watch", params=asked)).json())
        return None if page["skipRanges"] else f"{page}"

    await eventually(why_not_yet, within=30)
    return page


async def test_the_anime_flow_has_skip_ranges_and_goes_on_across_seasons(viewer: httpx.AsyncClient) -> None:
    page = await page_with_ranges(viewer, season=1, episode=3, duration=61.0)
    following = await page_with_ranges(viewer, season=2, episode=1, duration=60.0)

    assert [(one["type"], one["start"], one["end"], one["exact"]) for one in page["skipRanges"]] == [
        ("opening", 7.0, 17.0, True)
    ]
    assert (f"{ANIME}:S02E01", following["episode"]["id"]) == (page["nextEpisodeId"], f"{ANIME}:S02E01")
    assert [one["type"] for one in following["skipRanges"]] == ["opening", "ending"]


async def test_who_stopped_in_the_next_season_goes_on_there(viewer: httpx.AsyncClient) -> None:
    first = await start(viewer, ANIME, 1, 3)
    await beat(viewer, first["sessionId"], 59, duration_s=60)
    await viewer.post("/v1/session/ended", json={"sessionId": first["sessionId"]})
    second = await start(viewer, ANIME, 2, 1)
    await beat(viewer, second["sessionId"], 12)

    resumed = (await viewer.get("/v1/resume", params={"seriesId": ANIME})).json()

    assert (resumed["season"], resumed["episode"], int(resumed["position_s"])) == (2, 1, 12)
    assert second["pick"]["infohash"] == resumed["pick"]["infohash"]


async def test_a_sequel_by_its_own_id_is_the_next_season_and_no_new_mapping_moves_what_was_watched(
    vod: System, viewer: httpx.AsyncClient
) -> None:
    listed = (await viewer.get("/v1/episodes", params={"seriesId": "mal:anime:9202"})).json()
    first = await start(viewer, "mal:anime:9202", 1, 2)
    await beat(viewer, first["sessionId"], 21)
    nowhere, somewhere_else = [{"seriesId": HARBOR, "season": 1, "episode": number} for number in (9, 4)]
    unknown = await viewer.put("/v1/aliases/mal:anime:9202:2", json=nowhere, headers=vod.admin)
    said = await viewer.put("/v1/aliases/mal:anime:9202:2", json=somewhere_else, headers=vod.admin)
    listed_by_hand = (await viewer.get("/v1/aliases", headers=vod.admin)).json()["mappings"]
    again = await start(viewer, "mal:anime:9202", 1, 2)
    body = {"seriesId": ANIME, "absoluteEp": 5, "deviceCaps": {"h264": True}}
    counted = (await viewer.post("/v1/session/start", json=body)).json()

    resumed = [(await viewer.get("/v1/resume", params={"seriesId": one})).json() for one in (ANIME, "mal:anime:9202")]

    # The system is shared: what was said of names is taken back.
    taken_back = await viewer.delete("/v1/aliases/mal:anime:9202:2", headers=vod.admin)
    nothing = await viewer.delete("/v1/aliases/mal:anime:9202:2", headers=vod.admin)

    assert said.status_code == 204, said.text
    assert (unknown.status_code, unknown.json()["reason"]) == (404, "EPISODE_NOT_FOUND")
    assert [(one["ref"], one["seriesId"], one["episode"]) for one in listed_by_hand] == [
        ("mal:anime:9202:2", HARBOR, 4)
    ]
    assert (taken_back.status_code, nothing.status_code, nothing.json()["reason"]) == (204, 404, "MAPPING_NOT_FOUND")
    assert [(one["episodeKey"], one["absoluteEp"]) for one in listed][3:] == [
        (f"{ANIME}:S02E0{n}", n + 3) for n in (1, 2, 3)
    ]
    assert len({one["pick"]["infohash"] for one in (first, again, counted, *resumed)}) == 1
    assert [(one["season"], one["episode"], int(one["position_s"])) for one in resumed] == [(2, 2, 21)] * 2


async def test_progress_from_elsewhere_is_resumed_and_lifts_no_title(viewer: httpx.AsyncClient) -> None:
    before = (await viewer.get("/v1/trending")).json()
    report = {"contentId": HARBOR, "episodeId": f"{HARBOR}:S01E02", "position": 35.0, "duration": 60.0}
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()

    kept = await viewer.post("/api/user/progress", json=report | {"updatedAt": yesterday})
    later = await viewer.post("/v1/progress", json=report | {"position": 900.0})
    foreign = await viewer.post("/v1/progress", json=report | {"contentId": ANIME})
    unnamed = await viewer.post("/v1/progress", json={"contentId": HARBOR, "position": 5.0, "duration": 60.0})
    resumed = (await viewer.get("/v1/resume")).json()
    [entry] = (await viewer.get("/v1/continue-watching")).json()["entries"]

    assert kept.status_code == 204, kept.text
    assert [(one.status_code, one.json()["reason"]) for one in (later, foreign, unnamed)] == [
        (400, "REPORT_INVALID"),
        (400, "INVALID_REQUEST"),
        (400, "INVALID_REQUEST"),
    ]
    assert (resumed["season"], resumed["episode"], resumed["position_s"], resumed["source"]) == (1, 2, 35.0, None)
    assert (entry["seriesId"], entry["episode"], entry["position_s"]) == (HARBOR, 2, 35.0)
    assert (await viewer.get("/v1/trending")).json() == before

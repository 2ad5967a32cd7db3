"""Prowlarr searches, hands over and refuses like the real one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from vod_fakes.indexers import Handover
from vod_fakes.library import CAM, OPEN_SHELF, SEASON_PACK, TRACKED, WRONG_SHOW
from vod_fakes.world import PROWLARR_KEY, World

KEY = {"x-api-key": PROWLARR_KEY}
SINGLE = "Harbor.Lights.S01E01.720p.WEB-DL.H264-TIDE"


async def search(outside: World, http: httpx.AsyncClient, query: str, **more: Any) -> list[dict[str, Any]]:
    url = f"{outside.prowlarr.url}/api/v1/search"
    answer = await http.get(url, params={"query": query, **more}, headers=KEY)
    found: list[dict[str, Any]] = answer.raise_for_status().json()
    return found


async def test_an_episode_search_finds_singles_the_cam_and_the_wrong_show(
    outside: World, http: httpx.AsyncClient
) -> None:
    found = await search(outside, http, "Harbor Lights S01E01", indexerIds=TRACKED)

    assert [r["title"] for r in found] == [SINGLE, CAM.name, WRONG_SHOW.name]


@pytest.mark.parametrize(
    ("query", "more", "titles"),
    [
        ("Harbor Lights S01", {}, [SEASON_PACK.name]),
        ("Harbor Lights {season:1}{episode:1}", {"type": "tvsearch"}, [SINGLE, CAM.name, WRONG_SHOW.name]),
        ("Lantern Sea 05", {"categories": 5070}, ["[Tomoshibi] Lantern Sea - 05 (1080p) [WEB x264].mkv"]),
        ("Lantern Sea 05", {"categories": 2000}, []),
        ("Harbor Lights", {"type": "movie"}, []),
        ("Harbor Lights S01E01", {"limit": 1, "offset": 1}, [CAM.name]),
        ("Nothing Like This", {}, []),
    ],
)
async def test_a_search_honours_words_type_categories_and_pages(
    outside: World, http: httpx.AsyncClient, query: str, more: dict[str, Any], titles: list[str]
) -> None:
    found = await search(outside, http, query, indexerIds=TRACKED, **more)

    assert [r["title"] for r in found] == titles


async def test_an_indexer_that_lacks_a_parameter_is_skipped(outside: World, http: httpx.AsyncClient) -> None:
    found = await search(outside, http, "Harbor Lights {season:1}", type="tvsearch", indexerIds=OPEN_SHELF)

    assert found == []


async def test_keys_without_a_value_are_left_out_and_constant_seeders_are_one(
    outside: World, http: httpx.AsyncClient
) -> None:
    [told] = await search(outside, http, "Harbor Lights S01", indexerIds=TRACKED)
    [untold] = await search(outside, http, "Harbor Lights S01", indexerIds=OPEN_SHELF)

    assert set(told) - set(untold) == {"infoHash", "magnetUrl", "files"}
    assert (told["infoHash"], told["seeders"]) == (outside.torrents[SEASON_PACK.name].infohash, 48)
    assert (untold["seeders"], untold["size"]) == (1, outside.torrents[SEASON_PACK.name].size)


async def test_a_download_link_leads_to_the_magnet(outside: World, http: httpx.AsyncClient) -> None:
    [release] = await search(outside, http, "Harbor Lights S01", indexerIds=OPEN_SHELF)
    answer = await http.get(release["downloadUrl"])

    assert (answer.status_code, answer.headers["location"]) == (301, outside.magnet(SEASON_PACK.name))


async def test_an_indexer_can_hand_over_torrent_files(outside: World, http: httpx.AsyncClient) -> None:
    outside.prowlarr.hand_over(OPEN_SHELF, Handover.TORRENT_FILE)
    [release] = await search(outside, http, "Harbor Lights S01", indexerIds=OPEN_SHELF)
    answer = await http.get(release["downloadUrl"])

    assert answer.headers["content-type"] == "application/x-bittorrent"
    assert answer.content == outside.torrents[SEASON_PACK.name].metainfo(outside.tracker.url)


@pytest.mark.parametrize("path", ["/api/v1/search?query=x", "/api/v1/indexer", "/1/download", "/1/api?t=caps"])
async def test_without_the_key_nothing_is_told(outside: World, http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(f"{outside.prowlarr.url}{path}")

    assert (answer.status_code, answer.content) == (401, b"")


async def test_a_search_at_blocked_indexers_only_is_an_error(outside: World, http: httpx.AsyncClient) -> None:
    outside.prowlarr.block(OPEN_SHELF, wait=timedelta(hours=1))
    url = f"{outside.prowlarr.url}/api/v1"
    answer = await http.get(f"{url}/search?query=harbor&indexerIds={OPEN_SHELF}", headers=KEY)
    status = (await http.get(f"{url}/indexerstatus", headers=KEY)).json()
    feed = await http.get(f"{outside.prowlarr.url}/{OPEN_SHELF}/api?t=search&q=harbor", headers=KEY)

    assert (answer.status_code, answer.json()["message"][:13]) == (400, "Search failed")
    assert [row["indexerId"] for row in status] == [OPEN_SHELF]
    assert (feed.status_code, feed.headers["retry-after"]) == (429, "3600")


async def test_torznab_tells_capabilities_and_results(outside: World, http: httpx.AsyncClient) -> None:
    url = f"{outside.prowlarr.url}/{TRACKED}/api"
    caps = ET.fromstring((await http.get(url, params={"t": "caps"}, headers=KEY)).text)
    query = {"t": "tvsearch", "q": "harbor lights", "season": "1", "ep": "2", "cat": "5000"}
    feed = ET.fromstring((await http.get(url, params=query, headers=KEY)).text)
    torznab = "{http://torznab.com/schemas/2015/feed}attr"
    attributes = {a.get("name"): a.get("value") for a in feed.iter(torznab)}
    name = "Harbor.Lights.S01E02.720p.WEB-DL.H264-TIDE"

    assert [e.get("supportedParams") for e in caps.iter("tv-search")] == ["q,season,ep"]
    assert [item.findtext("title") for item in feed.iter("item")] == [name]
    assert (attributes["seeders"], attributes["peers"], attributes["infohash"]) == (
        "19",
        "21",
        outside.torrents[name].infohash,
    )


@pytest.mark.parametrize(("query", "code"), [("", "200"), ("t=dance", "202")])
async def test_torznab_errors_are_documents(outside: World, http: httpx.AsyncClient, query: str, code: str) -> None:
    answer = await http.get(f"{outside.prowlarr.url}/{TRACKED}/api?{query}", headers=KEY)

    assert (answer.status_code, ET.fromstring(answer.text).get("code")) == (400, code)


async def test_a_release_can_get_other_numbers(outside: World, http: httpx.AsyncClient) -> None:
    outside.prowlarr.relist(SEASON_PACK.name, indexer_id=TRACKED, seeders=None, leechers=None)
    [release] = await search(outside, http, "Harbor Lights S01", indexerIds=TRACKED)

    assert not {"seeders", "leechers"} & set(release)

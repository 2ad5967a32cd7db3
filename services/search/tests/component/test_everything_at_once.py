"""Whatever indexers do, all at once: the answer is there in time, with all that is good, and every failure is named."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from vod.search.v1.search_service_pb2 import SearchReleasesRequest

from vod_fakes import nasty
from vod_fakes.control import CutBody, Fault, Hang, Reply, html_error, json_reply, too_many_requests
from vod_fakes.indexers import Handover, Indexer
from vod_fakes.prowlarr import Prowlarr
from vod_fakes.serving import Site, bind, http_servers
from vod_fakes.stremio import StremioAddon
from vod_fakes.torrents import Torrent
from vod_rpc import deadline

if TYPE_CHECKING:
    from vod.search.v1.search_service_pb2_grpc import SearchServiceAsyncStub

RunSearch = Callable[..., AbstractAsyncContextManager["SearchServiceAsyncStub"]]
ListRelease = Callable[..., Torrent]
MakeTorrent = Callable[..., Torrent]
PATIENCE = timedelta(seconds=10)  # with one indexer
BUDGET = timedelta(seconds=30)
BREAKWATER, OPEN_SHELF, FIRST_BROKEN = 1, 2, 3
SEARCH = "/api/v1/search"
EPISODE = "Harbor Lights S01E01"
LOGIN_PAGE = Reply(200, b"<!doctype html><title>Login</title><form></form>", {"content-type": "text/html"})

# As many as a test of everything has; a hanging one is waited for as long as an indexer may take.
BROKEN: tuple[tuple[str, Fault, str], ...] = (
    ("Hangs", Hang(), "timed out after 10.0 s"),
    ("Limits", too_many_requests(retry_after="60"), "asks to wait 60 s (HTTP 429)"),
    ("Overloaded", html_error(503), "HTTP 503"),
    ("Breaks off", CutBody(1), "broke the connection off"),
    (
        "In circles",
        Reply(301, headers={"location": f"{SEARCH}?again"}),
        "redirects instead of answering (HTTP 301)",
    ),
    ("Asks to log in", LOGIN_PAGE, "the answer is not JSON"),
)


@pytest.fixture
async def addon() -> AsyncIterator[StremioAddon]:
    fake = StremioAddon()
    site = Site(fake.app(), fake.control, bind())
    fake.url = site.url
    async with http_servers([site]):
        yield fake


def five_thousand() -> tuple[list[dict[str, Any]], set[str]]:
    """Results among which sixty good ones hide that nobody seeds much, and their infohashes."""
    results, good = [], set()
    for number in range(5000):
        is_good = number % 83 == 7 and len(good) < 60
        title = f"Harbor.Lights.S01E{1 if is_good else number % 5 + 2:02d}.720p.WEB-DL.x264-G{number}"
        results.append(nasty.result(title, seeders=3 if is_good else number))
        good |= {nasty.infohash(title)} if is_good else set()
    return results, good


def break_all(prowlarr: Prowlarr) -> None:
    for number, (name, fault, _) in enumerate(BROKEN, FIRST_BROKEN):
        prowlarr.indexers[number] = Indexer(number, name, ("q",), ("q",), tells_infohash=True)
        prowlarr.control.misbehave(fault, path=SEARCH, query={"indexerIds": str(number)})


async def test_the_answer_comes_in_time_with_all_that_is_good_and_every_failure_named(
    run_search: RunSearch,
    wanted: SearchReleasesRequest,
    prowlarr: Prowlarr,
    list_release: ListRelease,
    *,
    addon: StremioAddon,
    make_torrent: MakeTorrent,
) -> None:
    break_all(prowlarr)
    many, good = five_thousand()
    for number, body in enumerate(([*nasty.usable(EPISODE).values(), *nasty.useless(EPISODE)], many), 20):
        prowlarr.indexers[number] = Indexer(number, f"Full {number}", ("q",), ("q",), tells_infohash=True)
        asked = {"indexerIds": str(number), "query": EPISODE}
        prowlarr.control.misbehave(json_reply(body), path=SEARCH, query=asked)
    prowlarr.indexers[22] = Indexer(22, "Exhausting", ("q",), ("q",), tells_infohash=True)
    prowlarr.control.misbehave(
        json_reply(nasty.exhausting()), path=SEARCH, query={"indexerIds": "22", "query": EPISODE}
    )
    single = list_release(f"{EPISODE} 720p WEB-DL H264-TIDE", BREAKWATER)
    lost = list_release(f"{EPISODE} 1080p WEB-DL H264-NOVA", OPEN_SHELF)
    prowlarr.hand_over(OPEN_SHELF, Handover.TORRENT_FILE)
    prowlarr.control.misbehave(Reply(301, headers={"location": "/2/download?again"}), path="/2/download")
    at_addon = make_torrent(f"{EPISODE} 480p WEB-DL H264-FOAM", megabytes=300)
    wanted.external_ids["imdb"] = "tt99009001"
    addon.offer("series/tt99009001:1:1", at_addon, text=at_addon.name, tracker_url=prowlarr.tracker_url)
    settings = {
        "torznab_urls": f"Wrong_key={prowlarr.url}/1/api?apikey=wrong Gone=http://127.0.0.1:1/api",
        "stremio_addons": f"Lamps={addon.manifest_url}",
        "indexer_deadline": PATIENCE,
    }

    async with run_search(**settings) as search:
        with deadline(BUDGET):
            answer = await search.SearchReleases(wanted)

    found = {one.candidate.infohash for one in answer.releases}
    assert {single.infohash, at_addon.infohash, *nasty.usable(EPISODE), *good} - found == set()
    assert lost.infohash not in found
    named = {one.indexer: one.reason for one in answer.unavailable}
    assert named == {name: reason for name, _, reason in BROKEN} | {
        "Wrong_key": "refuses the API key (HTTP 401)",
        "Gone": "is not reachable",
    }
    assert max(len(one.candidate.title) for one in answer.releases) <= 300
    assert [one for one in answer.releases if prowlarr.key in str(one) or "169.254" in str(one)] == []

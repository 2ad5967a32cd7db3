"""Indexers fail in every way; what the others found is there, in time, and every failure is named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from vod.search.v1.search_service_pb2 import SearchReleasesRequest, SearchReleasesResponse

from vod_fakes.control import Control, CutBody, Delay, Fault, Hang, Reply, html_error, json_reply, too_many_requests
from vod_fakes.indexers import Handover
from vod_fakes.prowlarr import Prowlarr
from vod_fakes.serving import Site, bind, http_servers
from vod_fakes.torrents import Torrent
from vod_rpc import DeadlineExceeded, deadline
from vod_testing import MovableClock, eventually

from .conftest import for_profile

if TYPE_CHECKING:
    from vod.search.v1.search_service_pb2_grpc import SearchServiceAsyncStub

RunSearch = Callable[..., AbstractAsyncContextManager["SearchServiceAsyncStub"]]
ListRelease = Callable[..., Torrent]
BREAKWATER, OPEN_SHELF = 1, 2
SEARCH = "/api/v1/search"
NOT_CONFIGURED = "no indexer is configured: set PROWLARR_URL and PROWLARR_KEY, VOD_TORZNAB_URLS or VOD_STREMIO_ADDONS"
SINGLE = "Harbor.Lights.S01E01.720p.WEB-DL.H264-TIDE"
AT_OPEN_SHELF = {"indexerIds": str(OPEN_SHELF)}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Hang(), "timed out after 3.0 s"),
        (html_error(503), "HTTP 503"),
        (too_many_requests(), "asks to wait (HTTP 429)"),
        (too_many_requests(retry_after="60"), "asks to wait 60 s (HTTP 429)"),
        (Reply(200, b'[{"title": "Harbor'), "the answer is not JSON"),
        (Reply(200, b"<!doctype html><title>Login</title>", {"content-type": "text/html"}), "the answer is not JSON"),
        (Reply(200, b"[" * 100_000), "the answer is not JSON"),
        (json_reply({"message": "no"}), "the answer is not a list"),
        (Reply(200, b" " * (17 * 2**20)), "the answer is larger than 16 MiB"),
        (CutBody(1), "broke the connection off"),
        (Reply(302, headers={"location": "/login"}), "redirects instead of answering (HTTP 302)"),
        (Reply(401), "refuses the API key (HTTP 401)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_one_failing_indexer_is_named_and_the_other_is_used(
    run_search: RunSearch,
    wanted: SearchReleasesRequest,
    prowlarr: Prowlarr,
    list_release: ListRelease,
    *,
    fault: Fault,
    reason: str,
) -> None:
    single = list_release(SINGLE, BREAKWATER)
    prowlarr.control.misbehave(fault, path=SEARCH, query=AT_OPEN_SHELF)

    patience = timedelta(seconds=3 if isinstance(fault, Hang) else 15)
    async with run_search(indexer_deadline=patience) as search:
        answer = await search.SearchReleases(wanted)

    assert [one.candidate.infohash for one in answer.releases] == [single.infohash]
    assert [(one.indexer, one.reason) for one in answer.unavailable] == [("Open Shelf", reason)]


async def test_an_indexer_that_prowlarr_has_blocked_is_named(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr
) -> None:
    prowlarr.block(OPEN_SHELF, wait=timedelta(hours=1))

    async with run_search() as search:
        answer = await search.SearchReleases(wanted)

    assert [(one.indexer, one.reason) for one in answer.unavailable] == [
        ("Open Shelf", "is blocked in Prowlarr after failures, or disabled (HTTP 400)")
    ]


async def test_the_callers_deadline_is_kept_with_a_partial_answer(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease
) -> None:
    single = list_release(SINGLE, BREAKWATER)
    prowlarr.control.misbehave(Hang(), path=SEARCH, query=AT_OPEN_SHELF)
    answers: list[SearchReleasesResponse] = []

    async with run_search(indexer_deadline=timedelta(seconds=30)) as search:

        async def why_not_answered() -> str | None:
            # Half a second is kept back for the way: on a slow machine that is too short now and then, but not always.
            with suppress(DeadlineExceeded), deadline(timedelta(seconds=2)):
                answers.append(await search.SearchReleases(for_profile(wanted, f"p{len(answers)}")))
            return None if answers and answers[-1].releases else "no answer in time"

        await eventually(why_not_answered, within=30)

    assert [one.candidate.infohash for one in answers[-1].releases] == [single.infohash]
    assert [one.indexer for one in answers[-1].unavailable] == ["Open Shelf"]


async def test_what_one_question_found_counts_although_the_other_failed(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease
) -> None:
    single = list_release(SINGLE, BREAKWATER)
    prowlarr.control.misbehave(html_error(503), path=SEARCH, query={"query": "Harbor Lights S01"})

    async with run_search() as search:
        answer = await search.SearchReleases(wanted)

    assert [one.candidate.infohash for one in answer.releases] == [single.infohash]
    assert {one.reason for one in answer.unavailable} == {"HTTP 503"}


async def test_nobody_answered_is_not_remembered_as_nothing_found(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease
) -> None:
    single = list_release(SINGLE, BREAKWATER)
    prowlarr.control.misbehave(html_error(503), path=SEARCH)
    async with run_search() as search:
        nothing = await search.SearchReleases(wanted)
        prowlarr.control.behave()

        answer = await search.SearchReleases(wanted)

    assert (list(nothing.releases), len(nothing.unavailable)) == ([], 2)
    assert [one.candidate.infohash for one in answer.releases] == [single.infohash]


async def test_a_partial_answer_is_kept_only_briefly(
    run_search: RunSearch,
    wanted: SearchReleasesRequest,
    prowlarr: Prowlarr,
    list_release: ListRelease,
    clock: MovableClock,
) -> None:
    list_release(SINGLE, BREAKWATER)
    prowlarr.control.misbehave(html_error(503), path=SEARCH, query=AT_OPEN_SHELF)
    async with run_search() as search:
        first = await search.SearchReleases(wanted)
        kept = await search.SearchReleases(wanted)
        prowlarr.control.behave()
        clock.advance(timedelta(minutes=4))

        later = await search.SearchReleases(wanted)

    assert [one.indexer for one in kept.unavailable] == ["Open Shelf"]
    assert kept == first
    assert list(later.unavailable) == []


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"prowlarr_url": None}, NOT_CONFIGURED),
        ({"prowlarr_key": "wrong"}, "refuses the API key (HTTP 401)"),
        ({"prowlarr_url": "http://127.0.0.1:1"}, "is not reachable"),
    ],
)
async def test_without_a_usable_prowlarr_the_answer_says_so(
    run_search: RunSearch, wanted: SearchReleasesRequest, *, settings: dict[str, Any], reason: str
) -> None:
    async with run_search(**settings) as search:
        answer = await search.SearchReleases(wanted)

    assert list(answer.releases) == []
    assert [(one.indexer, one.reason) for one in answer.unavailable] == [("Prowlarr", reason)]


async def test_a_prowlarr_without_indexers_says_so(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr
) -> None:
    prowlarr.indexers.clear()

    async with run_search() as search:
        answer = await search.SearchReleases(wanted)

    assert [(one.indexer, one.reason) for one in answer.unavailable] == [("Prowlarr", "has no enabled torrent indexer")]


@pytest.mark.parametrize(
    "fault",
    [
        Reply(301, headers={"location": "http://169.254.169.254/latest"}),
        Reply(301, headers={"location": "/2/download?again"}),
        Reply(200, b"<!doctype html><title>Login</title>"),
        Reply(404),
        Reply(301, headers={"location": "magnet:?dn=nothing"}),
        Delay(timedelta(seconds=30)),
        CutBody(5),
    ],
    ids=["elsewhere", "in circles", "a page", "nowhere", "no infohash", "late", "cut off"],
)
async def test_a_link_that_leads_nowhere_costs_only_its_release(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease, *, fault: Fault
) -> None:
    single = list_release(SINGLE, BREAKWATER)
    list_release("Harbor.Lights.S01E01.1080p.WEB-DL.H264-NOVA", OPEN_SHELF)
    prowlarr.hand_over(OPEN_SHELF, Handover.TORRENT_FILE)
    prowlarr.control.misbehave(fault, path="/2/download")

    async with run_search() as search:
        answer = await search.SearchReleases(wanted)

    assert [one.candidate.infohash for one in answer.releases] == [single.infohash]


async def test_no_link_leads_to_another_host(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease
) -> None:
    list_release(SINGLE, OPEN_SHELF)
    elsewhere = Control()
    site = Site(Prowlarr("key").app(), elsewhere, bind())
    prowlarr.control.misbehave(Reply(301, headers={"location": f"{site.url}/2/download"}), path="/2/download")
    direct = [{"title": SINGLE, "downloadUrl": f"{site.url}/1/download"}]
    prowlarr.control.misbehave(json_reply(direct), path=SEARCH, query={"indexerIds": str(BREAKWATER)})

    async with http_servers([site]), run_search() as search:
        answer = await search.SearchReleases(wanted)

    assert list(answer.releases) == []
    assert prowlarr.control.count("/2/download") == 1
    assert list(elsewhere.seen) == []


async def test_hostile_results_do_no_harm(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease
) -> None:
    single = list_release(SINGLE, BREAKWATER)
    odd = [
        {"title": "Harbor Lights S01E01\u0000\u202e 720p", "infoHash": "B" * 40, "size": 2**62, "seeders": 2**31 - 1},
        {"title": "Harbor Lights S01E01 \ud800 480p", "infoHash": "c" * 40, "size": -1, "seeders": -1, "leechers": -5},
        {"title": "A" * 4000, "infoHash": "d" * 40, "publishDate": "0001-01-01T00:00:00Z"},
        {"title": "字幕组" * 700, "infoHash": "e" * 40, "size": 10**30, "categories": "none"},
        {"title": "Harbor Lights S01E01 zero", "infoHash": "0" * 40},
        {"title": "Harbor Lights S01E01 usenet", "infoHash": "f" * 40, "protocol": "usenet"},
        {"title": "Harbor Lights S01E01 sound", "infoHash": "f" * 40, "categories": [{"id": 3010}]},
        {"title": 5, "infoHash": "f" * 40},
        ["no", "object"],
        None,
    ]
    prowlarr.control.misbehave(json_reply(odd), path=SEARCH, query=AT_OPEN_SHELF)

    async with run_search() as search:
        answer = await search.SearchReleases(wanted)

    found = {one.candidate.infohash: one.candidate for one in answer.releases}
    assert set(found) == {single.infohash, "b" * 40, "c" * 40, "d" * 40, "e" * 40}
    assert found["b" * 40].title == "Harbor Lights S01E01 720p"
    assert [(found[x * 40].size_bytes, found[x * 40].HasField("seeders")) for x in "bc"] == [(0, False)] * 2
    assert max(len(candidate.title) for candidate in found.values()) <= 300
    assert list(answer.unavailable) == []


async def test_five_thousand_results_are_read_in_time(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr
) -> None:
    many = [
        {"title": f"Harbor.Lights.S01E{n % 6 + 1:02d}.720p.WEB-DL.x264-G{n}", "infoHash": f"{n + 1:040x}", "seeders": n}
        for n in range(5000)
    ]
    asked = {**AT_OPEN_SHELF, "query": "Harbor Lights S01E01"}
    prowlarr.control.misbehave(json_reply(many), path=SEARCH, query=asked)

    async with run_search(indexer_deadline=timedelta(seconds=15)) as search:
        answer = await search.SearchReleases(wanted)

    assert len(answer.releases) == 400
    assert list(answer.unavailable) == []


async def test_a_caller_that_gives_up_does_not_spoil_the_search_of_the_others(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease
) -> None:
    single = list_release(SINGLE, BREAKWATER)
    prowlarr.control.misbehave(Delay(timedelta(milliseconds=500)), path=SEARCH)

    async with run_search() as search:
        impatient, patient = (asyncio.ensure_future(search.SearchReleases(wanted)) for _ in range(2))
        await eventually(lambda: None if prowlarr.control.count(SEARCH) else "no indexer was asked", within=30)
        impatient.cancel()
        answer = await patient

    assert [one.candidate.infohash for one in answer.releases] == [single.infohash]
    assert prowlarr.control.count(SEARCH) == 6

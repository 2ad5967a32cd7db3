"""What one indexer does wrong once costs that indexer's answer once, and nobody else anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from vod.search.v1.search_service_pb2 import SearchReleasesRequest

from vod_fakes.control import Delay, Reply, html_error
from vod_fakes.prowlarr import Prowlarr
from vod_fakes.torrents import Torrent
from vod_testing import eventually

from .conftest import for_profile

if TYPE_CHECKING:
    from vod.search.v1.search_service_pb2_grpc import SearchServiceAsyncStub

RunSearch = Callable[..., AbstractAsyncContextManager["SearchServiceAsyncStub"]]
ListRelease = Callable[..., Torrent]
BREAKWATER, OPEN_SHELF = 1, 2
SEARCH = "/api/v1/search"
AT_OPEN_SHELF = {"indexerIds": str(OPEN_SHELF)}
SINGLE = "Harbor.Lights.S01E01.720p.WEB-DL.H264-TIDE"
OTHER = "Harbor.Lights.S01E01.1080p.WEB-DL.H264-NOVA"


@pytest.mark.parametrize("asks", ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "\xb2", "-5", "soon"])
async def test_a_strange_retry_after_is_one_indexers_failure(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease, asks: str
) -> None:
    list_release(SINGLE, BREAKWATER)
    prowlarr.control.misbehave(Reply(429, headers={"retry-after": asks}), path=SEARCH, query=AT_OPEN_SHELF)

    async with run_search() as search:
        answer = await search.SearchReleases(wanted)

    assert len(answer.releases) == 1
    assert [(one.indexer, one.reason) for one in answer.unavailable] == [("Open Shelf", "asks to wait (HTTP 429)")]


async def test_one_hiccup_is_one_failure_however_many_searches_it_hits(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, clock: Any
) -> None:
    prowlarr.control.misbehave(html_error(503), path=SEARCH, query=AT_OPEN_SHELF)
    async with run_search() as search:
        await asyncio.gather(*(search.SearchReleases(for_profile(wanted, f"p{number}")) for number in range(10)))
        prowlarr.control.behave()
        clock.advance(timedelta(minutes=2))

        answer = await search.SearchReleases(for_profile(wanted, "later"))

    assert list(answer.unavailable) == []


async def test_a_complete_answer_is_not_replaced_by_the_partial_one_before_it(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease
) -> None:
    list_release(SINGLE, OPEN_SHELF)  # says no infohash, and its link is slow
    list_release(SINGLE, BREAKWATER)
    list_release(OTHER, BREAKWATER)
    late = Delay(timedelta(seconds=5.1))
    prowlarr.control.misbehave(late, path=SEARCH, query={"indexerIds": str(BREAKWATER)})
    prowlarr.control.misbehave(Delay(timedelta(seconds=1)), path=f"/{OPEN_SHELF}/download", times=1)
    async with run_search(indexer_deadline=timedelta(seconds=5)) as search:
        first = await search.SearchReleases(wanted)

        async def why_not_complete() -> str | None:
            answer = await search.SearchReleases(wanted)
            return "; ".join(one.reason for one in answer.unavailable) or None

        await eventually(why_not_complete, within=30)
        second = await search.SearchReleases(wanted)

    assert [one.indexer for one in first.unavailable] == ["Breakwater"]
    assert {one.candidate.title for one in second.releases} == {SINGLE, OTHER}

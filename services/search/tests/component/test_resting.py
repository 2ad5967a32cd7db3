"""Indexers that fail are left alone for a while; who answers late is used the next time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from vod.search.v1.search_service_pb2 import SearchReleasesRequest

from vod_fakes.control import Delay, Hang, html_error, too_many_requests
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


def asked(prowlarr: Prowlarr) -> int:
    return prowlarr.control.count(SEARCH, **AT_OPEN_SHELF)


async def test_an_indexer_that_keeps_failing_rests_longer_each_time_even_over_a_restart(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, clock: Any
) -> None:
    prowlarr.control.misbehave(html_error(503), path=SEARCH, query=AT_OPEN_SHELF)
    async with run_search() as search:
        await search.SearchReleases(for_profile(wanted, "a"))
        await search.SearchReleases(for_profile(wanted, "b"))
    before = asked(prowlarr)

    async with run_search() as search:
        resting = await search.SearchReleases(for_profile(wanted, "c"))
        while_resting = asked(prowlarr)
        clock.advance(timedelta(minutes=2))
        await search.SearchReleases(for_profile(wanted, "d"))
        after = asked(prowlarr)
        clock.advance(timedelta(minutes=2))
        await search.SearchReleases(for_profile(wanted, "e"))

    assert "after 2 failures in a row: HTTP 503" in resting.unavailable[0].reason
    assert (before, while_resting, after, asked(prowlarr)) == (6, 6, 9, 9)


async def test_an_indexer_is_asked_again_when_it_said_it_may_be(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, clock: Any
) -> None:
    prowlarr.control.misbehave(too_many_requests(retry_after="600"), path=SEARCH, query=AT_OPEN_SHELF)
    async with run_search() as search:
        await search.SearchReleases(for_profile(wanted, "a"))
        prowlarr.control.behave()
        early = await search.SearchReleases(for_profile(wanted, "b"))
        clock.advance(timedelta(seconds=601))

        later = await search.SearchReleases(for_profile(wanted, "c"))

    assert [one.indexer for one in early.unavailable] == ["Open Shelf"]
    assert list(later.unavailable) == []


async def test_one_success_ends_all_resting(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr
) -> None:
    async with run_search() as search:
        for profile in "abc":
            prowlarr.control.misbehave(html_error(503), path=SEARCH, query=AT_OPEN_SHELF)
            await search.SearchReleases(for_profile(wanted, profile + "1"))
            prowlarr.control.behave()
            answer = await search.SearchReleases(for_profile(wanted, profile + "2"))

            assert list(answer.unavailable) == []


async def test_what_comes_too_late_is_there_the_next_time(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease
) -> None:
    single, other = list_release(SINGLE, BREAKWATER), list_release(OTHER, OPEN_SHELF)
    prowlarr.control.misbehave(Delay(timedelta(seconds=5.5)), path=SEARCH, query=AT_OPEN_SHELF, times=3)

    async with run_search(indexer_deadline=timedelta(seconds=5)) as search:
        partial = await search.SearchReleases(wanted)

        async def why_not_whole() -> str | None:
            answer = await search.SearchReleases(wanted)
            return None if len(answer.releases) == 2 and not answer.unavailable else f"{len(answer.releases)} releases"

        await eventually(why_not_whole, within=30)

    assert [one.candidate.infohash for one in partial.releases] == [single.infohash]
    assert [one.indexer for one in partial.unavailable] == ["Open Shelf"]
    assert asked(prowlarr) == 3
    assert other.infohash != single.infohash


async def test_of_an_indexer_that_is_late_with_one_answer_the_others_are_used(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease
) -> None:
    single = list_release(SINGLE, OPEN_SHELF)
    prowlarr.control.misbehave(Hang(), path=SEARCH, query={**AT_OPEN_SHELF, "query": "Harbor Lights S01"})

    async with run_search(indexer_deadline=timedelta(seconds=5)) as search:
        answer = await search.SearchReleases(wanted)

    assert [one.candidate.infohash for one in answer.releases] == [single.infohash]
    assert [(one.indexer, one.reason) for one in answer.unavailable] == [("Open Shelf", "timed out after 5.0 s")]


async def test_a_complete_answer_that_is_too_old_is_given_once_more_while_it_is_asked_for_again(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease, clock: Any
) -> None:
    list_release(SINGLE, BREAKWATER)
    async with run_search() as search:
        await search.SearchReleases(wanted)
        list_release(OTHER, BREAKWATER)
        clock.advance(timedelta(minutes=16))

        stale = await search.SearchReleases(wanted)

        async def why_not_fresh() -> str | None:
            answer = await search.SearchReleases(wanted)
            return None if len(answer.releases) == 2 else "still the old one"

        await eventually(why_not_fresh, within=30)

    assert len(stale.releases) == 1

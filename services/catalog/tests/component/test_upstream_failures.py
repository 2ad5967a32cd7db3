"""Catalog when TMDb or Jikan misbehave: what is known is served, what is not fails clearly and soon."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from vod.catalog.v1 import catalog_pb2
from vod.catalog.v1.catalog_service_pb2 import GetEpisodeRequest, ListEpisodesRequest, SearchTitlesRequest

from vod_fakes.control import Delay, Fault, html_error, json_reply, too_many_requests
from vod_fakes.faults import JSON_FAULTS
from vod_fakes.jikan import Jikan
from vod_fakes.library import LANTERN_SEA, LIBRARY
from vod_fakes.shapes import Library
from vod_fakes.tmdb import Tmdb
from vod_rpc import DeadlineExceeded, FailedPrecondition, NotFound, Unavailable
from vod_testing import MovableClock, eventually

if TYPE_CHECKING:
    from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub

RunCatalog = Callable[..., AbstractAsyncContextManager["CatalogServiceAsyncStub"]]
HARBOR_LIGHTS = "tmdb:tv:9001"
THE_ANIME = "mal:anime:9201"
A_DAY = timedelta(hours=25)


def episode(series_id: str, season: int = 1, number: int = 1) -> GetEpisodeRequest:
    return GetEpisodeRequest(key=catalog_pb2.EpisodeKey(series_id=series_id, season=season, episode=number))


@pytest.mark.parametrize("fault", JSON_FAULTS.values(), ids=JSON_FAULTS)
async def test_what_is_known_is_served_and_what_is_not_is_unavailable(
    catalog: CatalogServiceAsyncStub, tmdb: Tmdb, jikan: Jikan, clock: MovableClock, fault: Fault
) -> None:
    for known in (HARBOR_LIGHTS, THE_ANIME):
        await catalog.GetEpisode(episode(known))
    jikan.library = replace(LIBRARY, anime=(*LIBRARY.anime, replace(LANTERN_SEA, mal_id=9299, sequel=0)))
    for fake in (tmdb, jikan):
        fake.control.misbehave(fault)
    clock.advance(A_DAY)

    served = [(await catalog.GetEpisode(episode(known, number=2))).episode.name for known in (HARBOR_LIGHTS, THE_ANIME)]

    assert served == ["Low Tide", "A Name on the Water"]
    for unknown in ("tmdb:tv:9002", "mal:anime:9299"):
        with pytest.raises(Unavailable) as failed:
            await catalog.GetEpisode(episode(unknown))
        assert failed.value.reason == "UPSTREAM_UNAVAILABLE"
        assert failed.value.retry_after is not None
        assert failed.value.retry_after >= timedelta(seconds=1)


async def test_a_host_that_asks_us_to_wait_is_left_alone_for_that_long(
    catalog: CatalogServiceAsyncStub, tmdb: Tmdb, clock: MovableClock
) -> None:
    tmdb.control.misbehave(too_many_requests(retry_after="60"), times=1)
    for _ in range(3):
        with pytest.raises(Unavailable) as failed:
            await catalog.GetEpisode(episode(HARBOR_LIGHTS))

    assert failed.value.retry_after is not None
    assert timedelta(seconds=50) < failed.value.retry_after <= timedelta(seconds=60)
    assert tmdb.control.count() == 1

    clock.advance(timedelta(seconds=61))

    assert (await catalog.GetEpisode(episode(HARBOR_LIGHTS))).episode.name == "The Keeper"


async def test_one_bad_gateway_is_tried_again(catalog: CatalogServiceAsyncStub, tmdb: Tmdb) -> None:
    tmdb.control.misbehave(html_error(502), times=1)

    found = await catalog.GetEpisode(episode(HARBOR_LIGHTS))

    assert found.episode.name == "The Keeper"


async def test_a_host_that_keeps_failing_is_left_alone(catalog: CatalogServiceAsyncStub, tmdb: Tmdb) -> None:
    tmdb.control.misbehave(html_error())
    for _ in range(6):
        with pytest.raises(Unavailable):
            await catalog.GetEpisode(episode(HARBOR_LIGHTS))

    assert tmdb.control.count() == 6  # three requests and their second tries


async def test_a_fetch_goes_on_when_the_caller_has_given_up(catalog: CatalogServiceAsyncStub, tmdb: Tmdb) -> None:
    tmdb.control.misbehave(Delay(timedelta(seconds=0.5)), times=1)
    with pytest.raises(DeadlineExceeded):
        await catalog.GetEpisode(episode(HARBOR_LIGHTS), timeout=0.1)

    found = await catalog.GetEpisode(episode(HARBOR_LIGHTS))

    assert found.episode.name == "The Keeper"
    assert tmdb.control.count("/3/tv/9001/season") == 1


async def test_a_stale_title_is_served_at_once_and_refreshed_behind(
    catalog: CatalogServiceAsyncStub, tmdb: Tmdb, clock: MovableClock
) -> None:
    await catalog.GetEpisode(episode(HARBOR_LIGHTS))
    tmdb.library = renamed(LIBRARY, "Harbour Lights")
    clock.advance(A_DAY)

    stale = await catalog.GetEpisode(episode(HARBOR_LIGHTS))

    assert stale.series.title == "Harbor Lights"

    async def why_not_yet() -> str | None:
        title = (await catalog.GetEpisode(episode(HARBOR_LIGHTS))).series.title
        return None if title == "Harbour Lights" else f"still {title}"

    await eventually(why_not_yet, within=30)

    assert tmdb.control.count("/3/tv/9001/season") == 2


async def test_an_episode_that_came_out_since_is_found(
    catalog: CatalogServiceAsyncStub, tmdb: Tmdb, clock: MovableClock
) -> None:
    tmdb.library = without_last_episode(LIBRARY)
    with pytest.raises(NotFound):
        await catalog.GetEpisode(episode(HARBOR_LIGHTS, number=4))
    tmdb.library = LIBRARY
    clock.advance(timedelta(hours=1))

    found = await catalog.GetEpisode(episode(HARBOR_LIGHTS, number=4))

    assert found.episode.name == "First Light"


async def test_an_episode_that_was_taken_away_can_still_be_watched(
    catalog: CatalogServiceAsyncStub, tmdb: Tmdb, clock: MovableClock
) -> None:
    await catalog.GetEpisode(episode(HARBOR_LIGHTS))
    tmdb.library = without_last_episode(LIBRARY)
    clock.advance(A_DAY)
    await catalog.GetEpisode(episode(HARBOR_LIGHTS))

    async def why_not_yet() -> str | None:
        listed = await catalog.ListEpisodes(ListEpisodesRequest(series_id=HARBOR_LIGHTS))
        return None if len(listed.episodes) == 3 else f"{len(listed.episodes)} are listed"

    await eventually(why_not_yet, within=30)
    gone = await catalog.GetEpisode(episode(HARBOR_LIGHTS, number=4))
    before = await catalog.GetEpisode(episode(HARBOR_LIGHTS, number=3))

    assert gone.episode.name == "First Light"
    assert gone.previous.episode == 3
    assert not before.HasField("next")


async def test_a_search_shows_what_one_provider_has_when_the_other_fails(
    catalog: CatalogServiceAsyncStub, jikan: Jikan
) -> None:
    jikan.control.misbehave(json_reply({"status": 500, "type": "UpstreamException", "message": "MAL", "error": None}))

    found = await catalog.SearchTitles(SearchTitlesRequest(query="harbor lights"))

    assert [title.id for title in found.titles] == [HARBOR_LIGHTS]


async def test_a_list_outlives_an_outage(
    catalog: CatalogServiceAsyncStub, tmdb: Tmdb, jikan: Jikan, clock: MovableClock
) -> None:
    before = await catalog.SearchTitles(SearchTitlesRequest())
    for fake in (tmdb, jikan):
        fake.control.misbehave(html_error())
    clock.advance(A_DAY)

    after = await catalog.SearchTitles(SearchTitlesRequest())

    assert after == before


async def test_known_titles_are_searched_when_nobody_answers(
    catalog: CatalogServiceAsyncStub, tmdb: Tmdb, jikan: Jikan
) -> None:
    await catalog.GetEpisode(episode(HARBOR_LIGHTS))
    for fake in (tmdb, jikan):
        fake.control.misbehave(html_error())

    by_alias = await catalog.SearchTitles(SearchTitlesRequest(query="HAFEN"))
    with pytest.raises(Unavailable):
        await catalog.SearchTitles(SearchTitlesRequest(query="100%"))

    assert [title.id for title in by_alias.titles] == [HARBOR_LIGHTS]


def renamed(library: Library, name: str) -> Library:
    first, *others = library.series
    return replace(library, series=(replace(first, name=name), *others))


def without_last_episode(library: Library) -> Library:
    first, *others = library.series
    return replace(library, series=(replace(first, episodes=first.episodes[:-1]), *others))


@pytest.mark.parametrize("status", [401, 403])
async def test_a_host_that_needs_no_key_and_refuses_us_is_down_and_nobody_speaks_of_a_key(
    catalog: CatalogServiceAsyncStub, tmdb: Tmdb, jikan: Jikan, status: int
) -> None:
    for fake in (tmdb, jikan):
        fake.control.misbehave(html_error(status))
    with pytest.raises(FailedPrecondition) as of_the_key:
        await catalog.GetEpisode(episode(HARBOR_LIGHTS))
    refused = []
    for _ in range(4):
        with pytest.raises(Unavailable) as failed:
            await catalog.GetEpisode(episode(THE_ANIME))
        refused.append(str(failed.value))

    assert of_the_key.value.reason == "CATALOG_NOT_CONFIGURED"
    assert refused == ["Jikan did not answer as it should."] * 3 + ["Jikan is left alone for a while."]

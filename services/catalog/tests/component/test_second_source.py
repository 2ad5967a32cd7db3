"""MyAnimeList's own API answers where Jikan does not: for what has finished, and without inventing anything."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from vod.catalog.v1 import catalog_pb2
from vod.catalog.v1.catalog_service_pb2 import GetEpisodeRequest, ListEpisodesRequest, SearchTitlesRequest

from vod_fakes.control import Fault, html_error, json_reply
from vod_fakes.faults import JSON_FAULTS
from vod_fakes.jikan import Jikan
from vod_fakes.library import LIBRARY
from vod_fakes.mal import Mal
from vod_fakes.serving import Site, bind, http_servers
from vod_rpc import NotFound, Unavailable
from vod_testing import MovableClock, eventually

if TYPE_CHECKING:
    from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub

RunCatalog = Callable[..., AbstractAsyncContextManager["CatalogServiceAsyncStub"]]
SEA, SEA_2 = "mal:anime:9201", "mal:anime:9202"


@pytest.fixture
async def mal() -> AsyncIterator[Mal]:
    fake = Mal(LIBRARY, client_id="an-application")
    site = Site(fake.app(), fake.control, bind())
    fake.url = f"{site.url}/v2"
    async with http_servers([site]):
        yield fake


def with_mal(mal: Mal, **changes: Any) -> dict[str, Any]:
    return {"mal_base": mal.url, "mal_client_id": "an-application", **changes}


def episode(series_id: str, number: int) -> GetEpisodeRequest:
    return GetEpisodeRequest(key=catalog_pb2.EpisodeKey(series_id=series_id, season=1, episode=number))


async def test_it_is_not_asked_while_jikan_answers(run_catalog: RunCatalog, mal: Mal) -> None:
    async with run_catalog(**with_mal(mal)) as catalog:
        await catalog.GetEpisode(episode(SEA, 1))
        await catalog.SearchTitles(SearchTitlesRequest(query="lantern"))

    assert mal.control.count() == 0


async def test_without_jikan_a_finished_anime_is_known_by_its_numbers_and_later_by_its_names(
    run_catalog: RunCatalog, mal: Mal, jikan: Jikan, clock: MovableClock
) -> None:
    jikan.control.misbehave(html_error())
    async with run_catalog(**with_mal(mal, refresh_every=timedelta(seconds=0.05))) as catalog:
        found = await catalog.GetEpisode(episode(SEA_2, 2))
        jikan.control.behave()
        clock.advance(timedelta(minutes=20))

        async def why_not() -> str | None:
            name = (await catalog.GetEpisode(episode(SEA_2, 2))).episode.name
            return None if name == "Paper and Salt" else f"named {name!r}"

        await eventually(why_not, within=30)

    key = found.episode.key
    assert (key.series_id, key.season, key.episode, found.episode.absolute) == (SEA, 2, 2, 5)
    assert (found.series.title, found.episode.name, found.episode.runtime.seconds) == ("Lantern Sea", "", 60)


async def test_of_what_is_airing_nobody_says_how_much_there_is(run_catalog: RunCatalog, mal: Mal, jikan: Jikan) -> None:
    jikan.control.misbehave(html_error())
    mal.airing = frozenset({9202})
    async with run_catalog(**with_mal(mal)) as catalog:
        with pytest.raises(Unavailable) as failed:
            await catalog.ListEpisodes(ListEpisodesRequest(series_id=SEA))

    assert failed.value.reason == "UPSTREAM_UNAVAILABLE"


async def test_what_it_does_not_know_is_not_there(run_catalog: RunCatalog, mal: Mal, jikan: Jikan) -> None:
    jikan.control.misbehave(html_error())
    async with run_catalog(**with_mal(mal)) as catalog:
        with pytest.raises(NotFound):
            await catalog.ListEpisodes(ListEpisodesRequest(series_id="mal:anime:404"))


async def test_a_search_is_answered_by_it_without_jikan(run_catalog: RunCatalog, mal: Mal, jikan: Jikan) -> None:
    jikan.control.misbehave(html_error())
    async with run_catalog(**with_mal(mal, tmdb_key=None)) as catalog:
        found = await catalog.SearchTitles(SearchTitlesRequest(query="lantern sea"))
        airing = await catalog.SearchTitles(SearchTitlesRequest())

    assert [one.id for one in found.titles] == [SEA, SEA_2]
    assert {SEA, SEA_2} == {one.id for one in airing.titles}


@pytest.mark.parametrize("fault", [*JSON_FAULTS.values(), html_error(403)], ids=[*JSON_FAULTS, "blocked"])
async def test_when_both_fail_that_is_said_and_nothing_is_invented(
    run_catalog: RunCatalog, mal: Mal, jikan: Jikan, fault: Fault
) -> None:
    jikan.control.misbehave(html_error())
    mal.control.misbehave(fault)
    async with run_catalog(**with_mal(mal)) as catalog:
        with pytest.raises(Unavailable) as failed:
            await catalog.GetEpisode(episode(SEA, 1))

    assert failed.value.reason == "UPSTREAM_UNAVAILABLE"
    assert mal.control.count() >= 1


async def test_nulls_wherever_they_may_be_do_no_harm(run_catalog: RunCatalog, mal: Mal, jikan: Jikan) -> None:
    jikan.control.misbehave(html_error())
    names = ("title", "main_picture", "alternative_titles", "start_date", "synopsis", "genres", "related_anime")
    body = {"id": 1, "num_episodes": "2", "status": "finished_airing", "media_type": None, **dict.fromkeys(names)}
    mal.control.misbehave(json_reply(body), path="/v2/anime/1")
    async with run_catalog(**with_mal(mal)) as catalog:
        found = await catalog.ListEpisodes(ListEpisodesRequest(series_id="mal:anime:1"))

    assert (found.series.title, len(found.episodes)) == ("mal:anime:1", 2)

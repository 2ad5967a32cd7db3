"""Catalog's RPCs, when all is well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import asyncpg
import pytest
from vod.catalog.v1 import catalog_pb2
from vod.catalog.v1.catalog_service_pb2 import GetEpisodeRequest, ListEpisodesRequest, SearchTitlesRequest

from vod_fakes.jikan import Jikan
from vod_fakes.tmdb import Tmdb
from vod_rpc import FailedPrecondition, InvalidArgument, NotFound

if TYPE_CHECKING:
    from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub

RunCatalog = Callable[..., AbstractAsyncContextManager["CatalogServiceAsyncStub"]]
HARBOR_LIGHTS = "tmdb:tv:9001"
LANTERN_SEA = "mal:anime:9201"


def episode(series_id: str, season: int, number: int) -> GetEpisodeRequest:
    return GetEpisodeRequest(key=catalog_pb2.EpisodeKey(series_id=series_id, season=season, episode=number))


def place(key: catalog_pb2.EpisodeKey) -> tuple[int, int]:
    return key.season, key.episode


async def test_an_episode_comes_with_its_series_and_neighbours(catalog: CatalogServiceAsyncStub) -> None:
    found = await catalog.GetEpisode(episode(HARBOR_LIGHTS, 1, 2))

    assert found.series.title == "Harbor Lights"
    assert found.series.kind == catalog_pb2.KIND_SERIES
    assert found.series.year == 2024
    assert list(found.series.aliases) == ["Hafenlichter", "Les Lumières du port"]
    assert dict(found.series.external_ids) == {"tmdb": "9001", "imdb": "tt99009001", "tvdb": "9900901"}
    assert found.episode.name == "Low Tide"
    assert found.episode.air_date == "2024-03-08"
    assert found.episode.runtime.seconds == 60
    assert place(found.previous) == (1, 1)
    assert place(found.next) == (1, 3)


async def test_nothing_follows_the_last_episode(catalog: CatalogServiceAsyncStub) -> None:
    found = await catalog.GetEpisode(episode(HARBOR_LIGHTS, 1, 4))

    assert not found.HasField("next")


async def test_an_anime_goes_on_in_its_sequel_and_counts_through(catalog: CatalogServiceAsyncStub) -> None:
    found = await catalog.GetEpisode(episode(LANTERN_SEA, 1, 3))
    listed = await catalog.ListEpisodes(ListEpisodesRequest(series_id=LANTERN_SEA))

    assert place(found.next) == (2, 1)
    assert [(place(one.key), one.absolute) for one in listed.episodes] == [
        ((1, 1), 1),
        ((1, 2), 2),
        ((1, 3), 3),
        ((2, 1), 4),
        ((2, 2), 5),
        ((2, 3), 6),
    ]
    assert listed.series.season_count == 2
    assert "Lantern Sea 2nd Season" in listed.series.aliases
    assert "灯籠の海" in listed.series.aliases


async def test_a_film_is_season_one_episode_one(catalog: CatalogServiceAsyncStub) -> None:
    found = await catalog.GetEpisode(episode("tmdb:movie:9101", 1, 1))

    assert found.series.kind == catalog_pb2.KIND_MOVIE
    assert found.episode.name == "The Glass Orchard"
    assert found.episode.air_date == "2023-10-06"
    assert list(found.series.aliases) == ["Der gläserne Obstgarten"]
    assert not found.HasField("next")


async def test_a_known_title_costs_no_request(catalog: CatalogServiceAsyncStub, tmdb: Tmdb) -> None:
    await catalog.GetEpisode(episode(HARBOR_LIGHTS, 1, 1))
    asked = tmdb.control.count()

    await catalog.GetEpisode(episode(HARBOR_LIGHTS, 1, 2))
    await catalog.ListEpisodes(ListEpisodesRequest(series_id=HARBOR_LIGHTS))

    assert tmdb.control.count() == asked


async def test_all_who_ask_for_a_new_title_at_once_cost_one_fetch(catalog: CatalogServiceAsyncStub, tmdb: Tmdb) -> None:
    await asyncio.gather(*(catalog.GetEpisode(episode(HARBOR_LIGHTS, 1, 1)) for _ in range(30)))

    assert tmdb.control.count("/3/tv/9001/season") == 1


async def test_what_is_popular_comes_from_both_providers_without_persons(catalog: CatalogServiceAsyncStub) -> None:
    found = await catalog.SearchTitles(SearchTitlesRequest())

    assert {title.id for title in found.titles} >= {HARBOR_LIGHTS, "tmdb:movie:9101", LANTERN_SEA}
    assert all(title.kind != catalog_pb2.KIND_UNSPECIFIED for title in found.titles)


async def test_a_search_finds_the_exact_name_first(catalog: CatalogServiceAsyncStub) -> None:
    found = await catalog.SearchTitles(SearchTitlesRequest(query="harbor light"))

    assert [title.title for title in found.titles] == ["Harbor Light", "Harbor Lights"]


async def test_a_search_is_answered_from_memory_for_a_while(catalog: CatalogServiceAsyncStub, tmdb: Tmdb) -> None:
    for query in ("Lantern  Sea", "lantern sea"):
        await catalog.SearchTitles(SearchTitlesRequest(query=query))

    assert tmdb.control.count("/3/search") == 1


async def test_a_page_is_never_longer_than_asked(catalog: CatalogServiceAsyncStub) -> None:
    found = await catalog.SearchTitles(SearchTitlesRequest(page_size=1))

    assert len(found.titles) == 1


async def test_an_id_of_no_known_form_is_refused(catalog: CatalogServiceAsyncStub) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await catalog.GetEpisode(episode("tmdb:person:1", 1, 1))

    assert refused.value.reason == "INVALID_SERIES_ID"


async def test_a_title_that_nobody_knows_is_not_found_and_asked_for_once(
    catalog: CatalogServiceAsyncStub, tmdb: Tmdb, jikan: Jikan
) -> None:
    unknown = ["tmdb:tv:404", "tmdb:movie:404", "mal:anime:404"]

    for series_id in unknown * 2:
        with pytest.raises(NotFound) as missing:
            await catalog.GetEpisode(episode(series_id, 1, 1))
        assert missing.value.reason == "SERIES_NOT_FOUND"

    assert tmdb.control.count() + jikan.control.count() == len(unknown)


async def test_an_episode_that_a_title_has_not_is_not_found(catalog: CatalogServiceAsyncStub) -> None:
    with pytest.raises(NotFound) as missing:
        await catalog.GetEpisode(episode(HARBOR_LIGHTS, 1, 9))

    assert missing.value.reason == "EPISODE_NOT_FOUND"
    assert missing.value.metadata == {"series_id": HARBOR_LIGHTS, "season": "1", "episode": "9"}


async def test_without_a_key_tmdb_titles_say_so_and_anime_goes_on(run_catalog: RunCatalog) -> None:
    async with run_catalog(tmdb_key=None) as catalog:
        with pytest.raises(FailedPrecondition) as refused:
            await catalog.GetEpisode(episode(HARBOR_LIGHTS, 1, 1))
        found = await catalog.SearchTitles(SearchTitlesRequest())

    assert refused.value.reason == "CATALOG_NOT_CONFIGURED"
    assert [title.kind for title in found.titles] == [catalog_pb2.KIND_ANIME] * 2


async def test_what_was_stored_is_served_without_a_key(run_catalog: RunCatalog) -> None:
    async with run_catalog() as catalog:
        await catalog.GetEpisode(episode(HARBOR_LIGHTS, 1, 1))

    async with run_catalog(tmdb_key=None) as catalog:
        found = await catalog.GetEpisode(episode(HARBOR_LIGHTS, 1, 1))

    assert found.episode.name == "The Keeper"


async def test_a_wrong_key_is_said_to_be_refused(run_catalog: RunCatalog) -> None:
    async with run_catalog(tmdb_key="wrong") as catalog:
        with pytest.raises(FailedPrecondition) as refused:
            await catalog.GetEpisode(episode(HARBOR_LIGHTS, 1, 1))

    assert refused.value.reason == "CATALOG_NOT_CONFIGURED"


async def test_a_read_token_goes_into_the_header(run_catalog: RunCatalog, tmdb: Tmdb) -> None:
    tmdb.key = "h" * 200

    async with run_catalog(tmdb_key=tmdb.key) as catalog:
        await catalog.GetEpisode(episode(HARBOR_LIGHTS, 1, 1))

    assert {("api_key" in seen.query) for seen in tmdb.control.seen} == {False}


async def test_rows_keep_the_names_of_the_manual(catalog: CatalogServiceAsyncStub, pg_dsn: str) -> None:
    await catalog.GetEpisode(episode(LANTERN_SEA, 2, 2))

    connection = await asyncpg.connect(pg_dsn)
    try:
        row = await connection.fetchrow(
            "SELECT e.series_id, s.title, s.kind, e.season, e.episode, e.absolute_ep, e.name, e.runtime_s, "
            "e.air_date::text, e.created_at <= e.updated_at AS stamped "
            "FROM catalog.series s JOIN catalog.episodes e ON e.series_id = s.id WHERE e.absolute_ep = 5"
        )
    finally:
        await connection.close()

    assert row is not None
    assert dict(row) == {
        "series_id": LANTERN_SEA,
        "title": "Lantern Sea",
        "kind": "anime",
        "season": 2,
        "episode": 2,
        "absolute_ep": 5,
        "name": "Paper and Salt",
        "runtime_s": 60,
        "air_date": "2024-10-12",
        "stamped": True,
    }


async def test_an_episode_tells_how_many_its_season_has(catalog: CatalogServiceAsyncStub) -> None:
    found = await catalog.GetEpisode(episode(HARBOR_LIGHTS, 1, 2))

    assert found.season_episode_count == 4

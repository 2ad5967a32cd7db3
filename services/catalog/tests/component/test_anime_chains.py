"""How entries of MyAnimeList become the seasons of one anime."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from vod.catalog.v1.catalog_service_pb2 import ListEpisodesRequest, SearchTitlesRequest

from vod_fakes.control import json_reply
from vod_fakes.jikan import Jikan
from vod_fakes.library import LANTERN_SEA, LANTERN_SEA_2, LIBRARY
from vod_fakes.shapes import Episode

if TYPE_CHECKING:
    from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub


def entry(mal_id: int, *, sequel: int = 0, **changes: Any) -> object:
    """What Jikan says about an entry, as far as it matters here."""
    relations = [{"relation": "Sequel", "entry": [{"mal_id": sequel, "type": "anime", "name": "?"}]}] if sequel else []
    body = {"mal_id": mal_id, "title": f"Entry {mal_id}", "type": "TV", "status": "Finished Airing", "episodes": 1}
    return json_reply({"data": {**body, "relations": relations, **changes}})


def episodes(*numbers: int, more: bool = False) -> object:
    rows = [{"mal_id": number, "title": f"Number {number}", "aired": None} for number in numbers]
    return json_reply({"data": rows, "pagination": {"has_next_page": more, "last_visible_page": 1}})


def says(jikan: Jikan, path: str, reply: Any) -> None:
    jikan.control.misbehave(reply, path=f"/v4/anime/{path}")


async def listed(catalog: CatalogServiceAsyncStub, series_id: str) -> list[tuple[int, int, int]]:
    answer = await catalog.ListEpisodes(ListEpisodesRequest(series_id=series_id))
    return [(one.key.season, one.key.episode, one.absolute) for one in answer.episodes]


async def test_a_film_between_seasons_is_no_season_and_leads_on(catalog: CatalogServiceAsyncStub, jikan: Jikan) -> None:
    says(jikan, "1/full", entry(1, sequel=2))
    says(jikan, "2/full", entry(2, sequel=3, type="Movie"))
    says(jikan, "3/full", entry(3))
    for mal_id in (1, 3):
        says(jikan, f"{mal_id}/episodes", episodes(1))

    assert await listed(catalog, "mal:anime:1") == [(1, 1, 1), (2, 1, 2)]


async def test_a_circle_of_sequels_ends(catalog: CatalogServiceAsyncStub, jikan: Jikan) -> None:
    says(jikan, "1/full", entry(1, sequel=2))
    says(jikan, "2/full", entry(2, sequel=1))
    for mal_id in (1, 2):
        says(jikan, f"{mal_id}/episodes", episodes(1))

    assert await listed(catalog, "mal:anime:1") == [(1, 1, 1), (2, 1, 2)]


async def test_holes_in_a_finished_list_are_filled(catalog: CatalogServiceAsyncStub, jikan: Jikan) -> None:
    says(jikan, "1/full", entry(1, episodes=4))
    says(jikan, "1/episodes", episodes(2, 3, more=True))

    assert await listed(catalog, "mal:anime:1") == [(1, n, n) for n in (1, 2, 3, 4)]


async def test_what_airs_still_has_what_was_listed(catalog: CatalogServiceAsyncStub, jikan: Jikan) -> None:
    says(jikan, "1/full", entry(1, episodes=12, status="Currently Airing"))
    says(jikan, "1/episodes", episodes(1, 2))

    assert await listed(catalog, "mal:anime:1") == [(1, 1, 1), (1, 2, 2)]


async def test_an_anime_film_has_the_one_episode_that_no_list_shows(
    catalog: CatalogServiceAsyncStub, jikan: Jikan
) -> None:
    says(jikan, "1/full", entry(1, sequel=2, type="Movie", duration="1 hr 52 min"))
    says(jikan, "1/episodes", episodes())

    answer = await catalog.ListEpisodes(ListEpisodesRequest(series_id="mal:anime:1"))

    assert [one.runtime.seconds for one in answer.episodes] == [112 * 60]


async def test_all_pages_of_a_long_list_are_read(catalog: CatalogServiceAsyncStub, jikan: Jikan) -> None:
    long = tuple(Episode(n, 1, n, f"Number {n}", "", date(2024, 1, 1)) for n in range(1, 251))
    jikan.library = replace(LIBRARY, anime=(replace(LANTERN_SEA, episodes=long), LANTERN_SEA_2))

    assert await listed(catalog, "mal:anime:9201") == [
        *((1, n, n) for n in range(1, 251)),
        *((2, n, 250 + n) for n in range(1, 4)),
    ]


async def test_nulls_wherever_they_may_be_do_no_harm(catalog: CatalogServiceAsyncStub, jikan: Jikan) -> None:
    names = ("titles", "title", "images", "aired", "year", "genres", "synopsis", "duration", "status", "relations")
    nulls: dict[str, Any] = dict.fromkeys(names)
    says(jikan, "1/full", entry(1, **nulls))
    says(jikan, "1/episodes", json_reply({"data": [{"mal_id": "1", "title": None}, None], "pagination": None}))

    answer = await catalog.ListEpisodes(ListEpisodesRequest(series_id="mal:anime:1"))

    assert answer.series.title == "mal:anime:1"
    assert [one.name for one in answer.episodes] == [""]


async def test_adult_titles_are_not_listed(catalog: CatalogServiceAsyncStub, jikan: Jikan) -> None:
    rows = [{"mal_id": 1, "title": "A", "rating": "Rx - Hentai"}, {"mal_id": 2, "title": "B", "rating": None}]
    jikan.control.misbehave(json_reply({"data": rows}), path="/v4/anime")

    found = await catalog.SearchTitles(SearchTitlesRequest(query="a or b"))

    assert [title.id for title in found.titles] == ["mal:anime:2"]

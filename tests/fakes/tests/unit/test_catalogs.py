"""TMDb and Jikan answer in the shapes of the real ones."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from vod_fakes.world import TMDB_KEY, World


async def tmdb(outside: World, http: httpx.AsyncClient, path: str, **query: str) -> Any:
    answer = await http.get(f"{outside.tmdb.url}{path}", params={"api_key": TMDB_KEY, **query})
    return answer.raise_for_status().json()


async def test_a_series_comes_with_what_is_appended(outside: World, http: httpx.AsyncClient) -> None:
    body = await tmdb(outside, http, "/tv/9001", append_to_response="external_ids,season/1,alternative_titles,nonsense")

    assert (body["name"], body["first_air_date"], body["number_of_episodes"]) == ("Harbor Lights", "2024-03-01", 4)
    assert [s["episode_count"] for s in body["seasons"]] == [4]
    assert body["external_ids"]["tvdb_id"] == 9900901
    assert [e["name"] for e in body["season/1"]["episodes"]] == [
        "The Keeper",
        "Low Tide",
        "The Long Fog",
        "First Light",
    ]
    assert body["alternative_titles"]["results"][0]["title"] == "Hafenlichter"
    assert "nonsense" not in body


async def test_a_season_lists_its_episodes(outside: World, http: httpx.AsyncClient) -> None:
    body = await tmdb(outside, http, "/tv/9001/season/1")

    assert [(e["episode_number"], e["runtime"], e["episode_type"]) for e in body["episodes"]] == [
        (1, 1, "standard"),
        (2, 1, "standard"),
        (3, 1, "standard"),
        (4, 1, "finale"),
    ]


async def test_a_film_has_a_runtime_and_an_imdb_id(outside: World, http: httpx.AsyncClient) -> None:
    body = await tmdb(outside, http, "/movie/9101")

    assert (body["title"], body["release_date"], body["runtime"], body["imdb_id"]) == (
        "The Glass Orchard",
        "2023-10-06",
        1,
        "tt99009101",
    )


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("harbor lights", ["Harbor Lights"]),
        ("harbor", ["Harbor Lights", "Harbor Light"]),
        ("hafenl", ["Harbor Lights"]),
    ],
)
async def test_a_search_finds_titles_and_aliases(
    outside: World, http: httpx.AsyncClient, query: str, names: list[str]
) -> None:
    body = await tmdb(outside, http, "/search/multi", query=query)

    assert [row["name"] for row in body["results"]] == names


async def test_trends_mix_series_films_and_people(outside: World, http: httpx.AsyncClient) -> None:
    body = await tmdb(outside, http, "/trending/all/week")

    assert [row["media_type"] for row in body["results"]] == ["tv", "movie", "person", "tv"]


async def test_tmdb_takes_the_key_as_a_bearer_token_too(outside: World, http: httpx.AsyncClient) -> None:
    headers = {"authorization": f"Bearer {TMDB_KEY}"}

    assert (await http.get(f"{outside.tmdb.url}/configuration", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("path", "key", "refusal"),
    [("/tv/9001", "wrong", (401, 7)), ("/tv/1", TMDB_KEY, (404, 34)), ("/tv/9001/season/9", TMDB_KEY, (404, 34))],
)
async def test_tmdb_refuses_with_its_own_codes(
    outside: World, http: httpx.AsyncClient, path: str, key: str, refusal: tuple[int, int]
) -> None:
    answer = await http.get(f"{outside.tmdb.url}{path}", params={"api_key": key})

    assert (answer.status_code, answer.json()["status_code"]) == refusal
    assert answer.json()["success"] is False


async def test_an_anime_points_to_its_sequel(outside: World, http: httpx.AsyncClient) -> None:
    body = (await http.get(f"{outside.jikan.url}/anime/9201/full")).json()["data"]

    assert (body["type"], body["episodes"], body["year"]) == ("TV", 3, 2024)
    assert [(r["relation"], r["entry"][0]["mal_id"]) for r in body["relations"]] == [("Sequel", 9202)]


async def test_episodes_come_in_pages(outside: World, http: httpx.AsyncClient) -> None:
    outside.jikan.episodes_per_page = 2
    pages = [(await http.get(f"{outside.jikan.url}/anime/9202/episodes?page={n}")).json() for n in (1, 2)]

    assert [[e["mal_id"] for e in page["data"]] for page in pages] == [[1, 2], [3]]
    assert [page["pagination"]["has_next_page"] for page in pages] == [True, False]


async def test_an_anime_is_found_by_name(outside: World, http: httpx.AsyncClient) -> None:
    body = (await http.get(f"{outside.jikan.url}/anime", params={"q": "lantern", "sfw": "", "limit": "1"})).json()

    assert ([a["mal_id"] for a in body["data"]], body["pagination"]["has_next_page"]) == ([9201], True)


async def test_an_unknown_anime_is_a_jikan_404(outside: World, http: httpx.AsyncClient) -> None:
    answer = await http.get(f"{outside.jikan.url}/anime/1")

    assert (answer.status_code, answer.json()["type"]) == (404, "BadResponseException")

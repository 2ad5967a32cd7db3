"""TMDb's answers in their less handsome shapes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from vod.catalog.v1.catalog_service_pb2 import ListEpisodesRequest

from vod_fakes.control import json_reply
from vod_fakes.library import HARBOR_LIGHTS, LIBRARY
from vod_fakes.shapes import Episode
from vod_fakes.tmdb import Tmdb

if TYPE_CHECKING:
    from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub

ASKED = ListEpisodesRequest(series_id="tmdb:tv:9001")


def aired(season: int, number: int) -> Episode:
    return Episode(1000 * season + number, season, number, f"S{season}E{number}", "", date(2024, 1, 1))


async def test_seasons_come_in_order_with_specials_last(catalog: CatalogServiceAsyncStub, tmdb: Tmdb) -> None:
    episodes = (aired(0, 1), aired(1, 1), aired(1, 2), aired(2, 3), aired(2, 4))
    tmdb.library = replace(LIBRARY, series=(replace(HARBOR_LIGHTS, episodes=episodes),))

    answer = await catalog.ListEpisodes(ASKED)

    assert [one.name for one in answer.episodes] == ["S1E1", "S1E2", "S2E3", "S2E4", "S0E1"]
    assert answer.series.season_count == 2


async def test_a_season_without_a_page_is_left_out(catalog: CatalogServiceAsyncStub, tmdb: Tmdb) -> None:
    tmdb.library = replace(LIBRARY, series=(replace(HARBOR_LIGHTS, episodes=(aired(1, 1), aired(2, 1))),))
    missing = json_reply({"success": False, "status_code": 34}, status=404)
    tmdb.control.misbehave(missing, path="/3/tv/9001/season/2")

    answer = await catalog.ListEpisodes(ASKED)

    assert [one.name for one in answer.episodes] == ["S1E1"]
    assert answer.series.season_count == 1


async def test_nulls_and_numbers_as_strings_do_no_harm(catalog: CatalogServiceAsyncStub, tmdb: Tmdb) -> None:
    names = ("name", "overview", "first_air_date", "poster_path", "genres", "alternative_titles", "external_ids")
    details = {
        "id": "9001",
        **dict.fromkeys(names),
        "original_name": "Hafenlichter",
        "seasons": [{"season_number": "1"}, None],
    }
    rows = [
        {"episode_number": "1", "name": None, "runtime": None, "air_date": None},
        {"episode_number": None, "name": "no number"},
        {"episode_number": 2, "name": "Two", "runtime": "42", "air_date": ""},
        {"episode_number": 2, "name": "Two again", "runtime": 42, "air_date": "2024-01-01"},
    ]
    tmdb.control.misbehave(json_reply(details), path="/3/tv/9001")
    tmdb.control.misbehave(json_reply({"episodes": rows}), path="/3/tv/9001/season/1")

    answer = await catalog.ListEpisodes(ASKED)

    assert answer.series.title == "Hafenlichter"
    assert [(one.key.episode, one.name, one.runtime.seconds) for one in answer.episodes] == [
        (1, "", 0),
        (2, "Two again", 42 * 60),
    ]


async def test_images_are_addresses(catalog: CatalogServiceAsyncStub, tmdb: Tmdb) -> None:
    details = {"id": 9001, "name": "Lit", "poster_path": "/lamp.jpg", "backdrop_path": "/sea.jpg", "seasons": []}
    tmdb.control.misbehave(json_reply(details), path="/3/tv/9001")

    answer = await catalog.ListEpisodes(ASKED)

    assert answer.series.poster_url == "https://image.tmdb.org/t/p/w500/lamp.jpg"
    assert answer.series.backdrop_url == "https://image.tmdb.org/t/p/w1280/sea.jpg"


async def test_what_no_database_keeps_is_left_out_and_the_rest_is_a_title(
    catalog: CatalogServiceAsyncStub, tmdb: Tmdb
) -> None:
    seasons = [{"season_number": 1}, {"season_number": 10**12}]
    title = {"id": 9002, "name": "A\0 Lamp\ud800", "seasons": seasons, "external_ids": {"tvdb_id": 10**30}}
    rows = [
        {"episode_number": "9" * 5000, "name": "no number"},
        {"episode_number": 10**12, "name": "no number"},
        {"episode_number": 3, "name": "Third\0", "runtime": 10**15, "air_date": "9999-99-99"},
    ]
    tmdb.control.misbehave(json_reply(title), path="/3/tv/9002")
    tmdb.control.misbehave(json_reply({"episodes": rows}), path="/3/tv/9002/season")

    found = await catalog.ListEpisodes(ListEpisodesRequest(series_id="tmdb:tv:9002"))

    [episode] = found.episodes
    assert (found.series.title, episode.key.episode, episode.name) == ("A Lamp", 3, "Third")
    assert (episode.runtime.seconds, episode.air_date) == (0, "")

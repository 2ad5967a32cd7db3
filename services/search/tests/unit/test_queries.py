"""How indexers are asked, by what they understand."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_search.domain import Kind, Wanted
from vod_search.queries import MOST_QUERIES, ONLY_WORDS, Abilities, Availability, Mode, Query, queries

SERIES = Wanted(
    series_id="tmdb:tv:9001",
    season=2,
    episode=3,
    kind=Kind.SERIES,
    titles=("Harbor Lights", "灯台", "Hafenlichter"),
    external_ids={"tvdb": "9900901", "imdb": "tt99009001", "tmdb": "9001"},
)
DAILY = replace(SERIES, season=2024, episode=44, air_date=date(2024, 3, 5))
ANIME = replace(SERIES, kind=Kind.ANIME, absolute=15)
FILM = replace(SERIES, kind=Kind.MOVIE, season=1, episode=1, year=2023)
NUMBERED = Abilities(tv=frozenset({"q", "season", "ep"}))
BY_ID = Abilities(
    tv=frozenset({"q", "season", "ep", "tvdbid", "imdbid"}), movie=frozenset({"q", "year", "imdbid", "tmdbid"})
)


def words(text: str) -> Query:
    return Query(Mode.WORDS, text)


def tv(text: str = "", **params: str) -> Query:
    return Query(Mode.TV, text, params)


def movie(text: str = "", **params: str) -> Query:
    return Query(Mode.MOVIE, text, params)


@pytest.mark.parametrize(
    ("wanted", "abilities", "expected"),
    [
        (
            SERIES,
            ONLY_WORDS,
            [words("Harbor Lights S02E03"), words("Harbor Lights S02"), words("Hafenlichter S02E03")],
        ),
        (
            SERIES,
            NUMBERED,
            [
                tv("Harbor Lights", season="2", ep="3"),
                tv("Harbor Lights", season="2"),
                tv("Hafenlichter", season="2", ep="3"),
            ],
        ),
        (
            SERIES,
            BY_ID,
            [
                tv(tvdbid="9900901", season="2", ep="3"),
                tv(tvdbid="9900901", season="2"),
                tv("Harbor Lights", season="2", ep="3"),
            ],
        ),
        (
            SERIES,
            Abilities(tv=frozenset({"season", "imdbid"})),
            [tv(imdbid="tt99009001", season="2"), words("Harbor Lights S02E03")],
        ),
        (
            DAILY,
            ONLY_WORDS,
            [words("Harbor Lights 2024 03 05"), words("Harbor Lights S2024E44"), words("Harbor Lights S2024")],
        ),
        (
            DAILY,
            BY_ID,
            [
                tv(tvdbid="9900901", season="2024", ep="03/05"),
                tv(tvdbid="9900901", season="2024"),
                words("Harbor Lights 2024 03 05"),
            ],
        ),
        (ANIME, ONLY_WORDS, [words("Harbor Lights 15"), words("Harbor Lights S02E03"), words("Hafenlichter 15")]),
        (
            ANIME,
            BY_ID,
            [words("Harbor Lights 15"), tv(tvdbid="9900901", season="2", ep="3"), words("Hafenlichter 15")],
        ),
        (FILM, ONLY_WORDS, [words("Harbor Lights 2023"), words("Hafenlichter 2023")]),
        (
            FILM,
            BY_ID,
            [movie(imdbid="tt99009001"), movie("Harbor Lights", year="2023"), movie("Hafenlichter", year="2023")],
        ),
        (
            SERIES,
            Abilities(words=Availability.NO, tv=frozenset({"q"})),
            [tv("Harbor Lights S02E03"), tv("Harbor Lights S02"), tv("Hafenlichter S02E03")],
        ),
        (SERIES, Abilities(words=Availability.NO), []),
    ],
)
def test_an_indexer_is_asked_in_the_way_it_understands(
    wanted: Wanted, abilities: Abilities, expected: list[Query]
) -> None:
    assert list(queries(wanted, abilities)) == expected


@pytest.mark.parametrize("bad", ["", "nm1", "1}{season:9", "tt" + "9" * 40])
def test_an_id_that_is_none_is_not_used(bad: str) -> None:
    asked = queries(replace(SERIES, external_ids={"tvdb": bad}), BY_ID)

    assert [one for one in asked if "tvdbid" in one.params] == []


PARAMETERS = st.frozensets(st.sampled_from(["q", "season", "ep", "year", "imdbid", "tmdbid", "tvdbid"]))


@given(
    wanted=st.sampled_from([SERIES, DAILY, ANIME, FILM]),
    abilities=st.builds(Abilities, words=st.sampled_from(Availability), tv=PARAMETERS, movie=PARAMETERS),
)
def test_nothing_is_asked_that_is_not_understood(wanted: Wanted, abilities: Abilities) -> None:
    known: dict[Mode, Any] = {Mode.TV: abilities.tv, Mode.MOVIE: abilities.movie, Mode.WORDS: frozenset()}

    asked = queries(wanted, abilities)

    assert len(asked) <= MOST_QUERIES
    assert len({(one.mode, one.words, *one.params.items()) for one in asked}) == len(asked)
    for one in asked:
        assert set(one.params) <= known[one.mode]
        if one.mode is Mode.WORDS:
            assert abilities.words is Availability.YES
        elif one.words:
            assert "q" in known[one.mode]

"""Ids, names and the order of episodes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_catalog.domain import (
    Episode,
    Kind,
    Series,
    SeriesId,
    StoredTitle,
    Title,
    aliases_of,
    in_viewing_order,
    parse_series_id,
    place_episode,
)
from vod_catalog.errors import EpisodeNotFound, InvalidSeriesId

SERIES = Series(SeriesId("tmdb:tv:1"), "Paper Lanterns", Kind.SERIES)


def stored(*places: tuple[int, int], gone: tuple[tuple[int, int], ...] = ()) -> StoredTitle:
    return StoredTitle(
        title=Title(SERIES, in_viewing_order([Episode(season, number, "") for season, number in places])),
        gone=tuple(Episode(season, number, "") for season, number in gone),
        fetched_at=datetime(2026, 1, 1, tzinfo=UTC),
        retry_at=None,
    )


def places(*episodes: Episode | None) -> list[tuple[int, int] | None]:
    return [None if one is None else (one.season, one.episode) for one in episodes]


def test_a_season_is_followed_by_the_next_one_also_when_numbers_roll_on() -> None:
    found = place_episode(stored((1, 1), (1, 12), (2, 13), (2, 14)), season=1, number=12)

    assert places(found.previous, found.next) == [(1, 1), (2, 13)]


def test_specials_are_in_nobodys_way() -> None:
    title = stored((0, 1), (0, 2), (1, 1), (2, 1))

    first = place_episode(title, season=1, number=1)
    special = place_episode(title, season=0, number=1)

    assert places(first.previous, first.next) == [None, (2, 1)]
    assert places(special.previous, special.next) == [None, None]


def test_specials_are_listed_last() -> None:
    assert places(*in_viewing_order([Episode(0, 1, ""), Episode(2, 1, ""), Episode(1, 2, "")])) == [
        (1, 2),
        (2, 1),
        (0, 1),
    ]


def test_an_episode_that_is_gone_keeps_its_place() -> None:
    found = place_episode(stored((1, 1), (1, 3), gone=((1, 2),)), season=1, number=2)

    assert places(found.previous, found.episode, found.next) == [(1, 1), (1, 2), (1, 3)]


def test_an_episode_that_never_was_is_not_found() -> None:
    with pytest.raises(EpisodeNotFound, match="S01E07"):
        place_episode(stored((1, 1)), season=1, number=7)


@given(st.sets(st.tuples(st.integers(1, 5), st.integers(1, 20)), min_size=1))
def test_going_next_from_the_first_episode_visits_all_in_order(numbers: set[tuple[int, int]]) -> None:
    title = stored(*numbers)
    season, number = min(numbers)
    at = place_episode(title, season=season, number=number)
    visited = [(season, number)]
    while at.next is not None:
        before = at.episode
        at = place_episode(title, season=at.next.season, number=at.next.episode)
        visited.append((at.episode.season, at.episode.episode))

        assert at.previous == before

    assert visited == sorted(numbers)


def test_aliases_are_unlike_the_title_and_each_other() -> None:
    names = ["Kami Tōrō", " ", "PAPER LANTERNS", "kami tōrō", "Papierlaternen "]

    assert aliases_of("Paper Lanterns", names) == ("Kami Tōrō", "Papierlaternen")


@pytest.mark.parametrize("series_id", ["tmdb:tv:12345", "tmdb:movie:7", "mal:anime:98765"])
def test_an_id_survives_parsing(series_id: str) -> None:
    assert parse_series_id(series_id).series_id == series_id


@pytest.mark.parametrize(
    "series_id", ["tmdb:tv:-1", "tmdb:tv:٣", "tmdb:tv:1\n", "TMDB:tv:1", "tmdb:tv:99999999999", "x"]
)
def test_an_id_of_another_form_is_refused(series_id: str) -> None:
    with pytest.raises(InvalidSeriesId):
        parse_series_id(series_id)

"""When a title is looked at again."""

from datetime import date, timedelta

import pytest

from vod_catalog.domain import Episode, Kind, Series, SeriesId, Title
from vod_catalog.freshness import SOONEST, is_placeholder, refresh_after

TODAY = date(2026, 3, 1)
TTL = timedelta(hours=24)
QUIET = timedelta(days=30)


def title(*episodes: tuple[int, str], season: int = 1) -> Title:
    """A series whose episodes came out so many days ago."""
    listed = [Episode(season, n, name, air_date=TODAY - timedelta(days=d)) for n, (d, name) in enumerate(episodes, 1)]
    return Title(Series(SeriesId("tmdb:tv:1"), "A", Kind.SERIES), tuple(listed))


@pytest.mark.parametrize(
    ("found", "wait"),
    [
        (title((400, "Long Ago")), QUIET),
        (title((400, "Episode 1")), QUIET),
        (title((10, "Lately")), TTL),
        (title((10, "Episode 1")), SOONEST),
        (title((10, "TBA")), SOONEST),
        (title((10, "")), SOONEST),
        (title((7, "Lately"), (0, "Today")), SOONEST),
        (title((7, "Lately"), (-1, "Tomorrow")), SOONEST),
        (title((400, "Long Ago"), (-20, "Episode 2")), TTL),
        (title((0, "A Special"), season=0), TTL),
        (title(), TTL),
    ],
    ids=[
        "quiet",
        "never named",
        "runs",
        "no name yet",
        "TBA",
        "empty",
        "today",
        "tomorrow",
        "to come",
        "specials",
        "-",
    ],
)
def test_the_more_happens_the_sooner_it_is_looked_at(found: Title, wait: timedelta) -> None:
    assert refresh_after(found, today=TODAY, ttl=TTL) == wait


@pytest.mark.parametrize("name", ["Episode 5", "episode 12", "Ep. 3", "Folge 7", "TBA", "tbd", "", " ", "#4", "12"])
def test_names_that_hold_a_place(name: str) -> None:
    assert is_placeholder(name)


@pytest.mark.parametrize("name", ["Episode One", "The Tba", "Episode 5: The Fog", "Chapter House", "1984 and After"])
def test_names_that_are_names(name: str) -> None:
    assert not is_placeholder(name)

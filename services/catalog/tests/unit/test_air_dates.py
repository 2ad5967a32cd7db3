"""Matching by the day on which an episode came out."""

from datetime import date

import pytest

from vod_catalog.domain import Episode
from vod_catalog.numbering import match_by_date


def came_out(season: int, number: int, day: int | None) -> Episode:
    return Episode(season, number, "", air_date=date(2024, 4, day) if day else None)


@pytest.mark.parametrize(
    ("episodes", "found"),
    [
        ([came_out(1, 1, 6), came_out(1, 2, 13)], (1, 1)),
        ([came_out(1, 1, 5), came_out(1, 2, 13)], (1, 1)),
        ([came_out(1, 1, 7), came_out(1, 2, 13)], (1, 1)),
        ([came_out(1, 1, 5), came_out(1, 2, 6)], (1, 2)),
        ([came_out(1, 1, 8)], None),
        ([came_out(1, 1, 6), came_out(1, 2, 6)], None),
        ([came_out(1, 1, 5), came_out(1, 2, 7)], None),
        ([came_out(0, 1, 6)], None),
        ([came_out(1, 1, None)], None),
        ([], None),
    ],
    ids=["same day", "the day before", "the day after", "exact comes first", "too far", "two", "two near", "special",
         "undated", "none"],
)  # fmt: skip
def test_the_one_episode_of_that_day_give_or_take_one(episodes: list[Episode], found: tuple[int, int] | None) -> None:
    match = match_by_date(date(2024, 4, 6), episodes)

    assert found == ((match.season, match.episode) if match else None)

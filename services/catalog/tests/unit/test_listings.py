"""Putting the answers of several providers together."""

from vod_catalog.domain import Kind, Series, SeriesId
from vod_catalog.listings import merge


def series(number: int, title: str, *aliases: str) -> Series:
    return Series(SeriesId(f"tmdb:tv:{number}"), title, Kind.SERIES, aliases=aliases)


def test_providers_take_turns() -> None:
    ones, twos = [series(1, "a"), series(3, "c"), series(5, "e")], [series(2, "b")]

    assert [one.title for one in merge([ones, twos], query="")] == ["a", "b", "c", "e"]


def test_exact_names_come_first_then_beginnings() -> None:
    found = [series(1, "The Lamp"), series(2, "Lamplight"), series(3, "Fog"), series(4, "Lampe", "lamp")]

    assert [one.title for one in merge([found], query="lamp")] == ["Lampe", "Lamplight", "The Lamp", "Fog"]


def test_a_title_is_listed_once() -> None:
    assert [one.title for one in merge([[series(1, "a"), series(1, "b")], [series(1, "c")]], query="")] == ["a"]

"""Titles are equal or not; nothing is similar."""

import pytest

from vod_scoring.titles import is_title


@pytest.mark.parametrize(
    ("stated", "year", "wanted"),
    [
        ("Harbor.Lights", 0, ["Harbor Lights"]),
        ("HARBOR LIGHTS", 0, ["Harbor Lights"]),
        ("Les Lumieres du Port", 0, ["Harbor Lights", "Les Lumières du port"]),
        ("Glass Orchard", 0, ["The Glass Orchard"]),
        ("S A L T", 0, ["S.A.L.T."]),
        ("SALT", 0, ["S.A.L.T."]),
        ("Keepers Lamp", 0, ["Keeper's Lamp"]),
        ("Salt and Smoke", 0, ["Salt & Smoke"]),
        ("7-2-4", 0, ["7 2 4"]),
        ("Lamps US", 0, ["Lamps"]),
        ("Lamps US", 0, ["Lamps", "Lamps US"]),
        ("Summer of", 1984, ["Summer of 1984"]),
        ("灯籠の海", 0, ["Lantern Sea", "灯籠の海"]),
        ("Cafe\u0301 Noir", 0, ["Caf\u00e9 Noir"]),
    ],
)
def test_the_same_title_is_recognised(stated: str, year: int, wanted: list[str]) -> None:
    assert is_title([stated], year=year, wanted=tuple(wanted))


@pytest.mark.parametrize(
    ("stated", "wanted"),
    [
        ("Harbor Light", ["Harbor Lights"]),
        ("Harbor Lights Reborn", ["Harbor Lights"]),
        ("New Harbor Lights", ["Harbor Lights"]),
        ("Lamp", ["Lamps"]),
        ("The 200", ["The 2000"]),
        ("Lamps UK", ["Lamps", "Lamps US"]),
        ("Tide", ["Tide: Night Watch"]),
        ("Tide Night Watch", ["Tide"]),
        ("S", ["Saltfall"]),
        ("", ["Harbor Lights"]),
        ("...", ["Harbor Lights", "..."]),
    ],
)
def test_another_title_is_not(stated: str, wanted: list[str]) -> None:
    assert not is_title([stated], year=0, wanted=tuple(wanted))

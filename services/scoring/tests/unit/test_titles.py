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
        ("harbor_lights", 0, ["Harbor Lights"]),
        ("Harbor-Lights", 0, ["Harbor Lights"]),
        ("Harbor Lights!", 0, ["Harbor Lights"]),
        ("An Orchard", 0, ["Orchard"]),
        ("The Keepers", 0, ["Keepers"]),
        ("Keeper\u2019s Lamp", 0, ["Keeper's Lamp"]),
        ("L'Ile aux Phares", 0, ["L'\u00cele aux Phares"]),
        ("Strasse am Meer", 0, ["Stra\u00dfe am Meer"]),
        ("Smoke and Salt and Sea", 0, ["Smoke & Salt & Sea"]),
        ("T I D E", 0, ["T.I.D.E."]),
        ("Lamps AU", 0, ["Lamps"]),
        ("Lamps UK", 0, ["Lamps", "Lamps UK"]),
        ("Lamps", 2021, ["Lamps", "Lamps 2021"]),
        ("1887", 0, ["1887"]),
        ("Orchard 2049", 0, ["Orchard 2049"]),
        ("Orchard", 2049, ["Orchard 2049"]),
        (
            "\u041e\u0433\u043d\u0438 \u0433\u0430\u0432\u0430\u043d\u0438",
            0,
            ["Harbor Lights", "\u041e\u0433\u043d\u0438 \u0433\u0430\u0432\u0430\u043d\u0438"],
        ),
        ("TIDE: NIGHT WATCH", 0, ["Tide: Night Watch"]),
        ("Tide - Night Watch", 0, ["Tide: Night Watch"]),
        ("\uff28\uff41\uff52\uff42\uff4f\uff52 Lights", 0, ["Harbor Lights"]),
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
        ("Harbor", ["Harbor Lights"]),
        ("Lights", ["Harbor Lights"]),
        ("Lights Harbor", ["Harbor Lights"]),
        ("Harbor Nights", ["Harbor Lights"]),
        ("Harbour Lights", ["Harbor Lights"]),
        ("Harbor Lights Miami", ["Harbor Lights"]),
        ("Harbor Lights Confidential", ["Harbor Lights"]),
        ("Keeping the Lamp", ["Keeper's Lamp"]),
        ("Keeper", ["Keepers"]),
        ("The Lamp", ["The Lamps"]),
        ("Lamps US", ["Lamps", "Lamps AU"]),
        ("Lamps NZ", ["Lamps", "Lamps UK", "Lamps US"]),
        ("1886", ["1887"]),
        ("Orchard 2048", ["Orchard 2049"]),
        ("Tidal", ["Tide"]),
        ("Riptide", ["Tide"]),
        ("Tide Girl", ["Tide"]),
        ("Tide New Blood", ["Tide"]),
        ("US", ["Lamps US"]),
        ("Lantern Sea Film Blue", ["Lantern Sea"]),
        ("...", ["Harbor Lights", "..."]),
    ],
)
def test_another_title_is_not(stated: str, wanted: list[str]) -> None:
    assert not is_title([stated], year=0, wanted=tuple(wanted))

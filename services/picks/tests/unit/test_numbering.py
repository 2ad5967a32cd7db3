"""What names say about episodes."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_picks.numbering import Numbering, guess_numbering, read_numbering, stated_season, version_of


def of_season(season: int, *episodes: int) -> Numbering:
    return Numbering(season=season, episodes=frozenset(episodes))


def bare(*numbers: int) -> Numbering:
    return Numbering(bare=frozenset(numbers))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Harbor.Lights.S01E03.The.Long.Fog.1080p.WEB-DL.H264-NOVA", of_season(1, 3)),
        ("03 - Harbor.Lights.S01E01", of_season(1, 1)),
        ("harbor lights s1e4 720p", of_season(1, 4)),
        ("Harbor.Lights.S01.E02", of_season(1, 2)),
        ("Harbor.Lights.S01E01E02.1080p", of_season(1, 1, 2)),
        ("Harbor.Lights.S01E01-E03.1080p", of_season(1, 1, 2, 3)),
        ("Harbor.Lights.S01E01-03", of_season(1, 1, 2, 3)),
        ("Harbor.Lights.S01E01-S01E02", of_season(1, 1, 2)),
        ("Harbor.Lights.S01E01-1080p", of_season(1, 1)),
        ("Harbor.Lights.S01E01-10bit", of_season(1, 1)),
        ("Harbor.Lights.S2024E07", of_season(2024, 7)),
        ("Harbor Lights 1x05", of_season(1, 5)),
        ("Harbor Lights 1x05-1x06", of_season(1, 5, 6)),
        ("Harbor Lights 1x05-06", of_season(1, 5, 6)),
        ("Harbor Lights Season 2 Episode 7", of_season(2, 7)),
        ("Hafenlichter Staffel 1 Folge 4", of_season(1, 4)),
        ("[Tomoshibi] Lantern Sea S2 - 03 [1080p]", of_season(2, 3)),
        ("[Tomoshibi] Lantern Sea - 05 (1080p) [WEB x264]", bare(5)),
        ("[Tomoshibi] Lantern Sea - 05v2 (1080p)", bare(5)),
        ("[Tomoshibi] Lantern Sea [05][1080p]", bare(5)),
        ("[Tomoshibi] Lantern Sea 05 [1080p]", bare(5)),
        ("[Tomoshibi] Zone 9 - 05 [1080p]", bare(5)),
        ("Lantern Sea - 1071 [1080p]", bare(1071)),
        ("03. The Long Fog", bare(3)),
        ("Episode 12", bare(12)),
        ("Folge 03", bare(3)),
        ("harbor.lights.103", bare(103)),
        ("Harbor.Lights.2024.03.05.1080p", Numbering(aired=date(2024, 3, 5))),
        ("Lantern Sea - 05.5 [1080p]", of_season(0)),
        ("The.Glass.Orchard.2023.1080p.WEB-DL.H264-NOVA", Numbering()),
        ("Harbor.Lights.1920x1080.H.264", Numbering()),
        ("Harbor.Lights.1080p.DDP5.1.H.265", Numbering()),
        ("2012", Numbering()),
        ("", Numbering()),
    ],
)
def test_a_name_tells_its_episodes(name: str, expected: Numbering) -> None:
    assert read_numbering(name) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Season 2", 2),
        ("S03", 3),
        ("Harbor.Lights.S01.1080p.WEB-DL.H264-NOVA", 1),
        ("Lantern Sea 2nd Season (1080p)", 2),
        ("Staffel 4", 4),
        ("Specials", 0),
        ("Harbor.Lights.S01-S03.1080p", None),
        ("Harbor Lights Season 1-3", None),
        ("Harbor Lights S01+S02", None),
        ("Harbor.Lights.S01E03.1080p", None),
        ("Harbor Lights", None),
    ],
)
def test_a_folder_tells_its_season(text: str, expected: int | None) -> None:
    assert stated_season(text) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Show - 05", 1), ("Show - 05v2", 2), ("Show - 05v3 [1080p]", 3), ("Show.S01E01.PROPER", 2), ("Improper", 1)],
)
def test_a_later_issue_is_told_by_its_name(name: str, expected: int) -> None:
    assert version_of(name) == expected


@given(st.text(max_size=400))
def test_any_text_can_be_read(name: str) -> None:
    read_numbering(name)
    stated_season(name)
    version_of(name)


@given(
    st.integers(1, 60),
    st.integers(1, 999),
    st.sampled_from(["S{:02}E{:02}", "{}x{:02}", "s{}.e{}", "Season {} Episode {}"]),
)
def test_season_and_episode_survive_the_way_they_are_written(season: int, episode: int, form: str) -> None:
    name = f"Harbor.Lights.{form.format(season, episode)}.1080p.WEB-DL.H264-NOVA"

    assert read_numbering(name) == of_season(season, episode)


def test_parsett_is_asked_where_our_rules_are_silent() -> None:
    assert guess_numbering("Harbor Lights (Part)") == Numbering()
    assert guess_numbering("Harbor.Lights.Cap.05") in (bare(5), Numbering())

"""Which track is the best, and what it is called."""

import pytest

from vod_subtitles.domain import EpisodeKey, Lang, Listed, Track, Trait, by_merit, parse_language, similarity
from vod_subtitles.errors import InvalidSubtitleRequest

NOVA = "Harbor.Lights.S01E01.1080p.WEB-DL.H264-NOVA"
TIDE = "Harbor.Lights.S01E01.720p.WEB-DL.H264-TIDE"


def track(number: int, release: str = "", *traits: Trait, downloads: int = 0) -> Track:
    return Track(number, Listed("os", str(number), Lang("de"), release, downloads, traits=frozenset(traits)))


def order(*tracks: Track, release_title: str = NOVA) -> list[int]:
    return [one.id for one in by_merit(tracks, release_title=release_title)]


def test_the_same_release_goes_before_downloads() -> None:
    assert order(track(1, TIDE, downloads=9999), track(2, NOVA, downloads=1)) == [2, 1]


def test_downloads_decide_between_equals() -> None:
    assert order(track(1, NOVA, downloads=1), track(2, NOVA, downloads=2)) == [2, 1]


def test_machine_translations_and_forced_tracks_come_last() -> None:
    machine, forced = track(1, NOVA, Trait.MACHINE_TRANSLATED), track(2, NOVA, Trait.FORCED)

    assert order(forced, machine, track(3)) == [3, 1, 2]


def test_plain_goes_before_hearing_impaired_and_trusted_before_not() -> None:
    assert order(track(1, NOVA, Trait.HEARING_IMPAIRED), track(2, NOVA), track(3, NOVA, Trait.TRUSTED)) == [3, 2, 1]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [(NOVA, NOVA, 1.0), (NOVA, NOVA.replace(".", " ").lower(), 1.0), (NOVA, "", 0.0), ("a.b", "c.d", 0.0)],
)
def test_similarity_is_about_words(one: str, other: str, expected: float) -> None:
    assert similarity(one, other) == expected


def test_labels_are_in_the_language_itself_with_what_is_special() -> None:
    assert track(1).label == "Deutsch"
    assert track(1, "", Trait.FORCED, Trait.HEARING_IMPAIRED, Trait.TRUSTED).label == "Deutsch (SDH, forced)"


def test_languages_lose_their_region() -> None:
    assert [parse_language(code) for code in ("de", "pt-BR", "ZH-cn")] == ["de", "pt", "zh"]


@pytest.mark.parametrize("code", ["", "deu", "d", "de-", "de;", "de\n", "../x"])
def test_what_is_no_language_is_refused(code: str) -> None:
    with pytest.raises(InvalidSubtitleRequest):
        parse_language(code)


@pytest.mark.parametrize("series_id", ["", "tmdb", "tmdb:tv:", "tmdb:tv:1/..", "tmdb:tv:1\n", "a:b:" + "c" * 200])
def test_a_key_of_another_form_is_refused(series_id: str) -> None:
    with pytest.raises(InvalidSubtitleRequest):
        EpisodeKey(series_id, 1, 1)

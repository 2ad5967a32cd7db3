"""JSON and proto say the same."""

import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import given
from hypothesis import strategies as st
from vod.catalog.v1.catalog_pb2 import EpisodeKey
from vod.picks.v1 import picks_service_pb2 as picks
from vod.scoring.v1 import scoring_pb2 as scoring

from vod_gateway import dto, mapping, mapping_library


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("", []),
        ("de", ["de"]),
        ("en-GB,en;q=0.9,de;q=0.5", ["en", "de"]),
        ("de;q=0.5, en-US;q=0.8, fr;q=0", ["en", "de"]),
        ("*, en;q=rubbish, gsw, 12, d\xe9", []),
        ("de;q=0.1,de-AT", ["de"]),
    ],
)
def test_browsers_tell_their_languages_most_wanted_first(header: str, languages: list[str]) -> None:
    assert mapping.preferred_languages(header) == languages


@given(st.text(max_size=200))
def test_any_header_gives_two_letter_codes(header: str) -> None:
    codes = mapping.preferred_languages(header)

    assert all(len(code) == 2 and code.isascii() and code.islower() for code in codes)
    assert len(codes) <= 10


@given(st.floats(0, 1_000_000))
def test_lengths_survive_to_the_microsecond(length: float) -> None:
    assert mapping.seconds(mapping.duration(length)) == pytest.approx(length, abs=1e-6)


def test_a_length_of_nothing_is_nothing() -> None:
    assert mapping.seconds(Duration()) == 0.0


@given(season=st.integers(0, 9_999), episode=st.integers(0, 99_999))
def test_the_name_of_an_episode_in_a_url_is_read_back(season: int, episode: int) -> None:
    key = EpisodeKey(series_id="mal:anime:9201", season=season, episode=episode)

    assert mapping_library.parse_episode_key(mapping_library.episode_key_text(key)) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "tmdb:tv:9001",
        "tmdb:tv:9001:S01",
        "tmdb:tv:9001:S01E02x",
        "tmdb:tv:9001:S01E02\n",
        "tmdb:tv:9001:abs2",
        "mal:anime:9201:2",
    ],
)
def test_other_texts_state_no_key(text: str) -> None:
    assert mapping_library.parse_episode_key(text) is None


def test_enums_lose_their_prefix_and_unspecified_is_nothing() -> None:
    assert mapping.enum_name(picks.SourceKind, picks.SOURCE_KIND_SEASON_PACK) == "season_pack"
    assert mapping.enum_name(picks.SourceKind, picks.SOURCE_KIND_UNSPECIFIED) is None
    assert mapping.enum_name(picks.SourceKind, 99) is None


def test_a_candidate_of_which_little_is_known_has_nulls_and_no_invented_numbers() -> None:
    candidate = mapping.candidate(picks.RankedRelease(candidate=scoring.Candidate(infohash="ab", title="A.Title")))

    assert candidate.seeders is None
    assert candidate.size_bytes is None
    assert candidate.resolution is None
    assert candidate.codec is None
    assert candidate.score == dto.Score(health=0, quality=0, size=0, consistency=0)


def test_no_seeders_is_known_to_be_none() -> None:
    candidate = mapping.candidate(picks.RankedRelease(candidate=scoring.Candidate(infohash="ab", seeders=0)))

    assert candidate.seeders == 0


def test_what_the_device_names_wins_over_the_browser() -> None:
    body = dto.StartRequest.model_validate(
        {"seriesId": "a:b:c", "season": 1, "episode": 1, "deviceCaps": {"subtitleLanguages": []}}
    )
    key = EpisodeKey(series_id="a:b:c", season=1, episode=1)
    rpc = mapping.start_request(body, key=key, device=mapping.DeviceId("d"), request_id="", languages=["de"])

    assert list(rpc.subtitle_languages) == []


def test_a_magnet_shows_viewers_no_tracker_and_no_source_of_the_operator() -> None:
    secret = "http%3A%2F%2Ftracker.test%2Fpasskey%2Fannounce"
    public = f"magnet:?xt=urn:btih:{'a' * 40}&dn=Harbor.Lights"
    made = picks.Pick(id=1, magnet_uri=f"{public}&tr={secret}&xs={secret}&ws={secret}")

    assert mapping.pick_fields(made)["magnet"] == public

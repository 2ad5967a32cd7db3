"""Profiles, heartbeats and sources, without any IO."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_playback.domain import Beat, DeviceProfile, EpisodeKey, Source, profile_hash
from vod_playback.errors import HeartbeatInvalid

TELEVISION = DeviceProfile(h264=True, hevc=True, hdr=True, max_height=2160, audio_languages=("en", "de"))

profiles = st.builds(
    DeviceProfile,
    **{name: st.booleans() for name in ("h264", "hevc", "av1", "hi10p", "hdr", "dolby_vision")},
    max_height=st.integers(0, 4320),
    max_bitrate=st.integers(0, 10**9),
    audio_languages=st.lists(st.sampled_from(["en", "de", "ja", "fr"]), unique=True, max_size=4).map(tuple),
)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (DeviceProfile(), "44136fa355b3678a"),
        (DeviceProfile(h264=True, max_height=1080), "532a3843230509dd"),
        (TELEVISION, "e5c6bfb29eeae347"),
    ],
)
def test_profile_hashes_never_change_because_picks_are_kept_under_them(profile: DeviceProfile, expected: str) -> None:
    assert profile_hash(profile) == expected


def test_the_order_of_languages_counts_but_their_spelling_does_not() -> None:
    english_first = DeviceProfile(audio_languages=("en", "de"))

    assert profile_hash(english_first) == profile_hash(DeviceProfile(audio_languages=("EN", "de", "en")))
    assert profile_hash(english_first) != profile_hash(DeviceProfile(audio_languages=("de", "en")))


@given(profiles, profiles)
def test_equal_profiles_have_equal_hashes_and_others_do_not(one: DeviceProfile, other: DeviceProfile) -> None:
    assert (profile_hash(one) == profile_hash(other)) == (one == other)


@given(profiles)
def test_what_a_profile_states_makes_the_same_profile_again(profile: DeviceProfile) -> None:
    stated = profile.stated()

    assert DeviceProfile(**{**stated, "audio_languages": tuple(stated.get("audio_languages", ()))}) == profile


@pytest.mark.parametrize(
    ("position", "duration"),
    [(-0.1, None), (200_000, None), (10, 0), (10, -5), (100, 60), (10, 200_000)],
)
def test_senseless_heartbeats_are_refused(position: float, duration: float | None) -> None:
    length = None if duration is None else timedelta(seconds=duration)

    with pytest.raises(HeartbeatInvalid):
        Beat("s", timedelta(seconds=position), length).checked()


@pytest.mark.parametrize(("position", "duration"), [(0, None), (0, 60), (60, 60), (75, 60), (5400, None)])
def test_sensible_heartbeats_are_taken(position: float, duration: float | None) -> None:
    beat = Beat("s", timedelta(seconds=position), None if duration is None else timedelta(seconds=duration))

    assert beat.checked() is beat


def test_a_source_does_not_show_its_magnet() -> None:
    source = Source("a" * 40, 0, "magnet:?xt=secret", {"magnet_uri": "magnet:?xt=secret"})

    assert "magnet" not in repr(source)


def test_a_key_is_written_like_in_urls() -> None:
    assert str(EpisodeKey("tmdb:tv:9001", 1, 2)) == "tmdb:tv:9001:S01E02"

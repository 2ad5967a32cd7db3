"""What a viewer would go on with, on which devices."""

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from vod.catalog.v1 import catalog_pb2
from vod.playback.v1 import playback_pb2
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2

from vod_rpc import InvalidArgument

DEVICE = scoring_pb2.DeviceProfile(h264=True)
UNFINISHED, NEXT = pb2.CONTINUATION_KIND_UNFINISHED, pb2.CONTINUATION_KIND_NEXT
HARBOR, FOG = "tmdb:tv:9001", "tmdb:tv:9002"


def key(episode: int, *, series: str = HARBOR) -> catalog_pb2.EpisodeKey:
    return catalog_pb2.EpisodeKey(series_id=series, season=1, episode=episode)


async def watch(playback: Any, episode: int, *, until: int, series: str = HARBOR, **fields: Any) -> str:
    """Watch an episode of 2,400 s until a second, and return the session."""
    request = {"key": key(episode, series=series), "device": DEVICE, "device_id": "tv", **fields}
    session: str = (await playback.StartSession(pb2.StartSessionRequest(**request))).session.id
    await playback.RecordHeartbeat(pb2.RecordHeartbeatRequest(session_id=session, position=Duration(seconds=until)))
    return session


async def entries(playback: Any, **fields: Any) -> list[tuple[str, int, int, int]]:
    request = pb2.ListContinuationsRequest(**{"device_id": "tv", **fields})
    found = (await playback.ListContinuations(request)).continuations
    return [(one.key.series_id, one.key.episode, one.position.seconds, one.kind) for one in found]


async def test_each_series_has_one_entry_the_latest_first(playback: Any) -> None:
    await watch(playback, 1, until=700)
    await watch(playback, 2, until=300)
    await watch(playback, 1, until=50, series=FOG)

    assert await entries(playback) == [(FOG, 1, 50, UNFINISHED), (HARBOR, 2, 300, UNFINISHED)]
    assert await entries(playback, page_size=1) == [(FOG, 1, 50, UNFINISHED)]


async def test_after_a_finished_episode_comes_the_next_one_where_it_was_left(playback: Any) -> None:
    await watch(playback, 1, until=2300)
    assert await entries(playback) == [(HARBOR, 2, 0, NEXT)]

    await watch(playback, 2, until=600)
    await watch(playback, 1, until=2390)

    assert await entries(playback) == [(HARBOR, 2, 600, UNFINISHED)]


async def test_a_finished_series_is_listed_again_when_the_catalog_knows_another_episode(
    playback: Any, neighbours: Any
) -> None:
    await watch(playback, 4, until=2300)
    assert await entries(playback) == []

    neighbours.catalog.episodes = 5

    assert await entries(playback) == [(HARBOR, 5, 0, NEXT)]


async def test_what_is_prepared_is_said_to_be(playback: Any) -> None:
    session = await watch(playback, 1, until=2300)
    hint = playback_pb2.NextHint(key=key(2), ready=True)
    await playback.SetNextHint(pb2.SetNextHintRequest(session_id=session, next_hint=hint))

    [entry] = (await playback.ListContinuations(pb2.ListContinuationsRequest(device_id="tv"))).continuations

    assert entry.ready


async def test_the_list_follows_the_subject_and_nobody_else_sees_it(playback: Any) -> None:
    await watch(playback, 1, until=700, subject_id="ada")

    assert await entries(playback, device_id="phone", subject_id="ada") == [(HARBOR, 1, 700, UNFINISHED)]
    assert await entries(playback) == [(HARBOR, 1, 700, UNFINISHED)]
    assert await entries(playback, device_id="phone") == []
    assert await entries(playback, subject_id="bob") == []


async def test_a_list_needs_somebody_and_a_size_that_makes_sense(playback: Any) -> None:
    for request in (pb2.ListContinuationsRequest(), pb2.ListContinuationsRequest(device_id="tv", page_size=51)):
        with pytest.raises(InvalidArgument):
            await playback.ListContinuations(request)


async def test_a_subjects_devices_are_listed_as_they_were_last_seen(playback: Any) -> None:
    phone = scoring_pb2.DeviceProfile(h264=True, max_height=720)
    await watch(playback, 1, until=1, subject_id="ada")
    await watch(playback, 1, until=1, subject_id="ada", device_id="phone", device=phone)
    await watch(playback, 1, until=1, subject_id="bob", device_id="bobs")

    found = (await playback.ListDevices(pb2.ListDevicesRequest(subject_id="ada", device_id="tv"))).devices

    assert [(one.profile, one.self) for one in found] == [(phone, False), (DEVICE, True)]
    assert len({one.profile_hash for one in found}) == 2
    assert "tv" not in {one.name for one in found}


async def test_a_devices_link_is_told_as_its_players_measured_it(playback: Any) -> None:
    session = await watch(playback, 1, until=1)
    beat = pb2.RecordHeartbeatRequest(session_id=session, position=Duration(seconds=2), bitrate_estimate=9_000_000)
    await playback.RecordHeartbeat(beat)

    [device] = (await playback.ListDevices(pb2.ListDevicesRequest(device_id="tv"))).devices

    assert device.link_bitrate == 9_000_000


async def test_a_device_that_changes_hands_belongs_to_whoever_watched_last(playback: Any) -> None:
    await watch(playback, 1, until=100, subject_id="ada")
    await watch(playback, 2, until=200, subject_id="bob")

    assert await entries(playback) == [(HARBOR, 2, 200, UNFINISHED)]
    assert not (await playback.ListDevices(pb2.ListDevicesRequest(subject_id="ada"))).devices

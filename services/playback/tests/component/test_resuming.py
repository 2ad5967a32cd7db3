"""Going on later: the exact source and position, and what counts as finished."""

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from vod.catalog.v1 import catalog_pb2
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2

from vod_rpc import NotFound

DEVICE = scoring_pb2.DeviceProfile(h264=True)


def key(episode: int) -> catalog_pb2.EpisodeKey:
    return catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=episode)


def start(episode: int, **fields: Any) -> pb2.StartSessionRequest:
    return pb2.StartSessionRequest(**{"key": key(episode), "device": DEVICE, "device_id": "tv", **fields})


def beat(session_id: str, position: int, *, duration: int | None = None) -> pb2.RecordHeartbeatRequest:
    length = None if duration is None else Duration(seconds=duration)
    return pb2.RecordHeartbeatRequest(session_id=session_id, position=Duration(seconds=position), duration=length)


def resume(**fields: str) -> pb2.GetResumeRequest:
    return pb2.GetResumeRequest(**{"device_id": "tv", **fields})


async def test_an_episode_that_the_player_says_has_ended_is_finished_though_the_catalog_gave_it_more_time(
    playback: Any,
) -> None:
    session = (await playback.StartSession(start(1))).session
    await playback.RecordHeartbeat(beat(session.id, 85, duration=100))
    await playback.EndSession(pb2.EndSessionRequest(session_id=session.id))

    with pytest.raises(NotFound) as nothing:
        await playback.GetResume(resume())

    assert nothing.value.reason == "NOTHING_TO_RESUME"


async def test_an_episode_that_was_left_in_the_middle_is_not_finished(playback: Any) -> None:
    session = (await playback.StartSession(start(1))).session
    await playback.RecordHeartbeat(beat(session.id, 40, duration=100))
    await playback.EndSession(pb2.EndSessionRequest(session_id=session.id))

    assert (await playback.GetResume(resume())).position.seconds == 40


async def test_resume_gives_the_exact_source_and_position_after_a_restart(
    settings: Any, open_playback: Any, neighbours: Any
) -> None:
    async with open_playback(settings) as running:
        session = (await running.stub.StartSession(start(2))).session
        await running.stub.OverridePick(pb2.OverridePickRequest(session_id=session.id, infohash="c" * 40))
        await running.stub.RecordHeartbeat(beat(session.id, 777))

    async with open_playback(settings) as running:
        answer = await running.stub.GetResume(resume())
        again = await running.stub.StartSession(start(2))

        assert running.metric("resume_success_total") == 1
    assert (answer.key, answer.position.seconds, answer.duration.seconds) == (key(2), 777, 2400)
    assert (answer.pick.infohash, answer.pick.file_index) == ("c" * 40, 1)
    assert again.pick == answer.pick


async def test_resume_is_exact_even_if_somebody_else_changed_the_pick(playback: Any) -> None:
    mine = (await playback.StartSession(start(2))).session
    await playback.RecordHeartbeat(beat(mine.id, 777))
    other = (await playback.StartSession(start(2, device_id="other"))).session
    await playback.OverridePick(pb2.OverridePickRequest(session_id=other.id, infohash="c" * 40))

    answer = await playback.GetResume(resume())
    again = await playback.StartSession(start(2))

    assert answer.pick.infohash == again.pick.infohash == "a" * 40


async def test_a_device_of_another_profile_gets_a_pick_of_its_own(playback: Any, neighbours: Any) -> None:
    mine = (await playback.StartSession(start(2, subject_id="ada"))).session
    await playback.OverridePick(pb2.OverridePickRequest(session_id=mine.id, infohash="c" * 40))
    await playback.RecordHeartbeat(beat(mine.id, 777))

    phone = scoring_pb2.DeviceProfile(h264=True, max_height=720)
    answer = await playback.StartSession(start(2, subject_id="ada", device_id="phone", device=phone))

    assert answer.pick.infohash == "a" * 40


async def test_a_finished_episode_is_not_resumed(playback: Any) -> None:
    session = (await playback.StartSession(start(1))).session
    await playback.RecordHeartbeat(beat(session.id, 2160))

    with pytest.raises(NotFound) as caught:
        await playback.GetResume(resume())

    assert caught.value.reason == "NOTHING_TO_RESUME"


async def test_the_last_unfinished_episode_is_resumed(playback: Any) -> None:
    for episode, position in ((1, 100), (2, 200), (3, 2399)):
        session = (await playback.StartSession(start(episode))).session
        await playback.RecordHeartbeat(beat(session.id, position))

    answer = await playback.GetResume(resume())

    assert (answer.key, answer.position.seconds) == (key(2), 200)


async def test_progress_belongs_to_the_subject_and_follows_it_to_other_devices(playback: Any) -> None:
    session = (await playback.StartSession(start(1, subject_id="ada"))).session
    await playback.RecordHeartbeat(beat(session.id, 100))

    by_subject = await playback.GetResume(pb2.GetResumeRequest(subject_id="ada", device_id="phone"))
    by_device = await playback.GetResume(resume())
    with pytest.raises(NotFound):
        await playback.GetResume(pb2.GetResumeRequest(device_id="phone"))
    with pytest.raises(NotFound):
        await playback.GetResume(resume(series_id="tmdb:tv:1"))

    assert by_subject == by_device
    assert by_subject.position.seconds == 100

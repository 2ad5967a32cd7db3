"""An episode by another of its names: it is the same episode, with the same pick and the same progress."""

from datetime import timedelta
from typing import Any

import pytest
from vod.catalog.v1 import catalog_pb2
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2

from vod_rpc import FailedPrecondition, NotFound

DEVICE = scoring_pb2.DeviceProfile(h264=True, max_height=1080)
# The other title's first episode is this one's second.
KEPT = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=2)
ELSEWHERE = catalog_pb2.EpisodeKey(series_id="mal:anime:77", season=1, episode=1)


def start(key: catalog_pb2.EpisodeKey, **fields: Any) -> pb2.StartSessionRequest:
    return pb2.StartSessionRequest(**{"key": key, "device": DEVICE, "device_id": "tv", **fields})


async def watch(playback: Any, session_id: str, *, seconds: int) -> None:
    beat = pb2.RecordHeartbeatRequest(session_id=session_id)
    beat.position.FromTimedelta(timedelta(seconds=seconds))
    await playback.RecordHeartbeat(beat)


async def test_a_start_by_another_name_is_a_start_of_the_kept_episode(playback: Any, neighbours: Any) -> None:
    answer = await playback.StartSession(start(ELSEWHERE))

    assert answer.session.key == KEPT
    assert answer.session.next_hint.key.episode == 3
    assert (neighbours.picks.ensured, neighbours.catalog.asked) == ([2], 1)


async def test_progress_by_one_name_is_resumed_by_the_other(playback: Any, neighbours: Any) -> None:
    first = await playback.StartSession(start(KEPT))
    await watch(playback, first.session.id, seconds=600)
    again = await playback.StartSession(start(ELSEWHERE))
    resumed = [
        await playback.GetResume(pb2.GetResumeRequest(device_id="tv", series_id=series_id))
        for series_id in (KEPT.series_id, ELSEWHERE.series_id)
    ]

    assert again.pick == first.pick
    assert neighbours.picks.ensured == [2]
    assert [(one.key, one.position.seconds) for one in resumed] == [(KEPT, 600), (KEPT, 600)]


async def test_a_report_from_elsewhere_is_kept_under_the_kept_key(playback: Any) -> None:
    first = await playback.StartSession(start(KEPT))
    await watch(playback, first.session.id, seconds=60)
    report = pb2.RecordProgressRequest(key=ELSEWHERE, device_id="tv")
    report.position.FromTimedelta(timedelta(seconds=900))
    report.duration.FromTimedelta(timedelta(seconds=2400))
    await playback.RecordProgress(report)

    resumed = await playback.GetResume(pb2.GetResumeRequest(device_id="tv"))

    assert (resumed.key, resumed.position.seconds) == (KEPT, 900)


async def test_progress_of_what_nobody_knows_is_refused(playback: Any) -> None:
    unknown = catalog_pb2.EpisodeKey(series_id="tmdb:tv:404", season=1, episode=1)
    with pytest.raises(NotFound):
        await playback.RecordProgress(pb2.RecordProgressRequest(key=unknown, device_id="tv"))


async def test_a_request_id_knows_its_episode_by_all_its_names(playback: Any) -> None:
    sessions = {
        (await playback.StartSession(start(key, request_id="r1"))).session.id for key in (ELSEWHERE, KEPT, ELSEWHERE)
    }
    another = catalog_pb2.EpisodeKey(series_id="mal:anime:77", season=1, episode=2)
    with pytest.raises(FailedPrecondition):
        await playback.StartSession(start(another, request_id="r1"))

    assert len(sessions) == 1

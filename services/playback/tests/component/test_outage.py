"""Postgres is away: whoever asks for anything learns that it is worth trying again."""

from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from vod.catalog.v1 import catalog_pb2
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2

from vod_rpc import Failure, Unavailable
from vod_testing import eventually, relayed


def start(episode: int) -> pb2.StartSessionRequest:
    key = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=episode)
    return pb2.StartSessionRequest(key=key, device=scoring_pb2.DeviceProfile(h264=True), device_id="tv")


async def test_while_postgres_is_away_every_answer_says_that_it_may_be_tried_again(
    settings: Any, open_playback: Any, pg_dsn: str
) -> None:
    async with (
        relayed(pg_dsn) as (relay, dsn),
        open_playback(settings.model_copy(update={"pg_dsn": dsn})) as running,
    ):
        playback = running.stub
        session = (await playback.StartSession(start(1))).session.id
        calls = {
            "beat": (playback.RecordHeartbeat, pb2.RecordHeartbeatRequest(session_id=session, position=Duration())),
            "end": (playback.EndSession, pb2.EndSessionRequest(session_id=session)),
            "start": (playback.StartSession, start(2)),
            "next": (playback.GetNext, pb2.GetNextRequest(session_id=session)),
            "stream": (playback.GetStream, pb2.GetStreamRequest(session_id=session)),
            "resume": (playback.GetResume, pb2.GetResumeRequest(device_id="tv")),
            "continuations": (playback.ListContinuations, pb2.ListContinuationsRequest(device_id="tv")),
            "sessions": (playback.ListSessions, pb2.ListSessionsRequest()),
            "changes": (playback.AwaitChanges, pb2.AwaitChangesRequest(session_id=session)),
        }

        relay.break_off()
        said = {}
        for name, (call, request) in calls.items():
            with pytest.raises(Failure) as failed:
                await call(request)
            said[name] = (type(failed.value), failed.value.reason)
        relay.cut = False

        async def why_not_back() -> str | None:
            try:
                await playback.EndSession(pb2.EndSessionRequest(session_id=session))
            except Unavailable as failure:
                return str(failure)
            return None

        await eventually(why_not_back, within=30)

    assert said == dict.fromkeys(calls, (Unavailable, "STORE_UNAVAILABLE"))

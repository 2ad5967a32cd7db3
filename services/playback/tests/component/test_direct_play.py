"""Direct play: a session on a torrent that somebody names, without catalog and picks."""

from datetime import timedelta
from typing import Any

import pytest
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.stream.v1 import stream_service_pb2 as stream_pb2

from vod_rpc import DeadlineExceeded, FailedPrecondition, InvalidArgument, NotFound
from vod_testing import rpc_edges

HASH = "d" * 40
MAGNET = f"magnet:?xt=urn:btih:{HASH}&tr=http%3A%2F%2Ftracker.example%2Fannounce"
CURRENT = stream_pb2.PURPOSE_CURRENT


def start(**fields: Any) -> pb2.StartSessionRequest:
    direct = fields.pop("direct", pb2.DirectSource(magnet_uri=MAGNET, file_index=3))
    return pb2.StartSessionRequest(**{"direct": direct, "device_id": "tv", **fields})


def beat(session_id: str, seconds: float) -> pb2.RecordHeartbeatRequest:
    request = pb2.RecordHeartbeatRequest(session_id=session_id)
    request.position.FromTimedelta(timedelta(seconds=seconds))
    request.duration.FromTimedelta(timedelta(seconds=1000))
    return request


async def test_a_session_plays_what_was_named_and_asks_nobody_but_the_node(
    playback: Any, neighbours: Any, spans: Any
) -> None:
    answer = await playback.StartSession(start())

    assert answer.stream_url == "http://node/stream/n1/token-1/x.mkv"
    assert not answer.HasField("pick")
    assert not answer.session.HasField("next_hint")
    assert (answer.session.key.series_id, answer.session.key.episode) == (f"direct:torrent:{HASH}", 3)
    assert neighbours.stream_node.pins == {("d", 3, answer.session.id): CURRENT}
    below = [edge.callee for edge in rpc_edges(spans.get_finished_spans()) if edge.caller == "playback"]
    assert below == ["stream_node"]


async def test_without_an_index_the_file_is_the_one_that_the_node_chose(playback: Any, neighbours: Any) -> None:
    answer = await playback.StartSession(start(direct=pb2.DirectSource(torrent=b"d4:infod1:xee")))

    assert answer.session.key.episode == 7
    assert neighbours.stream_node.pins == {("d", 7, answer.session.id): CURRENT}


async def test_it_beats_is_pinned_again_and_ends_like_any_other(playback: Any, neighbours: Any) -> None:
    session_id = (await playback.StartSession(start())).session.id
    await playback.RecordHeartbeat(beat(session_id, 100))
    neighbours.stream_node.pins.clear()
    again = await playback.GetStream(pb2.GetStreamRequest(session_id=session_id))
    held = dict(neighbours.stream_node.pins)
    ended = await playback.EndSession(pb2.EndSessionRequest(session_id=session_id))

    assert again.stream_url == "http://node/stream/n1/token-2/x.mkv"
    assert held == {("d", 3, session_id): CURRENT}
    assert not ended.HasField("next_pick")
    assert neighbours.stream_node.pins == {}


async def test_where_it_stopped_is_kept_but_not_offered_as_something_to_go_on_with(playback: Any) -> None:
    session_id = (await playback.StartSession(start())).session.id
    await playback.RecordHeartbeat(beat(session_id, 100))

    with pytest.raises(NotFound) as raised:
        await playback.GetResume(pb2.GetResumeRequest(device_id="tv"))
    assert raised.value.reason == "NOTHING_TO_RESUME"
    resume = await playback.GetResume(pb2.GetResumeRequest(device_id="tv", series_id=f"direct:torrent:{HASH}"))
    assert (resume.position.ToSeconds(), resume.pick.infohash, resume.pick.file_index) == (100, HASH, 3)


async def test_the_same_request_id_gives_the_same_session(playback: Any, neighbours: Any) -> None:
    one = await playback.StartSession(start(request_id="r"))
    two = await playback.StartSession(start(request_id="r"))

    assert one.session.id == two.session.id
    assert neighbours.stream_node.pins == {("d", 3, one.session.id): CURRENT}


async def test_a_request_id_of_another_file_is_refused(playback: Any, neighbours: Any) -> None:
    one = await playback.StartSession(start(request_id="r"))
    other = start(request_id="r", direct=pb2.DirectSource(magnet_uri=MAGNET, file_index=1))

    with pytest.raises(FailedPrecondition) as raised:
        await playback.StartSession(other)
    assert raised.value.reason == "REQUEST_ID_REUSED"
    assert neighbours.stream_node.pins == {("d", 3, one.session.id): CURRENT}


async def test_a_silent_swarm_leaves_no_session(playback: Any, neighbours: Any) -> None:
    neighbours.stream_node.silent = True

    with pytest.raises(DeadlineExceeded) as raised:
        await playback.StartSession(start())
    assert raised.value.reason == "SWARM_SILENT"
    assert not (await playback.ListSessions(pb2.ListSessionsRequest())).sessions


@pytest.mark.parametrize(
    "direct",
    [
        pb2.DirectSource(),
        pb2.DirectSource(magnet_uri=MAGNET, torrent=b"d"),
        pb2.DirectSource(magnet_uri=MAGNET, file_index=-1),
    ],
)
async def test_a_wish_that_makes_no_sense_is_refused(playback: Any, direct: pb2.DirectSource) -> None:
    with pytest.raises(InvalidArgument):
        await playback.StartSession(start(direct=direct))


async def test_progress_is_what_the_node_tells(playback: Any) -> None:
    session_id = (await playback.StartSession(start())).session.id
    answer = await playback.GetProgress(pb2.GetProgressRequest(session_id=session_id))

    assert (answer.pin.downloaded_bytes, answer.pin.stats.distinct_copies) == (300, 2.5)


async def test_the_progress_of_a_session_that_never_was_is_not_found(playback: Any) -> None:
    with pytest.raises(NotFound) as raised:
        await playback.GetProgress(pb2.GetProgressRequest(session_id="none"))
    assert raised.value.reason == "SESSION_NOT_FOUND"

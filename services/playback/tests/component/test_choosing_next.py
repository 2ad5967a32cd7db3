"""The viewer chooses the next episode's release before it begins."""

from typing import Any

import nats
import pytest
from vod.catalog.v1 import catalog_pb2
from vod.playback.v1 import events_pb2, playback_pb2
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2

from vod_rpc import FailedPrecondition, NotFound
from vod_testing import eventually

DEVICE = scoring_pb2.DeviceProfile(h264=True)


def key(episode: int) -> catalog_pb2.EpisodeKey:
    return catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=episode)


def start(episode: int) -> pb2.StartSessionRequest:
    return pb2.StartSessionRequest(key=key(episode), device=DEVICE, device_id="tv")


def choose(session_id: str, digit: str) -> pb2.OverridePickRequest:
    return pb2.OverridePickRequest(session_id=session_id, infohash=digit * 40, target=pb2.OVERRIDE_TARGET_NEXT)


async def prepared(playback: Any, neighbours: Any) -> str:
    """Return a session on the first episode whose second one is ready."""
    session: str = (await playback.StartSession(start(1))).session.id
    neighbours.stream_node.prepare(2, holder=session)
    hint = playback_pb2.NextHint(key=key(2), ready=True)
    await playback.SetNextHint(pb2.SetNextHintRequest(session_id=session, next_hint=hint))
    return session


@pytest.mark.parametrize("is_over", [False, True])
async def test_the_chosen_one_is_prepared_instead_and_played_next(
    playback: Any, neighbours: Any, nats_url: str, is_over: bool
) -> None:
    session = await prepared(playback, neighbours)
    if is_over:
        await playback.EndSession(pb2.EndSessionRequest(session_id=session))
    heard: list[bytes] = []
    client = await nats.connect(nats_url)

    async def hear(message: Any) -> None:
        heard.append(message.data)

    try:
        await client.subscribe(f"playback.v1.heartbeat.{session}", cb=hear)
        await client.flush()
        answer = await playback.OverridePick(choose(session, "c"))
        await eventually(lambda: None if heard else "prefetch hears nothing", within=30)
    finally:
        await client.close()

    event = events_pb2.HeartbeatRecorded.FromString(heard[0])
    assert (answer.pick.infohash[0], answer.stream_url) == ("c", "")
    assert (event.next, event.next_ready) == (key(2), False)
    assert ("a", 1, session) not in neighbours.stream_node.pins
    assert not (await playback.GetNext(pb2.GetNextRequest(session_id=session))).next_hint.ready
    assert (await playback.StartSession(start(2))).pick.infohash[0] == "c"


async def test_what_plays_now_is_left_alone(playback: Any, neighbours: Any) -> None:
    session = await prepared(playback, neighbours)

    await playback.OverridePick(choose(session, "c"))

    assert set(neighbours.stream_node.pins) == {("a", 0, session)}


async def test_choosing_what_is_prepared_keeps_it_ready(playback: Any, neighbours: Any) -> None:
    session = await prepared(playback, neighbours)

    await playback.OverridePick(choose(session, "a"))

    assert ("a", 1, session) in neighbours.stream_node.pins
    assert (await playback.GetNext(pb2.GetNextRequest(session_id=session))).next_hint.ready


async def test_a_choice_needs_a_session_an_episode_that_follows_and_a_candidate(playback: Any) -> None:
    last = (await playback.StartSession(start(4))).session.id
    before = (await playback.StartSession(start(2))).session.id
    await playback.StartSession(start(3))

    reasons = []
    for request in (choose("nobody", "c"), choose(last, "c"), choose(before, "c")):
        with pytest.raises((NotFound, FailedPrecondition)) as refused:
            await playback.OverridePick(request)
        reasons.append(refused.value.reason)
    first = (await playback.StartSession(start(1))).session.id
    with pytest.raises(NotFound) as unknown:
        await playback.OverridePick(choose(first, "f"))

    assert [*reasons, unknown.value.reason] == [
        "SESSION_NOT_FOUND",
        "NOTHING_FOLLOWS",
        "NOTHING_FOLLOWS",
        "CANDIDATE_UNKNOWN",
    ]

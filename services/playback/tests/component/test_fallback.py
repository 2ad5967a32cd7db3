"""A source fails while it is watched: the session goes on from another, and whoever listens hears of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from vod.catalog.v1 import catalog_pb2
from vod.picks.v1 import events_pb2 as picks_events
from vod.playback.v1 import playback_pb2
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2
from vod.stream.v1 import events_pb2 as stream_events
from vod.stream.v1 import stream_service_pb2 as stream

from vod_events import Bus, event_bus
from vod_rpc import NotFound
from vod_testing import eventually, publish

from .conftest import heard_with_the_switch, told_of_the_switch

DEVICE = scoring_pb2.DeviceProfile(h264=True)
NOW = timedelta()


def key(episode: int) -> catalog_pb2.EpisodeKey:
    return catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=episode)


def start(episode: int, **fields: Any) -> pb2.StartSessionRequest:
    return pb2.StartSessionRequest(**{"key": key(episode), "device": DEVICE, "device_id": "tv", **fields})


def beat(session_id: str, position: int, **fields: Any) -> pb2.RecordHeartbeatRequest:
    return pb2.RecordHeartbeatRequest(session_id=session_id, position=Duration(seconds=position), **fields)


def listen(session_id: str, known: str = "", *, seconds: int = 10) -> pb2.AwaitChangesRequest:
    return pb2.AwaitChangesRequest(session_id=session_id, known=known, wait=Duration(seconds=seconds))


class News:
    """What the services below tell."""

    def __init__(self, bus: Bus, profile_hash: str) -> None:
        self._bus = bus
        self._hash = profile_hash
        self._told = 0

    async def rejected(self, episode: int, *, digit: str = "a", pick_id: int | None = None) -> None:
        event = picks_events.PickRejected(
            key=key(episode),
            profile_hash=self._hash,
            pick_id=pick_id or episode,
            infohash=digit * 40,
            file_index=episode - 1,
            reason=picks_events.REJECTION_REASON_STALLED,
            explanation="Nobody sends it.",
        )
        self._told += 1
        await publish(self._bus, f"picks.v1.pick-rejected.{event.pick_id}", event, message_id=f"r{self._told}:{digit}")

    async def stalled(self, episode: int, holder: str, *, ago: timedelta = NOW, told_ago: timedelta = NOW) -> None:
        event = stream_events.PinStalled(
            infohash="a" * 40,
            file_index=episode - 1,
            node="n1",
            reason=stream_events.STALL_REASON_NO_PEERS,
            holders=[holder],
        )
        event.stall_time.FromDatetime(datetime.now(UTC) - ago)
        event.told_time.FromDatetime(datetime.now(UTC) - told_ago)
        self._told += 1
        await publish(self._bus, f"stream.v1.pin-stalled.{event.infohash}", event, message_id=f"s{self._told}")


@pytest.fixture
async def news(nats_url: str, make_runtime: Any) -> AsyncIterator[News]:
    from pydantic import SecretStr

    from vod_playback.domain import DeviceProfile, profile_hash

    async with event_bus(SecretStr(nats_url), make_runtime("below")) as bus:
        yield News(bus, profile_hash(DeviceProfile(h264=True)))


def promote(neighbours: Any, episode: int, digit: str) -> None:
    """Let picks have another pick for an episode."""
    for hashed in {hashed for _, hashed in neighbours.picks.asked}:
        neighbours.picks.overridden[episode, hashed] = digit


async def why_not_switched(running: Any, times: int = 1) -> str | None:
    count = running.metric("fallback_switch_total")
    return None if count == times else f"{count} switches"


async def test_a_rejected_pick_is_replaced_and_the_next_heartbeat_tells_where_to_go_on(
    running: Any, neighbours: Any, news: News
) -> None:
    playback, node = running.stub, neighbours.stream_node
    session = (await playback.StartSession(start(1))).session
    await playback.RecordHeartbeat(beat(session.id, 600))
    promote(neighbours, 1, "c")

    await news.rejected(1)
    await eventually(lambda: why_not_switched(running), within=30)
    answer = await told_of_the_switch(playback, beat(session.id, 603))

    assert (answer.switched.pick.infohash, answer.switched.pick.file_index) == ("c" * 40, 0)
    assert answer.switched.position.seconds == 603
    assert answer.switched.reason == "Nobody sends it."
    assert answer.switched.stream_url.startswith("http://node/")
    assert node.pins == {("c", 0, session.id): stream.PURPOSE_CURRENT}
    assert node.successors["a", 0, session.id].startswith("http://node/")


async def test_a_replacement_whose_swarm_is_silent_is_rejected_too(running: Any, neighbours: Any, news: News) -> None:
    session = (await running.stub.StartSession(start(1))).session
    promote(neighbours, 1, "e")
    neighbours.stream_node.silent_swarms = {"e"}

    await news.rejected(1)
    await eventually(lambda: why_not_switched(running), within=30)

    assert neighbours.picks.rejected == [(1, picks_events.REJECTION_REASON_STALLED)]
    assert neighbours.stream_node.pins == {("c", 0, session.id): stream.PURPOSE_CURRENT}


async def test_a_node_that_does_not_answer_is_not_held_against_a_replacement(
    running: Any, neighbours: Any, news: News
) -> None:
    session = (await running.stub.StartSession(start(1))).session
    promote(neighbours, 1, "e")
    neighbours.stream_node.frozen = 1

    await news.rejected(1)
    await eventually(lambda: why_not_switched(running), within=30)

    assert neighbours.picks.rejected == []
    assert neighbours.stream_node.pins == {("e", 0, session.id): stream.PURPOSE_CURRENT}


async def test_a_switch_is_told_until_the_player_names_the_pick(running: Any, neighbours: Any, news: News) -> None:
    session = (await running.stub.StartSession(start(1))).session
    promote(neighbours, 1, "c")
    await news.rejected(1)
    await eventually(lambda: why_not_switched(running), within=30)

    first = await told_of_the_switch(running.stub, beat(session.id, 1))
    again = await told_of_the_switch(running.stub, beat(session.id, 2, playing_pick_id=99))
    known = await running.stub.RecordHeartbeat(beat(session.id, 3, playing_pick_id=first.switched.pick.id))

    assert (first.HasField("switched"), again.HasField("switched"), known.HasField("switched")) == (True, True, False)


async def test_news_that_comes_again_changes_nothing_and_old_news_neither(
    running: Any, neighbours: Any, news: News
) -> None:
    session = (await running.stub.StartSession(start(1))).session
    other = (await running.stub.StartSession(start(1, device_id="phone"))).session
    promote(neighbours, 1, "c")

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(news.rejected(1))
    await eventually(lambda: why_not_switched(running, 2), within=30)
    await news.stalled(1, session.id)
    await news.rejected(1)
    marker = (await running.stub.StartSession(start(2))).session
    promote(neighbours, 2, "d")
    await news.rejected(2)
    await eventually(lambda: why_not_switched(running, 3), within=30)

    pins = neighbours.stream_node.pins
    assert set(pins) == {("c", 0, session.id), ("c", 0, other.id), ("d", 1, marker.id)}


async def test_after_the_last_candidate_the_answer_is_final_everywhere(
    running: Any, neighbours: Any, news: News
) -> None:
    playback = running.stub
    session = (await playback.StartSession(start(1))).session
    await playback.RecordHeartbeat(beat(session.id, 600))
    neighbours.picks.unplayable = {1}

    await news.rejected(1)

    async def why_not_final() -> str | None:
        answer = await playback.RecordHeartbeat(beat(session.id, 600))
        return None if answer.HasField("given_up") else "nothing is said"

    await eventually(why_not_final, within=30)
    await news.rejected(1)
    answer = await playback.RecordHeartbeat(beat(session.id, 600))
    assert (answer.given_up.reason, answer.given_up.metadata["refused"]) == ("NO_PLAYABLE_RELEASE", "[]")
    assert not answer.HasField("switched")
    told = await playback.AwaitChanges(listen(session.id))
    assert [one.given_up for one in told.changes if one.HasField("given_up")] == [answer.given_up]
    with pytest.raises(NotFound) as nothing:
        await playback.StartSession(start(1))
    assert nothing.value.reason == "NO_PLAYABLE_RELEASE"
    assert running.metric("fallback_switch_total") == 0


async def test_after_the_last_candidate_a_direct_source_goes_on(running: Any, neighbours: Any, news: News) -> None:
    playback = running.stub
    session = (await playback.StartSession(start(1))).session
    await playback.RecordHeartbeat(beat(session.id, 600))
    neighbours.picks.unplayable = {1}
    neighbours.sources.have("direct")

    await news.rejected(1)
    await eventually(lambda: why_not_switched(running), within=30)
    answer = await told_of_the_switch(playback, beat(session.id, 603))
    resumed = await playback.GetResume(pb2.GetResumeRequest(device_id="tv"))

    assert answer.switched.stream_url == "http://vod.example/v1/play/direct/master.m3u8"
    assert (answer.switched.HasField("pick"), answer.HasField("given_up")) == (False, False)
    assert (answer.switched.direct.type, answer.switched.direct.provider) == ("hls", "mirror")
    assert (answer.switched.position.seconds, resumed.direct.provider) == (603, "mirror")
    assert resumed.direct.reasons[0] == "no torrent is left that plays"
    assert neighbours.stream_node.pins == {}


async def test_a_stalled_session_that_plays_something_else_than_the_pick_goes_on_from_the_pick(
    running: Any, neighbours: Any, news: News
) -> None:
    session = (await running.stub.StartSession(start(1))).session
    promote(neighbours, 1, "d")

    await news.stalled(1, session.id)
    await eventually(lambda: why_not_switched(running), within=30)

    assert ("d", 0, session.id) in neighbours.stream_node.pins


async def test_a_stall_is_told_as_buffering_however_long_it_lasts_and_one_of_yesterday_is_not(
    running: Any, news: News
) -> None:
    session = (await running.stub.StartSession(start(1))).session
    known = (await running.stub.AwaitChanges(listen(session.id))).changes[-1].known

    await news.stalled(1, session.id, ago=timedelta(days=1), told_ago=timedelta(hours=23))
    await news.stalled(1, session.id, ago=timedelta(minutes=15))
    seen: list[pb2.Buffering] = []

    async def why_not_waiting() -> str | None:
        nonlocal known
        for change in (await running.stub.AwaitChanges(listen(session.id, known, seconds=1))).changes:
            known = change.known
            if change.HasField("buffering"):
                seen.append(change.buffering)
        return None if seen else "nothing about buffering"

    await eventually(why_not_waiting, within=30)
    assert seen == [pb2.Buffering(waiting=True, reason="NO_PEERS")]


async def test_a_switch_is_heard_at_once_and_once(running: Any, neighbours: Any, news: News) -> None:
    session = (await running.stub.StartSession(start(1))).session
    await running.stub.RecordHeartbeat(beat(session.id, 60))
    neighbours.stream_node.pins.clear()  # nothing is told of a swarm, which would be heard first
    known = (await running.stub.AwaitChanges(listen(session.id))).changes[-1].known
    promote(neighbours, 1, "c")

    waiting = running.stub.AwaitChanges(listen(session.id, known, seconds=30))
    await news.rejected(1)
    await asyncio.wait_for(waiting, 25)  # who is not woken hears nothing before his wait is over
    changes = await heard_with_the_switch(running.stub, listen(session.id, known))
    later = (await running.stub.AwaitChanges(listen(session.id, changes[-1].known, seconds=0))).changes

    switched = next(one.switched for one in changes if one.HasField("switched"))
    assert (switched.pick.infohash[0], switched.position.seconds) == ("c", 60)
    assert not [one for one in later if not one.HasField("swarm")]


async def test_hints_swarms_and_the_end_are_heard(running: Any, neighbours: Any) -> None:
    playback, node = running.stub, neighbours.stream_node
    session = (await playback.StartSession(start(1))).session
    seen: dict[str, pb2.SessionChange] = {}

    async def hear() -> None:
        known = ""
        while "ended" not in seen:
            for change in (await playback.AwaitChanges(listen(session.id, known))).changes:
                seen[str(change.WhichOneof("change"))] = change
                known = change.known

    async with asyncio.timeout(100), asyncio.TaskGroup() as group:
        group.create_task(hear())
        await eventually(lambda: None if "next_hint" in seen else "no hint", within=30)
        assert not seen["next_hint"].next_hint.ready
        hint = playback_pb2.NextHint(key=key(2), ready=True)
        await playback.SetNextHint(pb2.SetNextHintRequest(session_id=session.id, next_hint=hint))
        await eventually(lambda: None if seen["next_hint"].next_hint.ready else "not ready", within=30)
        node.peers = 7
        await eventually(lambda: None if "swarm" in seen and seen["swarm"].swarm.peers == 7 else "no peers", within=30)
        await playback.EndSession(pb2.EndSessionRequest(session_id=session.id))

    assert seen["swarm"].swarm.size_bytes == 1000


async def test_who_knows_it_all_waits_and_who_asks_for_nobody_is_told_so(running: Any, neighbours: Any) -> None:
    session = (await running.stub.StartSession(start(4))).session
    neighbours.stream_node.pins.clear()  # no swarm tells anything new
    known = (await running.stub.AwaitChanges(listen(session.id))).changes[-1].known

    nothing = await running.stub.AwaitChanges(listen(session.id, known, seconds=0))
    with pytest.raises(NotFound) as unknown:
        await running.stub.AwaitChanges(listen("nobody"))

    assert not nothing.changes
    assert unknown.value.reason == "SESSION_NOT_FOUND"


async def test_when_the_next_episodes_pick_is_rejected_it_is_not_ready_any_more(running: Any, news: News) -> None:
    session = (await running.stub.StartSession(start(1))).session
    hint = playback_pb2.NextHint(key=key(2), ready=True)
    await running.stub.SetNextHint(pb2.SetNextHintRequest(session_id=session.id, next_hint=hint))

    await news.rejected(2)

    async def why_not() -> str | None:
        return "still ready" if (await running.stub.RecordHeartbeat(beat(session.id, 1))).next_hint.ready else None

    await eventually(why_not, within=30)


async def test_the_viewers_own_choice_is_told_to_listeners_but_not_with_heartbeats(running: Any) -> None:
    session = (await running.stub.StartSession(start(1))).session
    await running.stub.OverridePick(pb2.OverridePickRequest(session_id=session.id, infohash="c" * 40))

    answer = await running.stub.RecordHeartbeat(beat(session.id, 1))
    changes = await heard_with_the_switch(running.stub, listen(session.id))

    assert not answer.HasField("switched")
    assert [one.switched.pick.infohash[0] for one in changes if one.HasField("switched")] == ["c"]


async def test_what_was_rejected_since_is_not_resumed(running: Any, neighbours: Any, news: News) -> None:
    playback = running.stub
    session = (await playback.StartSession(start(1))).session
    await playback.RecordHeartbeat(beat(session.id, 300))
    await playback.EndSession(pb2.EndSessionRequest(session_id=session.id))
    promote(neighbours, 1, "b")

    await news.rejected(1)

    async def why_not_forgotten() -> str | None:
        resumed = await playback.GetResume(pb2.GetResumeRequest(device_id="tv"))
        return "the rejected source would be resumed" if resumed.HasField("pick") else None

    await eventually(why_not_forgotten, within=30)
    again = await playback.StartSession(start(1))
    assert again.pick.infohash == "b" * 40


async def test_a_next_pick_that_is_rejected_in_the_countdown_is_not_ready_any_more_and_not_held(
    running: Any, neighbours: Any, news: News
) -> None:
    playback, node = running.stub, neighbours.stream_node
    session = (await playback.StartSession(start(1))).session
    node.prepare(2, holder=session.id)
    hint = playback_pb2.NextHint(key=key(2), ready=True)
    await playback.SetNextHint(pb2.SetNextHintRequest(session_id=session.id, next_hint=hint))
    await playback.EndSession(pb2.EndSessionRequest(session_id=session.id))

    await news.rejected(2)

    async def why_not() -> str | None:
        told = (await playback.GetNext(pb2.GetNextRequest(session_id=session.id))).next_hint
        if told.ready:
            return "still ready"
        return f"held: {node.pins}" if node.pins else None

    await eventually(why_not, within=30)


async def test_a_choice_beside_a_fallback_leaves_no_pin(running: Any, neighbours: Any, news: News) -> None:
    playback, node = running.stub, neighbours.stream_node
    session = (await playback.StartSession(start(1))).session
    neighbours.picks.may_override.clear()

    async with asyncio.TaskGroup() as group:
        override = pb2.OverridePickRequest(session_id=session.id, infohash="c" * 40)
        group.create_task(_overridden(playback, override))
        await eventually(lambda: None if neighbours.picks.overridden else "not asked", within=30)
        promote(neighbours, 1, "b")
        await news.rejected(1)
        await eventually(lambda: None if set(node.pins) == {("b", 0, session.id)} else f"{node.pins}", within=30)
        neighbours.picks.may_override.set()

    assert node.pins == {("c", 0, session.id): stream.PURPOSE_CURRENT}


async def _overridden(playback: Any, request: pb2.OverridePickRequest) -> None:
    await playback.OverridePick(request)

"""The real service: events over a real NATS in, real gRPC calls to (fake) neighbours out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from pydantic import SecretStr
from vod.catalog.v1.catalog_pb2 import EpisodeKey
from vod.picks.v1 import picks_service_pb2, picks_service_pb2_grpc
from vod.playback.v1 import playback_service_pb2, playback_service_pb2_grpc
from vod.playback.v1.events_pb2 import EpisodeEnded, HeartbeatRecorded
from vod.scoring.v1.scoring_pb2 import DeviceProfile
from vod.stream.v1 import stream_service_pb2, stream_service_pb2_grpc
from vod.subtitles.v1 import subtitles_service_pb2, subtitles_service_pb2_grpc

from vod_events import Bus, event_bus
from vod_prefetch.service import serve
from vod_prefetch.settings import Settings
from vod_rpc import NotFound, Serving, Unavailable, rpc_server
from vod_runtime import Runtime
from vod_testing import eventually, publish

NEXT = EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=2)
KEY = EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=1)
WATCHED = Duration(seconds=50)
NUMBERS = count(100)


@dataclass
class Neighbours:
    """Picks, stream node, subtitles and playback: they answer well unless told otherwise, and note what is asked."""

    asked: list[Message] = field(default_factory=list)
    pick_failures: list[Exception] = field(default_factory=list)
    state: "stream_service_pb2.PinState" = stream_service_pb2.PIN_STATE_READY
    pins_may_come: asyncio.Event = field(default_factory=asyncio.Event)
    chosen: str = "aa"
    """Infohash of the pick."""
    ended: bool = False
    """The session is over."""
    holders: dict[str, "stream_service_pb2.PinState"] = field(default_factory=dict)
    """Who holds a file to come next, and how far that is."""

    def __post_init__(self) -> None:
        self.pins_may_come.set()

    def asked_for(self, kind: type[Message]) -> list[Message]:
        return [one for one in self.asked if isinstance(one, kind)]


class Picks(picks_service_pb2_grpc.PicksServiceServicer):
    def __init__(self, neighbours: Neighbours) -> None:
        self.neighbours = neighbours

    async def EnsurePick(
        self, request: picks_service_pb2.EnsurePickRequest, context: object
    ) -> picks_service_pb2.EnsurePickResponse:
        self.neighbours.asked.append(request)
        if self.neighbours.pick_failures:
            raise self.neighbours.pick_failures.pop(0)
        chosen = self.neighbours.chosen
        pick = picks_service_pb2.Pick(
            infohash=chosen, magnet_uri=f"magnet:?xt=urn:btih:{chosen}", file_index=3, title="T"
        )
        return picks_service_pb2.EnsurePickResponse(pick=pick)

    async def NoteWatched(
        self, request: picks_service_pb2.NoteWatchedRequest, context: object
    ) -> picks_service_pb2.NoteWatchedResponse:
        self.neighbours.asked.append(request)
        return picks_service_pb2.NoteWatchedResponse()


class StreamNode(stream_service_pb2_grpc.StreamServiceServicer):
    def __init__(self, neighbours: Neighbours) -> None:
        self.neighbours = neighbours

    async def EnsurePin(
        self, request: stream_service_pb2.EnsurePinRequest, context: object
    ) -> stream_service_pb2.EnsurePinResponse:
        self.neighbours.asked.append(request)
        if request.wait_for == stream_service_pb2.WAIT_FOR_ENDS:
            await self.neighbours.pins_may_come.wait()
            self.neighbours.holders[request.holder] = self.neighbours.state
        state = self.neighbours.holders.get(request.holder, stream_service_pb2.PIN_STATE_CONNECTING)
        return stream_service_pb2.EnsurePinResponse(pin=stream_service_pb2.Pin(state=state))

    async def ListPins(
        self, request: stream_service_pb2.ListPinsRequest, context: object
    ) -> stream_service_pb2.ListPinsResponse:
        purpose = stream_service_pb2.PURPOSE_NEXT
        return stream_service_pb2.ListPinsResponse(
            pins=[
                stream_service_pb2.Pin(state=state, holders=[stream_service_pb2.Holder(name=name, purpose=purpose)])
                for name, state in self.neighbours.holders.items()
            ]
        )

    async def ReleasePin(
        self, request: stream_service_pb2.ReleasePinRequest, context: object
    ) -> stream_service_pb2.ReleasePinResponse:
        self.neighbours.asked.append(request)
        return stream_service_pb2.ReleasePinResponse()


class Subtitles(subtitles_service_pb2_grpc.SubtitlesServiceServicer):
    def __init__(self, neighbours: Neighbours) -> None:
        self.neighbours = neighbours

    async def EnsureSubtitles(
        self, request: subtitles_service_pb2.EnsureSubtitlesRequest, context: object
    ) -> subtitles_service_pb2.EnsureSubtitlesResponse:
        self.neighbours.asked.append(request)
        return subtitles_service_pb2.EnsureSubtitlesResponse()


class Playback(playback_service_pb2_grpc.PlaybackServiceServicer):
    def __init__(self, neighbours: Neighbours) -> None:
        self.neighbours = neighbours

    async def SetNextHint(
        self, request: playback_service_pb2.SetNextHintRequest, context: object
    ) -> playback_service_pb2.SetNextHintResponse:
        self.neighbours.asked.append(request)
        return playback_service_pb2.SetNextHintResponse(ended=self.neighbours.ended)


def servings(neighbours: Neighbours) -> dict[str, Serving]:
    return {
        "picks": Serving(
            picks_service_pb2.DESCRIPTOR, picks_service_pb2_grpc.add_PicksServiceServicer_to_server, Picks(neighbours)
        ),
        "stream_node": Serving(
            stream_service_pb2.DESCRIPTOR,
            stream_service_pb2_grpc.add_StreamServiceServicer_to_server,
            StreamNode(neighbours),
        ),
        "subtitles": Serving(
            subtitles_service_pb2.DESCRIPTOR,
            subtitles_service_pb2_grpc.add_SubtitlesServiceServicer_to_server,
            Subtitles(neighbours),
        ),
        "playback": Serving(
            playback_service_pb2.DESCRIPTOR,
            playback_service_pb2_grpc.add_PlaybackServiceServicer_to_server,
            Playback(neighbours),
        ),
    }


@pytest.fixture
def neighbours() -> Neighbours:
    return Neighbours()


@pytest.fixture
async def bus(
    neighbours: Neighbours, make_runtime: Callable[[str], Runtime], nats_url: str, redis_url: str
) -> AsyncIterator[Bus]:
    """Prefetch runs; what is published here is what it hears."""
    async with AsyncExitStack() as stack:
        targets = {}
        for name, serving in servings(neighbours).items():
            server = rpc_server("127.0.0.1:0", make_runtime(name), serving, checks={})
            targets[f"{name}_target"] = (await stack.enter_async_context(server)).address
        settings = Settings(nats_url=SecretStr(nats_url), redis_url=SecretStr(redis_url), **targets)
        await stack.enter_async_context(serve(settings, make_runtime("prefetch")))
        yield await stack.enter_async_context(event_bus(SecretStr(nats_url), make_runtime("test")))


async def beat(bus: Bus, number: int = 1, *, session: str = "s1", ready: bool = False) -> None:
    event = HeartbeatRecorded(
        session_id=session,
        next=NEXT,
        next_ready=ready,
        device=DeviceProfile(h264=True),
        profile_hash="p",
        subtitle_languages=["en", "de"],
    )
    await publish(bus, f"playback.v1.heartbeat.{session}", event, message_id=f"{session}:{number}")


async def beat_until(bus: Bus, why_not_yet: Callable[[], str | None], *, ready: bool = False) -> None:
    """Say beats, as a player does: one that comes while the work before it is being finished is not worked on."""

    async def why_not() -> str | None:
        await beat(bus, next(NUMBERS), ready=ready)
        return why_not_yet()

    await eventually(why_not, within=30)


def told(neighbours: Neighbours) -> list[bool]:
    hints = neighbours.asked_for(playback_service_pb2.SetNextHintRequest)
    return [one.next_hint.ready for one in hints]  # type: ignore[attr-defined]


def why_not_told(neighbours: Neighbours, *ready: bool) -> str | None:
    return None if list(ready) == told(neighbours) else f"told {told(neighbours)}"


def why_not_pinned(neighbours: Neighbours, *holders: str) -> str | None:
    """Say who pinned what came, if it is not these, each once; beats are worked on several at a time."""
    pinned = [one.holder for one in neighbours.asked_for(stream_service_pb2.EnsurePinRequest)]  # type: ignore[attr-defined]
    return None if list(holders) == sorted(pinned) else f"pinned {pinned}"


async def test_a_heartbeat_gets_the_next_episode_ready(neighbours: Neighbours, bus: Bus) -> None:
    await beat(bus)

    await eventually(lambda: why_not_told(neighbours, True), within=30)
    pick, *_ = neighbours.asked_for(picks_service_pb2.EnsurePickRequest)
    (pin,) = neighbours.asked_for(stream_service_pb2.EnsurePinRequest)
    (subtitles,) = neighbours.asked_for(subtitles_service_pb2.EnsureSubtitlesRequest)
    assert picks_service_pb2.EnsurePickRequest(key=NEXT, device=DeviceProfile(h264=True), profile_hash="p") == pick
    assert (
        stream_service_pb2.EnsurePinRequest(
            infohash="aa",
            magnet_uri="magnet:?xt=urn:btih:aa",
            file_index=3,
            purpose=stream_service_pb2.PURPOSE_NEXT,
            holder="s1",
            wait_for=stream_service_pb2.WAIT_FOR_ENDS,
        )
        == pin
    )
    assert (
        subtitles_service_pb2.EnsureSubtitlesRequest(
            key=NEXT,
            languages=["en", "de"],
            release_title="T",
            picked=subtitles_service_pb2.PickedFile(infohash="aa", file_index=3, release_title="T"),
        )
        == subtitles
    )


async def test_many_heartbeats_prepare_once(neighbours: Neighbours, bus: Bus) -> None:
    neighbours.pins_may_come.clear()
    for number in range(5):
        await beat(bus, number)
    # Beats are heard in order: when this one is worked on, the others have been.
    await beat(bus, session="s2")
    await eventually(lambda: why_not_pinned(neighbours, "s1", "s2"), within=30)
    neighbours.pins_may_come.set()

    await eventually(lambda: why_not_told(neighbours, True, True), within=30)
    ended = EpisodeEnded(session_id="s3", next=NEXT, profile_hash="p", position=WATCHED)
    await publish(bus, "playback.v1.episode-ended.s3", ended, message_id="s3")
    await eventually(lambda: why_not_told(neighbours, True, True, True), within=30)
    assert why_not_pinned(neighbours, "s1", "s2", "s3") is None


@pytest.mark.parametrize("state", [None, stream_service_pb2.PIN_STATE_BUFFERING])
async def test_what_its_node_lost_is_told_not_ready_and_prepared_anew_with_the_next_heartbeat(
    neighbours: Neighbours, bus: Bus, state: "stream_service_pb2.PinState | None"
) -> None:
    """None: the node is dead. BUFFERING: another one has taken over from it, and has to fetch it first."""
    await beat(bus, 1)
    await eventually(lambda: why_not_told(neighbours, True), within=30)
    neighbours.holders = {"s1": state} if state else {}
    neighbours.pins_may_come.clear()

    await beat_until(bus, lambda: None if not told(neighbours)[-1] else f"told {told(neighbours)}", ready=True)
    neighbours.pins_may_come.set()

    await eventually(lambda: None if told(neighbours)[-1] else f"told {told(neighbours)}", within=30)


async def test_what_is_chosen_after_the_end_while_the_first_choice_is_prepared_is_prepared_too(
    neighbours: Neighbours, bus: Bus
) -> None:
    neighbours.pins_may_come.clear()
    ended = EpisodeEnded(session_id="s1", next=NEXT, profile_hash="p", position=WATCHED)
    await publish(bus, "playback.v1.episode-ended.s1", ended, message_id="s1")
    await eventually(lambda: None if neighbours.asked_for(stream_service_pb2.EnsurePinRequest) else "no pin", within=30)
    neighbours.chosen = "bb"
    await beat(bus)
    neighbours.pins_may_come.set()

    def why_not_only_the_second() -> str | None:
        pins = [one.infohash for one in neighbours.asked_for(stream_service_pb2.EnsurePinRequest)]  # type: ignore[attr-defined]
        released = [(one.infohash, one.holder) for one in neighbours.asked_for(stream_service_pb2.ReleasePinRequest)]  # type: ignore[attr-defined]
        seen = pins[:2], released, told(neighbours)[-1:]
        return None if seen == (["aa", "bb"], [("aa", "s1")], [True]) else f"{seen}"

    await eventually(why_not_only_the_second, within=30)


async def test_the_nodes_are_told_that_a_session_is_over_however_late_and_often_its_end_is_heard(
    neighbours: Neighbours, bus: Bus
) -> None:
    neighbours.ended = True
    ended = EpisodeEnded(session_id="s1", next=NEXT, profile_hash="p", position=WATCHED)

    async def why_not_heard_often() -> str | None:
        # What comes while another is worked on is not worked on, so it is said until it was.
        await publish(bus, "playback.v1.episode-ended.s1", ended, message_id=f"ended {(number := next(NUMBERS))}")
        await beat(bus, number)
        return None if len(told(neighbours)) > 3 else f"told {told(neighbours)}"

    await eventually(why_not_heard_often, within=30)
    await eventually(lambda: why_held_for_ever(neighbours), within=30)


def why_held_for_ever(neighbours: Neighbours) -> str | None:
    """Return why something is held for ever: after every pin the node has to hear that its holder is gone."""
    kinds = (stream_service_pb2.EnsurePinRequest, stream_service_pb2.ReleasePinRequest)
    seen = [one for one in neighbours.asked if isinstance(one, kinds)]
    over = stream_service_pb2.ReleasePinRequest(holder="s1")
    return None if seen[1::2] == [over] * (len(seen) // 2) and len(seen) % 2 == 0 else f"{seen}"


async def test_after_a_failure_the_next_heartbeat_tries_again(neighbours: Neighbours, bus: Bus) -> None:
    neighbours.pick_failures.append(Unavailable("not now"))

    await beat_until(bus, lambda: None if set(told(neighbours)) == {True} else f"told {told(neighbours)}")


async def test_an_ended_episodes_event_comes_again_after_a_failure(neighbours: Neighbours, bus: Bus) -> None:
    neighbours.pick_failures.append(Unavailable("not now"))
    ended = EpisodeEnded(session_id="s1", next=NEXT, profile_hash="p", position=WATCHED)

    await publish(bus, "playback.v1.episode-ended.s1", ended, message_id="s1")

    await eventually(lambda: why_not_told(neighbours, True), within=30)


@pytest.mark.parametrize(("seconds", "told"), [(95, True), (50, False)])
async def test_picks_learns_what_was_watched_to_the_end(
    neighbours: Neighbours, bus: Bus, seconds: int, told: bool
) -> None:
    position, duration = Duration(seconds=seconds), Duration(seconds=100)
    ended = EpisodeEnded(session_id="s1", key=KEY, next=NEXT, profile_hash="p", position=position, duration=duration)
    note = picks_service_pb2.NoteWatchedRequest(key=KEY, profile_hash="p")

    await publish(bus, "playback.v1.episode-ended.s1", ended, message_id="s1")

    await eventually(lambda: why_not_told(neighbours, True), within=30)
    if told:
        await eventually(lambda: None if note in neighbours.asked else "not told", within=30)
    else:
        assert neighbours.asked_for(picks_service_pb2.NoteWatchedRequest) == []


async def test_when_nothing_can_be_played_it_says_so(neighbours: Neighbours, bus: Bus) -> None:
    neighbours.pick_failures.append(NotFound("none", reason="NO_PLAYABLE_RELEASE"))

    await beat(bus)

    await eventually(lambda: why_not_told(neighbours, False), within=30)
    assert neighbours.asked_for(stream_service_pb2.EnsurePinRequest) == []
    assert [one.without_torrents for one in neighbours.asked_for(playback_service_pb2.SetNextHintRequest)] == [True]  # type: ignore[attr-defined]


async def test_bytes_that_do_not_come_are_not_told_as_ready(neighbours: Neighbours, bus: Bus) -> None:
    neighbours.state = stream_service_pb2.PIN_STATE_BUFFERING

    await beat(bus)

    await eventually(lambda: why_not_told(neighbours, False), within=30)


async def test_nothing_is_prepared_after_the_last_episode(neighbours: Neighbours, bus: Bus) -> None:
    last = HeartbeatRecorded(session_id="last", profile_hash="p")
    await publish(bus, "playback.v1.heartbeat.last", last, message_id="last:1")
    await beat(bus)

    await eventually(lambda: why_not_told(neighbours, True), within=30)
    assert len(neighbours.asked_for(stream_service_pb2.EnsurePinRequest)) == 1


async def test_nothing_is_prepared_for_who_never_watched(neighbours: Neighbours, bus: Bus) -> None:
    given_up = EpisodeEnded(session_id="s3", next=NEXT, profile_hash="p")
    await publish(bus, "playback.v1.episode-ended.s3", given_up, message_id="s3")
    await beat(bus)

    await eventually(lambda: why_not_told(neighbours, True), within=30)
    assert len(neighbours.asked_for(stream_service_pb2.EnsurePinRequest)) == 1


async def test_it_works_without_redis(
    neighbours: Neighbours, make_runtime: Callable[[str], Runtime], nats_url: str, unused_tcp_port: int
) -> None:
    async with AsyncExitStack() as stack:
        targets = {}
        for name, serving in servings(neighbours).items():
            server = rpc_server("127.0.0.1:0", make_runtime(name), serving, checks={})
            targets[f"{name}_target"] = (await stack.enter_async_context(server)).address
        gone = SecretStr(f"redis://127.0.0.1:{unused_tcp_port}/0")
        settings = Settings(nats_url=SecretStr(nats_url), redis_url=gone, prepare_seconds=5, **targets)
        await stack.enter_async_context(serve(settings, make_runtime("prefetch")))
        bus = await stack.enter_async_context(event_bus(SecretStr(nats_url), make_runtime("test")))
        await beat(bus)
        await eventually(lambda: why_not_told(neighbours, True), within=30)

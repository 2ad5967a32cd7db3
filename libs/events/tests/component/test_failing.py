"""Events whose handlers fail: what passes is waited for, and what does not is put aside."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import partial

import asyncpg
import pytest
from pydantic import SecretStr
from vod.playback.v1.events_pb2 import EpisodeEnded

from vod_events import Bus, Unconfirmed, consumer, event_bus
from vod_events.consumer import CONSUMER, MAX_DELIVERIES
from vod_rpc import DeadlineExceeded, NotFound, Unavailable
from vod_runtime import Runtime
from vod_testing import eventually, publish

ENDED = "playback.v1.episode-ended"
AWAY: Sequence[Exception] = [
    Unavailable("picks does not answer", domain="grpc", metadata={"service": "picks"}),
    DeadlineExceeded("picks did not answer in time", domain="grpc", metadata={"service": "picks"}),
    asyncpg.CannotConnectNowError("the database system is starting up"),
    asyncpg.InterfaceError("connection is closed"),
    ConnectionRefusedError(),
    ExceptionGroup("two at once", [Unconfirmed("not connected to NATS"), NotFound("no such title")]),
]


@pytest.fixture
async def bus(nats_url: str, runtime: Runtime) -> AsyncIterator[Bus]:
    async with event_bus(SecretStr(nats_url), runtime) as bus:
        yield bus


class Handler:
    """Fails as it is told to, then works."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.handled: list[str] = []

    async def __call__(self, event: EpisodeEnded) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.handled.append(event.session_id)

    def why_not_yet(self) -> str | None:
        return None if self.handled else f"still to fail with: {self.errors}"


async def letters(bus: Bus) -> int:
    return (await bus.jetstream.stream_info("DEAD_LETTERS")).state.messages


async def test_what_fails_because_something_is_away_is_tried_until_it_works(bus: Bus, runtime: Runtime) -> None:
    handle = Handler(*AWAY)
    async with consumer(bus, runtime, subject=f"{ENDED}.*", durable="d", message=EpisodeEnded, handle=handle):
        await publish(bus, f"{ENDED}.a", EpisodeEnded(session_id="a"), message_id="a")
        await eventually(handle.why_not_yet, within=30)
        deliveries = (await bus.jetstream.consumer_info("FACTS", "d")).delivered.consumer_seq

    assert len(AWAY) > MAX_DELIVERIES
    assert (handle.handled, await letters(bus)) == (["a"], 0)
    assert deliveries == 1


async def test_what_fails_otherwise_counts_as_a_delivery(bus: Bus, runtime: Runtime) -> None:
    handle = Handler(asyncpg.DataError("too large for any column"))
    async with consumer(bus, runtime, subject=f"{ENDED}.*", durable="d", message=EpisodeEnded, handle=handle):
        await publish(bus, f"{ENDED}.a", EpisodeEnded(session_id="a"), message_id="a")
        await eventually(handle.why_not_yet, within=30)
        deliveries = (await bus.jetstream.consumer_info("FACTS", "d")).delivered.consumer_seq

    assert deliveries == 2


async def test_one_whose_handler_was_ended_each_time_is_a_letter_and_not_lost(
    bus: Bus, nats_url: str, runtime: Runtime
) -> None:
    begun: list[str] = []
    never = asyncio.Event()

    async def handle(event: EpisodeEnded) -> None:
        begun.append(event.session_id)
        await never.wait()

    listening = partial(consumer, runtime=runtime, subject=f"{ENDED}.*", durable="unlucky", message=EpisodeEnded)
    await publish(bus, f"{ENDED}.a", EpisodeEnded(session_id="a"), message_id="a")
    for round_ in range(1, MAX_DELIVERIES + 1):
        async with event_bus(SecretStr(nats_url), runtime) as own, listening(own, handle=handle):
            await eventually(lambda count=round_: None if len(begun) == count else f"begun {begun}", within=30)

    async def why_no_letter() -> str | None:
        return None if await letters(bus) == 1 else "no letter"

    async with listening(bus, handle=handle):
        await eventually(why_no_letter, within=30)
    letter = await bus.jetstream.get_last_msg("DEAD_LETTERS", "dead-letter.>")

    assert begun == ["a"] * MAX_DELIVERIES
    assert (letter.subject, (letter.headers or {})[CONSUMER]) == (f"dead-letter.{ENDED}.a", "unlucky")

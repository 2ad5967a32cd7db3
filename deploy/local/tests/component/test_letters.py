"""Messages that nobody could handle, on a real NATS."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from pydantic import SecretStr
from vod.playback.v1.events_pb2 import EpisodeEnded

from vod_events import Bus, consumer, event_bus
from vod_local.letters import DeadLetter, dead_letter, dead_letters, replay
from vod_runtime import Runtime
from vod_testing import eventually

ENDED = "playback.v1.episode-ended"


@pytest.fixture
async def bus(nats_url: str, runtime: Runtime) -> AsyncIterator[Bus]:
    async with event_bus(SecretStr(nats_url), runtime) as bus:
        # One that waits for a slow NATS.
        yield replace(bus, jetstream=bus.client.jetstream(timeout=30))


async def letters(bus: Bus, count: int) -> list[DeadLetter]:
    """Wait for so many dead letters."""
    found: list[DeadLetter] = []

    async def why_not_yet() -> str | None:
        found[:] = [letter async for letter in dead_letters(bus)]
        return None if len(found) == count else f"{len(found)} letters"

    await eventually(why_not_yet, within=60)
    return found


@asynccontextmanager
async def failing_reader(url: str, runtime: Runtime) -> AsyncIterator[None]:
    """A consumer, on a connection of its own, that gets what it can't decode."""

    async def handle(_: EpisodeEnded) -> None:
        pytest.fail("that can't be decoded")

    async with (
        event_bus(SecretStr(url), runtime) as own,
        consumer(own, runtime, subject=f"{ENDED}.*", durable="reader", message=EpisodeEnded, handle=handle),
    ):
        yield


async def unreadable(bus: Bus, url: str, runtime: Runtime, *sessions: str) -> None:
    """Publish what no consumer can decode; it is put aside at its first delivery."""
    async with failing_reader(url, runtime):
        for session in sessions:
            headers = {"vod-event": "vod.playback.v1.EpisodeEnded"}
            await bus.publish_raw(f"{ENDED}.{session}", b"\xff\xff", headers, message_id=session)
        await letters(bus, len(sessions))


async def test_a_letter_says_what_it_was_and_who_failed(bus: Bus, nats_url: str, runtime: Runtime) -> None:
    await unreadable(bus, nats_url, runtime, "a", "b")

    first, second = await letters(bus, 2)

    assert (first.subject, second.subject) == (f"{ENDED}.a", f"{ENDED}.b")
    assert (first.event, first.consumer, first.payload) == ("vod.playback.v1.EpisodeEnded", "reader", b"\xff\xff")
    assert first.put_aside_at is not None
    assert await dead_letter(bus, first.number) == first
    assert await dead_letter(bus, 4711) is None


async def test_a_replayed_letter_reaches_its_consumers_and_is_a_letter_no_more(
    bus: Bus, nats_url: str, runtime: Runtime
) -> None:
    await unreadable(bus, nats_url, runtime, "a", "b")
    first, second = await letters(bus, 2)
    received: list[bytes] = []

    await replay(bus, first)

    pull = await bus.jetstream.pull_subscribe(f"{ENDED}.a", durable="again")
    for message in await pull.fetch(2, timeout=30):
        received.append(message.data)
        await message.ack()
    assert received == [b"\xff\xff"] * 2
    assert await letters(bus, 1) == [second]


async def test_one_that_fails_again_is_a_new_letter(bus: Bus, nats_url: str, runtime: Runtime) -> None:
    await unreadable(bus, nats_url, runtime, "a")
    (first,) = await letters(bus, 1)

    await replay(bus, first)

    async with failing_reader(nats_url, runtime):
        (again,) = await letters(bus, 1)
    assert (again.number, again.subject) == (first.number + 1, first.subject)

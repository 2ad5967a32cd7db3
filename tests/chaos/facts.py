"""What was told: the facts in NATS, counted by subject, and what became of them."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

import nats
from nats.js import JetStreamContext
from outages import Outage

ENDED = "playback.v1.episode-ended"


@asynccontextmanager
async def _jetstream(bus: Outage) -> AsyncIterator[JetStreamContext]:
    client = await nats.connect(bus.server.url, connect_timeout=30)
    try:
        yield client.jetstream(timeout=30)
    finally:
        await client.close()


async def why_not_told_once(bus: Outage, sessions: Collection[str]) -> str | None:
    """Return whose end was not told, or more than once; None when each was told once."""
    async with _jetstream(bus) as jetstream:
        info = await jetstream.stream_info("FACTS", subjects_filter=f"{ENDED}.>")
    told = {subject.rpartition(".")[2]: count for subject, count in (info.state.subjects or {}).items()}
    wrong = {session: told.get(session, 0) for session in sessions if told.get(session, 0) != 1}
    return f"not told once: {wrong}" if wrong else None


async def why_not_heard(bus: Outage) -> str | None:
    """Return which consumers have not handled yet all that was told; None when all have."""
    async with _jetstream(bus) as jetstream:
        consumers = await jetstream.consumers_info("FACTS")
    left = {one.name: (one.num_pending or 0) + (one.num_ack_pending or 0) for one in consumers}
    return f"not handled yet: {left}" if any(left.values()) else None


async def dead_letters(bus: Outage) -> int:
    """Return how much was put aside because nobody could handle it."""
    async with _jetstream(bus) as jetstream:
        return (await jetstream.stream_info("DEAD_LETTERS")).state.messages

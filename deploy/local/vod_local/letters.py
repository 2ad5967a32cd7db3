"""Dead letters: messages that no handler could handle, kept for 30 days to be looked at and sent again."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from vod_events import Bus
from vod_events.bus import EVENT_TYPE
from vod_events.consumer import CONSUMER
from vod_events.streams import DEAD_LETTERS

_PREFIX = "dead-letter."
_STREAM = str(DEAD_LETTERS.name)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message that was put aside."""

    number: int
    """Its place in the stream; its name for people."""
    subject: str
    """What it was about, as it was first told."""
    event: str
    """Full name of the protobuf message."""
    consumer: str
    """Who could not handle it."""
    put_aside_at: datetime | None
    payload: bytes
    headers: Mapping[str, str]


async def dead_letters(bus: Bus) -> AsyncIterator[DeadLetter]:
    """Give all dead letters, oldest first."""
    state = (await bus.jetstream.stream_info(_STREAM)).state
    number = state.first_seq
    while number <= state.last_seq:
        try:
            found = await bus.jetstream.get_msg(_STREAM, number, next=True, subject=f"{_PREFIX}>")
        except NotFoundError:
            return
        yield _letter(found)
        number = (found.seq or number) + 1


async def dead_letter(bus: Bus, number: int) -> DeadLetter | None:
    """Return one of them, None when there is none of that number."""
    try:
        return _letter(await bus.jetstream.get_msg(_STREAM, number))
    except NotFoundError:
        return None


async def replay(bus: Bus, letter: DeadLetter) -> None:
    """Send a message again under its first subject, and then forget that it was put aside.

    All who hear the subject get it, also those who had handled it: handlers are idempotent. One that fails again comes
    back as a new dead letter.

    Raises:
        Unconfirmed: it is not known whether the stream has it; it stays a dead letter, too.
    """
    headers = {name: value for name, value in letter.headers.items() if not name.lower().startswith("nats-")}
    headers.pop(CONSUMER, None)
    await bus.publish_raw(letter.subject, letter.payload, headers, message_id=f"replay:{letter.number}")
    await bus.jetstream.delete_msg(_STREAM, letter.number)


def _letter(found: RawStreamMsg) -> DeadLetter:
    headers = found.headers or {}
    return DeadLetter(
        number=found.seq or 0,
        subject=(found.subject or "").removeprefix(_PREFIX),
        event=headers.get(EVENT_TYPE, ""),
        consumer=headers.get(CONSUMER, ""),
        put_aside_at=found.time,
        payload=found.data or b"",
        headers=headers,
    )

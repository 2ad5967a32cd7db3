"""Publishing events in tests, where a slow NATS is no failure."""

from collections.abc import Awaitable, Callable, Mapping

from google.protobuf.message import Message

from vod_events import Bus, Unconfirmed
from vod_testing.eventually import eventually


async def publish(bus: Bus, subject: str, message: Message, *, message_id: str) -> None:
    """Publish an event, once more if the stream did not confirm it in time: it drops what it has already."""
    await _confirmed(lambda: bus.publish(subject, message, message_id=message_id))


async def publish_raw(bus: Bus, subject: str, payload: bytes, headers: Mapping[str, str], *, message_id: str) -> None:
    """Publish what need not be an event; see `publish`."""
    await _confirmed(lambda: bus.publish_raw(subject, payload, headers, message_id=message_id))


async def _confirmed(send: Callable[[], Awaitable[None]]) -> None:
    async def why_not_confirmed() -> str | None:
        try:
            await send()
        except Unconfirmed as error:
            return str(error)
        return None

    await eventually(why_not_confirmed, within=30)

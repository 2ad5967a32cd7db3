"""Publishing events in tests, where a slow NATS is no failure."""

from google.protobuf.message import Message

from vod_events import Bus, Unconfirmed
from vod_testing.eventually import eventually


async def publish(bus: Bus, subject: str, message: Message, *, message_id: str) -> None:
    """Publish an event, once more if the stream did not confirm it in time: it drops what it has already."""

    async def why_not_confirmed() -> str | None:
        try:
            await bus.publish(subject, message, message_id=message_id)
        except Unconfirmed as error:
            return str(error)
        return None

    await eventually(why_not_confirmed, within=30)

"""The connection to NATS: it never gives up reconnecting, and what is published says what it is."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import nats
from google.protobuf.message import Message
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.errors import BadRequestError, NoStreamResponseError
from opentelemetry import propagate
from pydantic import SecretStr

from vod_events.streams import STREAMS
from vod_runtime import Runtime

BUS_DISCONNECTED = "bus_disconnected"
BUS_RECONNECTED = "bus_reconnected"
_CONNECT_SECONDS = 10.0
_PUBLISH_SECONDS = 2.0

# Header names; `Nats-Msg-Id` is JetStream's own.
MESSAGE_ID = "Nats-Msg-Id"
EVENT_TYPE = "vod-event"


class Unconfirmed(ConnectionError):  # noqa: N818  it may have worked
    """An event was handed to NATS, or could not be, and the stream did not confirm that it has it."""


@dataclass(frozen=True, slots=True)
class Bus:
    """A connection to NATS and its JetStream."""

    client: Client
    jetstream: JetStreamContext

    async def check(self) -> None:
        """Raise unless connected."""
        if not self.client.is_connected:
            raise ConnectionError("not connected to NATS")

    async def publish(self, subject: str, message: Message, *, message_id: str) -> None:
        """Publish and wait until the stream has it.

        A repeated *message_id* is dropped by the stream. After a timeout the message may or may not arrive, so
        consumers are idempotent.

        Raises:
            Unconfirmed: it is not known whether the stream has it.
        """
        await self.publish_raw(subject, message.SerializeToString(), event_headers(message), message_id=message_id)

    async def tell(self, subject: str, message: Message) -> None:
        """Publish without waiting for the stream: for what is soon told again, and may be lost.

        Raises:
            Unconfirmed: there is no connection just now, or it takes no more.
        """
        if not self.client.is_connected:
            raise Unconfirmed("not connected to NATS")
        try:
            await self.client.publish(subject, message.SerializeToString(), headers=event_headers(message))
        except (nats.errors.Error, OSError) as error:
            raise Unconfirmed(f"NATS takes nothing: {type(error).__name__}") from error

    async def publish_raw(self, subject: str, payload: bytes, headers: Mapping[str, str], *, message_id: str) -> None:
        """Publish what was serialised before; see `publish`."""
        if not self.client.is_connected:
            # nats-py would buffer it and deliver it much later, after the caller was told that it failed.
            raise Unconfirmed("not connected to NATS")
        headers = {**headers, MESSAGE_ID: message_id}
        try:
            await self._publish_making_streams(subject, payload, headers)
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError) as error:
            raise Unconfirmed(f"NATS did not confirm: {type(error).__name__}") from error

    async def _publish_making_streams(self, subject: str, payload: bytes, headers: dict[str, str]) -> None:
        try:
            await self.jetstream.publish(subject, payload, timeout=_PUBLISH_SECONDS, headers=headers)
        except NoStreamResponseError:  # a NATS that lost its disk
            await ensure_streams(self)
            await self.jetstream.publish(subject, payload, timeout=_PUBLISH_SECONDS, headers=headers)


def event_headers(message: Message) -> dict[str, str]:
    """Return the headers of an event: its type, and the trace that it belongs to."""
    headers = {EVENT_TYPE: message.DESCRIPTOR.full_name}
    propagate.inject(headers)
    return headers


@asynccontextmanager
async def event_bus(url: SecretStr, runtime: Runtime) -> AsyncIterator[Bus]:
    """Connect to NATS and make the streams that are missing; reconnect for ever.

    Raises:
        ConnectionError: NATS did not answer in 10 s, or has no JetStream.
    """

    connected = False

    async def disconnected() -> None:
        if connected:
            runtime.log.warning(BUS_DISCONNECTED)

    async def reconnected() -> None:
        runtime.log.info(BUS_RECONNECTED)

    client = Client()
    try:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await client.connect(
                    url.get_secret_value(),
                    name=runtime.service,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=0.5,  # type: ignore[arg-type]  # asyncio.sleep takes it
                    ping_interval=10,
                    disconnected_cb=disconnected,
                    reconnected_cb=reconnected,
                    error_cb=_ignore,  # what matters is raised where it happens
                )
        except (TimeoutError, OSError, nats.errors.Error) as error:
            raise ConnectionError(f"NATS does not answer: {type(error).__name__}") from error
        connected = True
        try:
            await ensure_streams(Bus(client=client, jetstream=client.jetstream(timeout=_CONNECT_SECONDS)))
        except nats.errors.Error as error:
            raise ConnectionError(f"NATS makes no streams: {type(error).__name__}") from error
        yield Bus(client=client, jetstream=client.jetstream(timeout=_PUBLISH_SECONDS))
    finally:
        # Also while it was still connecting: it has a socket by then. For a URL that can't be read it has nothing.
        with suppress(AssertionError):
            await client.close()


async def _ignore(_: Exception) -> None:
    return None


async def ensure_streams(bus: Bus) -> None:
    """Make the streams, or bring their settings up to date."""
    for config in STREAMS:
        try:
            await bus.jetstream.add_stream(config)
        except BadRequestError:  # it is there with other settings
            await bus.jetstream.update_stream(config)

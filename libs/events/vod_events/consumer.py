"""Consuming: durable, several at a time, retried for as long as anything is away, and put aside if it never works."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

import nats
from google.protobuf.message import DecodeError, Message
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig
from opentelemetry import propagate, trace

from vod_events.bus import Bus, ensure_streams
from vod_rpc import neighbour_away
from vod_runtime import Runtime, background
from vod_storage import database_away

EVENT_FAILED = "event_failed"
EVENT_WAITING = "event_waiting"
EVENT_DEAD = "event_dead_lettered"
CONSUMER_WAITING = "consumer_waiting_for_bus"
CONSUMER = "vod-consumer"
"""Header of a dead letter: who could not handle it."""
MAX_DELIVERIES = 5
_PAUSES = (1.0, 5.0, 15.0, 30.0)
_LEAST_WAIT, _LONGEST_WAIT = 0.02, 5.0
_AT_ONCE = 16
_FETCH_SECONDS = 5.0
_RETRY_SECONDS = 1.0
_BUS_AWAY = (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError)

M = TypeVar("M", bound=Message)


@asynccontextmanager
async def consumer(
    bus: Bus,
    runtime: Runtime,
    *,
    subject: str,
    durable: str,
    message: type[M],
    handle: Callable[[M], Awaitable[None]],
    timeout: timedelta = timedelta(seconds=30),
) -> AsyncIterator[None]:
    """Call *handle* for every message on *subject* while the context is open.

    A handler that fails because something is away (the database, a neighbour, NATS), or that takes longer than
    *timeout*, gets the message again for as long as that lasts. One that fails otherwise gets it five times in all;
    then the message goes to `dead-letter.{subject}`. Handlers must be idempotent: a message can arrive twice. Messages
    are handled several at a time, in no promised order. On leaving, handlers under way are cancelled; their messages
    come again.
    """
    async with background(_Consumer(bus, runtime, subject, durable, message, handle, timeout.total_seconds()).run()):
        yield


@dataclass(frozen=True, slots=True)
class _Consumer(Generic[M]):
    bus: Bus
    runtime: Runtime
    subject: str
    durable: str
    message: type[M]
    handle: Callable[[M], Awaitable[None]]
    timeout: float

    async def run(self) -> None:
        while True:
            try:
                await self._consume(await self._subscribe())
            except _BUS_AWAY as error:
                self.runtime.log.warning(CONSUMER_WAITING, subject=self.subject, why=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _subscribe(self) -> JetStreamContext.PullSubscription:
        await ensure_streams(self.bus)  # a NATS that lost its disk has none
        config = ConsumerConfig(
            durable_name=self.durable,
            filter_subject=self.subject,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=self.timeout + 2 * _LONGEST_WAIT,
            max_deliver=-1,  # NATS would forget a message whose handler was killed at its last delivery; we count
            max_ack_pending=_AT_ONCE * 4,
        )
        stream = await self.bus.jetstream.find_stream_name_by_subject(self.subject)
        await self.bus.jetstream.add_consumer(stream, config)  # one that is there is brought up to date
        return await self.bus.jetstream.pull_subscribe_bind(self.durable, stream)

    async def _consume(self, pull: JetStreamContext.PullSubscription) -> None:
        slots = asyncio.Semaphore(_AT_ONCE)
        try:
            async with asyncio.TaskGroup() as handlers:
                while True:
                    await slots.acquire()
                    try:
                        [msg] = await pull.fetch(1, timeout=_FETCH_SECONDS)
                    except (nats.errors.TimeoutError, TimeoutError):
                        slots.release()
                        await pull.consumer_info()  # raises when NATS lost the consumer, which a fetch would not tell
                        continue
                    task = handlers.create_task(self._take(msg))
                    task.add_done_callback(lambda _: slots.release())
        except* _BUS_AWAY as group:
            raise group.exceptions[0] from None

    async def _take(self, msg: Msg) -> None:
        tracer = self.runtime.tracer_provider.get_tracer("vod_events")
        context, kind = propagate.extract(msg.headers or {}), trace.SpanKind.CONSUMER
        with tracer.start_as_current_span(f"consume {self.subject}", context=context, kind=kind):
            if (delivery := msg.metadata.num_delivered) > MAX_DELIVERIES:  # whoever handled it was ended each time
                return await self._put_aside(msg)
            try:
                await self._handle_when_possible(msg)
            except asyncio.CancelledError:
                await msg.nak(delay=_PAUSES[0])  # for who comes next; we may still have asked for another one ourselves
                raise
            except DecodeError:
                await self._put_aside(msg)
            except Exception:
                self.runtime.log.exception(EVENT_FAILED, subject=msg.subject, delivery=delivery)
                if delivery == MAX_DELIVERIES:
                    return await self._put_aside(msg)
                await msg.nak(delay=_PAUSES[delivery - 1])
            else:
                await msg.ack()

    async def _handle_when_possible(self, msg: Msg) -> None:
        """Call the handler again and again while something is away.

        Meanwhile NATS hears that the message is in good hands, so that its deliveries count other failures alone.
        """
        event, wait = self.message.FromString(msg.data), _LEAST_WAIT
        while True:
            try:
                async with asyncio.timeout(self.timeout):
                    return await self.handle(event)
            except Exception as error:
                if not _will_pass(error):
                    raise
                log = self.runtime.log.warning if wait == _LEAST_WAIT else self.runtime.log.debug
                log(EVENT_WAITING, subject=msg.subject, why=type(error).__name__)
            await msg.in_progress()
            await asyncio.sleep(wait)
            await msg.in_progress()
            wait = min(2 * wait, _LONGEST_WAIT)

    async def _put_aside(self, msg: Msg) -> None:
        metadata, sequence = msg.metadata, msg.metadata.sequence.stream
        headers = {**(msg.headers or {}), CONSUMER: metadata.consumer}
        # Two consumers may each fail on one message; each failure is a letter of its own.
        message_id = f"dead:{metadata.stream}:{sequence}:{metadata.consumer}"
        await self.bus.publish_raw(f"dead-letter.{msg.subject}", msg.data, headers, message_id=message_id)
        await msg.term()
        self.runtime.log.error(EVENT_DEAD, subject=msg.subject, sequence=sequence)


def _will_pass(error: Exception) -> bool:
    if isinstance(error, ExceptionGroup):
        return any(map(_will_pass, error.exceptions))
    return database_away(error) or neighbour_away(error)

"""Consuming: durable, several at a time, retried with pauses, and put aside when it never works."""

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
from vod_runtime import Runtime, background

EVENT_HANDLED = "event_handled"
EVENT_FAILED = "event_failed"
EVENT_DEAD = "event_dead_lettered"
CONSUMER_WAITING = "consumer_waiting_for_bus"
CONSUMER = "vod-consumer"
"""Header of a dead letter: who could not handle it."""
MAX_DELIVERIES = 5
_PAUSES = (1.0, 5.0, 15.0, 30.0)
_AT_ONCE = 16
_FETCH_SECONDS = 5.0
_RETRY_SECONDS = 1.0

M = TypeVar("M", bound=Message)
Handle = Callable[[M], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Subscription(Generic[M]):
    subject: str
    durable: str
    message: type[M]
    handle: Handle[M]
    timeout: timedelta


@asynccontextmanager
async def consumer(
    bus: Bus,
    runtime: Runtime,
    *,
    subject: str,
    durable: str,
    message: type[M],
    handle: Handle[M],
    timeout: timedelta = timedelta(seconds=30),
) -> AsyncIterator[None]:
    """Call *handle* for every message on *subject* while the context is open.

    A handler that raises or takes longer than *timeout* gets the message again, five times in all; then the message
    goes to `dead-letter.{subject}`. Handlers must be idempotent: a message can arrive twice. Messages are handled
    several at a time, in no promised order. On leaving, handlers under way are cancelled; their messages come again.
    """
    subscription = _Subscription(subject, durable, message, handle, timeout)
    async with background(_run(bus, runtime, subscription)):
        yield


async def _run(bus: Bus, runtime: Runtime, subscription: _Subscription[M]) -> None:
    while True:
        try:
            pull = await _subscribe(bus, subscription)
            await _consume(bus, runtime, subscription, pull)
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError) as error:
            runtime.log.warning(CONSUMER_WAITING, subject=subscription.subject, why=type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)


async def _subscribe(bus: Bus, subscription: _Subscription[M]) -> JetStreamContext.PullSubscription:
    await ensure_streams(bus)  # a NATS that lost its disk has none
    config = ConsumerConfig(
        durable_name=subscription.durable,
        filter_subject=subscription.subject,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=subscription.timeout.total_seconds() + 5.0,
        max_deliver=-1,  # NATS would forget a message whose handler was killed at its last delivery; we count ourselves
        max_ack_pending=_AT_ONCE * 4,
    )
    stream = await bus.jetstream.find_stream_name_by_subject(subscription.subject)
    await bus.jetstream.add_consumer(stream, config)  # one that is there is brought up to date
    return await bus.jetstream.pull_subscribe_bind(subscription.durable, stream)


async def _consume(
    bus: Bus, runtime: Runtime, subscription: _Subscription[M], pull: JetStreamContext.PullSubscription
) -> None:
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
                task = handlers.create_task(_handle(bus, runtime, subscription, msg))
                task.add_done_callback(lambda _: slots.release())
    except* (nats.errors.Error, nats.js.errors.Error, TimeoutError, OSError) as group:
        raise group.exceptions[0] from None


async def _handle(bus: Bus, runtime: Runtime, subscription: _Subscription[M], msg: Msg) -> None:
    tracer = runtime.tracer_provider.get_tracer("vod_events")
    context = propagate.extract(msg.headers or {})
    name = f"consume {subscription.subject}"
    with tracer.start_as_current_span(name, context=context, kind=trace.SpanKind.CONSUMER):
        if msg.metadata.num_delivered > MAX_DELIVERIES:  # whoever handled it was ended each time
            return await _put_aside(bus, runtime, msg)
        try:
            event = subscription.message.FromString(msg.data)
            async with asyncio.timeout(subscription.timeout.total_seconds()):
                await subscription.handle(event)
        except asyncio.CancelledError:
            await msg.nak(delay=_PAUSES[0])  # for who comes next; we may still have asked for another one ourselves
            raise
        except DecodeError:
            await _put_aside(bus, runtime, msg)
        except Exception:
            runtime.log.exception(EVENT_FAILED, subject=msg.subject, delivery=msg.metadata.num_delivered)
            if (delivery := msg.metadata.num_delivered) < MAX_DELIVERIES:
                await msg.nak(delay=_PAUSES[delivery - 1])
            else:
                await _put_aside(bus, runtime, msg)
        else:
            runtime.log.debug(EVENT_HANDLED, subject=msg.subject)
            await msg.ack()


async def _put_aside(bus: Bus, runtime: Runtime, msg: Msg) -> None:
    metadata, sequence = msg.metadata, msg.metadata.sequence.stream
    headers = {**(msg.headers or {}), CONSUMER: metadata.consumer}
    # Two consumers may each fail on one message; each failure is a letter of its own.
    message_id = f"dead:{metadata.stream}:{sequence}:{metadata.consumer}"
    await bus.publish_raw(f"dead-letter.{msg.subject}", msg.data, headers, message_id=message_id)
    await msg.term()
    runtime.log.error(EVENT_DEAD, subject=msg.subject, sequence=sequence)

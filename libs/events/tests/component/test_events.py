"""Events over a real NATS and a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import timedelta

import asyncpg
import pytest
from google.protobuf.duration_pb2 import Duration
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr
from vod.playback.v1.events_pb2 import EpisodeEnded, HeartbeatRecorded

from vod_events import Bus, Unconfirmed, consumer, enqueue, event_bus, relay
from vod_runtime import Runtime
from vod_storage import Connection, Database, postgres
from vod_storage.migrate import Migration, migrate
from vod_testing import eventually, publish, publish_raw

OUTBOX = Migration(
    version="0001",
    name="0001_outbox.sql",
    checksum="x",
    sql="""CREATE TABLE outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id text NOT NULL UNIQUE,
           subject text NOT NULL, payload bytea NOT NULL, headers jsonb NOT NULL,
           created_at timestamptz NOT NULL DEFAULT now());""",
)
ENDED = "playback.v1.episode-ended"


@pytest.fixture
async def database(pg_dsn: str) -> AsyncIterator[Database]:
    await migrate(pg_dsn, schema="alpha", migrations=[OUTBOX])
    async with postgres(SecretStr(pg_dsn), schema="alpha") as database:
        yield database


@asynccontextmanager
async def listening(bus: Bus, runtime: Runtime, received: list[str]) -> AsyncIterator[None]:
    async def handle(event: EpisodeEnded) -> None:
        received.append(event.session_id)

    async with consumer(bus, runtime, subject=f"{ENDED}.*", durable="test", message=EpisodeEnded, handle=handle):
        yield


def why_not(received: list[str], expected: list[str]) -> str | None:
    return None if sorted(received) == sorted(expected) else f"received {received}"


async def test_a_late_listener_gets_only_the_newest_heartbeat_of_each_session(nats_url: str, runtime: Runtime) -> None:
    received: list[float] = []

    async def handle(event: HeartbeatRecorded) -> None:
        received.append(event.position.seconds)

    async with event_bus(SecretStr(nats_url), runtime) as bus, AsyncExitStack() as stack:
        for second in range(5):
            beat = HeartbeatRecorded(session_id="s", position=Duration(seconds=second))
            await publish(bus, "playback.v1.heartbeat.s", beat, message_id=f"s:{second}")
        await stack.enter_async_context(
            consumer(
                bus,
                runtime,
                subject="playback.v1.heartbeat.*",
                durable="late",
                message=HeartbeatRecorded,
                handle=handle,
            )
        )
        await eventually(lambda: None if received else "nothing received", within=30)

    assert received == [4]


async def test_the_same_event_published_twice_is_handled_once(nats_url: str, runtime: Runtime) -> None:
    received: list[str] = []
    async with event_bus(SecretStr(nats_url), runtime) as bus, listening(bus, runtime, received):
        for session in ("a", "a", "b"):
            event = EpisodeEnded(session_id=session)
            await publish(bus, f"{ENDED}.{session}", event, message_id=f"{session}:ended")
        await eventually(lambda: why_not(received, ["a", "b"]), within=30)


async def test_a_handler_that_fails_gets_the_event_again(nats_url: str, runtime: Runtime) -> None:
    attempts: list[str] = []

    async def handle(event: EpisodeEnded) -> None:
        attempts.append(event.session_id)
        if len(attempts) == 1:
            raise ConnectionError("not this time")

    async with (
        event_bus(SecretStr(nats_url), runtime) as bus,
        consumer(bus, runtime, subject=f"{ENDED}.*", durable="test", message=EpisodeEnded, handle=handle),
    ):
        await publish(bus, f"{ENDED}.a", EpisodeEnded(session_id="a"), message_id="a")
        await eventually(lambda: why_not(attempts, ["a", "a"]), within=30)


async def test_what_can_not_be_read_is_put_aside_at_once(nats_url: str, runtime: Runtime) -> None:
    received: list[str] = []
    async with event_bus(SecretStr(nats_url), runtime) as bus, listening(bus, runtime, received):
        await publish_raw(bus, f"{ENDED}.a", b"\xff\xff", {}, message_id="broken")
        await publish(bus, f"{ENDED}.b", EpisodeEnded(session_id="b"), message_id="b")
        await eventually(lambda: why_not(received, ["b"]), within=30)

        async def why_not_aside() -> str | None:
            info = await bus.jetstream.stream_info("DEAD_LETTERS")
            return None if info.state.messages == 1 else f"{info.state.messages} dead letters"

        await eventually(why_not_aside, within=30)


async def enqueue_and_fail(connection: Connection) -> None:
    async with connection.transaction():
        await enqueue(connection, subject=f"{ENDED}.lost", message=EpisodeEnded(session_id="lost"), event_id="lost")
        await connection.execute("SELECT 1 / 0")


async def test_an_event_is_published_when_its_transaction_is_committed_and_only_then(
    nats_url: str, database: Database, runtime: Runtime
) -> None:
    received: list[str] = []
    async with (
        event_bus(SecretStr(nats_url), runtime) as bus,
        listening(bus, runtime, received),
        relay(database, bus, runtime),
        database.pool.acquire() as connection,
    ):
        with pytest.raises(asyncpg.DivisionByZeroError):
            await enqueue_and_fail(connection)
        async with connection.transaction():
            await enqueue(connection, subject=f"{ENDED}.kept", message=EpisodeEnded(session_id="kept"), event_id="kept")
        await eventually(lambda: why_not(received, ["kept"]), within=30)

        async def why_not_empty() -> str | None:
            left = await connection.fetchval("SELECT count(*) FROM outbox")
            return f"{left} rows in the outbox" if left else None

        await eventually(why_not_empty, within=30)


async def test_events_written_while_no_relay_ran_are_published_once_when_one_does(
    nats_url: str, database: Database, runtime: Runtime
) -> None:
    received: list[str] = []
    sessions = [f"s{number}" for number in range(120)]
    async with database.pool.acquire() as connection, connection.transaction():
        for session in sessions:
            event = EpisodeEnded(session_id=session)
            await enqueue(connection, subject=f"{ENDED}.{session}", message=event, event_id=session)
    async with (
        event_bus(SecretStr(nats_url), runtime) as bus,
        listening(bus, runtime, received),
        relay(database, bus, runtime),
        relay(database, bus, runtime),  # a second replica takes rows too, but not the same ones
    ):
        await eventually(lambda: why_not(received, sessions), within=30)


async def test_the_handlers_spans_belong_to_the_trace_of_the_publisher(
    nats_url: str, runtime: Runtime, spans: InMemorySpanExporter
) -> None:
    received: list[str] = []
    async with event_bus(SecretStr(nats_url), runtime) as bus, listening(bus, runtime, received):
        with runtime.tracer_provider.get_tracer("test").start_as_current_span("start"):
            await publish(bus, f"{ENDED}.a", EpisodeEnded(session_id="a"), message_id="a")
        await eventually(lambda: why_not(received, ["a"]), within=30)
        await eventually(lambda: None if len(spans.get_finished_spans()) == 2 else "span not ended", within=30)

    assert len({span.context.trace_id for span in spans.get_finished_spans() if span.context}) == 1


@pytest.mark.parametrize("more", ["", "x"], ids=["nobody there", "no URL"])
async def test_a_nats_that_is_not_there_is_said_clearly(runtime: Runtime, unused_tcp_port: int, more: str) -> None:
    with pytest.raises(ConnectionError, match="NATS does not answer"):
        async with asyncio.timeout(60), event_bus(SecretStr(f"nats://127.0.0.1:{unused_tcp_port}{more}"), runtime):
            pass


async def test_who_gives_up_while_it_connects_leaves_no_connection(runtime: Runtime) -> None:
    arrived, left = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            writer.write(b'INFO {"headers":true,"max_payload":1048576}\r\n')
            await reader.readuntil(b"PING\r\n")
            arrived.set()
            await reader.read()  # no PONG
        left.set()

    async with asyncio.timeout(60), await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = SecretStr(f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with AsyncExitStack() as stack:
            connecting = asyncio.create_task(stack.enter_async_context(event_bus(url, runtime)))
            await arrived.wait()
            connecting.cancel()
        await left.wait()


async def test_handlers_that_take_too_long_are_stopped(nats_url: str, runtime: Runtime) -> None:
    attempts: list[str] = []

    async def handle(event: EpisodeEnded) -> None:
        attempts.append(event.session_id)
        if len(attempts) == 1:
            await asyncio.Event().wait()

    async with (
        event_bus(SecretStr(nats_url), runtime) as bus,
        consumer(
            bus,
            runtime,
            subject=f"{ENDED}.*",
            durable="test",
            message=EpisodeEnded,
            handle=handle,
            timeout=timedelta(milliseconds=200),
        ),
    ):
        await publish(bus, f"{ENDED}.a", EpisodeEnded(session_id="a"), message_id="a")
        await eventually(lambda: why_not(attempts, ["a", "a"]), within=30)


async def test_a_lost_stream_is_made_again(nats_url: str, runtime: Runtime) -> None:
    received: list[str] = []
    async with event_bus(SecretStr(nats_url), runtime) as bus, listening(bus, runtime, received):
        await publish(bus, f"{ENDED}.a", EpisodeEnded(session_id="a"), message_id="a")
        await eventually(lambda: why_not(received, ["a"]), within=30)
        await bus.jetstream.delete_stream("FACTS")

        async def why_not_again() -> str | None:
            try:
                await bus.publish(f"{ENDED}.b", EpisodeEnded(session_id="b"), message_id="b")
            except Unconfirmed as error:
                return type(error).__name__
            return why_not(received, ["a", "b"])

        await eventually(why_not_again, within=30)

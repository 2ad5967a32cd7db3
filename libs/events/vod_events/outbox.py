"""The transactional outbox: an event is a row in the transaction that makes it true; a relay publishes the row.

A crash between publishing and deleting sends the event again with the same id, which the stream drops.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from google.protobuf.message import Message

from vod_events.bus import Bus, event_headers
from vod_runtime import Runtime, background
from vod_storage import Connection, Database

RELAY_WAITING = "outbox_relay_waiting"
_BATCH = 50
_RETRY_SECONDS = 1.0
_LOOK_SECONDS = 30.0

_INSERT = "INSERT INTO outbox (event_id, subject, payload, headers) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
_NOTIFY = "SELECT pg_notify('outbox_' || current_schema(), '')"
_TAKE = "SELECT event_id, subject, payload, headers FROM outbox ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED"
_DELETE = "DELETE FROM outbox WHERE event_id = $1"


async def enqueue(connection: Connection, *, subject: str, message: Message, event_id: str) -> None:
    """Write an event to the outbox, in the transaction that *connection* is in.

    *event_id* is the event's identity: the same one is published once.
    """
    await connection.execute(_INSERT, event_id, subject, message.SerializeToString(), event_headers(message))
    await connection.execute(_NOTIFY)


@asynccontextmanager
async def relay(database: Database, bus: Bus, runtime: Runtime) -> AsyncIterator[None]:
    """Publish the schema's outbox while the context is open, as soon as a row is committed.

    One relay keeps the order; with several replicas each takes what the others have not.
    """
    async with background(_run(database, bus, runtime)):
        yield


async def _run(database: Database, bus: Bus, runtime: Runtime) -> None:
    while True:
        try:
            async with database.pool.acquire() as connection:
                await _relay_while_connected(database, connection, bus)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            runtime.log.warning(RELAY_WAITING, why=type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)


async def _relay_while_connected(database: Database, listening: Connection, bus: Bus) -> None:
    wake = asyncio.Event()

    def on_notify(*_: object) -> None:
        wake.set()

    channel = f"outbox_{await listening.fetchval('SELECT current_schema()')}"
    await listening.add_listener(channel, on_notify)
    try:
        while True:
            wake.clear()
            while await _publish_batch(database, bus) == _BATCH:
                pass
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await wake.wait()
            except TimeoutError:
                await listening.execute("SELECT 1")  # a connection that died silently would never wake us
    finally:
        if not listening.is_closed():
            await listening.remove_listener(channel, on_notify)


async def _publish_batch(database: Database, bus: Bus) -> int:
    async with database.pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(_TAKE, _BATCH)
        for row in rows:
            await bus.publish_raw(row["subject"], row["payload"], row["headers"], message_id=row["event_id"])
            await connection.execute(_DELETE, row["event_id"])
    return len(rows)

"""Pytest fixtures: real servers, one of each per test session, and a clean piece of them per test.

`VOD_TEST_SERVERS=containers` takes the servers from testcontainers instead of the wheels.
"""

import asyncio
import os
import secrets
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from pathlib import Path

import asyncpg
import nats
import pytest
import redis as redis_sync
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from vod_local.servers.nats import embedded_nats
from vod_local.servers.postgres import embedded_postgres
from vod_local.servers.redis import embedded_redis
from vod_runtime import Runtime, SystemClock
from vod_runtime.logging import logger
from vod_testing import containers

Server = Callable[[Path, Path], AbstractAsyncContextManager[str]]


@contextmanager
def _in_background(server: Server) -> Iterator[str]:
    """Run an async server for the whole test session, on a loop of its own; yield its address."""
    with tempfile.TemporaryDirectory(prefix="vod-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)  # Postgres does not run as root and must reach its part
        started: threading.Event = threading.Event()
        stopped: list[Callable[[], object]] = []
        address: list[str] = []
        failure: list[BaseException] = []

        async def run() -> None:
            stop = asyncio.Event()
            loop = asyncio.get_running_loop()
            stopped.append(lambda: loop.call_soon_threadsafe(stop.set))
            async with server(Path(folder) / "data", Path(folder) / "run") as where:
                address.append(where)
                started.set()
                await stop.wait()

        def main() -> None:
            try:
                asyncio.run(run())
            except BaseException as error:  # noqa: BLE001  told to the waiting thread, which raises it
                failure.append(error)
                started.set()

        thread = threading.Thread(target=main, daemon=True)
        thread.start()
        started.wait(60)
        if failure or not address:
            raise RuntimeError("a test server did not start") from (failure[0] if failure else None)
        yield address[0]
        stopped[0]()
        thread.join(20)


def _server(name: str, embedded: Server) -> AbstractContextManager[str]:
    if os.environ.get("VOD_TEST_SERVERS") == "containers":
        return containers.container(name)
    return _in_background(embedded)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The DSN of a superuser on a real PostgreSQL."""
    with _server("postgres", embedded_postgres) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    with _server("redis", embedded_redis) as url:
        yield url


@pytest.fixture(scope="session")
def nats_server() -> Iterator[str]:
    with _server("nats", embedded_nats) as url:
        yield url


@pytest.fixture
async def pg_dsn(postgres_server: str) -> AsyncIterator[str]:
    """The DSN of a new, empty database, dropped afterwards."""
    name = f"test_{secrets.token_hex(4)}"
    connection = await asyncpg.connect(postgres_server, timeout=30)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        yield containers.with_database(postgres_server, name)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The address of an empty Redis, for which clients wait longer than they would for one that they can do without."""
    with redis_sync.Redis.from_url(redis_server) as client:
        client.flushall()
    return f"{redis_server}?socket_timeout=30&socket_connect_timeout=30"


@pytest.fixture
async def nats_url(nats_server: str) -> str:
    """The address of a NATS without streams."""
    client = await nats.connect(nats_server, connect_timeout=30)
    try:
        jetstream = client.jetstream(timeout=30)
        for stream in await jetstream.streams_info():
            await jetstream.delete_stream(str(stream.config.name))
    finally:
        await client.close()
    return nats_server


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Where the spans of every runtime of this test end up."""
    return InMemorySpanExporter()


@pytest.fixture
def make_runtime(spans: InMemorySpanExporter) -> Callable[[str], Runtime]:
    """Make a runtime for a service by name."""

    def make(service: str) -> Runtime:
        provider = TracerProvider(resource=Resource.create({"service.name": service}))
        provider.add_span_processor(SimpleSpanProcessor(spans))
        return Runtime(
            service=service,
            log=logger(service, level="WARNING"),
            tracer_provider=provider,
            metrics=CollectorRegistry(),
            clock=SystemClock(),
        )

    return make


@pytest.fixture
def runtime(make_runtime: Callable[[str], Runtime]) -> Runtime:
    """A runtime of a service named `test`."""
    return make_runtime("test")

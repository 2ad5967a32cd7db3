"""Breaking things: servers that go away and come back, and processes of a running NovaStream that are killed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from allinone import System

from vod_local.process import Program, serving
from vod_local.servers import Server, nats, redis
from vod_local.servers.places import Places

_LOOK_SECONDS = 0.1


@dataclass(slots=True)
class Outage:
    """A server of our own that can be taken away and brought back at the same address."""

    server: Server
    _running: AsyncExitStack | None = None

    @property
    def program(self) -> Program:
        return self.server.program

    async def bring(self) -> None:
        """Start it, if it does not run; it has what it kept on disk."""
        if self._running is not None:
            return
        self._running = AsyncExitStack()
        await self._running.enter_async_context(serving(self.program))

    async def take(self) -> None:
        """Stop it; who connects is refused."""
        if self._running is not None:
            running, self._running = self._running, None
            await running.aclose()

    async def away(self, seconds: float) -> None:
        """Take it away for a while."""
        await self.take()
        await asyncio.sleep(seconds)
        await self.bring()


@dataclass(slots=True)
class Servers:
    """The servers that a chaos test can take away; PostgreSQL belongs to the all-in-one, which restarts it."""

    redis: Outage
    nats: Outage
    environment: dict[str, str] = field(default_factory=dict)


@asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[Servers]:
    """Run Redis and NATS until the context is left."""
    places = {name: Places.beside(folder / name, folder / f"{name}-run") for name in ("redis", "nats")}
    with nats(places["nats"]) as kept:
        both = Servers(Outage(redis(places["redis"])), Outage(kept))
        both.environment = {"REDIS_URL": both.redis.server.url, "NATS_URL": both.nats.server.url}
        try:
            for outage in (both.redis, both.nats):
                await outage.bring()
            yield both
        finally:
            for outage in (both.redis, both.nats):
                await outage.take()


def process(vod: System, name: str) -> psutil.Process:
    """Return the process of that name: a service, a stream node, `postgres` or `edge`."""
    assert vod.process is not None
    children = psutil.Process(vod.process.pid).children()
    for child in children:
        if _is(child, name):
            return child
    raise LookupError(f"no process {name} among {len(children)}")


@asynccontextmanager
async def kept_dead(vod: System, name: str) -> AsyncIterator[None]:
    """Kill a process, and each that is started in its place, until the context is left."""

    async def kill() -> None:
        while True:
            with suppress(LookupError, psutil.Error):
                process(vod, name).kill()
            await asyncio.sleep(_LOOK_SECONDS)

    async with asyncio.TaskGroup() as group:
        killing = group.create_task(kill())
        yield
        killing.cancel()


def names(vod: System) -> list[str]:
    """Return the names of all processes of services."""
    from vod_local.record import read_record

    record = read_record(vod.data)
    assert record is not None
    return sorted(record.processes)


def _is(child: psutil.Process, name: str) -> bool:
    try:
        command, environment = child.cmdline(), child.environ()
    except psutil.Error:
        return False
    if name == "edge":
        return "haproxy" in command[0]
    if name == "postgres":
        return command[0].endswith("postgres")
    return environment.get("VOD_OPS_LISTEN", "").endswith(f"/{name}.ops.sock") and "vod_runtime.host" in command

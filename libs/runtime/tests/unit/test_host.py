"""One process hosts any services: it starts them, waits, drains, and leaves in order."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from types import ModuleType

import pytest
from pydantic_settings import BaseSettings

from vod_runtime import Endpoint, Runtime
from vod_runtime.host import host
from vod_testing import eventually

Events = list[str]


class Settings(BaseSettings):
    pass


@pytest.fixture
def install() -> Iterator[Callable[..., None]]:
    """Put a service package `vod_<name>` where the host looks for it."""
    added: list[str] = []

    def add(name: str, serve: object) -> None:
        package, service = ModuleType(f"vod_{name}"), ModuleType(f"vod_{name}.service")
        package.__path__ = []
        service.serve = serve  # type: ignore[attr-defined]
        for module in (package, service):
            sys.modules[module.__name__] = module
            added.append(module.__name__)

    yield add
    for name in added:
        del sys.modules[name]


def lamp(name: str, events: Events) -> object:
    @asynccontextmanager
    async def serve(settings: Settings, runtime: Runtime) -> AsyncIterator[Endpoint]:
        async def drain() -> None:
            events.append(f"{name} drains")

        events.append(f"{name} starts")
        yield Endpoint(name, drain=drain)
        events.append(f"{name} stops")

    return serve


async def test_services_start_drain_and_stop(
    install: Callable[..., None], make_runtime: Callable[[str], Runtime]
) -> None:
    events: Events = []
    install("desk", lamp("desk", events))
    stop = asyncio.Event()

    async with asyncio.TaskGroup() as group:
        services = {"desk": (Settings(), make_runtime("desk"))}
        group.create_task(host(services, ops_listen="127.0.0.1:0", stop=stop))
        await eventually(lambda: None if events else "not started", within=30)
        stop.set()

    assert events == ["desk starts", "desk drains", "desk stops"]


async def test_a_service_that_fails_to_start_stops_the_others(
    install: Callable[..., None], make_runtime: Callable[[str], Runtime]
) -> None:
    events: Events = []

    @asynccontextmanager
    async def broken(settings: Settings, runtime: Runtime) -> AsyncIterator[Endpoint]:
        raise ConnectionError("no database")
        yield Endpoint("never")

    install("desk", lamp("desk", events))
    install("wall", broken)
    services = {name: (Settings(), make_runtime(name)) for name in ("desk", "wall")}

    with pytest.raises(ExceptionGroup) as caught:
        await host(services, ops_listen="127.0.0.1:0", stop=asyncio.Event())

    assert caught.group_contains(ConnectionError, match="no database")

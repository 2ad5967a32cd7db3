"""The one way to start services: `python -m vod_runtime.host picks [playback …]`.

A container hosts one service; the all-in-one hosts a group of them in one process.
"""

import argparse
import asyncio
import gc
import importlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import ModuleType
from typing import Any

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from prometheus_client import CollectorRegistry
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from vod_runtime.clock import SystemClock
from vod_runtime.logging import logger, quiet_libraries
from vod_runtime.ops import Hosted, ops_server
from vod_runtime.runtime import Endpoint, Runtime

SERVICE_STARTED = "service_started"
SERVICE_STOPPED = "service_stopped"
Serve = Callable[[Any, Runtime], AbstractAsyncContextManager[Endpoint]]


def service_module(service: str, module: str) -> ModuleType:
    """Import `vod_<service>.<module>`; a dash in the service's name is an underscore in the package's."""
    return importlib.import_module(f"vod_{service.replace('-', '_')}.{module}")


def load_settings(service: str) -> BaseSettings:
    """Read a service's settings from the environment.

    Raises:
        ValidationError: a value is missing or can't be read.
    """
    settings: BaseSettings = service_module(service, "settings").Settings()
    return settings


def _tracer_provider(service: str) -> TracerProvider:
    """Send spans where OTEL_EXPORTER_OTLP_ENDPOINT says; without it make only trace ids, which cost next to nothing."""
    resource = Resource.create({"service.name": service})
    if not os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return TracerProvider(resource=resource, sampler=ALWAYS_OFF)
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def new_runtime(service: str, *, level: str = "INFO") -> Runtime:
    """Make a service's logger, tracer provider (own `service.name`), metrics registry and clock."""
    return Runtime(
        service=service,
        log=logger(service, level=level),
        tracer_provider=_tracer_provider(service),
        metrics=CollectorRegistry(),
        clock=SystemClock(),
    )


async def host(services: Mapping[str, tuple[BaseSettings, Runtime]], *, ops_listen: str, stop: asyncio.Event) -> None:
    """Run services until *stop* is set, then drain and leave in reverse order of start.

    Raises:
        BaseExceptionGroup: a service failed; all others were stopped.
    """
    hosted = {name: Hosted(metrics=runtime.metrics) for name, (_, runtime) in services.items()}
    stopping = asyncio.Event()

    async def run(name: str, settings: BaseSettings, runtime: Runtime) -> None:
        serve: Serve = service_module(name, "service").serve
        async with serve(settings, runtime) as endpoint:
            hosted[name].endpoint = endpoint
            runtime.log.info(SERVICE_STARTED, address=endpoint.address)
            await stopping.wait()
        runtime.log.info(SERVICE_STOPPED)

    async with ops_server(ops_listen, hosted), asyncio.TaskGroup() as group:
        for name, (settings, runtime) in services.items():
            group.create_task(run(name, settings, runtime), name=name)
        await stop.wait()
        await _drain(hosted)
        stopping.set()


async def _drain(hosted: Mapping[str, Hosted]) -> None:
    drains: list[Awaitable[None]] = []
    for one in hosted.values():
        one.draining = True
        if one.endpoint:
            drains.append(one.endpoint.drain())
    await asyncio.gather(*drains)


def _stop_on_signal(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if stop.is_set():  # the second one: now
            os._exit(1)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)


async def _main(services: Mapping[str, tuple[BaseSettings, Runtime]], *, ops_listen: str) -> None:
    stop = asyncio.Event()
    _stop_on_signal(stop)
    await host(services, ops_listen=ops_listen, stop=stop)


def _load(names: Sequence[str]) -> dict[str, tuple[BaseSettings, Runtime]]:
    level = os.environ.get("VOD_LOG_LEVEL", "INFO").upper()
    if level not in logging.getLevelNamesMapping():
        sys.exit(f"VOD_LOG_LEVEL is {level!r}; it can be DEBUG, INFO, WARNING or ERROR")
    try:
        return {name: (load_settings(name), new_runtime(name, level=level)) for name in names}
    except ValidationError as error:
        lines = [f"  {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        sys.exit("\n".join([f"{error.title} can't be read from the environment:", *lines]))
    except ModuleNotFoundError as error:
        sys.exit(
            f"there is no service here that needs {error.name!r}; installed ones are started by their folder's name"
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m vod_runtime.host", description=__doc__)
    parser.add_argument("service", nargs="+")
    parser.add_argument("--check", action="store_true", help="print the configuration with secrets masked, and exit")
    arguments = parser.parse_args()
    quiet_libraries()
    services = _load(arguments.service)
    if arguments.check:
        for name, (settings, _) in services.items():
            sys.stdout.write(f"[{name}]\n" + "".join(f"{key} = {value!s}\n" for key, value in settings))
        return
    # All code is loaded, and no collection of garbage looks at it again: that took 75 ms, every few seconds.
    for name in services:
        service_module(name, "service")
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
    ops_listen = os.environ.get("VOD_OPS_LISTEN", "127.0.0.1:9090")
    asyncio.run(_main(services, ops_listen=ops_listen))


if __name__ == "__main__":
    main()

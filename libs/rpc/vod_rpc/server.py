"""Serving gRPC: one server per service, with health from its own resources, reflection and a graceful stop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import FileDescriptor
from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from opentelemetry.instrumentation.grpc import aio_server_interceptor
from opentelemetry.instrumentation.grpc.filters import any_of, method_name, negate, service_prefix

from vod_rpc.interceptors import ServerInterceptor
from vod_runtime import Check, Endpoint, Runtime, background, failing

HEALTH_CHANGED = "health_changed"
_CHECK_EVERY_SECONDS = 5.0
_GRACE_SECONDS = 5.0

_OPTIONS = [
    # New replicas get traffic only when old connections end now and then.
    ("grpc.max_connection_age_ms", 300_000),
    ("grpc.max_connection_age_grace_ms", 30_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 4_000),
    ("grpc.so_reuseport", 0),
]


@dataclass(frozen=True, slots=True)
class Serving:
    """A servicer and what is needed to serve it: its file's descriptor and the generated `add_…_to_server`."""

    descriptor: FileDescriptor
    add_to_server: Callable[[Any, aio.Server], None]
    servicer: object
    untraced: Sequence[str] = ()
    """Names of methods whose span and log line would cost more than the call; only their failures are logged."""

    @property
    def names(self) -> list[str]:
        return [service.full_name for service in self.descriptor.services_by_name.values()]


@asynccontextmanager
async def rpc_server(
    listen: str,
    runtime: Runtime,
    serving: Serving,
    *,
    checks: Mapping[str, Check],
    away: Callable[[Exception], bool] = lambda _: False,
) -> AsyncIterator[Endpoint]:
    """Serve on *listen* (`host:port`, `unix:/path`; port 0 picks one) until the caller leaves the context.

    grpc.health.v1 tells SERVING while every check passes. On leaving, calls under way get a few seconds to end. Errors
    of which *away* says that a resource of ours is away become UNAVAILABLE: the caller may try again.
    """
    left_out = any_of(service_prefix("grpc."), *(method_name(name) for name in serving.untraced))
    tracing = aio_server_interceptor(tracer_provider=runtime.tracer_provider, filter_=negate(left_out))
    interceptors = [tracing, ServerInterceptor(runtime, quiet=serving.untraced, away=away)]
    server = aio.server(interceptors=interceptors, options=_OPTIONS)
    serving.add_to_server(serving.servicer, server)
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    reflection.enable_server_reflection([*serving.names, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
    address = _bind(server, listen)
    await server.start()
    try:
        async with background(_watch(servicer, serving.names, checks, runtime)):
            yield Endpoint(address=address, checks=checks, drain=servicer.enter_graceful_shutdown)
    finally:
        await servicer.enter_graceful_shutdown()
        await server.stop(_GRACE_SECONDS)


def _bind(server: aio.Server, listen: str) -> str:
    if listen.startswith("unix:"):
        # A socket file left by a killed process would keep the new one from binding.
        Path(listen.removeprefix("unix:")).unlink(missing_ok=True)
        server.add_insecure_port(listen)
        return listen
    port = server.add_insecure_port(listen)
    return f"{listen.rpartition(':')[0]}:{port}"


async def _watch(
    servicer: health.aio.HealthServicer, names: list[str], checks: Mapping[str, Check], runtime: Runtime
) -> None:
    before: str | None = None
    while True:
        wrong = await failing(checks)
        state = "NOT_SERVING" if wrong else "SERVING"
        if state != before:
            runtime.log.info(HEALTH_CHANGED, state=state, failing=list(wrong))
            before = state
        for name in ["", *names]:
            await servicer.set(name, health_pb2.HealthCheckResponse.ServingStatus.Value(state))
        await asyncio.sleep(_CHECK_EVERY_SECONDS)

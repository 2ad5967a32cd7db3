"""The things each service gets of its own; no process globals, so that several services can share a process."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from vod_runtime.clock import Clock

Check = Callable[[], Awaitable[None]]
"""Return when a resource is usable; raise when it is not."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What one service lives on."""

    service: str
    log: FilteringBoundLogger
    tracer_provider: TracerProvider
    metrics: CollectorRegistry
    clock: Clock


async def _nothing_to_drain() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service that runs: where it answers, what its health depends on, and how to make it stop taking new work."""

    address: str
    checks: Mapping[str, Check] = field(default_factory=dict)
    """Own resources only; never neighbours, or one outage becomes all."""
    drain: Callable[[], Awaitable[None]] = _nothing_to_drain

"""The things each service gets of its own; no process globals, so that several services can share a process."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from opentelemetry.sdk.trace import TracerProvider
from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from vod_runtime.clock import Clock

Check = Callable[[], Awaitable[None]]
"""Return when a resource is usable; raise when it is not."""
_CHECK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Runtime:
    """What one service lives on."""

    service: str
    log: FilteringBoundLogger
    tracer_provider: TracerProvider
    metrics: CollectorRegistry
    clock: Clock


async def failing(checks: Mapping[str, Check]) -> dict[str, str]:
    """Return the resources that can't be used, and why."""
    found = {}
    for name, check in checks.items():
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                await check()
        except Exception as error:  # noqa: BLE001  whatever a check raises is the answer
            found[name] = type(error).__name__
    return found


async def _nothing_to_drain() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service that runs: where it answers, what its health depends on, and how to make it stop taking new work."""

    address: str
    checks: Mapping[str, Check] = field(default_factory=dict)
    """Own resources only; never neighbours, or one outage becomes all."""
    drain: Callable[[], Awaitable[None]] = _nothing_to_drain

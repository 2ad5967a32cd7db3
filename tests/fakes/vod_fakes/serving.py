"""Runs ASGI apps on loopback ports, inside the caller's event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from vod_fakes.control import Control, Unreliable
from vod_runtime import stop_accepting

LOOPBACK = "127.0.0.1"
_GRACE_SECONDS = 1


class _QuietServer(uvicorn.Server):
    """A uvicorn server that leaves signals to its host, and sleeps until it is closed instead of ticking."""

    def __init__(self, config: uvicorn.Config, closing: asyncio.Event) -> None:
        super().__init__(config)
        self._closing = closing

    async def main_loop(self) -> None:
        await self._closing.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await stop_accepting(*(sockets or ()))
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def bind(port: int = 0) -> socket.socket:
    """Listen on a loopback port, on a free one if 0. OSError if it is taken."""
    listening = socket.create_server((LOOPBACK, port), backlog=256)
    # asyncio does not set it on sockets accepted from one like this; bodies would wait 40 ms for their heads' receipt.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


@dataclass(frozen=True, slots=True)
class Site:
    """An app, who may spoil it, and the open socket it is served on."""

    app: ASGIApp
    control: Control
    listening: socket.socket

    @property
    def url(self) -> str:
        """The base URL without a slash at its end."""
        return f"http://{LOOPBACK}:{self.listening.getsockname()[1]}"


@asynccontextmanager
async def http_servers(sites: Sequence[Site]) -> AsyncIterator[None]:
    """Serve all sites until the block ends, and close their sockets.

    An error of the body leaves as itself, not wrapped in an exception group.
    """
    failure: Exception | None = None
    async with asyncio.TaskGroup() as tasks:
        for site in sites:
            tasks.create_task(_serve(site))
        try:
            yield
        except Exception as error:  # noqa: BLE001 - raised again below, outside of the group
            failure = error
        finally:
            for site in sites:
                site.control.closing.set()
    if failure is not None:
        raise failure


def _server(site: Site) -> _QuietServer:
    config = uvicorn.Config(
        Unreliable(site.app, site.control),
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return _QuietServer(config, site.control.closing)


async def _serve(site: Site) -> None:
    with site.listening:
        await _server(site).serve(sockets=[site.listening])

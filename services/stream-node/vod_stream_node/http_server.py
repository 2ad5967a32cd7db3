"""The node's HTTP listener."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

_GRACE_SECONDS = 2
_BACKLOG = 1024


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: signals belong to the host, which may run other services beside this one."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def http_server(listen: str, app: ASGIApp) -> AsyncIterator[str]:
    """Serve on *listen* (`host:port` or `unix:/path`; port 0 picks one); yield the bound address.

    On leaving, answers under way get two seconds to end.
    """
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        # An answer that ends early is an error to uvicorn and ordinary to us; what is not, the app logs itself.
        log_level="critical",
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    with _bound(listen) as (bound, address):
        server = _Server(config)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve(sockets=[bound]))
            try:
                yield address
            finally:
                server.should_exit = True


@contextmanager
def _bound(listen: str) -> Iterator[tuple[socket.socket, str]]:
    """Bind and listen at once, so that a client may connect as soon as the address is known."""
    if listen.startswith("unix:"):
        path = Path(listen.removeprefix("unix:"))
        path.unlink(missing_ok=True)  # left by a process that was killed
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as bound:
            bound.bind(str(path))
            bound.listen(_BACKLOG)
            yield bound, listen
        return
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host.strip("[]"), int(port)), family=family, backlog=_BACKLOG) as bound:
        yield bound, f"{host}:{bound.getsockname()[1]}"

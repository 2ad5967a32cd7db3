"""The node's HTTP listener: uvicorn, and what it lacks for files: sendfile, and a limit on a request's head."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from vod_runtime import stop_accepting
from vod_stream_node.kernel_sending import limit_queue, pace_nothing_at_home, send_file

SENDFILE = "vod.sendfile"
"""The extension in an ASGI scope: `await send(file, offset, count)`, once the head is sent, for a part of the body."""

_GRACE_SECONDS = 2
_BACKLOG = 4096
_HEAD_SECONDS = 10.0
_HEAD_BYTES = 32 << 10
_KEEP_ALIVE_SECONDS = 30
_LATE = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class StreamProtocol(HttpToolsProtocol):
    """Let the kernel send files, and close connections that owe us a request's head for too long or grow it too far.

    A connection that says nothing gets as long as a slow head; between requests the keep-alive's time counts.
    """

    def __init__(self, *args: Any, head_seconds: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_seconds = head_seconds
        self._head_bytes = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # What the kernel does not take is waited for, so that a file may follow.
        transport.set_write_buffer_limits(high=0)
        pace_nothing_at_home(transport.get_extra_info("socket"))
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head_bytes += len(data)
        super().data_received(data)
        if self._timer is not None and self._head_bytes > _HEAD_BYTES:
            self._refuse(_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {SENDFILE: {"send": self.send_file}}
        self._expect_head()

    def on_headers_complete(self) -> None:
        self._stop_timer()
        self._head_bytes = 0
        super().on_headers_complete()

    async def send_file(self, file: FileIO, offset: int, count: int) -> None:
        """Send a part of a file as a part of the body; returns when the kernel has taken it.

        Raises:
            ConnectionError: the client is gone.
            OSError: the file is shorter than it was.
        """
        cycle = self.cycle
        if count > cycle.expected_content_length:
            raise RuntimeError("more than the content's length")
        await self.flow.drain()  # what was written before goes first
        if self.transport.is_closing():
            raise ConnectionResetError("the client is gone")
        await send_file(self.transport.get_extra_info("socket").fileno(), file, offset, count)
        cycle.expected_content_length -= count

    def _expect_head(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self._head_seconds, self._refuse, _LATE)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, answer: bytes) -> None:
        self._stop_timer()
        # While another answer is under way, this one would stand in the midst of it.
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.write(answer)
        self.transport.close()


class _Server(uvicorn.Server):
    """uvicorn without signal handlers: signals belong to the host, which may run other services beside this one."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await stop_accepting(*(sockets or ()))
        await super().shutdown(sockets)


@asynccontextmanager
async def http_server(listen: str, app: ASGIApp, *, head_seconds: float = _HEAD_SECONDS) -> AsyncIterator[str]:
    """Serve on *listen* (`host:port` or `unix:/path`; port 0 picks one); yield the bound address.

    On leaving, answers under way get two seconds to end.
    """
    config = uvicorn.Config(
        app,
        http=partial(StreamProtocol, head_seconds=head_seconds),  # type: ignore[arg-type]  # uvicorn only calls it
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        # An answer that ends early is an error to uvicorn and ordinary to us; what is not, the app logs itself.
        log_level="critical",
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        backlog=_BACKLOG,
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
        # asyncio sets it only on sockets that know their protocol, which accepted ones of these do not. Without it the
        # end of each answer waits for an acknowledgement: 40 ms.
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        limit_queue(bound)
        yield bound, f"{host}:{bound.getsockname()[1]}"

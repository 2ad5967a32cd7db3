"""Serving HTTP: uvicorn, with what it lacks: a limit on how long and how large a request's head may be."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from datetime import timedelta
from enum import Enum
from functools import partial
from http import HTTPStatus
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from vod_runtime import stop_accepting

_MAX_HEAD_BYTES = 32 * 1024
_MAX_DISCARDED_BYTES = 16 * 1024 * 1024
_GRACE_SECONDS = 10
_KEEP_ALIVE_SECONDS = 75


class _Part(Enum):
    """Which part of a request is not complete."""

    NONE = 0
    HEAD = 1
    BODY = 2


class GuardedProtocol(HttpToolsProtocol):
    """Close connections that do not finish a request's head in time (slowloris) or within 32 KiB.

    uvicorn bounds only the pause between requests, and its parser has no limit of size. The timer runs whenever the
    client owes us something: from the connection, or from the first byte after an answer, to the end of the head.
    A body that was answered without being read (413) is thrown away for a while before the connection is closed:
    closing at once would reset it, and the client would never see the answer.
    """

    def __init__(self, *args: Any, head_within: timedelta, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_within = head_within
        self._timer: asyncio.TimerHandle | None = None
        self._part = _Part.NONE
        self._advanced = False
        self._unfinished_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_timer()

    def data_received(self, data: bytes) -> None:
        self._advanced = False
        super().data_received(data)
        self._unfinished_bytes = 0 if self._advanced else self._unfinished_bytes + len(data)
        if self._is_answering():
            self._stop_timer()
        else:
            self._start_timer()
        if self._unfinished_bytes > (_MAX_DISCARDED_BYTES if self._part is _Part.BODY else _MAX_HEAD_BYTES):
            self._give_up(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The head of the request is too large.")

    def on_message_begin(self) -> None:
        self._part = _Part.HEAD
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._part, self._advanced = _Part.BODY, True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._part, self._advanced = _Part.NONE, True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._part is not _Part.NONE and not self._is_answering():
            self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _start_timer(self) -> None:
        if self._timer is None:
            late = partial(self._give_up, HTTPStatus.REQUEST_TIMEOUT, "The head of the request did not arrive in time.")
            self._timer = self.loop.call_later(self._head_within.total_seconds(), late)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self, status: HTTPStatus, detail: str) -> None:
        if self._part is _Part.HEAD and not self._is_answering():
            self._refuse(status, detail)
        else:
            self._stop_timer()
            self.transport.close()  # an answer is out or under way, or nothing was asked

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer without the application, which never saw a request, and close."""
        self._stop_timer()
        if self.transport.is_closing():
            return
        reason = status.phrase.upper().replace(" ", "_")
        body = json.dumps(
            {
                "type": f"/problems/gateway/{reason.lower().replace('_', '-')}",
                "title": status.phrase,
                "status": status.value,
                "detail": detail,
                "reason": reason,
                "domain": "gateway.vod",
                "metadata": {},
            }
        ).encode()
        head = [
            f"HTTP/1.1 {status.value} {status.phrase}",
            "content-type: application/problem+json",
            f"content-length: {len(body)}",
            "x-content-type-options: nosniff",
            "connection: close",
        ]
        self.transport.write("\r\n".join([*head, "", ""]).encode() + body)
        self.transport.close()


class _Server(uvicorn.Server):
    """A uvicorn that leaves signals to the host of the process, and wakes once a second instead of ten times."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._stop = asyncio.Event()

    def stop(self) -> None:
        self.should_exit = True
        self._stop.set()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await stop_accepting(*(sockets or ()))
        await super().shutdown(sockets)

    async def main_loop(self) -> None:
        while not await self.on_tick(0):  # it renews the Date header
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), 1)


@asynccontextmanager
async def http_server(
    app: ASGIApp, *, listen: str, head_within: timedelta = timedelta(seconds=10)
) -> AsyncIterator[str]:
    """Serve *app* on `host:port` (port 0 picks one) until the caller leaves; yield the bound `host:port`.

    On leaving, requests under way get ten seconds to end.

    Raises:
        OSError: the address can't be bound.
    """
    listening = _listen(listen)
    config = uvicorn.Config(
        app,
        http=partial(GuardedProtocol, head_within=head_within),  # type: ignore[arg-type] # uvicorn only calls it
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        # uvicorn would believe any forwarding header that comes from loopback.
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = _Server(config)
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(server.serve(sockets=[listening]))
        try:
            # Connections are queued by the kernel from here on, so the port is ready before uvicorn's first tick.
            yield _authority(listening)
        finally:
            server.stop()
            await asyncio.wait([serving])


def _listen(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, int(port)), family=family, backlog=512)
    # asyncio sets it only on sockets that know their protocol, which accepted ones of these do not. Without it a body
    # waits for the acknowledgement of its head: 40 ms for each answer.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _authority(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

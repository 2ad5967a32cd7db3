"""Makes a fake misbehave on command, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_REMEMBERED = 2000


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that arrived. `query` holds the first value of each parameter, header names are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Delay:
    """Answers rightly, but late."""

    by: timedelta


@dataclass(frozen=True, slots=True)
class Reply:
    """Answers with something else than the fake would."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CutBody:
    """Promises the whole body and closes the connection after its first `after` bytes."""

    after: int = 20


@dataclass(frozen=True, slots=True)
class Hang:
    """Takes the request and says nothing until the client goes away or the fake stops."""


Fault = Delay | Reply | CutBody | Hang


def too_many_requests(*, retry_after: str | None = None) -> Reply:
    """Answer 429, with `Retry-After` (seconds or an HTTP date) where given."""
    headers = {"content-type": "application/json"}
    if retry_after is not None:
        headers["retry-after"] = retry_after
    return Reply(429, b'{"status":429,"type":"RateLimitException","message":"Too many requests."}', headers)


def html_error(status: int = 503) -> Reply:
    """Answer the way a proxy in front of a broken server does: a 5xx with a page of HTML."""
    page = f"<!doctype html><title>{status}</title><h1>The server is temporarily unable to service your request</h1>"
    return Reply(status, page.encode(), {"content-type": "text/html"})


def json_reply(body: object, *, status: int = 200) -> Reply:
    """Answer with this JSON, e.g. an error object under status 200."""
    return Reply(status, json.dumps(body).encode(), {"content-type": "application/json"})


@dataclass(slots=True)
class _Rule:
    fault: Fault
    path: str
    query: Mapping[str, str]
    left: int | None

    def catches(self, seen: Seen) -> bool:
        wanted = self.query.items()
        return self.left != 0 and seen.path.startswith(self.path) and all(seen.query.get(k) == v for k, v in wanted)


class Control:
    """The strings a test pulls on one fake."""

    def __init__(self) -> None:
        self.seen: deque[Seen] = deque(maxlen=_REMEMBERED)
        self.closing = asyncio.Event()
        self._rules: list[_Rule] = []

    def misbehave(
        self, fault: Fault, *, times: int | None = None, path: str = "", query: Mapping[str, str] | None = None
    ) -> None:
        """Answer the next `times` requests (all of them if None) whose path starts so with this fault.

        `query` narrows it to requests with these parameters. The newest rule that catches a request wins.
        """
        self._rules.insert(0, _Rule(fault, path, query or {}, times))

    def behave(self) -> None:
        """Forget every fault."""
        self._rules.clear()

    def count(self, path: str = "", **query: str) -> int:
        """How many requests arrived whose path starts so and that carry these parameters."""
        return len(self.asked(path, **query))

    def asked(self, path: str = "", **query: str) -> list[Seen]:
        """The requests that arrived whose path starts so and that carry these parameters, oldest first."""
        return [
            seen
            for seen in self.seen
            if seen.path.startswith(path) and all(seen.query.get(k) == v for k, v in query.items())
        ]

    def notice(self, seen: Seen) -> Fault | None:
        """Remember a request and say what is to go wrong with it."""
        self.seen.append(seen)
        for rule in self._rules:
            if rule.catches(seen):
                rule.left = None if rule.left is None else rule.left - 1
                return rule.fault
        return None


class Unreliable:
    """An ASGI app that answers like `app`, except where `control` says otherwise."""

    def __init__(self, app: ASGIApp, control: Control) -> None:
        self._app = app
        self._control = control

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other scopes go straight through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        match self._control.notice(_seen(scope, body)):
            case None:
                await self._app(scope, _replay(body, receive), send)
            case Delay(by):
                await _sleep_unless(self._control.closing, by)
                await self._app(scope, _replay(body, receive), send)
            case Reply(status, reply, headers):
                await _send(send, status, reply, headers)
            case CutBody(after):
                await self._app(scope, _replay(body, receive), _Cut(send, after))
            case Hang():
                await self._hang(receive)

    async def _hang(self, receive: Receive) -> None:
        gone = asyncio.ensure_future(_disconnected(receive))
        stopping = asyncio.ensure_future(self._control.closing.wait())
        try:
            await asyncio.wait({gone, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            stopping.cancel()


class _Cut:
    """An ASGI `send` that lets the headers (with the full Content-Length) and a few bytes pass."""

    def __init__(self, send: Send, after: int) -> None:
        self._send = send
        self._left = after

    async def __call__(self, message: Message) -> None:
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        part = message.get("body", b"")[: self._left]
        self._left -= len(part)
        if part:
            # uvicorn closes the connection when the app returns before it said that the body is complete
            await self._send({"type": "http.response.body", "body": part, "more_body": True})


def _seen(scope: Scope, body: bytes) -> Seen:
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return Seen(
        method=scope["method"],
        path=scope["path"],
        query={name: values[0] for name, values in query.items()},
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return b"".join(parts)


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _sleep_unless(stopped: asyncio.Event, wait: timedelta) -> None:
    try:
        async with asyncio.timeout(wait.total_seconds()):
            await stopped.wait()
    except TimeoutError:
        pass


async def _send(send: Send, status: int, body: bytes, headers: Mapping[str, str]) -> None:
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})

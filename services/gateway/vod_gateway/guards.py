"""What a request has to get past before a route sees it: pure ASGI, one class per guard."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vod_gateway.errors import (
    BodyTooLarge,
    BodyTooSlow,
    HostNotAllowed,
    InvalidRequest,
    OriginNotAllowed,
    UnsupportedMediaType,
)
from vod_rpc import deadline

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_MAX_BODY_BYTES = 64 * 1024

_SECURITY_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "no-store",
}
"""What an answer says unless its route says otherwise. The resource policy is `cross-origin` because a <video> of a
user interface on another origin follows our redirect; answers with data are protected by CORS."""


class HeadAsGet:
    """Answer HEAD like GET; the server leaves the body out (RFC 9110 section 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, "method": "GET"} if scope["method"] == "HEAD" else scope, receive, send)


class SecurityHeaders:
    """Give every answer the headers that keep browsers from being clever."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)


class HostGuard:
    """Serve only the host names that are ours (421 otherwise), so that a rebound DNS name reaches nothing."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = Headers(scope=scope).getlist("host")
        if len(given) != 1:
            raise InvalidRequest("A request has exactly one Host header.")
        if not self._is_ours(given[0]):
            raise HostNotAllowed(
                "This gateway does not answer for that host name; VOD_PUBLIC_BASE and VOD_ALLOWED_HOSTS add names."
            )
        await self._app(scope, receive, send)

    def _is_ours(self, authority: str) -> bool:
        try:
            parts = urlsplit(f"//{authority}")
            name, _ = parts.hostname, parts.port
        except ValueError:
            return False
        if not name or parts.netloc != authority or "@" in authority:
            return False
        return name == "localhost" or name in self._hosts or _is_loopback(name)


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


class Origins:
    """Which web pages may talk to the gateway: its own, and those of the configured user interfaces."""

    def __init__(self, *, configured: Collection[str], public_base: str) -> None:
        parts = urlsplit(public_base)
        own = {f"{parts.scheme}://{parts.netloc}"} if parts.netloc else set()
        self._allowed = frozenset(configured) | own

    def allows(self, origin: str, scope: Scope) -> bool:
        return origin in self._allowed or origin == f"{scope['scheme']}://{Headers(scope=scope).get('host')}"


class CorsHeaders:
    """Let the pages of allowed origins read answers; stands outside of everything that can answer."""

    def __init__(self, app: ASGIApp, *, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                if origin is not None and self._origins.allows(origin, scope):
                    headers["Access-Control-Allow-Origin"] = origin
                    headers["Access-Control-Allow-Credentials"] = "true"
                    headers["Access-Control-Expose-Headers"] = "ETag, Retry-After"
            await send(message)

        await self._app(scope, receive, with_headers)


class CrossSiteGuard:
    """Answer preflights, and refuse changes that a page of another site asks for.

    Browsers send `Origin` with every POST, and `Sec-Fetch-Site` where they know it; programs send neither and may do
    what they like: they hold no one else's cookie.
    """

    def __init__(self, app: ASGIApp, *, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        is_preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        if is_preflight or scope["method"] not in _SAFE_METHODS:
            self._check(headers, scope)
        if is_preflight:
            await _preflight_answer()(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _check(self, headers: Headers, scope: Scope) -> None:
        origin = headers.get("origin")
        is_foreign = (
            headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}
            if origin is None
            else not self._origins.allows(origin, scope)
        )
        if is_foreign:
            raise OriginNotAllowed(
                "Web pages of that origin may not use this gateway; CORS_ORIGINS lists those that may."
            )


def _preflight_answer() -> Response:
    return Response(
        status_code=204,
        headers={
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key",
            "Access-Control-Max-Age": "600",
        },
    )


class BodyGuard:
    """Read the body before the route does: JSON only, 64 KiB at most, and not for ever.

    *larger* says how many bytes a request may have that is special; 0: as any other.
    """

    def __init__(self, app: ASGIApp, *, within: timedelta, larger: Callable[[Scope], int]) -> None:
        self._app = app
        self._within = within
        self._larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in _SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        has_body = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        if has_body and headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise UnsupportedMediaType("Send the body as application/json.")
        limit = max(_MAX_BODY_BYTES, self._larger(scope))
        too_large = BodyTooLarge(f"A body may have {limit} bytes.", metadata={"max_bytes": str(limit)})
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > limit:
            raise too_large
        body = await self._read(receive, limit, too_large)
        if body is not None:
            await self._app(scope, _replay(body, receive), send)

    async def _read(self, receive: Receive, limit: int, too_large: BodyTooLarge) -> bytes | None:
        body = bytearray()
        try:
            async with asyncio.timeout(self._within.total_seconds()):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    body += message.get("body", b"")
                    if len(body) > limit:
                        raise too_large
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError as error:
            raise BodyTooSlow("The body did not arrive in time.") from error


def _replay(body: bytes, receive: Receive) -> Receive:
    unread = [body]

    async def replay() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await receive()

    return replay


class EdgeDeadline:
    """Give all RPCs of a request one deadline; each hop passes on what is left of it."""

    def __init__(self, app: ASGIApp, *, default: timedelta, by_path: Mapping[str, timedelta]) -> None:
        self._app = app
        self._default = default
        self._by_path = by_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with deadline(self._by_path.get(scope["path"], self._default)):
            await self._app(scope, receive, send)

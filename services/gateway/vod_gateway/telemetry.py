"""What one request leaves behind: a span, two measurements and one log line. Thin: it runs for every heartbeat."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, format_trace_id
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vod_runtime import Runtime

HTTP_REQUEST = "http_request"
_NO_SPAN = frozenset({"/v1/session/heartbeat", "/v1/healthz", "/v1/readyz", "/v1/version"})
_QUIET = frozenset({"/v1/healthz", "/v1/readyz", "/v1/session/heartbeat"})
"""Their log lines would be most of the log: only what fails is worth one."""
_METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
_UNMATCHED = "unmatched"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)


class Telemetry:
    """Watch each request from the outside; labels and names come from closed sets, never from the client."""

    def __init__(self, app: ASGIApp, *, runtime: Runtime) -> None:
        self._app = app
        self._runtime = runtime
        self._tracer = runtime.tracer_provider.get_tracer("vod_gateway")
        self._requests = Counter(
            "vod_http_requests", "HTTP requests answered", ["route", "method", "status"], registry=runtime.metrics
        )
        self._seconds = Histogram(
            "vod_http_request_seconds",
            "Time until the answer was sent",
            ["route", "method"],
            registry=runtime.metrics,
            buckets=_BUCKETS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = self._runtime.clock.monotonic()
        # A client that leaves before its answer is counted as nginx does.
        status = 499

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        # The server's dictionary may be shared by requests; this one belongs to the request.
        scope["state"] = {**scope.get("state", {})}
        with _span(self._tracer, scope) as span:
            try:
                await self._app(scope, receive, watch)
            finally:
                _finish(span, scope, status)
                self._count(scope, status, self._runtime.clock.monotonic() - started)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route, method, state = _route(scope), _method(scope), scope["state"]
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route, method).observe(seconds)
        log = self._runtime.log.debug if route in _QUIET and status < 400 else self._runtime.log.info
        noted = {key: state[key] for key in ("session_id", "reason") if key in state}
        log(
            HTTP_REQUEST,
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            trace_id=state["trace_id"],
            **noted,
        )


def _route(scope: Scope) -> str:
    route = scope.get("route")
    return str(route.path) if route is not None else _UNMATCHED


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "OTHER"


@contextmanager
def _span(tracer: Tracer, scope: Scope) -> Iterator[Span | None]:
    """Open a root span, except where a request costs less than its span; all get a trace id for people to quote."""
    if scope["path"] in _NO_SPAN:
        scope["state"]["trace_id"] = secrets.token_hex(16)
        yield None
        return
    # An empty context: what a stranger sends as `traceparent` does not steer our traces.
    with tracer.start_as_current_span(
        _method(scope), context=Context(), kind=SpanKind.SERVER, record_exception=False, set_status_on_exception=False
    ) as span:
        scope["state"]["trace_id"] = format_trace_id(span.get_span_context().trace_id)
        yield span


def _finish(span: Span | None, scope: Scope, status: int) -> None:
    if span is None:
        return
    span.update_name(f"{_method(scope)} {_route(scope)}")
    span.set_attribute("http.request.method", _method(scope))
    span.set_attribute("http.route", _route(scope))
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(StatusCode.ERROR)

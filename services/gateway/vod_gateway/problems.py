"""How every error leaves the gateway: as problem+json (RFC 9457)."""

import json
import math
from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vod_gateway.dto_direct import VARIANT
from vod_gateway.errors import InvalidJson, InvalidRequest, MethodNotAllowed, RouteNotFound
from vod_rpc import Failure, Internal, problem
from vod_runtime import Runtime

PROBLEM_JSON = "application/problem+json"
REQUEST_CRASHED = "request_crashed"
_STRUCTURED = ("errors", "reasons", "refused", "unavailable")
"""Keys whose metadata is a JSON text (ErrorInfo can carry only strings); it becomes a member of its own."""
_RETRY_AFTER_SECONDS = 2
"""What a 503 without any hint tells the client: a restarted service is back by then."""


def problem_object(failure: Failure, *, instance: str, trace_id: str) -> tuple[int, dict[str, Any]]:
    """Return the status and the problem of a failure, with structured metadata as members of their own."""
    status, body = problem(failure, instance=instance)
    for key in _STRUCTURED:
        value = _json(body["metadata"].get(key))
        if value is not None:
            body[key] = value
            del body["metadata"][key]
    return status, {**body, "traceId": trace_id}


def _json(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except ValueError:
        return None


def problem_response(scope: Scope, failure: Failure, *, headers: Mapping[str, str] | None = None) -> Response:
    """Return the response that tells a failure, and note its reason for the log line."""
    state = scope.setdefault("state", {})
    state["reason"] = failure.reason
    status, body = problem_object(failure, instance=scope["path"], trace_id=state.get("trace_id", ""))
    extra = dict(headers or {})
    if failure.retry_after is not None:
        extra["Retry-After"] = str(max(1, math.ceil(failure.retry_after.total_seconds())))
    elif status == 503:
        extra["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    if status == 401:
        extra["WWW-Authenticate"] = 'Bearer realm="admin"'
    if status == 408:
        # The rest of the body may come at any time, and nobody will read it.
        extra["Connection"] = "close"
    return JSONResponse(body, status, extra, media_type=PROBLEM_JSON)


class Problems:
    """Answer for whatever the guards refuse and for whatever crashes further in."""

    def __init__(self, app: ASGIApp, *, runtime: Runtime) -> None:
        self._app = app
        self._runtime = runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Failure as failure:
            await problem_response(scope, failure)(scope, receive, send)
        except Exception:
            # The text of an unexpected exception may hold anything; the viewer gets the trace id, the log the rest.
            self._runtime.log.exception(REQUEST_CRASHED, trace_id=scope["state"].get("trace_id"))
            if started:
                raise
            await problem_response(scope, Internal("internal error"))(scope, receive, send)


async def on_failure(request: Request, failure: Exception) -> Response:
    """Tell a failure of a route or of a service."""
    assert isinstance(failure, Failure)  # noqa: S101  registered for nothing else
    return problem_response(request.scope, failure)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Tell what the router found: no such path, no such method, a body that can't be read."""
    assert isinstance(error, HTTPException)  # noqa: S101  registered for nothing else
    match error.status_code:
        case 404:
            failure: Failure = RouteNotFound("There is nothing at this path; GET / lists what there is.")
        case 405:
            allowed = _allowed(request, (error.headers or {}).get("Allow", ""))
            failure = MethodNotAllowed(f"This path takes only {allowed}.", metadata={"allow": allowed})
            return problem_response(request.scope, failure, headers={"Allow": allowed})
        case _:
            failure = InvalidJson("The body is not JSON in UTF-8.")
    return problem_response(request.scope, failure, headers=error.headers)


def _allowed(request: Request, first: str) -> str:
    """Return all methods of a path: each has a route of its own, and the router tells those of the first it meets."""
    there = {one.strip() for one in first.split(",")}
    routers = (getattr(one, "original_router", None) for one in request.app.routes)
    for route in (one for router in routers if router for one in router.routes):
        if route.matches(request.scope)[0] is not Match.NONE:
            there |= getattr(route, "methods", None) or set()
    return ", ".join(sorted(filter(None, there)))


async def on_invalid(request: Request, error: Exception) -> Response:
    """Tell where a request does not have the shape that the API asks for."""
    assert isinstance(error, RequestValidationError)  # noqa: S101  registered for nothing else
    found = error.errors()
    if found and found[0]["type"] == "json_invalid":
        return problem_response(request.scope, _broken_json(found[0], str(error.body or "")))
    places = [_place(one["loc"]) | {"detail": _detail(one)} for one in found]
    where = ", ".join(str(place.get("pointer") or place.get("name")) for place in places)
    failure = InvalidRequest(f"The request is not valid: {where}", metadata={"errors": json.dumps(places)})
    return problem_response(request.scope, failure)


def _broken_json(error: Mapping[str, Any], text: str) -> InvalidJson:
    position = int(error["loc"][1])
    line, column = text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)
    cause = error["ctx"]["error"]
    return InvalidJson(
        f"The body is not JSON: {cause} at line {line}, column {column}.",
        metadata={"line": str(line), "column": str(column)},
    )


def _place(location: tuple[str | int, ...]) -> dict[str, str]:
    """Name the place of an error: a JSON Pointer (RFC 6901) into the body, or a parameter."""
    where, *path = location
    path = [part for part in path if not str(part).startswith(VARIANT)]
    if where == "body":
        escaped = [str(part).replace("~", "~0").replace("/", "~1") for part in path]
        return {"in": "body", "pointer": "".join(["#", *(f"/{part}" for part in escaped)])}
    return {"in": str(where), "name": ".".join(str(part) for part in path)}


def _detail(error: Mapping[str, Any]) -> str:
    # Pydantic's text names the rule; the refused value is not repeated, it may be anything.
    return "this field is not known" if error["type"] == "extra_forbidden" else str(error["msg"])

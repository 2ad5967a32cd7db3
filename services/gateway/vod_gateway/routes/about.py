"""The gateway itself: its health, its version, its description, and a page for people who just found it."""

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse

from vod_gateway import dto_library, openapi
from vod_gateway.depends import GatewayDep, ReadinessDep
from vod_gateway.errors import Draining
from vod_gateway.openapi import problems

router = APIRouter(tags=["gateway"])


@router.get("/v1/healthz", summary="Whether the process lives", responses=problems())
async def healthz() -> dto_library.HealthAnswer:
    """Answer as long as the process can."""
    return dto_library.HealthAnswer()


@router.get("/v1/readyz", summary="Whether new work is taken", responses=problems(openapi.DRAINING))
async def readyz(readiness: ReadinessDep) -> dto_library.ReadyAnswer:
    """Tell the gateway's own readiness; never that of the services, or one outage would become all."""
    if readiness.draining:
        raise Draining("The gateway is stopping.")
    return dto_library.ReadyAnswer()


@router.get("/v1/version", summary="What runs here", responses=problems())
async def version(gateway: GatewayDep) -> dto_library.VersionAnswer:
    """Return the versions of the program and of the API."""
    return dto_library.VersionAnswer(name="NovaStream", version=gateway.version)


@router.get("/openapi.json", include_in_schema=False)
@router.get("/v1/openapi.json", include_in_schema=False)
async def description(request: Request) -> JSONResponse:
    """Return this API's description (OpenAPI 3.1)."""
    return JSONResponse(openapi.describe(request.app))


@router.get("/", include_in_schema=False)
async def index(request: Request) -> HTMLResponse:
    """Return a page that says what this is and what can be asked."""
    schema = openapi.describe(request.app)
    operations = (
        (method, path, operation) for path, methods in schema["paths"].items() for method, operation in methods.items()
    )
    rows = "\n".join(_row(*one) for one in operations)
    return HTMLResponse(_PAGE.format(version=escape(schema["info"]["version"]), rows=rows))


def _row(method: str, path: str, operation: dict[str, Any]) -> str:
    needs_nothing = method == "get" and not any(one.get("required") for one in operation.get("parameters", []))
    name = f'<a href="{escape(path)}">{escape(path)}</a>' if needs_nothing else escape(path)
    return f"<tr><td>{method.upper()}<td><code>{name}</code><td>{escape(operation['summary'])}"


_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>NovaStream</title>
<h1>NovaStream {version}</h1>
<p>Pick an episode, get an address that any player can open.
The whole description, with examples: <a href="/openapi.json">openapi.json</a>.
<table>
{rows}
</table>
"""

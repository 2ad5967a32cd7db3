"""The operator's HTTP endpoint of a process: /livez, /readyz and /metrics, on its own listener."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest

from vod_runtime.listening import stop_accepting
from vod_runtime.runtime import Endpoint, failing

_REQUEST_SECONDS = 5.0


@dataclass(slots=True)
class Hosted:
    """One hosted service: its endpoint is absent until it runs."""

    metrics: CollectorRegistry
    endpoint: Endpoint | None = None
    draining: bool = False


async def health(hosted: Mapping[str, Hosted]) -> dict[str, dict[str, str]]:
    """Return, per service, `{"state": "ready" | "starting" | "draining" | "failing", <resource>: "ok" | why not}`."""
    return {name: await _service_health(one) for name, one in hosted.items()}


async def _service_health(one: Hosted) -> dict[str, str]:
    if one.endpoint is None:
        return {"state": "starting"}
    wrong = await failing(one.endpoint.checks)
    state = "draining" if one.draining else "failing" if wrong else "ready"
    return {"state": state, "address": one.endpoint.address, **dict.fromkeys(one.endpoint.checks, "ok"), **wrong}


@asynccontextmanager
async def ops_server(listen: str, hosted: Mapping[str, Hosted]) -> AsyncIterator[str]:
    """Serve the operator's endpoint on `host:port` or `unix:/path`; yield the bound address."""

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode("latin-1")
                writer.write(await _answer(target, hosted))
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, IndexError, OSError):
            pass  # a client that does not finish its request gets no answer
        finally:
            writer.close()

    if listen.startswith("unix:"):
        server = await asyncio.start_unix_server(serve_one, listen.removeprefix("unix:"))
        address = listen
    else:
        host, _, port = listen.rpartition(":")
        server = await asyncio.start_server(serve_one, host, int(port))
        bound = server.sockets[0].getsockname()
        address = f"{bound[0]}:{bound[1]}"
    async with server:
        try:
            yield address
        finally:
            await stop_accepting(*server.sockets)


async def _answer(target: str, hosted: Mapping[str, Hosted]) -> bytes:
    match target:
        case "/livez":
            return _response(200, "text/plain", b"ok\n")
        case "/readyz":
            report = await health(hosted)
            ready = all(one["state"] == "ready" for one in report.values())
            return _response(200 if ready else 503, "application/json", json.dumps(report).encode() + b"\n")
        case "/metrics":
            text = b"".join(generate_latest(one.metrics) for one in hosted.values())
            return _response(200, "text/plain; version=0.0.4", text)
        case _:
            return _response(404, "text/plain", b"/livez /readyz /metrics\n")


def _response(status: int, content_type: str, body: bytes) -> bytes:
    reason = {200: "OK", 404: "Not Found", 503: "Service Unavailable"}[status]
    lines = [f"HTTP/1.1 {status} {reason}", f"content-type: {content_type}", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode() + body

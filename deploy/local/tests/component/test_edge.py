"""The edge: HAProxy with our configuration, in front of servers that say who they are."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from vod_local import edge as edges
from vod_local.cli import main
from vod_local.environment import StreamNode
from vod_local.ports import kept
from vod_local.process import SERVICE_READY_WITHIN, serving
from vod_testing import eventually

HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
needs_haproxy = pytest.mark.skipif(HAPROXY is None and not os.environ.get("CI"), reason="haproxy is not installed")


class Backend:
    """Answers every request with its name; /edgez with what it is told to."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.health = "200 OK"

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status = self.health if head.startswith("GET /edgez") else "200 OK"
        body = f"{self.name} {head.split()[1]}"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()


async def ask(listen: str, path: str) -> str:
    """GET; return the body, or nothing when there is no proper answer."""
    host, _, port = listen.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    finally:
        writer.close()
        await writer.wait_closed()
    return body if head.startswith("HTTP/1.1 200 ") else ""


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[tuple[str, list[Backend], list[asyncio.Server]]]:
    """Run two backends and the edge in front of them."""
    backends = [Backend(f"stream-node-{number}") for number in range(2)]
    async with AsyncExitStack() as stack:
        servers = [
            await stack.enter_async_context(await asyncio.start_server(backend, "127.0.0.1", 0)) for backend in backends
        ]
        nodes = [
            StreamNode(backend.name, rpc="", http=f"127.0.0.1:{server.sockets[0].getsockname()[1]}", data=folder)
            for backend, server in zip(backends, servers, strict=True)
        ]
        [port] = stack.enter_context(kept(1))
        listen = f"127.0.0.1:{port}"
        await stack.enter_async_context(serving(edges.edge(nodes, listen=listen, log=folder / "edge.log")))
        yield listen, backends, servers


@needs_haproxy
async def test_the_edge_follows_the_name_in_the_path_and_goes_elsewhere_when_that_node_is_gone(tmp_path: Path) -> None:
    async with running(tmp_path) as (listen, _, servers):
        named = [await ask(listen, f"/stream/stream-node-{number}/token/a.mkv") for number in (0, 1, 1, 0)]
        servers[1].close()
        await servers[1].wait_closed()

        # At once, before any health check: a connection that is refused goes to another node.
        instead = [await ask(listen, "/stream/stream-node-1/token/a.mkv") for _ in range(3)]

    assert named == [f"stream-node-{number} /stream/stream-node-{number}/token/a.mkv" for number in (0, 1, 1, 0)]
    assert instead == ["stream-node-0 /stream/stream-node-1/token/a.mkv"] * 3


@needs_haproxy
async def test_what_names_no_node_avoids_one_that_drains_and_no_path_is_logged(tmp_path: Path) -> None:
    async with running(tmp_path) as (listen, backends, _):
        backends[0].health = "404 Not Found"

        async def why_not_yet() -> str | None:
            answers = {(await ask(listen, "/stream/unknown/a-token/a.mkv")).partition(" ")[0] for _ in range(6)}
            return None if answers == {"stream-node-1"} else f"{answers} answered"

        await eventually(why_not_yet, within=60)

    assert "a-token" not in (tmp_path / "edge.log").read_text()


@needs_haproxy
def test_the_edge_is_given_up_no_sooner_than_the_nodes_that_it_waits_for(tmp_path: Path) -> None:
    program = edges.edge([], listen="127.0.0.1:1", log=tmp_path / "edge.log")

    assert program.ready_within >= SERVICE_READY_WITHIN


def test_without_haproxy_it_is_said_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)

    code = main(["up", "--data", str(tmp_path / "data"), "--stream-nodes", "2"])

    assert code == 2
    assert "apt-get install haproxy" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()

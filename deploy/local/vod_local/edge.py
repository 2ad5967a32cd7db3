"""Several stream nodes on this machine, and the edge in front of them: HAProxy with deploy/edge/haproxy.cfg."""

import asyncio
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from vod_local.environment import EVERYWHERE, StreamNode
from vod_local.errors import BadConfiguration
from vod_local.ports import kept
from vod_local.process import SERVICE_READY_WITHIN, Program

CONFIGURATION = Path(__file__).parents[2] / "edge" / "haproxy.cfg"
PROBE_SECONDS = 1.0
_PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin")


@contextmanager
def stream_nodes(count: int, data: Path) -> Iterator[tuple[StreamNode, ...]]:
    """Choose addresses for so many nodes, and keep them until the block ends. The first has the old data.

    A single one needs no edge: there are none then.
    """
    if count == 1:
        yield ()
        return
    folders = [data, *(data / "nodes" / f"stream-node-{number}" for number in range(1, count))]
    with kept(2 * count) as ports:
        yield tuple(
            StreamNode(
                f"stream-node-{number}", f"127.0.0.1:{ports[2 * number]}", f"127.0.0.1:{ports[2 * number + 1]}", folder
            )
            for number, folder in enumerate(folders)
        )


def make_folders(nodes: Sequence[StreamNode]) -> None:
    """Make the data folders that are missing; nobody else may enter them."""
    for node in nodes:
        node.data.mkdir(parents=True, exist_ok=True, mode=0o700)


def haproxy() -> str:
    """Return the path of HAProxy.

    Raises BadConfiguration when it is not installed.
    """
    found = shutil.which("haproxy") or shutil.which("haproxy", path=os.pathsep.join(_PLACES))
    if found is None:
        raise BadConfiguration(
            "Several stream nodes need HAProxy in front of them, and it is not installed. Install it"
            " (Debian, Ubuntu: apt-get install haproxy), or leave out --stream-nodes."
        )
    return found


def edge(nodes: Sequence[StreamNode], *, listen: str, log: Path) -> Program:
    """Return the program that leads players to the nodes."""
    host, _, port = listen.rpartition(":")
    reached = "127.0.0.1" if host in EVERYWHERE else host.strip("[]")
    servers = {f"VOD_EDGE_NODE_{number}": node.http for number, node in enumerate(nodes)}
    return Program(
        name="edge",
        argv=(haproxy(), "-db", "-f", str(CONFIGURATION)),
        log=log,
        probe=lambda: _answers(reached, int(port)),
        env={"VOD_EDGE_LISTEN": listen, **servers},
        # It is ready when a node is.
        ready_within=SERVICE_READY_WITHIN,
    )


async def _answers(host: str, port: int) -> None:
    """Return when a node answers through the edge."""
    async with asyncio.timeout(PROBE_SECONDS):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(b"GET /edgez HTTP/1.1\r\nhost: local\r\nconnection: close\r\n\r\n")
            status = await reader.readline()
        finally:
            writer.close()
            await writer.wait_closed()
    if b" 200 " not in status:
        raise ConnectionError(f"it answers {status!r}")

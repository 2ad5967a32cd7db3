"""A real swarm on loopback (tracker and seeder of `vod_fakes`) and a real node with a client of each of its sides."""

import hashlib
import os
import random
import socket
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import httpx
import libtorrent as lt
import psutil
import pytest
from vod.stream.v1 import stream_service_pb2 as pb2
from vod.stream.v1.stream_service_pb2_grpc import StreamServiceStub

from vod_fakes.seeder import Seeder
from vod_fakes.serving import Site, bind, http_servers
from vod_fakes.torrents import Torrent, make_torrent
from vod_fakes.tracker import Tracker
from vod_rpc import DeadlineExceeded, channel
from vod_runtime import Endpoint, Runtime
from vod_stream_node.service import serve
from vod_stream_node.settings import Settings
from vod_testing import eventually

T = TypeVar("T")
LEASE = 1.5
"""Of a node whose end others are to notice soon."""
LONG_LEASE = 30.0
"""Of one that only stood still for a moment, however long that was."""
SECRET = "a secret of these tests alone"


def noise(size: int, *, seed: int) -> bytes:
    """Bytes that no two places of a file share."""
    return random.Random(seed).randbytes(size)


@dataclass(slots=True)
class Swarm:
    """A tracker and one seeder."""

    folder: Path
    tracker: Tracker
    seeder: Seeder

    async def share(self, name: str, files: Mapping[str, bytes]) -> Torrent:
        """Seed files as one torrent, in the order given; a single file without a folder is named like the torrent."""
        paths = [name] if list(files) == [name] else [f"{name}/{file}" for file in files]
        for path, content in zip(paths, files.values(), strict=True):
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(content)
        torrent = make_torrent(name, paths, self.folder)
        self.seeder.add(torrent, self.folder, self.tracker.url)
        # A node that asks the tracker sooner would be told of nobody, and ask again in minutes.
        await self.tracker.has_peers([torrent.infohash], within=timedelta(seconds=30))
        return torrent

    async def given(self, torrent: Torrent) -> int:
        """Return the bytes that the seeder has given to those who have left; what was under way is counted late."""

        def why_not_yet() -> str | None:
            left = self.seeder.peers(torrent.infohash)
            return f"{left} are connected" if left else None

        await eventually(why_not_yet, within=30)
        return self.seeder.uploaded(torrent.infohash)

    def magnet(self, torrent: Torrent) -> str:
        return torrent.magnet(self.tracker.url)


@pytest.fixture
async def swarm(tmp_path: Path) -> AsyncIterator[Swarm]:
    """An empty swarm."""
    folder = tmp_path / "seed"
    folder.mkdir()
    tracker, seeder = Tracker(), Seeder()
    site = Site(tracker.app(), tracker.control, bind())
    async with http_servers([site]):
        tracker.url = f"{site.url}/announce"
        await seeder.start()
        yield Swarm(folder=folder, tracker=tracker, seeder=seeder)
        await seeder.stop()
        await _all_closed(site.listening.getsockname()[1])


async def _all_closed(port: int) -> None:
    """Wait until nobody is connected to a server of ours any more; one that stops sooner would leave sockets open."""

    def why_not_yet() -> str | None:
        connections = psutil.Process().net_connections("tcp")
        open_ = [one for one in connections if one.laddr.port == port and one.status in {"ESTABLISHED", "CLOSE_WAIT"}]
        return f"open: {[(one.status, one.raddr.port) for one in open_]}" if open_ else None

    await eventually(why_not_yet, within=30)


@contextmanager
def reserved_port() -> Iterator[int]:
    """Yield a port on which a server of ours can listen, and which meanwhile nobody else is given who asks for any."""
    with socket.socket() as held:
        # Servers set it as well, so that theirs may have the port beside this one, which does not listen.
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Node:
    """A running node."""

    settings: Settings
    endpoint: Endpoint
    runtime: Runtime
    rpc: StreamServiceStub
    http: httpx.AsyncClient

    @property
    def stored(self) -> Path:
        """Where its torrents are."""
        return self.settings.data_dir / "stream"

    async def pin(
        self,
        torrent: Torrent,
        swarm: Swarm,
        *,
        file_index: int = 0,
        holder: str = "session-1",
        purpose: pb2.Purpose = pb2.PURPOSE_CURRENT,
        wait_for: pb2.WaitFor = pb2.WAIT_FOR_METADATA,
        within: float = 30,
        ttl: timedelta = timedelta(),
    ) -> pb2.Pin:
        """EnsurePin."""
        request = pb2.EnsurePinRequest(
            infohash=torrent.infohash,
            magnet_uri=swarm.magnet(torrent),
            file_index=file_index,
            purpose=purpose,
            holder=holder,
            wait_for=wait_for,
        )
        request.ttl.FromTimedelta(ttl)
        return (await self.rpc.EnsurePin(request, timeout=within)).pin

    async def pins(self) -> dict[tuple[str, int], pb2.Pin]:
        """ListPins, by infohash and file index."""
        answer = await self.rpc.ListPins(pb2.ListPinsRequest(), timeout=30)
        return {(pin.infohash, pin.file_index): pin for pin in answer.pins}


NodeFactory = Callable[..., AbstractAsyncContextManager[Node]]


@pytest.fixture
def start_node(tmp_path: Path, make_runtime: Callable[[str], Runtime]) -> NodeFactory:
    """Starts nodes that keep their data in one folder; takes further settings by name."""

    @asynccontextmanager
    async def start(**further: object) -> AsyncIterator[Node]:
        with reserved_port() as port:
            given = {
                "listen": f"unix:{tmp_path}/node.sock",
                "http_listen": f"127.0.0.1:{port}",
                "public_base": f"http://127.0.0.1:{port}",
                "secret_key": SECRET,
                "data_dir": tmp_path / "data",
                "allow_private_peers": True,
                "node_name": "node-a",
                "cors_origins": "http://ui.example",
            }
            settings = Settings.model_validate(given | further)
            runtime = make_runtime("stream-node")
            async with serve(settings, runtime) as endpoint:
                async with channel(endpoint.address, runtime) as opened, httpx.AsyncClient(timeout=30) as http:
                    yield Node(settings, endpoint, runtime, StreamServiceStub(opened), http)
                await _all_closed(port)

    return start


async def near_the_deadline(ask: Callable[[float], Awaitable[T]], *, within: float) -> T:
    """Return what a node answers shortly before the deadline that *ask* is given, or raise the failure that it tells.

    A caller whom the machine kept waiting just then hears no more than that it is late; he asks again with more time.
    """
    for _ in range(4):
        try:
            return await ask(within)
        except DeadlineExceeded as late:
            if late.reason != DeadlineExceeded.reason:
                raise
        within *= 2
    return await ask(within)


def saved(folder: Path, torrent: Torrent) -> int:
    """How many pieces the resume data on disk knows of; the folder is the node's."""
    resume = folder / "stream" / torrent.infohash / "resume"
    return sum(lt.read_resume_data(resume.read_bytes()).have_pieces) if resume.exists() else 0


def nodes_known(node: Node) -> float:
    """How many nodes a node knows, itself too."""
    return node.runtime.metrics.get_sample_value("vod_stream_nodes") or 0.0


async def know(node: Node, count: int) -> None:
    """Wait until a node knows so many, itself too."""
    await eventually(lambda: None if nodes_known(node) == count else f"{nodes_known(node)} nodes", within=60)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two nodes that know each other."""

    a: Node
    b: Node

    def both_by_owner(self, name: str) -> tuple[Node, Node]:
        """Return the node of that name, and the other one."""
        return (self.a, self.b) if name == "node-a" else (self.b, self.a)


@asynccontextmanager
async def two_nodes(start_node: NodeFactory, folder: Path, register: str, **further: object) -> AsyncIterator[Pair]:
    """Run two nodes that keep their data in `node-a` and `node-b` of a folder."""
    async with AsyncExitStack() as stack:

        async def start(name: str) -> Node:
            return await stack.enter_async_context(
                start_node(
                    node_name=name,
                    listen=f"unix:{folder}/{name}.sock",
                    data_dir=folder / name,
                    redis_url=register,
                    lease=LONG_LEASE,
                    **further,
                )
            )

        pair = Pair(await start("node-a"), await start("node-b"))
        await know(pair.a, 2)
        yield pair


@pytest.fixture
async def node(start_node: NodeFactory) -> AsyncIterator[Node]:
    """A running node with an empty disk."""
    async with start_node() as running:
        yield running


@contextmanager
def small_disk(folder: Path, *, mib: int) -> Iterator[None]:
    """Mount a disk of so many MiB; where that can't be done, skip, or fail where it must be possible."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        why = f"can't mount a small disk here: {mounted.stderr.strip()}"
        if os.environ.get("CI") and os.geteuid() == 0 and "permission denied" not in why:
            pytest.fail(why)
        pytest.skip(why)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def enlarge(folder: Path, *, mib: int) -> None:
    """Give a small disk more room, at once."""
    subprocess.run(["mount", "-o", f"remount,size={mib}m", str(folder)], check=True)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def matroska(seconds: float) -> bytes:
    """The head of a Matroska file that says how long it plays."""
    duration = b"\x44\x89\x88" + struct.pack(">d", seconds * 1000)
    info = b"\x15\x49\xa9\x66" + bytes([0x80 | len(duration)]) + duration
    return b"\x1a\x45\xdf\xa3\x80" + b"\x18\x53\x80\x67\x01" + b"\xff" * 7 + info

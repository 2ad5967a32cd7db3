"""What survives the end of a process: all that is on disk."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from vod.stream.v1 import stream_service_pb2 as pb2
from vod.stream.v1.stream_service_pb2_grpc import StreamServiceStub

from vod_fakes.torrents import Torrent
from vod_rpc import Failure, channel
from vod_runtime import Runtime
from vod_testing import eventually

from .conftest import SECRET, NodeFactory, Swarm, noise, reserved_port, saved

MIB = 1 << 20
FILM = noise(8 * MIB, seed=1)
PIECES = 128
MANY = 64
"""Pieces that are to be saved in the middle of a download: 4 MiB."""


@pytest.fixture
def port() -> Iterator[int]:
    with reserved_port() as free:
        yield free


@asynccontextmanager
async def process(folder: Path, port: int) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a node in a process of its own, as it is deployed."""
    environment = {
        "VOD_STREAM_NODE_LISTEN": f"unix:{folder}/process.sock",
        "VOD_STREAM_HTTP_LISTEN": f"127.0.0.1:{port}",
        "VOD_STREAM_PUBLIC_BASE": f"http://127.0.0.1:{port}",
        "VOD_OPS_LISTEN": f"unix:{folder}/ops.sock",
        "VOD_SECRET_KEY": SECRET,
        "VOD_DATA_DIR": f"{folder}/data",
        "VOD_ALLOW_PRIVATE_PEERS": "1",
        "VOD_LOG_LEVEL": "ERROR",
    }
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "vod_runtime.host", "stream-node", env=os.environ | environment
    )
    try:
        yield running
    finally:
        with suppress(ProcessLookupError):
            running.kill()
        await running.wait()


async def pin(stub: StreamServiceStub, torrent: Torrent, magnet: str = "") -> pb2.Pin:
    """EnsurePin as soon as the node answers."""
    request = pb2.EnsurePinRequest(
        infohash=torrent.infohash,
        magnet_uri=magnet,
        purpose=pb2.PURPOSE_CURRENT,
        holder="a",
        wait_for=pb2.WAIT_FOR_METADATA,
    )
    answers: list[pb2.Pin] = []

    async def why_not_yet() -> str | None:
        try:
            answers.append((await stub.EnsurePin(request, timeout=10)).pin)
        except Failure as failure:
            return str(failure)
        return None

    await eventually(why_not_yet, within=60)
    return answers[0]


async def test_after_kill_9_what_is_on_disk_is_streamed_with_the_swarm_gone(
    swarm: Swarm, tmp_path: Path, port: int, runtime: Runtime
) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    async with process(tmp_path, port) as first, channel(f"unix:{tmp_path}/process.sock", runtime) as opened:
        await pin(StreamServiceStub(opened), torrent, swarm.magnet(torrent))
        # A checkpoint that comes before the file system holds the last pieces is made again 3 s later, perhaps twice.
        await eventually(lambda: None if saved(tmp_path / "data", torrent) == PIECES else "not all is here", within=60)
        first.send_signal(signal.SIGKILL)
        await first.wait()
    await swarm.seeder.stop()

    async with (
        process(tmp_path, port),
        channel(f"unix:{tmp_path}/process.sock", runtime) as opened,
        httpx.AsyncClient(timeout=60) as http,
    ):
        again = await pin(StreamServiceStub(opened), torrent)
        answer = await http.get(again.stream_url)

    assert (answer.status_code, answer.content) == (200, FILM)


async def test_after_kill_9_in_the_middle_what_was_saved_is_not_downloaded_again(
    swarm: Swarm, tmp_path: Path, port: int, runtime: Runtime
) -> None:
    film = noise(16 * MIB, seed=2)
    torrent = await swarm.share("Film.mkv", {"Film.mkv": film})
    swarm.seeder.limit_upload(3 * MIB)
    async with process(tmp_path, port) as first, channel(f"unix:{tmp_path}/process.sock", runtime) as opened:
        await pin(StreamServiceStub(opened), torrent, swarm.magnet(torrent))
        await eventually(
            lambda: None if saved(tmp_path / "data", torrent) >= MANY else "not enough is saved", within=60
        )
        first.send_signal(signal.SIGKILL)
        await first.wait()
    kept, uploaded = saved(tmp_path / "data", torrent), await swarm.given(torrent)
    swarm.seeder.limit_upload(0)

    async with (
        process(tmp_path, port),
        channel(f"unix:{tmp_path}/process.sock", runtime) as opened,
        httpx.AsyncClient(timeout=60) as http,
    ):
        again = await pin(StreamServiceStub(opened), torrent, swarm.magnet(torrent))
        answer = await http.get(again.stream_url)

    # Some of what comes late is asked for twice.
    assert answer.content == film
    assert await swarm.given(torrent) - uploaded <= len(film) - kept * torrent.piece_length // 2


async def test_a_stopped_node_has_saved_all_it_had_and_reads_it_from_a_token_alone(
    swarm: Swarm, start_node: NodeFactory
) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    swarm.seeder.limit_upload(8 * MIB)
    async with start_node() as node:
        first = await node.pin(torrent, swarm, wait_for=pb2.WAIT_FOR_ENDS)
        token = first.stream_url.split("/")[-2]
    await swarm.seeder.stop()

    async with start_node() as node:
        url = f"{node.settings.public_base}/stream/node-a/{token}/Film.mkv"
        head = await node.http.get(url, headers={"Range": f"bytes=0-{2 * MIB - 1}"})
        tail = await node.http.get(url, headers={"Range": f"bytes=-{MIB}"})
        pins = await node.pins()

    assert (head.content, tail.content) == (FILM[: 2 * MIB], FILM[-MIB:])
    assert pins == {}


async def test_it_stops_while_it_streams_long_before_the_end_of_the_film(
    swarm: Swarm, tmp_path: Path, port: int, runtime: Runtime
) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    swarm.seeder.limit_upload(MIB // 8)  # a minute
    async with (
        process(tmp_path, port) as node,
        channel(f"unix:{tmp_path}/process.sock", runtime) as opened,
        httpx.AsyncClient(timeout=60) as http,
    ):
        url = (await pin(StreamServiceStub(opened), torrent, swarm.magnet(torrent))).stream_url
        async with http.stream("GET", url) as reading:
            await anext(reading.aiter_bytes())
            node.send_signal(signal.SIGTERM)
            async with asyncio.timeout(20):
                status = await node.wait()

    assert status == 0


async def test_what_is_known_good_is_not_hashed_again_after_a_restart(swarm: Swarm, start_node: NodeFactory) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    async with start_node() as node:
        await node.http.get((await node.pin(torrent, swarm)).stream_url)
        await eventually(lambda: None if saved(node.settings.data_dir, torrent) == PIECES else "unsaved", within=60)
    # Who hashed this again would notice, drop the piece and fetch it anew.
    with (node.stored / torrent.infohash / "data" / "Film.mkv").open("r+b") as file:
        file.seek(4 * MIB)
        file.write(b"another byte")
    uploaded = await swarm.given(torrent)
    resume = node.stored / torrent.infohash / "resume"
    written = resume.stat().st_mtime_ns

    async with start_node() as node:
        pin = await node.pin(torrent, swarm, wait_for=pb2.WAIT_FOR_ENDS)
        # Until it is certain what the disk holds, which is saved then, what is read is proven by its hash.
        await eventually(lambda: None if resume.stat().st_mtime_ns != written else "not certain yet", within=60)
        answer = await node.http.get(pin.stream_url, headers={"Range": f"bytes={4 * MIB}-{4 * MIB + 11}"})

    assert (pin.state, answer.content) == (pb2.PIN_STATE_COMPLETE, b"another byte")
    assert await swarm.given(torrent) == uploaded


async def test_resume_data_that_is_damaged_costs_a_check_of_the_files_and_no_download(
    swarm: Swarm, start_node: NodeFactory
) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    async with start_node() as node:
        await node.http.get((await node.pin(torrent, swarm)).stream_url)
    resume = node.stored / torrent.infohash / "resume"
    resume.write_bytes(b"d8:nonsense" + resume.read_bytes()[:100])
    uploaded = await swarm.given(torrent)

    async with start_node() as node:
        answer = await node.http.get((await node.pin(torrent, swarm)).stream_url)

    assert answer.content == FILM
    assert await swarm.given(torrent) - uploaded < MIB

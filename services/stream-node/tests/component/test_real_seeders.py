"""Other people's programs as seeders: what we read from them is what they have."""

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest

from vod_fakes.torrents import make_torrent

from .conftest import Node, Swarm, noise, sha256

MIB = 1 << 20
FILM = noise(5 * MIB + 4321, seed=21)


def aria2(folder: Path, metainfo: Path, port: int) -> list[str]:
    return [
        *("aria2c", f"--dir={folder}", "--check-integrity=true", "--seed-ratio=0.0", f"--listen-port={port}"),
        *("--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false", "--enable-peer-exchange=false"),
        *("--file-allocation=none", "--no-conf=true", "--summary-interval=0", "--interface=127.0.0.1"),
        *("--disable-ipv6=true", f"--stop-with-process={os.getpid()}", str(metainfo)),
    ]


@asynccontextmanager
async def running(command: list[str]) -> AsyncIterator[None]:
    if shutil.which(command[0]) is None:
        why = f"{command[0]} is not installed"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdin=quiet, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="how they are started was tried on Linux only")
@pytest.mark.parametrize("command", [aria2])
async def test_a_film_streams_from_another_program(
    swarm: Swarm, node: Node, tmp_path: Path, command: Callable[[Path, Path, int], list[str]]
) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "Film.mkv").write_bytes(FILM)
    torrent = make_torrent("Film.mkv", ["Film.mkv"], folder)
    metainfo = tmp_path / "Film.torrent"
    metainfo.write_bytes(torrent.metainfo(swarm.tracker.url))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with running(command(folder, metainfo, port)):
        await swarm.tracker.has_peers([torrent.infohash], within=timedelta(seconds=30))
        pin = await node.pin(torrent, swarm, within=20)
        jumped = await node.http.get(pin.stream_url, headers={"Range": "bytes=4000000-4099999"})
        answer = await node.http.get(pin.stream_url)

    assert jumped.content == FILM[4_000_000:4_100_000]
    assert sha256(answer.content) == sha256(FILM)

"""What serving finished files costs: `python tests/bench/files.py [one] [viewers] [idle]`.

    one      one connection reads a file as fast as it goes: MB/s, CPU seconds of the node per GB; beside it, in turns,
             a server that knows nothing but one file and sendfile
    viewers  200 viewers of 20 files at 8 Mbit/s each: stalls, CPU, memory
    idle     5,000 connections that say nothing: memory, and whether the node still answers

The node is a process of its own; the clients are this process. Figures of a busy machine mean little.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import resource
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from bare_node import bare_node
from vod.stream.v1 import stream_service_pb2 as pb2
from vod.stream.v1 import stream_service_pb2_grpc

from vod_fakes.torrents import Torrent, make_torrent
from vod_rpc import Failure

FILES, FILE_BYTES = 20, 64 << 20
VIEWERS, RATE, SECONDS = 200, 1_000_000, 20
BUFFER_SECONDS = 2.0
IDLE = 5_000
MB, GB = 1e6, 1e9


def make_files(data: Path) -> Torrent:
    """Put the files where a node that had downloaded them would have them."""
    draft = data / "draft"
    paths = [f"pack/S01E{number:02}.mkv" for number in range(1, FILES + 1)]
    for seed, path in enumerate(paths):
        (draft / path).parent.mkdir(parents=True, exist_ok=True)
        (draft / path).write_bytes(random.Random(seed).randbytes(FILE_BYTES))
    torrent = make_torrent("pack", paths, draft)
    home = data / "stream" / torrent.infohash
    home.mkdir(parents=True)
    draft.rename(home / "data")
    return torrent


async def urls(stub: "stream_service_pb2_grpc.StreamServiceAsyncStub", torrent: Torrent) -> list[str]:
    """Pin all files, and wait until the node has hashed them."""
    found = []
    for index in range(FILES):
        request = pb2.EnsurePinRequest(
            torrent=torrent.metainfo("http://127.0.0.1:9/announce"),
            file_index=index,
            purpose=pb2.PURPOSE_CURRENT,
            holder=f"bench-{index}",
            wait_for=pb2.WAIT_FOR_METADATA,
        )
        for _ in range(120):
            try:
                pin = (await stub.EnsurePin(request, timeout=10)).pin
            except Failure:
                await asyncio.sleep(0.5)
                continue
            if pin.state == pb2.PIN_STATE_COMPLETE:
                found.append(pin.stream_url)
                break
            await asyncio.sleep(0.5)
    return found


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def opened(url: str) -> socket.socket:
    """Send a GET, and read the head of the answer."""
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port or 80))
    connection.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    return connection


def read_all(url: str) -> int:
    """Read a file to its end; the kernel counts the bytes and drops them, so that only the server is measured."""
    total, sink = 0, bytearray(1 << 20)
    with opened(url) as connection:
        while total < FILE_BYTES and (got := connection.recv_into(sink, len(sink), socket.MSG_TRUNC)):
            total += got
    return total


def serve_plainly(listening: socket.socket, path: Path) -> None:
    """Answer every request with one file, one after the other: as little as a server can do."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {FILE_BYTES}\r\n\r\n".encode()
    with path.open("rb") as file:
        while True:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(head)
                position = 0
                while position < FILE_BYTES:
                    position += os.sendfile(connection.fileno(), file.fileno(), position, FILE_BYTES - position)


@contextmanager
def plain_server(path: Path) -> Iterator[tuple[psutil.Process, str]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        spawn = multiprocessing.get_context("spawn")
        serving = spawn.Process(target=serve_plainly, args=(listening, path), daemon=True)
        serving.start()
        yield psutil.Process(serving.pid), f"http://127.0.0.1:{listening.getsockname()[1]}/"
        serving.kill()
        serving.join()


async def _rate(process: psutil.Process, urls: list[str]) -> tuple[float, float]:
    """Return MB/s, and CPU seconds of the server per GB."""
    before, spent, size = time.perf_counter(), cpu(process), 0
    for url in urls:
        size += await asyncio.to_thread(read_all, url)
    return size / MB / (time.perf_counter() - before), (cpu(process) - spent) / (size / GB)


async def one(process: psutil.Process, files: list[str], some_file: Path, *, rounds: int = 9) -> dict[str, Any]:
    with plain_server(some_file) as (plain, url):
        await _rate(process, files[:8])
        await _rate(plain, [url])
        found = [(await _rate(process, files[:8]), await _rate(plain, [url] * 8)) for _ in range(rounds)]
    ours, theirs = zip(*found, strict=True)
    return {
        "mb_per_s": round(statistics.median(rate for rate, _ in ours)),
        "cpu_s_per_gb": round(statistics.median(cost for _, cost in ours), 3),
        "plain_mb_per_s": round(statistics.median(rate for rate, _ in theirs)),
        "plain_cpu_s_per_gb": round(statistics.median(cost for _, cost in theirs), 3),
        "ratio": round(statistics.median(one[0] / other[0] for one, other in found), 2),
    }


class Viewer:
    """Reads at the rate of the film, and has a stall when its buffer is empty."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.stalls = 0

    async def watch(self, seconds: float) -> None:
        parts = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=256 << 10)
        writer.write(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        began, taken = time.monotonic(), 0
        while (now := time.monotonic() - began) < seconds:
            ahead = taken / RATE - now
            if ahead > BUFFER_SECONDS:
                await asyncio.sleep(ahead - BUFFER_SECONDS + 0.25)
                continue
            data = await reader.read(256 << 10)
            taken += len(data)
            if taken / RATE < time.monotonic() - began and now > BUFFER_SECONDS:
                self.stalls += 1
        writer.close()


async def viewers(process: psutil.Process, files: list[str], _: Path) -> dict[str, Any]:
    watching = [Viewer(files[number % FILES]) for number in range(VIEWERS)]
    before, spent = time.monotonic(), cpu(process)
    async with asyncio.TaskGroup() as group:
        for viewer in watching:
            group.create_task(viewer.watch(SECONDS))
            await asyncio.sleep(0.01)
    return {
        "viewers": VIEWERS,
        "stalled": sum(viewer.stalls > 0 for viewer in watching),
        "core_percent": round(100 * (cpu(process) - spent) / (time.monotonic() - before), 1),
        "rss_mb": round(process.memory_info().rss / MB),
    }


async def idle(process: psutil.Process, files: list[str], _: Path) -> dict[str, Any]:
    """Connections that asked once and keep quiet; the node keeps them for its keep-alive."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    number = min(IDLE, hard - 200)
    before, parts = process.memory_info().rss, urlsplit(files[0])
    connections = [await asyncio.open_connection(parts.hostname, parts.port) for _ in range(number)]
    began = time.perf_counter()
    await asyncio.to_thread(lambda: opened(files[0]).close())
    found = {
        "idle": number,
        "kb_each": round((process.memory_info().rss - before) / 1000 / number, 1),
        "answer_ms": round(1000 * (time.perf_counter() - began), 1),
    }
    for _, writer in connections:
        writer.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return found


MEASURES = {"one": one, "viewers": viewers, "idle": idle}


async def main(wanted: list[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="vod-files-") as folder:
        data = Path(folder)
        torrent = await asyncio.to_thread(make_files, data)
        async with bare_node(data) as (process, stub):
            files = await urls(stub, torrent)
            some_file = data / "stream" / torrent.infohash / "data" / torrent.files[0].path
            for name in wanted:
                sys.stdout.write(f"{name:<8} {json.dumps(await MEASURES[name](process, files, some_file))}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measure", nargs="*", help=", ".join(MEASURES))
    asyncio.run(main(parser.parse_args().measure or list(MEASURES)))

"""A day of a stream node in ten minutes: `python tests/bench/soak.py [--minutes 10] [--quota-gb 3]`.

Sessions come, read, jump, and leave, some without a word; torrents have 1 to 500 files, many more bytes than the quota.
Every byte that is read is compared with the seeder's file. Memory, file descriptors, threads and disk of the node are
printed on the way: after all have left and the node had time to let go, they should be where they were after the first
round. It fails when a byte was wrong, or when descriptors, threads, memory or disk have grown beyond what varies.
"""

import argparse
import asyncio
import json
import random
import secrets
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
from bare_node import bare_node
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_fakes.seeder import Seeder
from vod_fakes.serving import Site, bind, http_servers
from vod_fakes.torrents import Torrent, make_torrent
from vod_fakes.tracker import Tracker
from vod_rpc import Failure

if TYPE_CHECKING:
    from vod.stream.v1.stream_service_pb2_grpc import StreamServiceAsyncStub

SHAPES = (1, 1, 1, 2, 4, 8, 12, 24, 60, 150, 500)
"""Files of the torrents."""
TORRENT_BYTES = 160 << 20
BLOCK = 64 << 10
TORRENTS = 28
VIEWERS = 12
SEEDERS = 4
"""Each torrent has two of them."""
MB = 1e6


@dataclass(frozen=True, slots=True)
class Look:
    """What the node takes."""

    rss_mb: float
    descriptors: int
    threads: int
    disk_mb: float


def make_library(folder: Path) -> list[Torrent]:
    """Make torrents of all shapes; no two places have the same bytes, so that one in another's stead is seen."""
    library, block = [], random.Random(1).randbytes(BLOCK)
    for number in range(TORRENTS):
        files = SHAPES[number % len(SHAPES)]
        size = TORRENT_BYTES // files
        paths = [f"t{number}/E{index:03}.mkv" for index in range(files)]
        for index, path in enumerate(paths):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            with (folder / path).open("wb") as file:
                for place in range(max(1, size // BLOCK)):
                    file.write(f"{number}/{index}/{place}".encode().ljust(16) + block[16:size])
        library.append(make_torrent(f"t{number}", paths, folder))
    return library


class Soak:
    """The viewers of a node."""

    def __init__(self, stub: "StreamServiceAsyncStub", library: list[Torrent], folder: Path, tracker_url: str) -> None:
        self._stub = stub
        self._library = library
        self._folder = folder
        self._tracker_url = tracker_url
        self.sessions = 0
        self.read = 0
        self.wrong: list[str] = []
        self.troubles: dict[str, int] = {}

    async def viewer(self, until: float, *, seed: int) -> None:
        """Watch one thing after another."""
        dice = random.Random(seed)
        async with httpx.AsyncClient(timeout=30) as http:
            while time.monotonic() < until:
                try:
                    await self._session(http, dice)
                except (Failure, httpx.HTTPError) as error:
                    name = getattr(error, "reason", None) or type(error).__name__
                    self.troubles[name] = self.troubles.get(name, 0) + 1
                    sys.stdout.write(f"trouble  {name} {self.sessions} sessions in\n")

    async def _session(self, http: httpx.AsyncClient, dice: random.Random) -> None:
        torrent, holder = dice.choice(self._library), secrets.token_hex(8)
        index = dice.randrange(len(torrent.files))
        request = pb2.EnsurePinRequest(
            magnet_uri=torrent.magnet(self._tracker_url),
            file_index=index,
            purpose=pb2.PURPOSE_CURRENT if dice.random() < 0.8 else pb2.PURPOSE_NEXT,
            holder=holder,
            wait_for=pb2.WAIT_FOR_METADATA,
        )
        request.ttl.seconds = 20
        pin = (await self._stub.EnsurePin(request, timeout=20)).pin
        self.sessions += 1
        for jump in range(dice.randrange(1, 6)):
            first = 0 if jump == 0 else dice.randrange(pin.size_bytes)
            await self._read(http, pin, first, dice, path=torrent.files[index].path)
        if dice.random() < 0.7:  # the others fall silent, and their claims expire
            await self._stub.ReleasePin(
                pb2.ReleasePinRequest(infohash=pin.infohash, file_index=index, holder=holder), timeout=5
            )

    async def _read(self, http: httpx.AsyncClient, pin: pb2.Pin, first: int, dice: random.Random, *, path: str) -> None:
        wanted, position = dice.randrange(1, 12 << 20), first
        with (self._folder / path).open("rb") as right:
            right.seek(first)
            async with http.stream("GET", pin.stream_url, headers={"Range": f"bytes={first}-"}) as answer:
                answer.raise_for_status()
                async for chunk in answer.aiter_raw():
                    if chunk != right.read(len(chunk)):
                        self.wrong.append(f"{path} at {position}")
                    position += len(chunk)
                    self.read += len(chunk)
                    if position - first > wanted:
                        break  # the viewer jumps or leaves: the connection is cut


def look(process: psutil.Process, data: Path) -> Look:
    taken = sum(path.lstat().st_blocks * 512 for path in data.rglob("*") if path.is_file())
    return Look(
        rss_mb=round(process.memory_info().rss / MB, 1),
        descriptors=process.num_fds(),
        threads=process.num_threads(),
        disk_mb=round(taken / MB, 1),
    )


def told(what: str, look: Look, **more: Any) -> None:
    fields = {"rss_mb": look.rss_mb, "fds": look.descriptors, "threads": look.threads, "disk_mb": look.disk_mb, **more}
    sys.stdout.write(f"{what:<8} {json.dumps(fields)}\n")
    sys.stdout.flush()


async def main(minutes: float, quota_gb: float) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="vod-soak-") as folder:
        seeds, data = Path(folder) / "seed", Path(folder) / "data"
        seeds.mkdir()
        data.mkdir()
        library = await asyncio.to_thread(make_library, seeds)
        tracker = Tracker()
        # As in the world outside, each peer has an address of its own.
        seeders = [Seeder(host=f"127.0.0.{10 + number}") for number in range(SEEDERS)]
        site = Site(tracker.app(), tracker.control, bind())
        settings = {
            "VOD_LOG_LEVEL": "ERROR",
            "VOD_CACHE_BYTES": str(int(quota_gb * 1e9)),
            "VOD_DISK_RESERVE": "0",
            # A day in ten minutes: all that takes minutes takes seconds.
            "VOD_STREAM_SWEEP_INTERVAL": "0.5",
            "VOD_STREAM_IDLE_UNLOAD": "3",
        }
        async with http_servers([site]), bare_node(data, **settings) as (process, stub):
            tracker.url = f"{site.url}/announce"
            for seeder in seeders:
                await seeder.start()
            for number, torrent in enumerate(library):
                for seeder in (seeders[number % SEEDERS], seeders[(number + 1) % SEEDERS]):
                    seeder.add(torrent, seeds, tracker.url)
            await asyncio.sleep(3)
            faults = await run(Soak(stub, library, seeds, tracker.url), process, data, minutes, quota_gb)
            for seeder in seeders:
                await seeder.stop()
        return faults


async def run(soak: Soak, process: psutil.Process, data: Path, minutes: float, quota_gb: float) -> list[str]:
    """Let the viewers come and go; return what went wrong."""
    told("idle", look(process, data))
    warm, end = time.monotonic() + 60 * minutes * 0.1, time.monotonic() + 60 * minutes
    await asyncio.gather(*(soak.viewer(warm, seed=number) for number in range(VIEWERS)))
    await asyncio.sleep(30)  # claims expire, torrents leave
    before = look(process, data)
    told("before", before, sessions=soak.sessions)
    async with asyncio.TaskGroup() as group:
        for number in range(VIEWERS):
            group.create_task(soak.viewer(end, seed=1000 + number))
        while time.monotonic() < end:
            await asyncio.sleep(min(30, max(0.1, end - time.monotonic())))
            told("", look(process, data), sessions=soak.sessions, read_gb=round(soak.read / 1e9, 2))
    await asyncio.sleep(30)
    after = look(process, data)
    told("after", after, sessions=soak.sessions, read_gb=round(soak.read / 1e9, 2))
    sys.stdout.write(f"wrong    {soak.wrong}\ntroubles {soak.troubles}\n")
    return [*soak.wrong, *grown(before, after, quota_mb=quota_gb * 1000)]


def grown(before: Look, after: Look, *, quota_mb: float) -> list[str]:
    """Say what has grown by more than it varies from one look to the next."""
    grown = {
        "memory": after.rss_mb > before.rss_mb + 50,
        "descriptors": after.descriptors > before.descriptors + 20,
        "threads": after.threads > before.threads + 10,
        "disk": after.disk_mb > quota_mb * 1.05,
    }
    return [f"{what} has grown" for what, is_so in grown.items() if is_so]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--quota-gb", type=float, default=3)
    given = parser.parse_args()
    sys.exit("\n".join(asyncio.run(main(given.minutes, given.quota_gb))) or None)

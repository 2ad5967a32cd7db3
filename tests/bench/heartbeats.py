"""`make bench`, heartbeats: 2,000 sessions that each report every 10 s, over HTTP, each on a connection of its own.

Prints how long they take and which process spends what on them. Nothing here fails: a person reads it. The goal is a
p99 of at most 50 ms with less than 40 % of two cores. The viewers run in this process and are not counted.
"""

import asyncio
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from allinone import SETTINGS, System, system

from vod_fakes.media import Profile
from vod_fakes.world import World, world

SESSIONS = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
EVERY_SECONDS = 10.0
MEASURED_SECONDS = 40.0
SLOW = 0.1
STARTS_AT_ONCE = 1
STARTS_TRIED = 5
START = {"seriesId": "tmdb:movie:9101", "season": 1, "episode": 1, "deviceCaps": {"h264": True}}


@dataclass(slots=True)
class Viewer:
    """One connection of HTTP/1.1 that stays open; httpx would cost more than what is measured."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    session: str = ""
    position: float = 0.0

    async def post(self, path: str, body: dict[str, object]) -> dict[str, object]:
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        self.writer.write(f"{head}content-length: {len(content)}\r\n\r\n".encode() + content)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        status = int(answer.split(b" ", 2)[1])
        lines = answer.decode().lower().split("\r\n")
        length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length:"))
        found: dict[str, object] = json.loads(await self.reader.readexactly(length))
        if status != 200:
            raise RuntimeError(f"{path}: {status} {found}")
        return found


@dataclass(slots=True)
class Seen:
    """What the viewers saw while it was measured."""

    until: float
    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    slow_seconds: set[int] = field(default_factory=set)


async def open_viewers(port: int) -> list[Viewer]:
    slots = asyncio.Semaphore(STARTS_AT_ONCE)

    async def one() -> Viewer:
        async with slots:
            viewer = Viewer(*await asyncio.open_connection("127.0.0.1", port))
            for left in reversed(range(STARTS_TRIED)):
                try:
                    viewer.session = str((await viewer.post("/v1/session/start", START))["sessionId"])
                    break
                except RuntimeError:  # starts are not what is measured
                    if not left:
                        raise
            return viewer

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one()) for _ in range(SESSIONS)]
    return [task.result() for task in tasks]


async def watch(viewer: Viewer, seen: Seen) -> None:
    """Report every 10 s, a fifth more or less, as the manual asks of players."""
    await asyncio.sleep(random.random() * EVERY_SECONDS)
    sequence = 0
    while time.monotonic() < seen.until:
        viewer.position += EVERY_SECONDS
        sequence += 1
        body = {"sessionId": viewer.session, "position_s": viewer.position % 30, "sequence": sequence}
        began = time.monotonic()
        try:
            await viewer.post("/v1/session/heartbeat", body)
        except RuntimeError:
            seen.failed += 1
        took = time.monotonic() - began
        seen.seconds.append(took)
        if took > SLOW:
            seen.slow_seconds.add(int(began))
        await asyncio.sleep(EVERY_SECONDS * random.uniform(0.8, 1.2))


def spent(vod: System) -> dict[str, float]:
    """Return the seconds of CPU that each part of the system has used."""
    assert vod.process is not None
    used: dict[str, float] = {}
    for process in psutil.Process(vod.process.pid).children(recursive=True):
        try:
            times, command = process.cpu_times(), process.cmdline()
        except psutil.NoSuchProcess:
            continue
        name = "postgres" if "postgres" in process.name() else process.name()
        if "vod_runtime.host" in command:
            name = command[command.index("vod_runtime.host") + 1]
        used[name] = used.get(name, 0.0) + times.user + times.system
    return used


async def measure(vod: System) -> None:
    began = time.monotonic()
    viewers = await open_viewers(vod.port)
    sys.stdout.write(f"{SESSIONS} sessions started in {time.monotonic() - began:.0f} s\n")
    seen = Seen(until=time.monotonic() + EVERY_SECONDS + MEASURED_SECONDS)
    async with asyncio.TaskGroup() as group:
        for viewer in viewers:
            group.create_task(watch(viewer, seen))
        await asyncio.sleep(EVERY_SECONDS)  # until all of them report
        before, machine = spent(vod), psutil.cpu_times()
        seen.seconds.clear()
        seen.slow_seconds.clear()
        seen.failed = 0
        await asyncio.sleep(MEASURED_SECONDS - 1)
        after, machine_after = spent(vod), psutil.cpu_times()
    report(seen, {name: after[name] - before.get(name, 0.0) for name in after})
    busy = sum(machine_after) - machine_after.idle - (sum(machine) - machine.idle)
    sys.stdout.write(f"  the whole machine was busy {busy / MEASURED_SECONDS / psutil.cpu_count() * 100:.0f} %\n")
    for viewer in viewers:
        viewer.writer.close()


def report(seen: Seen, used: dict[str, float]) -> None:
    times = sorted(seen.seconds)
    p50, p95, p99 = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.95, 0.99))
    sys.stdout.write(
        f"  {len(times)} heartbeats, {seen.failed} failed: p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms, "
        f"slowest {times[-1] * 1000:.0f} ms\n"
    )
    # One pause of a busy machine delays all who report during it; then the p99 says more of the machine than of us.
    sys.stdout.write(f"  slower than 100 ms in {len(seen.slow_seconds)} of {MEASURED_SECONDS - 1:.0f} seconds\n")
    cores = sum(used.values()) / (MEASURED_SECONDS - 1)
    sys.stdout.write(f"  {cores / 2 * 100:.0f} % of two cores, {sum(used.values()) / len(times) * 1e6:.0f} µs each:\n")
    for name, seconds in sorted(used.items(), key=lambda item: -item[1]):
        if seconds > 0.05:
            sys.stdout.write(f"    {name:<16} {seconds / len(times) * 1e6:6.0f} µs\n")


async def run(outside: World) -> None:
    unlimited = {"VOD_LIMIT_SEARCH_PER_MINUTE": "1000000", "VOD_LIMIT_SEARCH_BURST": "100000"}
    async with system(outside, "--isolate", settings={**SETTINGS, **unlimited}) as vod:
        await measure(vod)


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="vod-bench-") as folder:
        async with world(Path(folder), profile=Profile.TINY) as outside:
            await run(outside)


if __name__ == "__main__":
    asyncio.run(main())

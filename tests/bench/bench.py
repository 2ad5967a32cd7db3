"""`make bench`: what NovaStream costs, as ratios measured side by side in one run.

Absolute figures mean little on a machine that does other things as well; so each round measures both sides of a
ratio, one right after the other, and the median of the rounds is printed with its spread. Nothing here fails: a
person reads it.
"""

import asyncio
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from allinone import System, start, system
from contenders import CLAIMED, GOOD, contenders
from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

from vod_fakes.media import Profile
from vod_fakes.world import World, world

ROUNDS = 15
RACES = 20
SETTLING = 0.5
"""Seconds between two races."""
SERIES, FILM = "tmdb:tv:9001", "tmdb:movie:9101"

Measured = Callable[[], Awaitable[Any]]


async def seconds(measured: Measured) -> float:
    started = time.perf_counter()
    await measured()
    return time.perf_counter() - started


async def ratio(what: str, ours: Measured, other: Measured) -> None:
    """Measure both, in turns; print ours divided by the other."""
    await ours()
    await other()
    pairs = [(await seconds(ours), await seconds(other)) for _ in range(ROUNDS)]
    ratios = sorted(one / two for one, two in pairs)
    ours_ms, other_ms = (statistics.median(column) * 1000 for column in zip(*pairs, strict=True))
    line = f"{what:<58} {statistics.median(ratios):6.2f}  ({ratios[1]:.2f} to {ratios[-2]:.2f})"
    sys.stdout.write(f"{line}   {ours_ms:8.2f} ms : {other_ms:8.2f} ms\n")


class PlainFile:
    """What a node would be without a swarm: Starlette's FileResponse, one file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await FileResponse(self._path)(scope, receive, send)


async def read(client: httpx.AsyncClient, url: str, **headers: str) -> None:
    async with client.stream("GET", url, headers=headers) as answer:
        async for _ in answer.aiter_raw():
            pass


async def run(vod: System, outside: World) -> None:
    async with vod.client() as client:
        film = await start(client, FILM, 1, 1)
        await read(client, film["streamUrl"])
        path = outside.episode_file(film["pick"]["title"], 1, 1)
        listening = socket.create_server(("127.0.0.1", 0))
        plain = uvicorn.Server(uvicorn.Config(PlainFile(path), log_level="warning", lifespan="off"))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        async with asyncio.TaskGroup() as group:
            group.create_task(plain.serve([listening]))
            sys.stdout.write("\n  NovaStream : the other (time, so less is better)\n\n")
            await ratio(
                "whole finished file, stream node : plain file server",
                lambda: read(client, film["streamUrl"]),
                lambda: read(client, url),
            )
            await ratio(
                "64 KiB from the middle, stream node : plain file server",
                lambda: read(client, film["streamUrl"], range="bytes=500000-565535"),
                lambda: read(client, url, range="bytes=500000-565535"),
            )
            await ratio(
                "warm session start : GET /v1/version",
                lambda: start(client, FILM, 1, 1),
                lambda: client.get("/v1/version"),
            )
            session = film["sessionId"]
            await ratio(
                "heartbeat (stored in Postgres) : GET /v1/version",
                lambda: client.post("/v1/session/heartbeat", json={"sessionId": session, "position_s": 3}),
                lambda: client.get("/v1/version"),
            )
            plain.should_exit = True


async def first_byte(vod: System, outside: World, folder: Path, claimed: Mapping[str, int], *, round_: int) -> float:
    """Start the film as a device that nothing was chosen for yet; give the seconds until its first byte."""
    await asyncio.to_thread(folder.mkdir)
    caps = {"h264": True, "maxHeight": 1080, "maxBitrate": 50_000_000 + round_}
    async with contenders(outside, folder, claimed), vod.client() as client:
        before = time.perf_counter()
        started = await start(client, FILM, 1, 1, deviceCaps=caps)
        async with client.stream("GET", started["streamUrl"], headers={"Range": "bytes=0-65535"}) as answer:
            async for _ in answer.aiter_raw():
                return time.perf_counter() - before
    raise RuntimeError("the stream was empty")


async def race(vod: System, outside: World, folder: Path) -> None:
    """Print how long the first byte takes with a dead, a slow and a good swarm, and with the good one alone."""
    pairs, rounds = [], count()
    for number in range(RACES + 1):
        took = {}
        # Each goes first in every other pair: what the one before leaves running costs the next one something.
        for claimed in (CLAIMED, {GOOD: 12}) if number % 2 else ({GOOD: 12}, CLAIMED):
            round_ = next(rounds)
            took[len(claimed)] = await first_byte(vod, outside, folder / f"race-{round_}", claimed, round_=round_)
            await asyncio.sleep(SETTLING)
        pairs.append((took[len(CLAIMED)], took[1]))
    del pairs[0]  # of a cold system
    ours, direct = (statistics.median(column) for column in zip(*pairs, strict=True))
    low, _, high = statistics.quantiles((one / two for one, two in pairs), n=4)
    line = f"{'first byte: good swarm beside a dead and a slow one : alone':<58} {ours / direct:6.2f}"
    sys.stdout.write(
        f"{line}  ({low:.2f} to {high:.2f}, quartiles)   {ours * 1000:8.2f} ms : {direct * 1000:8.2f} ms\n"
    )


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="vod-bench-") as folder:
        sys.stdout.write("making the library and starting everything …\n")
        async with world(Path(folder), profile=Profile.TINY) as outside, system(outside) as vod:
            await run(vod, outside)
            await race(vod, outside, Path(folder))


if __name__ == "__main__":
    asyncio.run(main())

"""`vod status`: what runs, who watches, what is on the stream node."""

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from vod_local.api_client import ApiClient
from vod_local.errors import LocalFailure, NotRunning
from vod_local.folders import data_folder
from vod_local.keys import installation_keys
from vod_local.lock import is_locked
from vod_local.ops import explain, health
from vod_local.record import RunRecord, read_record
from vod_local.servers.redis import is_there

UNHEALTHY = 8
"""Exit code when NovaStream runs, but not all of it is ready."""


@dataclass(frozen=True, slots=True)
class StatusOptions:
    """What the command line says."""

    data: Path | None


def running_record(data: Path) -> RunRecord:
    """Give the record of the running NovaStream.

    Raises NotRunning when there is none on this data folder, or when it still starts.
    """
    if not is_locked(data):
        raise NotRunning(f"NovaStream does not run on {data}. Start it with `vod up` (or `make run`).")
    record = read_record(data)
    if record is None:
        raise NotRunning(f"NovaStream on {data} is still starting (or stopping). Try again in a moment.")
    return record


def main(options: StatusOptions) -> int:
    """Print the state; give the exit code."""
    return asyncio.run(status(options))


async def status(options: StatusOptions) -> int:
    """Print services, sessions and pins; give 0 when all services are ready."""
    data = data_folder(options.data, os.environ)
    record = running_record(data)
    mode = "  (demo: made-up library, local swarm)" if record.demo else ""
    print(f"NovaStream at {record.address}, process {record.pid}{mode}")
    print(f"Data: {data}\n")
    code = await _print_services(record)
    await _print_playing(record, installation_keys(data, os.environ)["VOD_ADMIN_KEY"])
    return code


async def _print_services(record: RunRecord) -> int:
    code = 0
    for name, process in record.processes.items():
        print(f"process {name}")
        try:
            report = await health(process.ops)
        except (OSError, TimeoutError, ValueError) as failure:
            print(f"  does not answer ({type(failure).__name__})")
            code = UNHEALTHY
            continue
        for service, state in report.items():
            print(f"  {explain(service, state)}")
            code = code if state["state"] == "ready" else UNHEALTHY
    print("\n".join(["servers", *[await _server(name, record) for name in record.servers]]))
    return code


async def _server(name: str, record: RunRecord) -> str:
    """Describe a server; that the user's Redis is gone is shown nowhere else, since all services work without it."""
    line = f"  {name}: {record.servers[name]}"
    if name == "redis" and record.redis_address and not await is_there(record.redis_address):
        return f"{line}, does not answer"
    return line


async def _print_playing(record: RunRecord, admin_key: str) -> None:
    try:
        async with ApiClient(record.address, admin_key=admin_key) as api:
            playing = await api.status()
    except LocalFailure as failure:
        print(f"\nSessions and pins are not known: {failure}")
        return
    print("\n" + "\n".join([*_sessions(playing["sessions"]), *_pins(playing["node"], playing["pins"])]))


def _sessions(sessions: Iterable[Mapping[str, Any]]) -> list[str]:
    lines = [
        f"  {one['seriesId']} S{one['season']}E{one['episode']}"
        f" at {_clock(one['position_s'])} of {_clock(one['duration_s'])}"
        for one in sessions
    ]
    return ["sessions", *(lines or ["  none"])]


def _pins(node: str, pins: Sequence[Mapping[str, Any]]) -> list[str]:
    several = len({one["node"] for one in pins}) > 1
    lines = [
        f"  {one['node'] + '  ' if several else ''}{one['fileName'] or one['infohash'][:12]}: {one['state']}, "
        f"{_percent(one)} of {_megabytes(one['sizeBytes'])}, {one['peers']} peers, {_megabytes(one['downloadRate'])}/s"
        for one in pins
    ]
    return [f"pins on node {node}", *(lines or ["  none"])]


def _percent(pin: Mapping[str, Any]) -> str:
    return f"{100 * pin['downloadedBytes'] // max(1, pin['sizeBytes'])} %"


def _megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))

"""Runs the world as a process of its own: `python -m vod_fakes --folder F [--port N] [--ready-file R]`.

Prints one JSON object per line: `{"progress": {…}}` while video files are made, then `{"ready": {…}}` with the
environment for the services and all addresses. Ends cleanly on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vod_fakes.media import Profile, Progress
from vod_fakes.serving import bind
from vod_fakes.world import Ports, World, ports_from, world


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="vod_fakes", description="The outside world on loopback")
    parser.add_argument("--folder", type=Path, required=True, help="where the made media are kept")
    parser.add_argument("--profile", type=Profile, default=Profile.FULL, choices=list(Profile), metavar="full|tiny")
    parser.add_argument("--port", type=int, help="the first of nine ports; without it, those of the last time if free")
    parser.add_argument("--upload-rate", type=int, default=0, help="bytes per second of the seeder, 0 for no limit")
    parser.add_argument("--ready-file", type=Path, help="where to write the addresses as JSON once all is up")
    return parser.parse_args()


def _say(event: str, content: Any) -> None:
    sys.stdout.write(json.dumps({event: content}) + "\n")
    sys.stdout.flush()


def _made(progress: Progress) -> None:
    _say("progress", asdict(progress))


def _remembered(file: Path) -> Ports:
    """The ports of the last time, where they are free: what services have stored names the tracker's port."""
    try:
        ports = Ports(**json.loads(file.read_text()))
        for port in asdict(ports).values():
            bind(port).close()
    except (OSError, ValueError, TypeError):
        return Ports()
    return ports


def _write(file: Path, content: Any) -> None:
    unfinished = file.with_name(f"{file.name}.part")
    unfinished.write_text(json.dumps(content, indent=2))
    unfinished.replace(file)


def _description(running: World) -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "environment": running.environment,
        "tracker": running.tracker.url,
        "ports": asdict(running.ports),
    }


async def _run(arguments: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    memory = arguments.folder / "ports.json"
    ports = _remembered(memory) if arguments.port is None else ports_from(arguments.port)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(_serve(arguments, ports, memory))
        await stopped.wait()
        serving.cancel()


async def _serve(arguments: argparse.Namespace, ports: Ports, memory: Path) -> None:
    options = {"profile": arguments.profile, "upload_rate": arguments.upload_rate, "ports": ports}
    try:
        async with world(arguments.folder, progress=_made, **options) as running:
            await asyncio.to_thread(_write, memory, asdict(running.ports))
            if arguments.ready_file:
                await asyncio.to_thread(_write, arguments.ready_file, _description(running))
            _say("ready", _description(running))
            await asyncio.Event().wait()
    finally:
        if arguments.ready_file:
            with suppress(FileNotFoundError):
                arguments.ready_file.unlink()


def main() -> None:
    """Run until a signal comes."""
    try:
        asyncio.run(_run(_arguments()))
    except* OSError as problems:
        sys.exit(f"vod_fakes cannot start: {problems.exceptions[0]}")


if __name__ == "__main__":
    main()

"""Opens a video player on a stream, and reads from mpv where it is."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from vod_local.errors import BadConfiguration, PlayerUnusable

PLAYERS = ("mpv", "vlc", "cvlc")
SOCKET_WITHIN = timedelta(seconds=10)
ANSWER_WITHIN = timedelta(seconds=2)
LOOK_AGAIN = timedelta(milliseconds=50)


@dataclass(frozen=True, slots=True)
class Position:
    """Where the player is, in seconds. `duration` is None until it knows."""

    at: float
    duration: float | None


def find_player() -> Path | None:
    """Give the program of a video player, mpv first, or None when there is none."""
    return next((Path(found) for name in PLAYERS if (found := shutil.which(name))), None)


def named_player(wanted: str) -> Path:
    """Give the program that the user names.

    Raises BadConfiguration when there is none of this name.
    """
    found = shutil.which(wanted)
    if found is None:
        raise BadConfiguration(
            f"There is no player {wanted!r} to be run here. Install it, or leave --player away, or use --no-player."
        )
    return Path(found)


@asynccontextmanager
async def opened(player: Path, url: str, *, title: str, start: float) -> AsyncIterator["Player"]:
    """Open the player at `start` seconds; it is closed when the block ends.

    Raises PlayerUnusable when it can't be started.
    """
    with tempfile.TemporaryDirectory(prefix="vod-play-") as folder:
        socket = Path(folder) / "mpv.sock"
        process = await _start(player, _arguments(player, url, title, start, socket))
        try:
            yield Player(process, socket if player.name == "mpv" else None)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _start(player: Path, arguments: Sequence[str]) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(str(player), *arguments)
    except OSError as failure:
        raise PlayerUnusable(f"The player {player} can't be started: {failure.strerror}.") from failure


def _arguments(player: Path, url: str, title: str, start: float, socket: Path) -> list[str]:
    if player.name == "mpv":
        return [f"--input-ipc-server={socket}", f"--force-media-title={title}", f"--start={start:.1f}", "--", url]
    return ["--play-and-exit", f"--meta-title={title}", f"--start-time={start:.1f}", url]


class Player:
    """A running player."""

    def __init__(self, process: asyncio.subprocess.Process, socket: Path | None) -> None:
        self._process = process
        self._socket = socket

    async def closed(self) -> int:
        """Wait until the viewer closes it; give its exit code."""
        return await self._process.wait()

    @asynccontextmanager
    async def remote(self) -> AsyncIterator["Remote | None"]:
        """Give the connection to mpv's IPC; None for other players, or when mpv does not open it in time."""
        connection = await self._connect()
        if connection is None:
            yield None
            return
        reader, writer = connection
        try:
            yield Remote(reader, writer)
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        if self._socket is None:
            return None
        try:
            async with asyncio.timeout(SOCKET_WITHIN.total_seconds()):
                while self._process.returncode is None:
                    try:
                        return await asyncio.open_unix_connection(self._socket)
                    except OSError:  # mpv has not made it yet
                        await asyncio.sleep(LOOK_AGAIN.total_seconds())
        except TimeoutError:
            pass
        return None


class Remote:
    """mpv's JSON IPC (mpv manual, "JSON IPC"): one object per line; answers carry the request_id, events do not."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = count(1)

    async def position(self) -> Position | None:
        """Give the real position; None while nothing plays yet, or when mpv is gone."""
        at = await self._get("time-pos")
        duration = await self._get("duration")
        return Position(max(0.0, at), duration) if at is not None else None

    async def _get(self, name: str) -> float | None:
        number = next(self._ids)
        request = {"command": ["get_property", name], "request_id": number}
        try:
            async with asyncio.timeout(ANSWER_WITHIN.total_seconds()):
                self._writer.write(json.dumps(request).encode() + b"\n")
                await self._writer.drain()
                answer = await self._answer(number)
        except (TimeoutError, OSError):
            return None
        value = answer.get("data")
        return float(value) if isinstance(value, (int, float)) else None

    async def _answer(self, number: int) -> dict[str, Any]:
        while line := await self._reader.readline():
            message: dict[str, Any] = json.loads(line)
            if message.get("request_id") == number and "error" in message:
                return message
        return {}

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from vod_local.errors import PlayerUnusable
from vod_local.lock import locked
from vod_local.play import PlayOptions, play
from vod_local.player import Player, Position, opened
from vod_local.record import RunRecord, write_record
from vod_testing import eventually

EVENT = b'{"event": "playback-restart"}\n'


@asynccontextmanager
async def fake_mpv(socket: Path, properties: dict[str, float]) -> AsyncIterator[None]:
    """Answers like mpv's IPC server: an event between question and answer, `property unavailable` for what it lacks."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            asked = json.loads(line)
            name = asked["command"][1]
            answer = {"request_id": asked["request_id"], "error": "property unavailable"}
            if name in properties:
                answer |= {"data": properties[name], "error": "success"}
            writer.write(EVENT + json.dumps(answer).encode() + b"\n")
        writer.close()

    server = await asyncio.start_unix_server(serve, socket)
    async with server:
        yield


async def test_the_position_is_mpvs_own(short_tmp: Path) -> None:
    socket = short_tmp / "mpv.sock"
    process = await asyncio.create_subprocess_exec("sleep", "60")
    async with fake_mpv(socket, {"time-pos": 12.5, "duration": 60.0}):
        async with Player(process, socket).remote() as remote:
            assert remote
            positions: list[Position | None] = []

            async def why_not_yet() -> str | None:
                """An mpv that stands still for a while has no position either, and is asked again."""
                positions.append(await remote.position())
                return None if positions[-1] and positions[-1].duration else f"{positions}"

            await eventually(why_not_yet, within=30)
        process.kill()
        await process.wait()

    assert positions[-1] == Position(12.5, 60.0)


async def test_before_anything_plays_there_is_no_position(short_tmp: Path) -> None:
    socket = short_tmp / "mpv.sock"
    process = await asyncio.create_subprocess_exec("sleep", "60")
    async with fake_mpv(socket, {}):
        async with Player(process, socket).remote() as remote:
            assert remote
            position = await remote.position()
        process.kill()
        await process.wait()

    assert position is None


async def test_a_player_that_ends_at_once_is_not_waited_for(short_tmp: Path) -> None:
    player = short_tmp / "mpv"
    player.write_text(f"#!{sys.executable}\nimport sys; sys.exit(2)\n")
    player.chmod(0o755)
    async with asyncio.timeout(60), opened(player, "http://127.0.0.1/x", title="X", start=0) as running:
        async with running.remote() as remote:
            pass
        code = await running.closed()

    assert remote is None
    assert code == 2


async def test_vlc_gives_no_position(short_tmp: Path) -> None:
    player = short_tmp / "vlc"
    player.write_text(f"#!{sys.executable}\n")
    player.chmod(0o755)
    async with opened(player, "http://127.0.0.1/x", title="X", start=3) as running, running.remote() as remote:
        pass

    assert remote is None


@asynccontextmanager
async def fake_api(answers: dict[str, Any], asked: list[str]) -> AsyncIterator[str]:
    """Answers each path with its JSON; writes down which were asked. Gives its base URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1].partition("?")[0]
        asked.append(path)
        body = json.dumps(answers[path]).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_the_session_ends_when_the_player_can_not_be_started(tmp_path: Path) -> None:
    player = tmp_path / "mpv"
    player.write_text("not a program\n")
    player.chmod(0o755)
    title = {"seriesId": "tmdb:tv:9001", "title": "Harbor Lights", "year": 2024, "type": "series"}
    source = {"type": "torrent", "quality": "1080p", "provider": "torrent", "collection": "", "reasons": []}
    session = {"sessionId": "s", "streamUrl": "http://127.0.0.1/x", "pick": {"title": "R"}, "source": source}
    answers = {"/v1/titles": {"titles": [title]}, "/v1/session/start": session, "/v1/session/ended": {}}
    asked: list[str] = []
    async with fake_api(answers, asked) as base:
        with locked(tmp_path):
            write_record(tmp_path, RunRecord(pid=1, address=base, stream_address=base, demo=True))
            with pytest.raises(PlayerUnusable, match="can't be started: Exec format error"):
                await play(PlayOptions(data=tmp_path, title="Harbor Lights", episode=(1, 1), player=player))

    assert asked == ["/v1/titles", "/v1/session/start", "/v1/session/ended"]

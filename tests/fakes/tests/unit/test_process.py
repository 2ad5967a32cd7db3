"""The world as a process of its own, as the demo runs it."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import httpx

from vod_fakes.media import Profile, make_media
from vod_fakes.world import shared_folder
from vod_local.ports import kept


async def test_it_says_when_it_is_ready_and_comes_back_on_the_same_ports(tmp_path: Path) -> None:
    media = await make_media(shared_folder(), profile=Profile.TINY)
    (tmp_path / media.name).symlink_to(media)
    with kept(9) as ports:  # meanwhile nobody else is given one
        first = await _run_until_ready(tmp_path, "--port", str(ports.start))
        second = await _run_until_ready(tmp_path)

    assert first["environment"] == second["environment"]
    assert list(first["ports"].values()) == list(second["ports"].values()) == list(ports)
    assert not (tmp_path / "ready.json").exists()


async def _run_until_ready(folder: Path, *more: str) -> dict[str, dict[str, str]]:
    """Start it, ask it something, end it with SIGTERM; returns what it said."""
    options = ("--folder", str(folder), "--profile", "tiny", "--ready-file", str(folder / "ready.json"), *more)
    async with asyncio.timeout(30):
        child = await asyncio.create_subprocess_exec(sys.executable, "-m", "vod_fakes", *options, stdout=PIPE)
        assert child.stdout is not None
        said: dict[str, dict[str, str]] = json.loads(await child.stdout.readline())["ready"]
        assert json.loads((folder / "ready.json").read_text()) == said
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(f"{said['environment']['VOD_JIKAN_BASE']}/anime/9201")
        assert answer.status_code == 200
        child.terminate()
        assert await child.wait() == 0
    return said

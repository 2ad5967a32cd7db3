"""Other people's programs as seeders: what we read from them is what they have."""

import asyncio
import json
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from vod_fakes.torrents import make_torrent

from .conftest import Node, Swarm, noise, sha256

MIB = 1 << 20
FILM = noise(5 * MIB + 4321, seed=21)


@dataclass(frozen=True, slots=True)
class Share:
    """What a program is to seed, and where it may live; its address is its own, as outside."""

    folder: Path
    """With the complete film."""
    metainfo: Path
    home: Path
    port: int
    host: str = "127.0.0.2"


def aria2(share: Share) -> list[str]:
    return [
        *("aria2c", f"--dir={share.folder}", "--check-integrity=true", "--seed-ratio=0.0"),
        *("--enable-dht=false", "--enable-dht6=false", "--bt-enable-lpd=false", "--enable-peer-exchange=false"),
        *("--file-allocation=none", "--no-conf=true", "--summary-interval=0", f"--interface={share.host}"),
        *("--disable-ipv6=true", f"--stop-with-process={os.getpid()}", f"--listen-port={share.port}"),
        str(share.metainfo),
    ]


def transmission(share: Share) -> list[str]:
    settings = {
        "bind-address-ipv4": share.host,
        "peer-port": share.port,
        "port-forwarding-enabled": False,
        "download-dir": str(share.folder),
        "watch-dir": str(share.metainfo.parent),
        "watch-dir-enabled": True,
        **dict.fromkeys(["rpc-enabled", "dht-enabled", "pex-enabled", "lpd-enabled", "utp-enabled"], False),
    }
    (share.home / "settings.json").write_text(json.dumps(settings))
    return ["transmission-daemon", "--foreground", "--config-dir", str(share.home)]


def qbittorrent(share: Share, *, encryption: int = 0) -> list[str]:
    session = {
        "Port": share.port,
        "Encryption": encryption,
        "InterfaceAddress": share.host,
        **dict.fromkeys(["DHTEnabled", "PeXEnabled", "LSDEnabled"], "false"),
    }
    lines = ["[LegalNotice]", "Accepted=true", "[Preferences]", "WebUI\\Enabled=false", "[BitTorrent]"]
    lines += [f"Session\\{name}={value}" for name, value in session.items()]
    config = share.home / "qBittorrent" / "config" / "qBittorrent.conf"
    config.parent.mkdir(parents=True)
    config.write_text("\n".join(lines))
    return [
        *("qbittorrent-nox", f"--profile={share.home}", f"--save-path={share.folder}", "--add-paused=false"),
        str(share.metainfo),
    ]


def qbittorrent_that_demands_encryption(share: Share) -> list[str]:
    return qbittorrent(share, encryption=1)


@asynccontextmanager
async def running(command: list[str], home: Path) -> AsyncIterator[None]:
    if shutil.which(command[0]) is None:
        why = f"{command[0]} is not installed"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    quiet = asyncio.subprocess.DEVNULL
    environment = os.environ | {"HOME": str(home)}
    process = await asyncio.create_subprocess_exec(
        *command, stdin=quiet, stdout=quiet, stderr=quiet, env=environment, cwd=home
    )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="how they are started was tried on Linux only")
@pytest.mark.parametrize("command", [aria2, transmission, qbittorrent, qbittorrent_that_demands_encryption])
async def test_a_film_streams_from_another_program(
    swarm: Swarm, node: Node, tmp_path: Path, command: Callable[[Share], list[str]]
) -> None:
    folder, home, watched = (tmp_path / name for name in ("theirs", "home", "watched"))
    for each in (folder, home, watched):
        each.mkdir()
    (folder / "Film.mkv").write_bytes(FILM)
    torrent = make_torrent("Film.mkv", ["Film.mkv"], folder)
    metainfo = watched / "Film.torrent"
    metainfo.write_bytes(torrent.metainfo(swarm.tracker.url))
    with socket.create_server(("127.0.0.2", 0)) as free:
        port = free.getsockname()[1]
    async with running(command(Share(folder, metainfo, home, port)), home):
        await swarm.tracker.has_peers([torrent.infohash], within=timedelta(seconds=60))
        pin = await node.pin(torrent, swarm)
        jumped = await node.http.get(pin.stream_url, headers={"Range": "bytes=4000000-4099999"})
        answer = await node.http.get(pin.stream_url)

    assert jumped.content == FILM[4_000_000:4_100_000]
    assert sha256(answer.content) == sha256(FILM)

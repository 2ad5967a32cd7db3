"""A way to Postgres that tests can cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr


@dataclass
class Relay:
    """The way to Postgres, which can be cut."""

    socket: str
    cut: bool = False
    refused: int = 0
    """How often somebody came while it was cut."""
    ends: set[asyncio.StreamWriter] = field(default_factory=set)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_unix_connection(self.socket)
        if self.cut:
            self.refused += 1
            writer.close()
            forth.close()
            return
        self.ends |= {writer, forth}
        await asyncio.gather(_pump(reader, forth), _pump(back, writer))

    def break_off(self) -> None:
        self.cut = True
        for end in self.ends:
            end.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
    except ConnectionError:
        pass  # it was cut
    finally:
        writer.close()


@asynccontextmanager
async def relayed(dsn: str) -> AsyncIterator[tuple[Relay, SecretStr]]:
    """Lay a way to the database of *dsn*; yield it, and the DSN that goes along it."""
    parts = urlsplit(dsn)
    relay = Relay(f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.{parts.port or 5432}")
    async with await asyncio.start_server(relay.carry, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield relay, SecretStr(f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}")
        relay.break_off()

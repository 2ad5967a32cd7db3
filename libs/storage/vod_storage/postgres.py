"""A service's pool: its own role, its own schema, nothing else."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg
import asyncpg.pool
from pydantic import SecretStr

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
"""One connection, of the pool's or not."""

_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it is stopping, or only just starting
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    OSError,
)
_COMMAND_SECONDS = 10.0
_CONNECT_SECONDS = 10.0


def database_away(error: Exception) -> bool:
    """Tell whether a statement failed because the database is away; nobody knows then whether it took effect."""
    # To asyncpg, values that no column can hold are an InterfaceError, too.
    return isinstance(error, _AWAY) and not isinstance(error, ValueError)


def role_of(schema: str) -> str:
    """Return the name of the role that owns *schema*."""
    return f"vod_{schema}"


@dataclass(frozen=True, slots=True)
class Database:
    """A pool of connections that act as the schema's role; jsonb values are Python objects."""

    pool: "asyncpg.Pool[asyncpg.Record]"

    async def check(self) -> None:
        """Raise unless the database answers."""
        await self.pool.execute("SELECT 1", timeout=2.0)


async def _prepare(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


@asynccontextmanager
async def postgres(dsn: SecretStr, *, schema: str, max_size: int = 8) -> AsyncIterator[Database]:
    """Open a pool on *schema*, acting as the schema's own role.

    The user in the DSN only has to be a member of that role. Statements end after 10 s.
    """
    settings = {"role": role_of(schema), "search_path": schema, "application_name": f"vod-{schema}"}
    async with asyncpg.create_pool(
        dsn.get_secret_value(),
        min_size=1,
        max_size=max_size,
        timeout=_CONNECT_SECONDS,
        command_timeout=_COMMAND_SECONDS,
        max_inactive_connection_lifetime=60.0,
        server_settings=settings,
        init=_prepare,
    ) as pool:
        yield Database(pool)

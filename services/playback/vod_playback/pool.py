"""The database as the stores use it: when it is away, whoever asked may try again."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import asyncpg

from vod_playback.errors import StoreUnavailable
from vod_storage import Connection, Database, database_away

_Answer = TypeVar("_Answer")


class Pool:
    """Statements and transactions as asyncpg's pool has them.

    A statement that others' locks defeated had no effect, and the others have gone on: it is tried once more.

    Raises:
        StoreUnavailable: the database is away; nobody knows whether the statement took effect.
    """

    def __init__(self, database: Database) -> None:
        self._pool = database.pool

    async def fetch(self, statement: str, *values: Any) -> list[asyncpg.Record]:
        return await _answered(lambda: self._pool.fetch(statement, *values))

    async def fetchrow(self, statement: str, *values: Any) -> asyncpg.Record | None:
        return await _answered(lambda: self._pool.fetchrow(statement, *values))

    async def fetchval(self, statement: str, *values: Any) -> Any:
        return await _answered(lambda: self._pool.fetchval(statement, *values))

    async def execute(self, statement: str, *values: Any) -> None:
        await _answered(lambda: self._pool.execute(statement, *values))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Open a transaction; it is committed when the body succeeds."""
        with _told():
            async with self._pool.acquire() as connection, connection.transaction():
                yield connection


async def _answered(ask: Callable[[], Awaitable[_Answer]]) -> _Answer:
    with _told():
        try:
            return await ask()
        except asyncpg.DeadlockDetectedError:
            return await ask()


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if database_away(error) or isinstance(error, asyncpg.DeadlockDetectedError):
            raise StoreUnavailable from error
        raise

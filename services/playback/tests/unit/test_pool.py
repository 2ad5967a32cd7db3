"""Statements that meet trouble: which are tried again, and what their callers learn."""

from typing import Any, cast

import asyncpg
import pytest

from vod_playback.errors import StoreUnavailable
from vod_playback.pool import Pool
from vod_storage import Database


class Server:
    """Fails as often as it is told to, as asyncpg's pool does."""

    def __init__(self, error: Exception, *, times: int) -> None:
        self._error, self._times = error, times
        self.asked = 0

    async def fetchval(self, statement: str, *values: Any) -> int:
        self.asked += 1
        if self.asked <= self._times:
            raise self._error
        return 7


def pool(server: Server) -> Pool:
    return Pool(Database(cast(Any, server)))


async def test_a_statement_that_lost_against_others_locks_is_tried_once_more() -> None:
    server = Server(asyncpg.DeadlockDetectedError("deadlock detected"), times=1)

    assert await pool(server).fetchval("SELECT 7") == 7


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (asyncpg.DeadlockDetectedError("deadlock detected"), 2),
        (asyncpg.AdminShutdownError("terminating connection"), 1),
        (asyncpg.CannotConnectNowError("starting up"), 1),
        (asyncpg.ConnectionDoesNotExistError("closed in the middle"), 1),
        (ConnectionRefusedError(), 1),
        (TimeoutError(), 1),
    ],
)
async def test_a_database_that_does_not_answer_is_unavailable(error: Exception, tries: int) -> None:
    server = Server(error, times=9)

    with pytest.raises(StoreUnavailable):
        await pool(server).fetchval("SELECT 7")
    assert server.asked == tries


async def test_a_wrong_statement_is_no_outage() -> None:
    with pytest.raises(asyncpg.UndefinedColumnError):
        await pool(Server(asyncpg.UndefinedColumnError("no such column"), times=9)).fetchval("SELECT x")

"""Work that one instance does at a time; should it die, another one goes on when the lease has run out."""

import uuid
from datetime import datetime, timedelta

import asyncpg

from vod_runtime import Clock

_TAKE = """
    INSERT INTO leases (name, holder, held_until) VALUES ($1, $2, $4)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
    WHERE leases.held_until <= $3 OR (leases.holder = excluded.holder AND $5)
    RETURNING true
"""


class Leases:
    """The leases that this instance takes."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._holder = uuid.uuid4().hex

    async def hold(self, name: str, *, time: timedelta) -> bool:
        """Return whether this instance does the work from now on for *time*; who has it already has it longer."""
        return await self._take(name, until=self._clock.now() + time, again=True)

    async def turn(self, name: str, *, every: timedelta) -> bool:
        """Return whether this instance does what is done once in *every*; nobody else does then, nor this one again."""
        return await self._take(name, until=self._clock.now() + every, again=False)

    async def _take(self, name: str, *, until: datetime, again: bool) -> bool:
        taken = await self._pool.fetchval(_TAKE, name, self._holder, self._clock.now(), until, again)
        return bool(taken)

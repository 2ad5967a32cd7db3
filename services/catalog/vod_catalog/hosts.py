"""Whether a host outside is asked at all: a circuit breaker that survives a restart, and says a thing once.

WELL → (three failures in a row, or 429) → RESTING → (the rest is over) → TRIED by one request → WELL or RESTING again,
for twice as long. Nothing is asked of a host that rests, however many wait for it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import asyncpg
from structlog.typing import FilteringBoundLogger

from vod_runtime import Clock

HOST_LEFT_ALONE = "host_left_alone"
HOST_ANSWERS_AGAIN = "host_answers_again"

_FAILURES_IN_A_ROW = 3
_FIRST_REST = timedelta(seconds=30)
_LONGEST_OWN_REST = timedelta(minutes=10)
_LONGEST_REST = timedelta(hours=1)
_FORGOTTEN_AFTER = timedelta(minutes=5)
"""Failures that lie further apart are not in a row: most likely it is what was asked for that fails, not the host."""


@dataclass(frozen=True, slots=True)
class State:
    """Failures in a row, and until when the host is left alone."""

    failures: int
    resting_until: datetime


class States(Protocol):
    """Where states are kept; see `HostStore`."""

    async def load(self, host: str) -> State | None: ...
    async def save(self, host: str, state: State) -> None: ...
    async def forget(self, host: str) -> None: ...


class HostStore:
    """States in Postgres."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def load(self, host: str) -> State | None:
        row = await self._pool.fetchrow("SELECT failures, resting_until FROM hosts WHERE name = $1", host)
        return State(row["failures"], row["resting_until"]) if row else None

    async def save(self, host: str, state: State) -> None:
        await self._pool.execute(
            "INSERT INTO hosts (name, failures, resting_until) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE "
            "SET failures = excluded.failures, resting_until = excluded.resting_until",
            host,
            state.failures,
            state.resting_until,
        )

    async def forget(self, host: str) -> None:
        await self._pool.execute("DELETE FROM hosts WHERE name = $1", host)


class Host:
    """One host's breaker."""

    def __init__(self, name: str, *, states: States, clock: Clock, log: FilteringBoundLogger) -> None:
        self._name = name
        self._states = states
        self._clock = clock
        self._log = log
        self._failures = 0
        self._failed_at: datetime | None = None
        self._resting_until: datetime | None = None
        self._is_known = False
        self._is_tried = False

    async def wait(self) -> timedelta | None:
        """Return how much longer the host is left alone; None if it may be asked, which the caller then does.

        After a rest one caller may, and the others wait for what becomes of it.
        """
        if not self._is_known:
            await self._recall()
        if self._resting_until is None:
            return None
        left = self._resting_until - self._clock.now()
        if left > timedelta(0):
            return left
        if self._is_tried:
            return timedelta(seconds=1)
        self._is_tried = True
        return None

    async def answered(self) -> None:
        """Note an answer that was as it should be; "there is no such thing" is one."""
        self._failures, self._is_tried = 0, False
        if self._resting_until is not None:
            self._resting_until = None
            await self._states.forget(self._name)
            self._log.info(HOST_ANSWERS_AGAIN, host=self._name)

    async def failed(self) -> None:
        """Note a failure; the third in a row begins a rest, each further one a longer one."""
        now = self._clock.now()
        before = max((one for one in (self._failed_at, self._resting_until) if one), default=now)
        self._failures = 1 if now - before > _FORGOTTEN_AFTER else self._failures + 1
        self._failed_at = now
        if self._failures >= _FAILURES_IN_A_ROW or self._is_tried:
            longer = min(max(0, self._failures - _FAILURES_IN_A_ROW), 10)
            await self._rest(min(_FIRST_REST * 2**longer, _LONGEST_OWN_REST))

    async def asked_to_wait(self, time: timedelta) -> None:
        """Note that the host asks for a pause."""
        await self._rest(min(time, _LONGEST_REST))

    def dropped(self) -> None:
        """Note that a request ended without an answer or a failure: its caller gave up."""
        self._is_tried = False

    async def _rest(self, time: timedelta) -> None:
        is_news = self._resting_until is None
        self._is_tried = False
        self._resting_until = self._clock.now() + time
        if is_news:
            self._log.warning(HOST_LEFT_ALONE, host=self._name, failures=self._failures, seconds=time.total_seconds())
        await self._states.save(self._name, State(self._failures, self._resting_until))

    async def _recall(self) -> None:
        state = await self._states.load(self._name)
        # Another caller may have asked meanwhile.
        if state and not self._is_known and self._resting_until is None:
            self._failures, self._resting_until = state.failures, state.resting_until
        self._is_known = True

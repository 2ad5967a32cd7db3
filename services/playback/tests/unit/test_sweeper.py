"""The sweeper: whom a database that was away could not hear is given time to be heard again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from vod_playback.sweeper import sweeper
from vod_runtime import Runtime
from vod_testing import eventually

SOON = timedelta(milliseconds=1)


@dataclass(slots=True)
class StillClock:
    """A clock that only a test moves."""

    time: datetime = datetime(2026, 11, 21, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def runtime(make_runtime: Callable[[str], Runtime], clock: StillClock) -> Runtime:
    return replace(make_runtime("playback"), clock=clock)


class Database:
    """Writes down what it is asked; away for as many questions as a test says, from the second on."""

    def __init__(self, *, away: int, error: Exception) -> None:
        self.asked: list[str] = []
        self._away, self._error = away, error

    async def sweep(self) -> None:
        self._answer("sweep")

    async def look(self) -> None:
        self._answer("look")

    def _answer(self, question: str) -> None:
        self.asked.append(question)
        if 1 < len(self.asked) <= 1 + self._away:
            raise self._error


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError(), asyncpg.CannotConnectNowError("starting up"), TimeoutError()]
)
async def test_after_an_outage_nobody_is_ended_before_a_round_has_passed(error: Exception, runtime: Runtime) -> None:
    database = Database(away=3, error=error)

    async with sweeper(database.sweep, database.look, runtime, every=SOON):
        await eventually(lambda: None if len(database.asked) >= 7 else f"asked {database.asked}", within=30)

    assert database.asked[:7] == ["sweep", "sweep", "look", "look", "look", "sweep", "sweep"]


async def test_a_database_that_answers_is_swept_in_each_round(runtime: Runtime) -> None:
    database = Database(away=0, error=AssertionError())

    async with asyncio.timeout(60), sweeper(database.sweep, database.look, runtime, every=SOON):
        await eventually(lambda: None if len(database.asked) >= 4 else f"asked {database.asked}", within=30)

    assert set(database.asked) == {"sweep"}


async def test_who_stood_still_itself_ends_nobody_before_a_round_has_passed(
    runtime: Runtime, clock: StillClock
) -> None:
    asked: list[str] = []

    def stand_still() -> None:
        clock.time += timedelta(minutes=2)

    async def sweep() -> None:
        asked.append("sweep")
        if len(asked) == 2:
            asyncio.get_running_loop().call_soon(stand_still)  # in the midst of the wait that follows

    async def look() -> None:
        asked.append("look")

    async with sweeper(sweep, look, runtime, every=SOON):
        await eventually(lambda: None if len(asked) >= 5 else f"asked {asked}", within=30)

    assert asked[:5] == ["sweep", "sweep", "look", "sweep", "sweep"]

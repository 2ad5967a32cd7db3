"""Marks in Redis: who is at what. They may vanish; then work is done twice, which is harmless."""

from datetime import timedelta

from redis.asyncio import Redis
from redis.exceptions import RedisError

from vod_runtime import Runtime

MARKS_UNAVAILABLE = "marks_unavailable"


class RedisMarks:
    """Marks that all replicas of prefetch share; while Redis is away, each replica keeps its own."""

    def __init__(self, redis: Redis, runtime: Runtime) -> None:
        self._redis = redis
        self._log = runtime.log
        self._clock = runtime.clock
        self._own: dict[str, float] = {}
        """When a mark of this process ends, by `Clock.monotonic`."""

    async def take(self, mark: str, *, lasting: timedelta) -> bool:
        """Return True for the first to ask."""
        now = self._clock.monotonic()
        self._own = {one: end for one, end in self._own.items() if end > now}
        if mark in self._own:
            return False
        self._own[mark] = now + lasting.total_seconds()
        try:
            is_first = bool(await self._redis.set(mark, b"1", nx=True, px=lasting))
        except (RedisError, OSError) as error:
            self._log.warning(MARKS_UNAVAILABLE, why=type(error).__name__)
            return True
        if not is_first:
            self._own.pop(mark, None)  # another replica's, which alone gives it back
        return is_first

    async def keep(self, mark: str, *, lasting: timedelta) -> None:
        """Let the mark stand for so long from now on."""
        self._own[mark] = self._clock.monotonic() + lasting.total_seconds()
        try:
            await self._redis.set(mark, b"1", px=lasting)
        except (RedisError, OSError) as error:
            self._log.warning(MARKS_UNAVAILABLE, why=type(error).__name__)

    async def give_back(self, mark: str) -> None:
        """Let the next one who asks have it."""
        self._own.pop(mark, None)
        try:
            await self._redis.delete(mark)
        except (RedisError, OSError) as error:
            self._log.warning(MARKS_UNAVAILABLE, why=type(error).__name__)

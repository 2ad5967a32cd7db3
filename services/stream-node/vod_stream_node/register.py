"""The register all stream nodes share: Redis, which may be flushed or away at any time."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError
from structlog.typing import FilteringBoundLogger

from vod_runtime import Clock

REGISTER_AWAY = "register_away"
REGISTER_BACK = "register_back"
_PAUSE_SECONDS = 1.0

T = TypeVar("T")


def text(found: bytes | str) -> str:
    """Return what Redis answered as a string."""
    return found.decode() if isinstance(found, bytes) else found


class RegisterAway(Exception):  # noqa: N818  not an error: nodes go on with what they know
    """Redis can't be asked now."""


class Register:
    """Asks Redis; one that does not answer is left in peace for a second, so that not everybody waits for it."""

    def __init__(self, redis: Redis, *, fleet: str, clock: Clock, log: FilteringBoundLogger) -> None:
        """*fleet*: which nodes belong together; two installations may share one Redis."""
        self._redis = redis
        self._fleet = fleet
        self._clock = clock
        self._log = log
        self._away = False
        self._ask_again_at = 0.0

    def key(self, *parts: str) -> str:
        """Return the key of an entry."""
        return ":".join(("stream", self._fleet, *parts))

    async def ask(self, question: Callable[[Redis], Awaitable[T]]) -> T:
        """Put a question to Redis.

        Raises:
            RegisterAway: it does not answer, or did not a moment ago.
        """
        if self._clock.monotonic() < self._ask_again_at:
            raise RegisterAway
        try:
            answer = await question(self._redis)
        except (RedisError, OSError) as error:
            self._ask_again_at = self._clock.monotonic() + _PAUSE_SECONDS
            if not self._away:
                self._away = True
                self._log.warning(REGISTER_AWAY, why=type(error).__name__)
            raise RegisterAway from error
        if self._away:
            self._away = False
            self._log.info(REGISTER_BACK)
        return answer

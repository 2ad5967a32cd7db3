"""The search cache: the table, and Redis in front of it. All SQL of search is here."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
from pydantic import TypeAdapter, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError
from structlog.typing import FilteringBoundLogger

from vod_runtime import Clock
from vod_search.domain import Release, SearchResult, UnavailableIndexer
from vod_search.resting import Rest, rest_after

HOT_CACHE_UNUSABLE = "hot_cache_unusable"
HOT_PREFIX = "vod:search:"


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The content of the column `candidates`."""

    releases: tuple[Release, ...]
    unavailable: tuple[UnavailableIndexer, ...]


@dataclass(frozen=True, slots=True)
class _Hot:
    """The same with its date, as Redis holds it."""

    candidates: _Candidates
    fetched_at: datetime


_CANDIDATES = TypeAdapter(_Candidates)
_HOT = TypeAdapter(_Hot)


class Table:
    """The table `search_cache`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def load(self, key: str) -> SearchResult | None:
        """Return what was last found for *key*, however old; None if there is nothing, or nothing that we can read."""
        row = await self._pool.fetchrow("SELECT candidates, fetched_at FROM search_cache WHERE key = $1", key)
        if row is None:
            return None
        try:
            candidates = _CANDIDATES.validate_python(row["candidates"])
        except ValidationError:  # written by another release of ours
            return None
        return SearchResult(candidates.releases, candidates.unavailable, row["fetched_at"])

    async def save(self, key: str, result: SearchResult) -> None:
        """Keep *result* in place of what there was."""
        await self._pool.execute(
            """
            INSERT INTO search_cache (key, candidates, fetched_at) VALUES ($1, $2, $3)
            ON CONFLICT (key) DO UPDATE SET candidates = excluded.candidates, fetched_at = excluded.fetched_at
            """,
            key,
            _CANDIDATES.dump_python(_candidates(result), mode="json"),
            result.fetched_at,
        )

    async def sweep(self, before: datetime) -> int:
        """Delete what was found earlier than *before*; return how many rows that were."""
        status = await self._pool.execute("DELETE FROM search_cache WHERE fetched_at < $1", before)
        return int(status.rpartition(" ")[2])


# The first two failures at once find no row that they could wait for.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"


class RestTable:
    """The table `indexer_rests`."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def current(self) -> dict[str, Rest]:
        """Return all indexers that failed last time, by name."""
        rows = await self._pool.fetch("SELECT indexer, failures, until, reason FROM indexer_rests")
        return {row["indexer"]: Rest(row["failures"], row["until"], row["reason"]) for row in rows}

    async def failed(self, indexer: str, *, known: int, reason: str, retry_after: timedelta | None) -> None:
        """Let an indexer rest, longer than last time; *known* failures were counted when it was asked."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_ONE_AT_A_TIME, f"rest {indexer}")
            row = await connection.fetchrow(
                "SELECT failures, until, reason FROM indexer_rests WHERE indexer = $1", indexer
            )
            before = Rest(**row) if row else None
            now = self._clock.now()
            rest = rest_after(before, known=known, reason=reason, retry_after=retry_after, now=now)
            await connection.execute(
                """
                INSERT INTO indexer_rests (indexer, failures, until, reason) VALUES ($1, $2, $3, $4)
                ON CONFLICT (indexer) DO UPDATE SET
                    failures = excluded.failures, until = excluded.until, reason = excluded.reason
                """,
                indexer,
                rest.failures,
                rest.until,
                rest.reason,
            )

    async def recovered(self, indexer: str) -> None:
        """Forget an indexer's failures."""
        await self._pool.execute("DELETE FROM indexer_rests WHERE indexer = $1", indexer)


class HotCache:
    """The hot copy in Redis. It may vanish or be away at any time: then there is nothing in it."""

    def __init__(self, redis: Redis, log: FilteringBoundLogger) -> None:
        self._redis = redis
        self._log = log

    async def load(self, key: str) -> SearchResult | None:
        """Return what was kept for *key* and has not expired."""
        try:
            data: Any = await self._redis.get(HOT_PREFIX + key)
        except (RedisError, OSError) as error:
            self._log.warning(HOT_CACHE_UNUSABLE, error=type(error).__name__)
            return None
        if data is None:
            return None
        try:
            hot = _HOT.validate_json(data)
        except ValidationError:
            return None
        return SearchResult(hot.candidates.releases, hot.candidates.unavailable, hot.fetched_at)

    async def save(self, key: str, result: SearchResult, *, ttl: timedelta) -> None:
        """Keep *result* for *ttl*, if Redis is there."""
        try:
            data = _HOT.dump_json(_Hot(_candidates(result), result.fetched_at))
            await self._redis.set(HOT_PREFIX + key, data, px=ttl)
        except (RedisError, OSError) as error:
            self._log.warning(HOT_CACHE_UNUSABLE, error=type(error).__name__)


def _candidates(result: SearchResult) -> _Candidates:
    return _Candidates(tuple(result.releases), tuple(result.unavailable))

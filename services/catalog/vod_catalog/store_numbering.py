"""Entries, overrides, mapping data and skip times in Postgres."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from vod_catalog.domain import Entry, EpisodeKey, SeriesId
from vod_catalog.overrides import Override

_SAVE_OVERRIDE = """
    INSERT INTO mapping_overrides (ref, series_id, season, episode) VALUES ($1, $2, $3, $4)
    ON CONFLICT (ref) DO UPDATE SET
        series_id = excluded.series_id, season = excluded.season, episode = excluded.episode
"""
_SAVE_FILE = """
    INSERT INTO mapping_files (name, body, fetched_at) VALUES ($1, $2, $3)
    ON CONFLICT (name) DO UPDATE SET body = excluded.body, fetched_at = excluded.fetched_at
"""
_SAVE_SKIPS = """
    INSERT INTO skip_times (mal, episode, length_s, ranges, fetched_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (mal, episode, length_s) DO UPDATE SET ranges = excluded.ranges, fetched_at = excluded.fetched_at
"""


class NumberingStore:
    """What is kept about numbers, beside the titles themselves."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def override_of(self, ref: str) -> EpisodeKey | None:
        """Return where the operator put an episode."""
        row = await self._pool.fetchrow("SELECT * FROM mapping_overrides WHERE ref = $1", ref)
        return _key(row) if row else None

    async def override_to(self, key: EpisodeKey) -> str | None:
        """Return which ref the operator put at an episode; the last one, if there are several."""
        ref: str | None = await self._pool.fetchval(
            "SELECT ref FROM mapping_overrides WHERE series_id = $1 AND season = $2 AND episode = $3 "
            "ORDER BY updated_at DESC LIMIT 1",
            key.series_id,
            key.season,
            key.episode,
        )
        return ref

    async def save_override(self, ref: str, key: EpisodeKey) -> None:
        """Keep where the operator puts an episode."""
        await self._pool.execute(_SAVE_OVERRIDE, ref, key.series_id, key.season, key.episode)

    async def overrides(self) -> list[Override]:
        """Return where the operator put episodes, the latest first."""
        rows = await self._pool.fetch("SELECT * FROM mapping_overrides ORDER BY updated_at DESC, ref")
        return [Override(row["ref"], _key(row), row["updated_at"]) for row in rows]

    async def delete_override(self, ref: str) -> bool:
        """Forget where the operator put an episode; False if that was nowhere."""
        deleted = await self._pool.fetchval("DELETE FROM mapping_overrides WHERE ref = $1 RETURNING ref", ref)
        return deleted is not None

    async def entries(self, mal: Sequence[int]) -> list[Entry]:
        """Return those of the entries that were ever fetched."""
        rows = await self._pool.fetch("SELECT * FROM entries WHERE mal = ANY ($1::bigint[])", list(mal))
        return [Entry(row["mal"], row["episodes"], row["started_on"]) for row in rows]

    async def mapping_file(self, name: str) -> tuple[bytes, datetime] | None:
        """Return mapping data and when they were fetched."""
        row = await self._pool.fetchrow("SELECT body, fetched_at FROM mapping_files WHERE name = $1", name)
        return (row["body"], row["fetched_at"]) if row else None

    async def save_mapping_files(self, files: dict[str, bytes], *, at: datetime) -> None:
        """Keep mapping data that were read without an error, all or none."""
        async with self._pool.acquire() as connection, connection.transaction():
            for name, body in files.items():
                await connection.execute(_SAVE_FILE, name, body, at)

    async def skip_times(self, mal: int, episode: int, *, length_s: int) -> tuple[object, datetime] | None:
        """Return what AniSkip answered, and when."""
        row = await self._pool.fetchrow(
            "SELECT ranges, fetched_at FROM skip_times WHERE mal = $1 AND episode = $2 AND length_s = $3",
            mal,
            episode,
            length_s,
        )
        return (row["ranges"], row["fetched_at"]) if row else None

    async def save_skip_times(self, mal: int, episode: int, *, length_s: int, ranges: object, at: datetime) -> None:
        """Keep what AniSkip answered."""
        await self._pool.execute(_SAVE_SKIPS, mal, episode, length_s, ranges, at)


def _key(row: asyncpg.Record) -> EpisodeKey:
    return EpisodeKey(SeriesId(row["series_id"]), row["season"], row["episode"])

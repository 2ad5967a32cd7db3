"""The key under which an episode is kept, by every key it was asked for under: in Postgres."""

from collections.abc import Mapping, Sequence

import asyncpg

from vod_catalog.domain import EpisodeKey, SeriesId

_OF = """
    SELECT * FROM episode_names WHERE (series_id, season, episode) IN
        (SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[]))
"""
_KEEP = """
    INSERT INTO episode_names (series_id, season, episode, kept_series_id, kept_season, kept_episode)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
"""
_FORGET = """
    DELETE FROM episode_names WHERE series_id = $1 AND season = $2 AND episode = $3
        AND (kept_series_id, kept_season, kept_episode) <> (series_id, season, episode)
"""
_TITLE_OF = """
    SELECT kept_series_id FROM episode_names WHERE series_id = $1
    GROUP BY kept_series_id ORDER BY count(*) DESC, min(created_at) LIMIT 1
"""


class NameStore:
    """Written at the first use of a name, and never again: what people have watched hangs on it."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def of(self, names: Sequence[EpisodeKey]) -> dict[EpisodeKey, EpisodeKey]:
        """Return the kept key of those of the names that were ever used."""
        columns = zip(*(_values(name) for name in names), strict=True) if names else ([], [], [])
        rows = await self._pool.fetch(_OF, *(list(column) for column in columns))
        return {_key(row, ""): _key(row, "kept_") for row in rows}

    async def keep(self, name: EpisodeKey, *, under: EpisodeKey) -> EpisodeKey:
        """Say under which key an episode is kept, and return the one that holds: an earlier word stands.

        A kept key has one name in each title; where it has one already, *name* is kept under itself.
        """
        for kept in (under, name):
            await self._pool.execute(_KEEP, *_values(name), *_values(kept))
            if found := (await self.of([name])).get(name):
                return found
        return name

    async def forget(self, name: EpisodeKey) -> None:
        """Let a name find its way anew, unless something is kept under it itself."""
        await self._pool.execute(_FORGET, *_values(name))

    async def of_title(self, series_id: SeriesId) -> Mapping[EpisodeKey, EpisodeKey]:
        """Return the kept keys of all names of a title that were ever used."""
        rows = await self._pool.fetch("SELECT * FROM episode_names WHERE series_id = $1", series_id)
        return {_key(row, ""): _key(row, "kept_") for row in rows}

    async def title_of(self, series_id: SeriesId) -> SeriesId:
        """Return the title in which most of a title's episodes are kept."""
        kept = await self._pool.fetchval(_TITLE_OF, series_id)
        return SeriesId(kept) if kept else series_id

    async def older(self, one: SeriesId, other: SeriesId) -> SeriesId:
        """Return which of two titles was here first."""
        first = await self._pool.fetchval(
            "SELECT id FROM series WHERE id IN ($1, $2) ORDER BY created_at, id LIMIT 1", one, other
        )
        return SeriesId(first) if first else one


def _values(key: EpisodeKey) -> tuple[str, int, int]:
    return key.series_id, key.season, key.episode


def _key(row: "asyncpg.Record", prefix: str) -> EpisodeKey:
    return EpisodeKey(SeriesId(row[f"{prefix}series_id"]), row[f"{prefix}season"], row[f"{prefix}episode"])

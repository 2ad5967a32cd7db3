"""Titles and listings in Postgres: all SQL of catalog."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import asyncpg

from vod_catalog.domain import (
    Episode,
    Kind,
    Season,
    Series,
    SeriesId,
    StoredTitle,
    Title,
    in_viewing_order,
    keep_seasons,
)
from vod_catalog.fields import number, record, records, text

_SAVE_SERIES = """
    INSERT INTO series (id, title, kind, external, fetched_at, due_at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (id) DO UPDATE SET title = excluded.title, kind = excluded.kind, external = excluded.external,
        fetched_at = excluded.fetched_at, due_at = excluded.due_at, retry_at = NULL, failures = 0
"""
_TOUCH_SERIES = """
    INSERT INTO series (id, title, kind, fetched_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (id) DO UPDATE SET fetched_at = excluded.fetched_at
"""
_SAVE_EPISODES = """
    INSERT INTO episodes (series_id, season, episode, absolute_ep, name, runtime_s, air_date)
    SELECT $1, * FROM unnest($2::int[], $3::int[], $4::int[], $5::text[], $6::int[], $7::date[])
    ON CONFLICT (series_id, season, episode) DO UPDATE SET absolute_ep = excluded.absolute_ep, name = excluded.name,
        runtime_s = excluded.runtime_s, air_date = excluded.air_date, gone_at = NULL
"""
_SAVE_ENTRIES = """
    INSERT INTO entries (mal, episodes, started_on, series_id, season)
    SELECT mal, episodes, started_on, CASE WHEN season > 0 THEN $5 END, CASE WHEN season > 0 THEN season END
    FROM unnest($1::bigint[], $2::bigint[], $3::date[], $4::bigint[]) AS said (mal, episodes, started_on, season)
    ON CONFLICT (mal) DO UPDATE SET episodes = excluded.episodes, started_on = excluded.started_on,
        series_id = coalesce(entries.series_id, excluded.series_id), season = coalesce(entries.season, excluded.season)
"""
_KEPT_SEASONS = """
    SELECT mal, series_id, season FROM entries
    WHERE (series_id = $1 OR mal = ANY ($2::bigint[])) AND series_id IS NOT NULL
"""
_MARK_GONE = """
    UPDATE episodes SET gone_at = $4 WHERE series_id = $1 AND gone_at IS NULL
        AND (season, episode) NOT IN (SELECT * FROM unnest($2::int[], $3::int[]))
"""
_CLAIM_DUE = """
    UPDATE series SET retry_at = $2 WHERE id = (
        SELECT id FROM series
        WHERE split_part(id, ':', 1) || ':' || split_part(id, ':', 2) = ANY ($3)
            AND coalesce(due_at, fetched_at + interval '1 day') <= $1 AND (retry_at IS NULL OR retry_at <= $1)
        ORDER BY failures, coalesce(due_at, fetched_at) LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id
"""
_FAILED = """
    UPDATE series SET failures = failures + 1,
        retry_at = $2::timestamptz + least($3::interval * power(2, least(failures, 20)::int), $4)
    WHERE id = $1
"""
_NOTE_CHANGES = """
    UPDATE series SET due_at = greatest($2, fetched_at + $3) WHERE id = ANY ($1::text[])
        AND coalesce(due_at, fetched_at + interval '1 day') > greatest($2, fetched_at + $3)
    RETURNING id
"""
_FIND = """
    SELECT id, title, kind, external FROM series
    WHERE title ILIKE $1 OR (external -> 'aliases')::text ILIKE $1 ORDER BY updated_at DESC LIMIT $2
"""
_LISTED = """
    SELECT one.value AS series FROM listings, jsonb_array_elements(titles) AS one
    WHERE jsonb_path_query_array(titles, '$[*].id') ? $1 AND one.value ->> 'id' = $1
    ORDER BY fetched_at DESC LIMIT 1
"""


class Store:
    """What catalog remembers."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def load(self, series_id: SeriesId) -> StoredTitle | None:
        """Return a title with all its episodes, None if it was never fetched."""
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow("SELECT * FROM series WHERE id = $1", series_id)
            if row is None:
                return None
            rows = await connection.fetch("SELECT * FROM episodes WHERE series_id = $1", series_id)
        return StoredTitle(
            title=Title(
                _series(dict(row)), in_viewing_order([_episode(one) for one in rows if one["gone_at"] is None])
            ),
            gone=in_viewing_order([_episode(one) for one in rows if one["gone_at"] is not None]),
            fetched_at=row["fetched_at"],
            retry_at=row["retry_at"],
        )

    async def series(self, series_id: SeriesId) -> Series | None:
        """Return a title without its episodes, None if it was never fetched."""
        row = await self._pool.fetchrow("SELECT id, title, kind, external FROM series WHERE id = $1", series_id)
        return _series(dict(row)) if row else None

    async def listed(self, series_id: SeriesId) -> Series | None:
        """Return a title as the latest listing that has it says, None if none has it."""
        found = await self._pool.fetchval(_LISTED, series_id)
        return _series(record(found)) if found else None

    async def save(self, title: Title, *, at: datetime, due_at: datetime) -> None:
        """Keep what the provider lists as of *at*, until *due_at*; episodes that it no longer lists are marked as gone.

        They are never deleted: others' progress may point at them, which nobody down here can know, and they are few.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            # Locks the title, so that two fetches at once don't give two seasons the same number.
            await connection.execute(_TOUCH_SERIES, title.series.id, title.series.title, title.series.kind.value, at)
            rows = await connection.fetch(_KEPT_SEASONS, title.series.id, [one.mal for one in title.entries])
            kept = {row["mal"]: Season(SeriesId(row["series_id"]), row["season"]) for row in rows}
            title = keep_seasons(title, kept=kept)
            series, episodes = title.series, title.episodes
            seasons, numbers = [one.season for one in episodes], [one.episode for one in episodes]
            row = (series.id, series.title, series.kind.value, _external(series), at, due_at)
            await connection.execute(_SAVE_SERIES, *row)
            await connection.execute(
                _SAVE_EPISODES,
                series.id,
                seasons,
                numbers,
                [one.absolute for one in episodes],
                [one.name for one in episodes],
                [int(one.runtime.total_seconds()) if one.runtime else None for one in episodes],
                [one.air_date for one in episodes],
            )
            await connection.execute(
                _SAVE_ENTRIES,
                [one.mal for one in title.entries],
                [one.episodes for one in title.entries],
                [one.started_on for one in title.entries],
                [series.entries.index(one.mal) + 1 if one.mal in series.entries else 0 for one in title.entries],
                series.id,
            )
            # No episodes at all is how a provider's bad day looks, not how a series ends.
            if episodes:
                await connection.execute(_MARK_GONE, series.id, seasons, numbers, at)

    async def season_of(self, mal: int) -> Season | None:
        """Return which season of which title an entry of MyAnimeList is, None if it was never fetched."""
        row = await self._pool.fetchrow(
            "SELECT series_id, season FROM entries WHERE mal = $1 AND series_id IS NOT NULL", mal
        )
        return Season(SeriesId(row["series_id"]), row["season"]) if row else None

    async def claim(self, series_id: SeriesId, *, now: datetime, until: datetime) -> bool:
        """Return whether the caller may refresh the title; nobody else may before *until*, on any replica."""
        claimed = await self._pool.fetchval(
            "UPDATE series SET retry_at = $3 WHERE id = $1 AND (retry_at IS NULL OR retry_at <= $2) RETURNING true",
            series_id,
            now,
            until,
        )
        return bool(claimed)

    async def claim_due(self, namespaces: Sequence[str], *, now: datetime, until: datetime) -> SeriesId | None:
        """Claim, as `claim` does, the title that is longest due, those last that failed; return its id, if any is."""
        due: str | None = await self._pool.fetchval(_CLAIM_DUE, now, until, list(namespaces))
        return SeriesId(due) if due else None

    async def note_changes(self, changed: Sequence[SeriesId], *, now: datetime, soonest: timedelta) -> int:
        """Let those of the titles that are kept be due at once, but not within *soonest*; return how many."""
        return len(await self._pool.fetch(_NOTE_CHANGES, list(changed), now, soonest))

    async def put_off(self, series_id: SeriesId, *, until: datetime) -> None:
        """Let nobody refresh the title before *until*."""
        await self._pool.execute("UPDATE series SET retry_at = $2 WHERE id = $1", series_id, until)

    async def failed(self, series_id: SeriesId, *, at: datetime, pause: timedelta, longest: timedelta) -> None:
        """Let nobody refresh the title for a *pause*, which doubles with each failure in a row up to *longest*."""
        await self._pool.execute(_FAILED, series_id, at, pause, longest)

    async def find(self, query: str, *, limit: int) -> list[Series]:
        """Return known titles with *query* in one of their names, the latest changed first."""
        escaped = query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return [_series(dict(row)) for row in await self._pool.fetch(_FIND, f"%{escaped}%", limit)]

    async def load_listing(self, provider: str, query: str) -> tuple[list[Series], datetime] | None:
        """Return what a provider last answered to a query, and when."""
        row = await self._pool.fetchrow(
            "SELECT titles, fetched_at FROM listings WHERE provider = $1 AND query = $2", provider, query
        )
        return None if row is None else ([_series(one) for one in records(row["titles"])], row["fetched_at"])

    async def save_listing(self, provider: str, query: str, titles: Sequence[Series], *, at: datetime) -> None:
        """Keep what a provider answered to a query."""
        await self._pool.execute(
            "INSERT INTO listings (provider, query, titles, fetched_at) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (provider, query) DO UPDATE SET titles = excluded.titles, fetched_at = excluded.fetched_at",
            provider,
            query,
            [_listing(series) for series in titles],
            at,
        )

    async def sweep_listings(self, *, before: datetime) -> None:
        """Forget answers older than *before*."""
        await self._pool.execute("DELETE FROM listings WHERE fetched_at < $1", before)


def _external(series: Series) -> dict[str, object]:
    return {
        "ids": dict(series.external_ids),
        "aliases": list(series.aliases),
        "year": series.year,
        "overview": series.overview,
        "poster_url": series.poster_url,
        "backdrop_url": series.backdrop_url,
        "genres": list(series.genres),
        "season_count": series.season_count,
        "entries": list(series.entries),
    }


def _listing(series: Series) -> dict[str, object]:
    return {"id": series.id, "title": series.title, "kind": series.kind.value, "external": _external(series)}


def _series(row: Mapping[str, object]) -> Series:
    external = record(row["external"])
    return Series(
        id=SeriesId(text(row["id"])),
        title=text(row["title"]),
        kind=Kind(row["kind"]),
        year=number(external.get("year")),
        aliases=_texts(external.get("aliases")),
        external_ids={where: text(value) for where, value in record(external.get("ids")).items()},
        overview=text(external.get("overview")),
        poster_url=text(external.get("poster_url")),
        backdrop_url=text(external.get("backdrop_url")),
        genres=_texts(external.get("genres")),
        season_count=number(external.get("season_count")),
        entries=_numbers(external.get("entries")),
    )


def _numbers(value: object) -> tuple[int, ...]:
    return tuple(one for one in value if isinstance(one, int)) if isinstance(value, list) else ()


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text(one) for one in value) if isinstance(value, list) else ()


def _episode(row: "asyncpg.Record") -> Episode:
    runtime: int | None = row["runtime_s"]
    return Episode(
        season=row["season"],
        episode=row["episode"],
        name=row["name"],
        absolute=row["absolute_ep"],
        runtime=None if runtime is None else timedelta(seconds=runtime),
        air_date=row["air_date"],
    )

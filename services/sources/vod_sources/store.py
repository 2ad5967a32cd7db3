"""Plays and the history of hosts in Postgres: all SQL of sources."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from vod_sources.domain import Content, Kind, Name, Play, SourceType, StreamSource, Wanted

_NEW_COUNTS = 0.3
_SAVE = """
    INSERT INTO plays (id, content, source, spare, wanted) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (id) DO UPDATE SET source = excluded.source, spare = excluded.spare
"""
_COUNT = f"""
    INSERT INTO hosts (provider, host, success) VALUES ($1, $2, $3)
    ON CONFLICT (provider, host) DO UPDATE SET
        success = hosts.success * {1 - _NEW_COUNTS} + excluded.success * {_NEW_COUNTS}
"""  # noqa: S608  put together from a constant
_SWEEP = "DELETE FROM plays WHERE updated_at < now() - CASE WHEN held THEN $2::interval ELSE $1::interval END"


class Store:
    """What sources remembers."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def load(self, play_id: str) -> Play | None:
        """Return a source that was handed out."""
        row = await self._pool.fetchrow("SELECT * FROM plays WHERE id = $1", play_id)
        if row is None:
            return None
        spare = _source(row["spare"]) if row["spare"] else None
        wanted = Wanted(**{**row["wanted"], "codecs": tuple(row["wanted"].get("codecs", ()))})
        return Play(row["id"], _content(row["content"]), _source(row["source"]), spare, wanted, row["updated_at"])

    async def save(self, plays: Sequence[Play]) -> None:
        """Keep sources; those that were kept before get new addresses."""
        rows = [
            (one.id, _content_json(one.content), _source_json(one.source), _source_json(one.spare), asdict(one.wanted))
            for one in plays
        ]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.executemany(_SAVE, rows)

    async def hold(self, play_id: str) -> None:
        """Keep a source for as long as who watches it may come back."""
        await self._pool.execute("UPDATE plays SET held = true WHERE id = $1", play_id)

    async def sweep(self, *, older_than: timedelta, held_older_than: timedelta) -> None:
        """Forget what was not touched for a long time."""
        await self._pool.execute(_SWEEP, older_than, held_older_than)

    async def count(self, source: StreamSource, *, success: bool) -> None:
        """Remember how a host did."""
        await self._pool.execute(_COUNT, source.provider, source.host, 1.0 if success else 0.0)

    async def success(self) -> dict[tuple[str, str], float]:
        """Return how hosts did lately, by (provider, host)."""
        rows = await self._pool.fetch("SELECT provider, host, success FROM hosts LIMIT 10000")
        return {(row["provider"], row["host"]): row["success"] for row in rows}


def _content_json(content: Content) -> dict[str, Any]:
    return {
        "series_id": content.series_id,
        "season": content.season,
        "episode": content.episode,
        "kind": content.kind.value,
        "title": content.title,
        "year": content.year,
        "external_ids": dict(content.external_ids),
        "runtime": content.runtime.total_seconds(),
        "other_names": [asdict(one) for one in content.other_names],
    }


def _content(row: dict[str, Any]) -> Content:
    runtime = timedelta(seconds=row.get("runtime", 0))
    names = tuple(Name(**one) for one in row.get("other_names", []))
    return Content(**{**row, "kind": Kind(row["kind"]), "runtime": runtime, "other_names": names})


def _source_json(source: StreamSource | None) -> dict[str, Any] | None:
    if source is None:
        return None
    return {
        "url": source.url,
        "quality": source.quality,
        "type": source.type.value,
        "provider": source.provider,
        "headers": dict(source.headers),
        "expires_at": source.expires_at.isoformat() if source.expires_at else None,
        "renew_at": source.renew_at.isoformat() if source.renew_at else None,
        "size": source.size,
        "stated_bitrate": source.stated_bitrate,
        "collection": source.collection,
        "codec": source.codec,
    }


def _source(row: dict[str, Any]) -> StreamSource:
    return StreamSource(
        row["url"],
        row["quality"],
        SourceType(row["type"]),
        row["provider"],
        row["headers"],
        _moment(row["expires_at"]),
        # Rows of an earlier release lack what follows.
        _moment(row.get("renew_at")),
        row.get("size", 0),
        row.get("stated_bitrate", 0),
        row.get("collection", ""),
        row.get("codec", ""),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None

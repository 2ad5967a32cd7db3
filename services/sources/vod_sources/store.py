"""Plays and the history of hosts in Postgres: all SQL of sources."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from vod_sources.domain import Content, Kind, Play, SourceType, StreamSource

_NEW_COUNTS = 0.3
_SAVE = """
    INSERT INTO plays (id, content, source, spare) VALUES ($1, $2, $3, $4)
    ON CONFLICT (id) DO UPDATE SET source = excluded.source, spare = excluded.spare
"""
_COUNT = f"""
    INSERT INTO hosts (provider, host, success) VALUES ($1, $2, $3)
    ON CONFLICT (provider, host) DO UPDATE SET
        success = hosts.success * {1 - _NEW_COUNTS} + excluded.success * {_NEW_COUNTS}
"""  # noqa: S608  put together from a constant


class Store:
    """What sources remembers."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def load(self, play_id: str) -> Play | None:
        """Return a source that was handed out."""
        row = await self._pool.fetchrow("SELECT * FROM plays WHERE id = $1", play_id)
        if row is None:
            return None
        content = {**row["content"], "kind": Kind(row["content"]["kind"])}
        spare = _source(row["spare"]) if row["spare"] else None
        return Play(row["id"], Content(**content), _source(row["source"]), spare)

    async def save(self, plays: Sequence[Play]) -> None:
        """Keep sources; those that were kept before get new addresses."""
        rows = [
            (one.id, _content_json(one.content), _source_json(one.source), _source_json(one.spare)) for one in plays
        ]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.executemany(_SAVE, rows)

    async def sweep(self, *, older_than: timedelta) -> None:
        """Forget what was not touched for a long time."""
        await self._pool.execute("DELETE FROM plays WHERE updated_at < now() - $1::interval", older_than)

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
    }


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
    }


def _source(row: dict[str, Any]) -> StreamSource:
    expires = datetime.fromisoformat(row["expires_at"]) if row["expires_at"] else None
    return StreamSource(row["url"], row["quality"], SourceType(row["type"]), row["provider"], row["headers"], expires)

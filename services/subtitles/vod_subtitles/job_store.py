"""Searches for timings, and fonts, in Postgres."""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from vod_subtitles.alignments import Alignment, AlignmentState
from vod_subtitles.domain import Font, Listed, Timing, Track

_SAVE_ALIGNMENT = """
    INSERT INTO alignments (source, file_id, reference_track_id, state, progress, offset_ms, rate, explanation,
        expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (source, file_id) DO UPDATE SET reference_track_id = excluded.reference_track_id,
        state = excluded.state, progress = excluded.progress, offset_ms = excluded.offset_ms, rate = excluded.rate,
        explanation = excluded.explanation, expires_at = excluded.expires_at
"""
_FONTS_OF = """
    SELECT id, file_name, content_type, octet_length(content) AS size
    FROM video_fonts JOIN fonts ON fonts.id = font_id WHERE video = $1 ORDER BY file_name, id
"""
_FONT = """
    SELECT id, file_name, content_type, octet_length(content) AS size, content
    FROM fonts JOIN video_fonts ON fonts.id = font_id WHERE id = $1 LIMIT 1
"""


class Jobs:
    """What is remembered of searches for a timing."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def alignment(self, track: Track) -> Alignment | None:
        """Return the last search for a track's timing."""
        row = await self._pool.fetchrow(
            "SELECT * FROM alignments WHERE source = $1 AND file_id = $2", track.listed.source, track.listed.file_id
        )
        if row is None:
            return None
        return Alignment(
            track.id,
            row["reference_track_id"],
            AlignmentState(row["state"]),
            row["expires_at"],
            row["progress"],
            Timing(timedelta(milliseconds=row["offset_ms"]), row["rate"]),
            row["explanation"],
        )

    async def save_alignment(self, listed: Listed, alignment: Alignment) -> None:
        """Keep how a search stands."""
        await self._pool.execute(
            _SAVE_ALIGNMENT,
            listed.source,
            listed.file_id,
            alignment.reference_id,
            alignment.state.value,
            alignment.progress,
            round(alignment.timing.offset.total_seconds() * 1000),
            alignment.timing.rate,
            alignment.explanation,
            alignment.expires_at,
        )


class Fonts:
    """The fonts that videos bring along."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def save_font(self, video: str, font: Font, content: bytes) -> None:
        """Keep a font of a video; one that another video brought before is kept once."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO fonts (id, content, content_type) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                font.id,
                content,
                font.content_type,
            )
            await connection.execute(
                "INSERT INTO video_fonts (video, font_id, file_name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                video,
                font.id,
                font.file_name,
            )

    async def fonts(self, video: str) -> Sequence[Font]:
        """Return the fonts that a video brings along."""
        return [_font(row) for row in await self._pool.fetch(_FONTS_OF, video)]

    async def font(self, font_id: str) -> tuple[Font, bytes] | None:
        """Return a font and its bytes."""
        row = await self._pool.fetchrow(_FONT, font_id)
        return None if row is None else (_font(row), row["content"])


def _font(row: "asyncpg.Record") -> Font:
    return Font(row["id"], row["file_name"], row["content_type"], row["size"])

"""How far viewers got, in Postgres."""
# ruff: noqa: S608  the statements are put together from constants of this file only

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from vod_playback.domain import DIRECT_SERIES, FINISHED_PERCENT, Device, EpisodeKey, LastWatched, Resume
from vod_playback.rows import key_values, profile_of, source_of
from vod_storage import Database

_UNFINISHED = f"""
    SELECT watched.series_id, watched.season, watched.episode, watched.position_s, watched.duration_s, last.pick
    FROM watch_progress AS watched
    CROSS JOIN LATERAL (
        SELECT pick FROM sessions
        WHERE subject_id = watched.subject_id AND series_id = watched.series_id
            AND season = watched.season AND episode = watched.episode
        ORDER BY heartbeat_at DESC LIMIT 1
    ) AS last
    WHERE watched.subject_id = $1 AND NOT watched.finished
        AND (watched.series_id = $2 OR ($2 = '' AND NOT starts_with(watched.series_id, '{DIRECT_SERIES}')))
    ORDER BY watched.updated_at DESC LIMIT 1"""
_PROGRESS = f"""
    INSERT INTO watch_progress (subject_id, series_id, season, episode, position_s, duration_s, percent, finished)
    SELECT $1, $2, $3, $4, $5, $6, percent, percent >= {FINISHED_PERCENT}
    FROM coalesce(least(100, round(100.0 * $5::int / nullif($6::int, 0), 2)), 0) AS percent
    ON CONFLICT (subject_id, series_id, season, episode) DO UPDATE SET
        position_s = excluded.position_s, duration_s = excluded.duration_s, percent = excluded.percent,
        finished = excluded.finished
    WHERE watch_progress.updated_at <= $7"""
# A title counts once somebody really watched: two minutes, or half of something short. A day is worth half two days on.
_LATELY = f"""
    SELECT series_id, subject_id, percent, updated_at FROM watch_progress
    WHERE updated_at > now() - interval '7 days' AND (position_s >= 120 OR percent >= 50)
        AND NOT starts_with(series_id, '{DIRECT_SERIES}')"""
_WATCHED_LATELY = f"""
    SELECT series_id, sum(score) AS score FROM (
        SELECT series_id, subject_id,
            max(percent / 100 * power(0.5, extract(epoch FROM now() - updated_at) / 172800)) AS score
        FROM ({_LATELY}) AS lately GROUP BY series_id, subject_id
    ) AS each GROUP BY series_id ORDER BY score DESC LIMIT 50"""
_VIEWERS = f"SELECT count(DISTINCT subject_id) FROM ({_LATELY}) AS lately"
_SUBJECT_OF = "SELECT subject_id FROM devices WHERE id = $1 AND subject_id <> ''"
_DEVICES = """
    SELECT id, capabilities, profile_hash, seen_at FROM devices WHERE subject_id = $1 AND seen_at IS NOT NULL
    ORDER BY seen_at DESC LIMIT 100"""
_LAST_WATCHED = f"""
    SELECT latest.*, following.next_series_id, following.next_season, following.next_episode,
        following.next_ready AND NOT following.next_taken AS next_ready,
        CASE WHEN begun.finished THEN 0 ELSE begun.position_s END AS next_position_s
    FROM (
        SELECT DISTINCT ON (series_id) series_id, season, episode, position_s, duration_s, finished, updated_at
        FROM watch_progress WHERE subject_id = $1 AND NOT starts_with(series_id, '{DIRECT_SERIES}')
        ORDER BY series_id, updated_at DESC
    ) AS latest
    LEFT JOIN LATERAL (
        SELECT next_series_id, next_season, next_episode, next_ready, next_taken FROM sessions
        WHERE subject_id = $1 AND series_id = latest.series_id
            AND season = latest.season AND episode = latest.episode
        ORDER BY heartbeat_at DESC LIMIT 1
    ) AS following ON true
    LEFT JOIN watch_progress AS begun ON begun.subject_id = $1 AND begun.series_id = following.next_series_id
        AND begun.season = following.next_season AND begun.episode = following.next_episode
    ORDER BY latest.updated_at DESC LIMIT $2"""


class ProgressStore:
    """Progress of subjects, and where they go on."""

    def __init__(self, database: Database) -> None:
        self._pool = database.pool

    async def unfinished(self, *, subject_id: str, series_id: str) -> Resume | None:
        """Return where the subject stopped last, of one series or of any."""
        row = await self._pool.fetchrow(_UNFINISHED, subject_id, series_id)
        if row is None:
            return None
        return Resume(
            key=EpisodeKey(row["series_id"], row["season"], row["episode"]),
            position=timedelta(seconds=row["position_s"]),
            duration=timedelta(seconds=row["duration_s"]),
            source=source_of(row["pick"]),
        )

    async def progress(
        self, key: EpisodeKey, *, subject_id: str, position: timedelta, duration: timedelta, at: datetime
    ) -> None:
        """Keep a position unless a newer one is kept."""
        seconds = (int(position.total_seconds()), int(duration.total_seconds()))
        await self._pool.execute(_PROGRESS, subject_id, *key_values(key), *seconds, at)

    async def watched_lately(self) -> tuple[dict[str, float], int]:
        """Return what was watched in a week by series, and how many people watched."""
        rows = await self._pool.fetch(_WATCHED_LATELY)
        return {row["series_id"]: float(row["score"]) for row in rows}, await self._pool.fetchval(_VIEWERS)

    async def subject_of(self, device_id: str) -> str | None:
        """Return who watched on a device last."""
        subject: str | None = await self._pool.fetchval(_SUBJECT_OF, device_id)
        return subject

    async def last_watched(self, subject_id: str, *, at_most: int) -> Sequence[LastWatched]:
        """Return what the subject watched last of each series, the latest series first."""
        return [_last_watched(row) for row in await self._pool.fetch(_LAST_WATCHED, subject_id, at_most)]

    async def devices(self, subject_id: str) -> Sequence[Device]:
        """Return the devices on which the subject was the last to watch, the latest first, at most 100."""
        return [
            Device(row["id"], profile_of(row["capabilities"]), row["profile_hash"], row["seen_at"])
            for row in await self._pool.fetch(_DEVICES, subject_id)
        ]


def _last_watched(row: asyncpg.Record) -> LastWatched:
    following = (row["next_series_id"], row["next_season"], row["next_episode"])
    return LastWatched(
        key=EpisodeKey(row["series_id"], row["season"], row["episode"]),
        position=timedelta(seconds=row["position_s"]),
        duration=timedelta(seconds=row["duration_s"]),
        finished=row["finished"],
        watched_at=row["updated_at"],
        next=EpisodeKey(*following) if following[0] else None,
        next_position=timedelta(seconds=row["next_position_s"] or 0),
        next_ready=bool(row["next_ready"]),
    )

"""How far viewers got, in Postgres."""
# ruff: noqa: S608  the statements are put together from constants of this file only

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from vod_playback.domain import DIRECT_SERIES, FINISHED_PERCENT, Device, EpisodeKey, LastWatched, Resume
from vod_playback.films import MEASURED_FOR
from vod_playback.pool import Pool
from vod_playback.rows import key_values, profile_of, source_of
from vod_storage import Database

_UNFINISHED = f"""
    SELECT watched.series_id, watched.season, watched.episode, watched.position_s, watched.duration_s, last.pick
    FROM watch_progress AS watched
    LEFT JOIN LATERAL (
        SELECT CASE WHEN NOT rejected THEN pick END AS pick FROM sessions
        WHERE subject_id = watched.subject_id AND series_id = watched.series_id
            AND season = watched.season AND episode = watched.episode
        ORDER BY heartbeat_at DESC LIMIT 1
    ) AS last ON true
    WHERE watched.subject_id = $1 AND NOT watched.finished
        AND (watched.series_id = $2 OR ($2 = '' AND NOT starts_with(watched.series_id, '{DIRECT_SERIES}')))
    ORDER BY watched.reached_at DESC LIMIT 1"""
_PROGRESS = f"""
    INSERT INTO watch_progress
        (subject_id, series_id, season, episode, position_s, duration_s, percent, finished, reached_at)
    SELECT $1, $2, $3, $4, $5, $6, percent, percent >= {FINISHED_PERCENT}, $7
    FROM coalesce(least(100, round(100.0 * $5::int / nullif($6::int, 0), 2)), 0) AS percent
    ON CONFLICT (subject_id, series_id, season, episode) DO UPDATE SET
        position_s = excluded.position_s, duration_s = excluded.duration_s, percent = excluded.percent,
        finished = excluded.finished, reached_at = excluded.reached_at
    WHERE watch_progress.reached_at <= excluded.reached_at"""
_SUBJECT_OF = "SELECT subject_id FROM devices WHERE id = $1 AND subject_id <> ''"
_DEVICES = """
    SELECT devices.id, capabilities, profile_hash, seen_at, coalesce(links.bitrate, 0) AS link FROM devices
    LEFT JOIN links ON links.device_id = devices.id AND links.updated_at > now() - $2::interval
    WHERE subject_id = $1 AND seen_at IS NOT NULL
    ORDER BY seen_at DESC LIMIT 100"""
_LAST_WATCHED = f"""
    SELECT latest.*, following.next_series_id, following.next_season, following.next_episode,
        following.next_ready AND NOT following.next_taken AS next_ready,
        CASE WHEN begun.finished THEN 0 ELSE begun.position_s END AS next_position_s
    FROM (
        SELECT DISTINCT ON (series_id) series_id, season, episode, position_s, duration_s, finished, reached_at
        FROM watch_progress WHERE subject_id = $1 AND NOT starts_with(series_id, '{DIRECT_SERIES}')
        ORDER BY series_id, reached_at DESC
    ) AS latest
    LEFT JOIN LATERAL (
        SELECT next_series_id, next_season, next_episode, next_ready, next_taken FROM sessions
        WHERE subject_id = $1 AND series_id = latest.series_id
            AND season = latest.season AND episode = latest.episode
        ORDER BY heartbeat_at DESC LIMIT 1
    ) AS following ON true
    LEFT JOIN watch_progress AS begun ON begun.subject_id = $1 AND begun.series_id = following.next_series_id
        AND begun.season = following.next_season AND begun.episode = following.next_episode
    ORDER BY latest.reached_at DESC LIMIT $2"""


class ProgressStore:
    """Progress of subjects, and where they go on."""

    def __init__(self, database: Database) -> None:
        self._pool = Pool(database)

    async def unfinished(self, *, subject_id: str, series_id: str) -> Resume | None:
        """Return where the subject stopped last, of one series or of any."""
        row = await self._pool.fetchrow(_UNFINISHED, subject_id, series_id)
        if row is None:
            return None
        return Resume(
            key=EpisodeKey(row["series_id"], row["season"], row["episode"]),
            position=timedelta(seconds=row["position_s"]),
            duration=timedelta(seconds=row["duration_s"]),
            source=source_of(row["pick"]) if row["pick"] else None,
        )

    async def progress(
        self, key: EpisodeKey, *, subject_id: str, position: timedelta, duration: timedelta, reached_at: datetime
    ) -> None:
        """Keep a position unless one is kept that was reached later."""
        seconds = (int(position.total_seconds()), int(duration.total_seconds()))
        await self._pool.execute(_PROGRESS, subject_id, *key_values(key), *seconds, reached_at)

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
            Device(row["id"], profile_of(row["capabilities"]), row["profile_hash"], row["seen_at"], row["link"])
            for row in await self._pool.fetch(_DEVICES, subject_id, MEASURED_FOR)
        ]


def _last_watched(row: asyncpg.Record) -> LastWatched:
    following = (row["next_series_id"], row["next_season"], row["next_episode"])
    return LastWatched(
        key=EpisodeKey(row["series_id"], row["season"], row["episode"]),
        position=timedelta(seconds=row["position_s"]),
        duration=timedelta(seconds=row["duration_s"]),
        finished=row["finished"],
        watched_at=row["reached_at"],
        next=EpisodeKey(*following) if following[0] else None,
        next_position=timedelta(seconds=row["next_position_s"] or 0),
        next_ready=bool(row["next_ready"]),
    )

"""What is watched here: counted by sessions, which take the time that watching takes."""
# ruff: noqa: S608  the statements are put together from constants of this file only

from vod_playback.domain import DIRECT_SERIES
from vod_playback.pool import Pool
from vod_runtime import Clock
from vod_storage import Database

# Watched is what a session played, but not more than the time that passed meanwhile by our clock: who jumps to the end
# has watched nothing. A title counts for a viewer once it was two minutes, or half of something short; a day is worth
# half two days on. A device is one viewer at most, whatever names it gives, and a viewer one, on however many devices.
_WATCHED = f"""
    SELECT series_id, device_id, subject_id, sum(seconds) AS seconds,
        least(1, sum(coalesce(seconds / nullif(extract(epoch FROM duration), 0), 0))) AS share,
        max(heartbeat_at) AS at
    FROM sessions
    CROSS JOIN LATERAL (
        SELECT extract(epoch FROM least(position, heartbeat_at - started_at)) AS seconds
    ) AS watched
    WHERE started_at > $1::timestamptz - interval '7 days' AND NOT starts_with(series_id, '{DIRECT_SERIES}')
    GROUP BY series_id, device_id, subject_id"""
_VIEWS = f"""
    SELECT DISTINCT ON (series_id, device_id) series_id, device_id, subject_id,
        share * power(0.5, extract(epoch FROM $1::timestamptz - at) / 172800) AS score
    FROM ({_WATCHED}) AS watched WHERE seconds >= 120 OR share >= 0.5
    ORDER BY series_id, device_id, score DESC"""
_SCORES = f"""
    SELECT series_id, sum(score) AS score FROM (
        SELECT series_id, max(score) AS score FROM ({_VIEWS}) AS views GROUP BY series_id, subject_id
    ) AS each GROUP BY series_id ORDER BY score DESC LIMIT 50"""
_VIEWERS = f"""
    SELECT least(count(DISTINCT subject_id), count(DISTINCT device_id)) FROM ({_VIEWS}) AS views"""


class Popularity:
    """What was watched in a week."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._pool = Pool(database)
        self._clock = clock

    async def lately(self) -> tuple[dict[str, float], int]:
        """Return scores by series, and how many people watched. Positions from elsewhere are anybody's word."""
        now = self._clock.now()
        rows = await self._pool.fetch(_SCORES, now)
        return {row["series_id"]: float(row["score"]) for row in rows}, await self._pool.fetchval(_VIEWERS, now)

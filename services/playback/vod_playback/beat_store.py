"""Heartbeats in Postgres: many in one statement, each counted only if it is newer than what is stored."""
# ruff: noqa: S608  the statement is put together from constants

from collections.abc import Sequence
from datetime import timedelta

from vod_playback.domain import FINISHED_PERCENT, Heard, Written
from vod_playback.pool import Pool
from vod_playback.rows import COLUMNS, session_of
from vod_storage import Database

# The rows are locked in the order of their ids, so that two statements never wait for each other, and what is newer is
# decided by the locked rows. All in one statement: an acked heartbeat has both its session and its progress on disk.
_BEATS = f"""
    WITH locked AS (
        SELECT said.id, said.position, said.duration, said.at,
            coalesce(bounded.event_time, said.at) AS reached_at,
            coalesce(said.sequence, sessions.position_sequence) AS sequence,
            CASE
                WHEN bounded.event_time IS NULL THEN coalesce(said.sequence > sessions.position_sequence, true)
                WHEN said.sequence IS NULL THEN bounded.event_time >= bounded.latest
                ELSE (bounded.event_time, said.sequence) > (bounded.latest, coalesce(sessions.position_sequence, -1))
            END AS newer,
            NOT sessions.heard OR said.position <> sessions.position
                OR coalesce(said.duration <> sessions.duration, false) AS moved
        FROM unnest($1::text[], $2::interval[], $3::interval[], $4::timestamptz[], $5::bigint[], $6::timestamptz[])
            AS said (id, position, duration, event_time, sequence, at)
        JOIN sessions ON sessions.id = said.id AND sessions.state = 'active'
        CROSS JOIN LATERAL (
            SELECT CASE WHEN said.event_time IS NOT NULL
                THEN greatest(least(said.event_time, said.at), sessions.started_at) END AS event_time,
                coalesce(sessions.position_time, sessions.started_at) AS latest
        ) AS bounded
        ORDER BY sessions.id FOR UPDATE OF sessions
    ), beat AS (
        UPDATE sessions SET
            heartbeat_at = greatest(heartbeat_at, locked.at),
            position = CASE WHEN newer THEN locked.position ELSE sessions.position END,
            duration = CASE WHEN newer THEN coalesce(locked.duration, sessions.duration) ELSE sessions.duration END,
            position_time = CASE WHEN newer THEN locked.reached_at ELSE position_time END,
            position_sequence = CASE WHEN newer THEN locked.sequence ELSE position_sequence END,
            heard = true
        FROM locked WHERE sessions.id = locked.id
        RETURNING sessions.*, locked.newer, locked.moved
    ), seconds AS (
        SELECT DISTINCT ON (subject_id, series_id, season, episode)
            subject_id, series_id, season, episode,
            floor(extract(epoch FROM position))::int AS position_s,
            floor(extract(epoch FROM duration))::int AS duration_s,
            coalesce(least(100, round(
                100 * extract(epoch FROM position) / nullif(extract(epoch FROM duration), 0), 2)), 0) AS percent,
            coalesce(position >= ending_at, false) AS ending,
            heartbeat_at AS reached_at
        FROM beat WHERE newer AND moved
        ORDER BY subject_id, series_id, season, episode, heartbeat_at DESC
    ), progress AS (
        INSERT INTO watch_progress
            (subject_id, series_id, season, episode, position_s, duration_s, percent, finished, reached_at)
        SELECT subject_id, series_id, season, episode, position_s, duration_s, percent,
            ending OR percent >= {FINISHED_PERCENT}, reached_at
        FROM seconds
        ON CONFLICT (subject_id, series_id, season, episode) DO UPDATE SET
            position_s = excluded.position_s, duration_s = excluded.duration_s, percent = excluded.percent,
            finished = excluded.finished, reached_at = greatest(watch_progress.reached_at, excluded.reached_at)
    )
    SELECT {COLUMNS}, ending_asked, newer FROM beat"""

_ASK_ENDING = "UPDATE sessions SET ending_asked = true WHERE id = $1 AND NOT ending_asked RETURNING id"
_ENDING = "UPDATE sessions SET ending_at = $2 WHERE id = $1"


class BeatStore:
    """Heartbeats of many sessions at once."""

    def __init__(self, database: Database) -> None:
        self._pool = Pool(database)

    async def write(self, heard: Sequence[Heard]) -> dict[str, Written]:
        """Store heartbeats, at most one of each session; when this returns they are on disk.

        A heartbeat that is not newer than what is stored is a sign of life and nothing else. Sessions that are not
        active are missing in the answer.
        """
        rows = await self._pool.fetch(
            _BEATS,
            [one.beat.session_id for one in heard],
            [one.beat.position for one in heard],
            [one.beat.duration for one in heard],
            [one.event_time for one in heard],
            [one.beat.sequence for one in heard],
            [one.at for one in heard],
        )
        return {
            row["id"]: Written(session_of(row), newer=row["newer"], ending_asked=row["ending_asked"]) for row in rows
        }

    async def asks_for_ending(self, session_id: str) -> bool:
        """Return True for the first to ask."""
        return await self._pool.fetchval(_ASK_ENDING, session_id) is not None

    async def ending(self, session_id: str, *, at: timedelta) -> None:
        """Store where the ending of a session's episode begins."""
        await self._pool.execute(_ENDING, session_id, at)

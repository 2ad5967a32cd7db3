"""All SQL of this service."""
# ruff: noqa: S608  the statements are put together from constants of this file only

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from vod_events import enqueue
from vod_playback.domain import (
    ENDED_PERCENT,
    FINISHED_PERCENT,
    Beat,
    DeviceProfile,
    EpisodeKey,
    How,
    JsonObject,
    Resume,
    Session,
    Source,
    State,
    Wish,
)
from vod_playback.events import ended_event, ended_subject
from vod_playback.ports import Opened
from vod_storage import Database

_KEY = "series_id = $2 AND season = $3 AND episode = $4"
_COLUMNS = """id, device_id, request_id, subject_id, series_id, season, episode, state, profile, profile_hash, pick,
    next_series_id, next_season, next_episode, next_ready, next_taken, subtitle_languages, position, duration,
    started_at, heartbeat_at"""
_SESSION = f"SELECT {_COLUMNS} FROM sessions WHERE id = $1"
_REQUESTED = f"SELECT {_COLUMNS} FROM sessions WHERE device_id = $1 AND request_id = $2"
_INSERT = f"""
    INSERT INTO sessions ({_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
    ON CONFLICT (device_id, request_id) DO NOTHING"""
_DEVICE = """
    INSERT INTO devices (id, capabilities) VALUES ($1, $2)
    ON CONFLICT (id) DO UPDATE SET capabilities = excluded.capabilities"""
_TAKE_OVER = """
    UPDATE sessions SET next_taken = true
    WHERE device_id = $1 AND next_series_id = $2 AND next_season = $3 AND next_episode = $4 AND NOT next_taken
    RETURNING id"""
# One statement, so that an acked heartbeat has both: the session is heard of, and the progress is stored.
_BEAT = f"""
    WITH beat AS (
        UPDATE sessions SET position = $2, duration = coalesce($3, duration), heartbeat_at = $4
        WHERE id = $1 AND state = 'active'
        RETURNING {_COLUMNS}
    ), seconds AS (
        SELECT subject_id, series_id, season, episode,
            floor(extract(epoch FROM position))::int AS position_s,
            floor(extract(epoch FROM duration))::int AS duration_s,
            coalesce(least(100, round(
                100 * extract(epoch FROM position) / nullif(extract(epoch FROM duration), 0), 2)), 0) AS percent
        FROM beat
    ), progress AS (
        INSERT INTO watch_progress (subject_id, series_id, season, episode, position_s, duration_s, percent)
        SELECT * FROM seconds
        ON CONFLICT (subject_id, series_id, season, episode) DO UPDATE SET
            position_s = excluded.position_s, duration_s = excluded.duration_s, percent = excluded.percent
    )
    SELECT {_COLUMNS} FROM beat"""
_END = f"""
    UPDATE sessions SET state = 'ended', ended_at = $2 WHERE id = $1 AND state = 'active' RETURNING {_COLUMNS}"""
_TOUCH = f"UPDATE sessions SET heartbeat_at = $2 WHERE id = $1 AND state = 'active' RETURNING {_COLUMNS}"
_FINISH = f"""
    UPDATE watch_progress SET percent = 100
    WHERE subject_id = $1 AND {_KEY} AND percent BETWEEN {ENDED_PERCENT} AND 100"""
_SILENT = "SELECT id FROM sessions WHERE state = 'active' AND heartbeat_at < $1 ORDER BY heartbeat_at LIMIT 100"
_SWITCH = f"UPDATE sessions SET pick = $2 WHERE id = $1 AND state = 'active' RETURNING {_COLUMNS}"
_HINT = """
    UPDATE sessions SET next_ready = $5
    WHERE id = $1 AND next_series_id = $2 AND next_season = $3 AND next_episode = $4 RETURNING id"""
_ACTIVE = f"SELECT {_COLUMNS} FROM sessions WHERE state = 'active' ORDER BY started_at DESC LIMIT 500"
_WATCHED = f"""
    SELECT pick, profile_hash FROM sessions
    WHERE subject_id = $1 AND {_KEY} AND EXISTS (
        SELECT FROM watch_progress WHERE subject_id = $1 AND {_KEY} AND percent < {FINISHED_PERCENT})
    ORDER BY heartbeat_at DESC LIMIT 1"""
_UNFINISHED = f"""
    SELECT watched.series_id, watched.season, watched.episode, watched.position_s, watched.duration_s, last.pick
    FROM watch_progress AS watched
    CROSS JOIN LATERAL (
        SELECT pick FROM sessions
        WHERE subject_id = watched.subject_id AND series_id = watched.series_id
            AND season = watched.season AND episode = watched.episode
        ORDER BY heartbeat_at DESC LIMIT 1
    ) AS last
    WHERE watched.subject_id = $1 AND ($2 = '' OR watched.series_id = $2) AND watched.percent < {FINISHED_PERCENT}
    ORDER BY watched.updated_at DESC LIMIT 1"""
_PROGRESS = """
    INSERT INTO watch_progress (subject_id, series_id, season, episode, position_s, duration_s, percent)
    VALUES ($1, $2, $3, $4, $5, $6, coalesce(least(100, round(100.0 * $5::int / nullif($6::int, 0), 2)), 0))
    ON CONFLICT (subject_id, series_id, season, episode) DO UPDATE SET
        position_s = excluded.position_s, duration_s = excluded.duration_s, percent = excluded.percent
    WHERE watch_progress.updated_at <= $7"""
# A title counts once somebody really watched: two minutes, or half of something short. A day is worth half two days on.
_LATELY = """
    SELECT series_id, subject_id, percent, updated_at FROM watch_progress
    WHERE updated_at > now() - interval '7 days' AND (position_s >= 120 OR percent >= 50)"""
_WATCHED_LATELY = f"""
    SELECT series_id, sum(score) AS score FROM (
        SELECT series_id, subject_id,
            max(percent / 100 * power(0.5, extract(epoch FROM now() - updated_at) / 172800)) AS score
        FROM ({_LATELY}) AS lately GROUP BY series_id, subject_id
    ) AS each GROUP BY series_id ORDER BY score DESC LIMIT 50"""
_VIEWERS = f"SELECT count(DISTINCT subject_id) FROM ({_LATELY}) AS lately"
_SUBJECT_OF = "SELECT subject_id FROM sessions WHERE device_id = $1 ORDER BY started_at DESC LIMIT 1"


class PlaybackStore:
    """Sessions, progress, devices and the outbox, in Postgres."""

    def __init__(self, database: Database) -> None:
        self._pool = database.pool

    async def session(self, session_id: str) -> Session | None:
        """Return a session, active or ended."""
        return _maybe_session(await self._pool.fetchrow(_SESSION, session_id))

    async def requested(self, *, device_id: str, request_id: str) -> Session | None:
        """Return the session that this request id made."""
        return _maybe_session(await self._pool.fetchrow(_REQUESTED, device_id, request_id))

    async def watched(self, wish: Wish, *, profile_hash: str) -> Source | None:
        """Return the source of the wished episode that the subject left unfinished, if it was for such a device."""
        row = await self._pool.fetchrow(_WATCHED, wish.subject_id, *_key_values(wish.key))
        return _source(row["pick"]) if row and row["profile_hash"] == profile_hash else None

    async def open(self, session: Session) -> Opened:
        """Store session and device; an earlier session of the same request id stands."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_INSERT, *_values(session))
            earlier = await connection.fetchrow(_REQUESTED, session.device_id, session.request_id)
            if earlier and earlier["id"] != session.id:
                return Opened(session=_session(earlier), expected_by=())
            await connection.execute(_DEVICE, session.device_id, session.profile.stated())
            before = await connection.fetch(_TAKE_OVER, session.device_id, *_key_values(session.key))
            return Opened(session=session, expected_by=tuple(row["id"] for row in before))

    async def beat(self, beat: Beat, *, at: datetime) -> Session | None:
        """Store position and progress; None unless the session is active."""
        return _maybe_session(await self._pool.fetchrow(_BEAT, beat.session_id, beat.position, beat.duration, at))

    async def touch(self, session_id: str, *, at: datetime) -> Session | None:
        """Note a sign of life that says nothing of the position; None unless the session is active."""
        return _maybe_session(await self._pool.fetchrow(_TOUCH, session_id, at))

    async def end(self, session_id: str, *, at: datetime, how: How) -> Session | None:
        """End a session and queue its event, both or neither; None unless it was active.

        When the player said so near the end, the episode counts as finished.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            session = _maybe_session(await connection.fetchrow(_END, session_id, at))
            if session:
                if how is How.SAID:
                    await connection.execute(_FINISH, session.subject_id, *_key_values(session.key))
                await enqueue(
                    connection,
                    subject=ended_subject(session),
                    message=ended_event(session),
                    event_id=f"{session.id}:ended",
                )
            return session

    async def silent(self, *, since: datetime) -> Sequence[str]:
        """Return the ids of active sessions that were not heard of since then, at most 100."""
        return [row["id"] for row in await self._pool.fetch(_SILENT, since)]

    async def switch(self, session_id: str, source: Source) -> Session | None:
        """Let a session play another source; None unless it is active."""
        return _maybe_session(await self._pool.fetchrow(_SWITCH, session_id, source.pick))

    async def hint(self, session_id: str, next_key: EpisodeKey, *, ready: bool) -> bool:
        """Store whether the next episode is ready; False unless it is the one that follows."""
        return await self._pool.fetchval(_HINT, session_id, *_key_values(next_key), ready) is not None

    async def active(self) -> Sequence[Session]:
        """Return active sessions, newest first, at most 500."""
        return [_session(row) for row in await self._pool.fetch(_ACTIVE)]

    async def unfinished(self, *, subject_id: str, series_id: str) -> Resume | None:
        """Return where the subject stopped last, of one series or of any."""
        row = await self._pool.fetchrow(_UNFINISHED, subject_id, series_id)
        if row is None:
            return None
        return Resume(
            key=EpisodeKey(row["series_id"], row["season"], row["episode"]),
            position=timedelta(seconds=row["position_s"]),
            duration=timedelta(seconds=row["duration_s"]),
            source=_source(row["pick"]),
        )

    async def progress(
        self, key: EpisodeKey, *, subject_id: str, position: timedelta, duration: timedelta, at: datetime
    ) -> None:
        """Keep a position unless a newer one is kept."""
        seconds = (int(position.total_seconds()), int(duration.total_seconds()))
        await self._pool.execute(_PROGRESS, *_key_values_of(subject_id, key), *seconds, at)

    async def watched_lately(self) -> tuple[dict[str, float], int]:
        """Return what was watched in a week by series, and how many people watched."""
        rows = await self._pool.fetch(_WATCHED_LATELY)
        return {row["series_id"]: float(row["score"]) for row in rows}, await self._pool.fetchval(_VIEWERS)

    async def subject_of(self, device_id: str) -> str | None:
        """Return who watched on a device last."""
        subject: str | None = await self._pool.fetchval(_SUBJECT_OF, device_id)
        return subject


def _key_values(key: EpisodeKey) -> tuple[str, int, int]:
    return key.series_id, key.season, key.episode


def _values(session: Session) -> tuple[Any, ...]:
    following = _key_values(session.next) if session.next else (None, None, None)
    return (
        session.id,
        session.device_id,
        session.request_id,
        session.subject_id,
        *_key_values(session.key),
        session.state.value,
        session.profile.stated(),
        session.profile_hash,
        session.source.pick,
        *following,
        session.next_ready,
        session.next_taken,
        list(session.subtitle_languages),
        session.position,
        session.duration,
        session.started_at,
        session.heartbeat_at,
    )


def _maybe_session(row: asyncpg.Record | None) -> Session | None:
    return _session(row) if row else None


def _session(row: asyncpg.Record) -> Session:
    following = (row["next_series_id"], row["next_season"], row["next_episode"])
    return Session(
        id=row["id"],
        device_id=row["device_id"],
        request_id=row["request_id"],
        subject_id=row["subject_id"],
        key=EpisodeKey(row["series_id"], row["season"], row["episode"]),
        state=State(row["state"]),
        profile=_profile(row["profile"]),
        profile_hash=row["profile_hash"],
        source=_source(row["pick"]),
        next=EpisodeKey(*following) if following[0] else None,
        next_ready=row["next_ready"],
        next_taken=row["next_taken"],
        subtitle_languages=tuple(row["subtitle_languages"]),
        position=row["position"],
        duration=row["duration"],
        started_at=row["started_at"],
        heartbeat_at=row["heartbeat_at"],
    )


def _profile(document: JsonObject) -> DeviceProfile:
    return DeviceProfile(**{**document, "audio_languages": tuple(document.get("audio_languages", ()))})


def _source(pick: JsonObject) -> Source:
    return Source(
        infohash=pick["infohash"],
        # Proto's JSON form leaves out zeros.
        file_index=pick.get("file_index", 0),
        magnet_uri=pick.get("magnet_uri", ""),
        pick=pick,
    )


def _key_values_of(subject_id: str, key: EpisodeKey) -> tuple[str, str, int, int]:
    return subject_id, key.series_id, key.season, key.episode

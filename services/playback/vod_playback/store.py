"""Sessions, devices and the outbox in Postgres; heartbeats are in `beat_store`, progress in `progress_store`."""
# ruff: noqa: S608  the statements are put together from constants of this file only

from collections.abc import Collection, Sequence
from datetime import datetime

from vod_events import enqueue
from vod_playback.domain import ENDED_PERCENT, EpisodeKey, How, Session, Source, State, Wish
from vod_playback.events import ended_event, ended_subject
from vod_playback.keeping import Claim
from vod_playback.pool import Pool
from vod_playback.ports import Opened, Replaced
from vod_playback.rows import COLUMNS, PLACES, key_values, maybe_session, session_of, source_of, values_of
from vod_storage import Database

_KEY = "series_id = $2 AND season = $3 AND episode = $4"
_SESSION = f"SELECT {COLUMNS} FROM sessions WHERE id = $1"
_REQUESTED = f"SELECT {COLUMNS} FROM sessions WHERE device_id = $1 AND request_id = $2"
_INSERT = f"""
    INSERT INTO sessions ({COLUMNS})
    VALUES ({PLACES})
    ON CONFLICT (device_id, request_id) DO NOTHING"""
_DEVICE = """
    INSERT INTO devices (id, capabilities, subject_id, profile_hash, seen_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (id) DO UPDATE SET capabilities = excluded.capabilities, subject_id = excluded.subject_id,
        profile_hash = excluded.profile_hash, seen_at = excluded.seen_at"""
_TAKE_OVER = """
    WITH locked AS (
        SELECT id AS found FROM sessions
        WHERE device_id = $1 AND next_series_id = $2 AND next_season = $3 AND next_episode = $4 AND NOT next_taken
        ORDER BY id FOR UPDATE)
    UPDATE sessions SET next_taken = true FROM locked WHERE id = found RETURNING id"""
_END = f"""
    UPDATE sessions SET state = 'ended', ended_at = $2 WHERE id = $1 AND state = 'active'
        AND ($3::timestamptz IS NULL OR heartbeat_at < $3)
    RETURNING {COLUMNS}"""
_TOUCH = f"UPDATE sessions SET heartbeat_at = $2 WHERE id = $1 AND state = 'active' RETURNING {COLUMNS}"
_FINISH = f"""
    UPDATE watch_progress SET finished = true WHERE subject_id = $1 AND {_KEY} AND percent >= {ENDED_PERCENT}"""
_SILENT = "SELECT id FROM sessions WHERE state = 'active' AND heartbeat_at < $1 ORDER BY heartbeat_at LIMIT 100"
_SWITCH = f"""
    WITH before AS (SELECT id AS found, pick AS replaced FROM sessions WHERE id = $1 AND state = 'active' FOR UPDATE)
    UPDATE sessions SET pick = $2, switches = switches + 1, switched_at = NULL, failure = NULL, stalled_at = NULL,
        waits_since = NULL, rejected = false
    FROM before WHERE id = found RETURNING {COLUMNS}, replaced"""
_HINT = """
    UPDATE sessions SET next_ready = $5, next_direct = NULL
    WHERE id = $1 AND next_series_id = $2 AND next_season = $3 AND next_episode = $4 RETURNING state"""
_PREPARE = """
    UPDATE sessions SET next_ready = $5::jsonb IS NOT NULL, next_direct = $5, next_direct_at = $6
    WHERE id = $1 AND next_series_id = $2 AND next_season = $3 AND next_episode = $4 RETURNING id"""
_PREPARED = """
    SELECT next_direct FROM sessions
    WHERE device_id = $1 AND next_series_id = $2 AND next_season = $3 AND next_episode = $4 AND profile_hash = $5
        AND next_direct IS NOT NULL AND next_direct_at >= $6
    ORDER BY next_direct_at DESC LIMIT 1"""
_ACTIVE = f"SELECT {COLUMNS} FROM sessions WHERE state = 'active' ORDER BY started_at DESC LIMIT 500"
_UNHELD = f"""
    SELECT {COLUMNS} FROM sessions
    WHERE state = 'active' AND failure IS NULL AND pick ? 'infohash' AND NOT EXISTS (
        SELECT FROM unnest($1::text[], $2::text[], $3::int[]) AS held (holder, infohash, file_index)
        WHERE holder = id AND infohash = pick->>'infohash' AND file_index = coalesce((pick->>'file_index')::int, 0))
    ORDER BY heartbeat_at DESC LIMIT 1000"""
_OVER = "SELECT id FROM sessions WHERE id = ANY($1) AND state = 'ended'"
_WATCHED = f"""
    SELECT pick, profile_hash, failure IS NOT NULL OR rejected AS failed FROM sessions
    WHERE subject_id = $1 AND {_KEY} AND EXISTS (
        SELECT FROM watch_progress WHERE subject_id = $1 AND {_KEY} AND NOT finished)
    ORDER BY heartbeat_at DESC LIMIT 1"""


class PlaybackStore:
    """Sessions, devices and the outbox, in Postgres."""

    def __init__(self, database: Database) -> None:
        self._pool = Pool(database)

    async def session(self, session_id: str) -> Session | None:
        """Return a session, active or ended."""
        return maybe_session(await self._pool.fetchrow(_SESSION, session_id))

    async def requested(self, *, device_id: str, request_id: str) -> Session | None:
        """Return the session that this request id made."""
        return maybe_session(await self._pool.fetchrow(_REQUESTED, device_id, request_id))

    async def watched(self, wish: Wish, *, profile_hashes: Collection[str]) -> Source | None:
        """Return the source of the wished episode that the subject left unfinished, if it was for such a device.

        One that was rejected since, or given up because nothing could be played, is not worth another try.
        """
        row = await self._pool.fetchrow(_WATCHED, wish.subject_id, *key_values(wish.key))
        if row is None or row["profile_hash"] not in profile_hashes or row["failed"]:
            return None
        return source_of(row["pick"])

    async def open(self, session: Session) -> Opened:
        """Store session and device; an earlier session of the same request id stands."""
        async with self._pool.transaction() as connection:
            await connection.execute(_INSERT, *values_of(session))
            earlier = await connection.fetchrow(_REQUESTED, session.device_id, session.request_id)
            if earlier and earlier["id"] != session.id:
                return Opened(session=session_of(earlier), expected_by=())
            device = (session.device_id, session.profile.stated(), session.subject_id, session.profile_hash)
            await connection.execute(_DEVICE, *device, session.started_at)
            before = await connection.fetch(_TAKE_OVER, session.device_id, *key_values(session.key))
            return Opened(session=session, expected_by=tuple(row["id"] for row in before))

    async def touch(self, session_id: str, *, at: datetime) -> Session | None:
        """Note a sign of life that says nothing of the position; None unless the session is active."""
        return maybe_session(await self._pool.fetchrow(_TOUCH, session_id, at))

    async def end(
        self, session_id: str, *, at: datetime, how: How, unheard_since: datetime | None = None
    ) -> Session | None:
        """End a session and queue its event, both or neither; None unless it was active, and unheard since then.

        When the player said so near the end, the episode counts as finished.
        """
        async with self._pool.transaction() as connection:
            session = maybe_session(await connection.fetchrow(_END, session_id, at, unheard_since))
            if session:
                if how is How.SAID:
                    await connection.execute(_FINISH, session.subject_id, *key_values(session.key))
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

    async def switch(self, session_id: str, source: Source) -> Replaced | None:
        """Let a session play another source; None unless it is active."""
        row = await self._pool.fetchrow(_SWITCH, session_id, source.kept())
        return Replaced(session_of(row), source_of(row["replaced"])) if row else None

    async def hint(self, session_id: str, next_key: EpisodeKey, *, ready: bool) -> State | None:
        """Store whether the next episode is ready; None unless it is the one that follows."""
        state = await self._pool.fetchval(_HINT, session_id, *key_values(next_key), ready)
        return State(state) if state else None

    async def prepare(self, session_id: str, next_key: EpisodeKey, source: Source | None, *, at: datetime) -> bool:
        """Keep what the next episode would begin with; with none it is not ready. False unless it follows."""
        kept = source.kept() if source else None
        return await self._pool.fetchval(_PREPARE, session_id, *key_values(next_key), kept, at) is not None

    async def prepared(self, wish: Wish, *, profile_hash: str, since: datetime) -> Source | None:
        """Return what was kept since then for an episode that follows on a device, None if nothing was."""
        kept = await self._pool.fetchval(_PREPARED, wish.device_id, *key_values(wish.key), profile_hash, since)
        return source_of(kept) if kept else None

    async def active(self) -> Sequence[Session]:
        """Return active sessions, newest first, at most 500."""
        return [session_of(row) for row in await self._pool.fetch(_ACTIVE)]

    async def unheld(self, held: Collection[Claim]) -> Sequence[Session]:
        """Return active sessions whose torrent is not among what is held, at most 1,000."""
        holders, infohashes, indexes = zip(*held, strict=True) if held else ((), (), ())
        return [session_of(row) for row in await self._pool.fetch(_UNHELD, holders, infohashes, indexes)]

    async def over(self, session_ids: Collection[str]) -> Sequence[str]:
        """Return which of these sessions have ended."""
        return [row["id"] for row in await self._pool.fetch(_OVER, list(session_ids))]

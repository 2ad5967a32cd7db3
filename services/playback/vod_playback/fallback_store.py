"""Sessions whose source failed, in Postgres: each change happens once, however often it is asked for."""
# ruff: noqa: S608  the statements are put together from constants

from collections.abc import Sequence
from datetime import datetime

from vod_playback.domain import EpisodeKey, JsonObject, Session, Source
from vod_playback.pool import Pool
from vod_playback.rows import COLUMNS, key_values, maybe_session, session_of
from vod_storage import Database

_KEY = "series_id = $3 AND season = $4 AND episode = $5"
_FILE = "pick->>'infohash' = $1 AND coalesce((pick->>'file_index')::int, 0) = $2"
_PLAYS = f"state = 'active' AND {_FILE}"
_PLAYING = f"SELECT {COLUMNS} FROM sessions WHERE {_PLAYS} AND {_KEY} AND profile_hash = $6 ORDER BY id"
# Many at once are locked in the order of their ids, as heartbeats do it, so that nobody waits for each other.
_STALLED = f"""
    WITH locked AS (SELECT id AS found FROM sessions WHERE {_PLAYS} AND id = ANY($3) ORDER BY id FOR UPDATE)
    UPDATE sessions SET stalled_at = $4, stall_reason = $5, waits_since = $6
    FROM locked WHERE id = found RETURNING {COLUMNS}"""
_REJECTED = f"""
    WITH locked AS (
        SELECT id AS found FROM sessions WHERE {_FILE} AND {_KEY} AND profile_hash = $6 AND NOT rejected
        ORDER BY id FOR UPDATE)
    UPDATE sessions SET rejected = true FROM locked WHERE id = found"""
_FALL_BACK = f"""
    UPDATE sessions SET pick = $4, switches = switches + 1, switched_at = $5, switch_reason = $6, failure = NULL,
        stalled_at = NULL, waits_since = NULL, rejected = false
    WHERE {_PLAYS} AND id = $3 RETURNING {COLUMNS}"""
_GIVE_UP = f"UPDATE sessions SET failure = $4 WHERE {_PLAYS} AND id = $3 AND failure IS NULL RETURNING id"
_NOT_READY = """
    WITH locked AS (
        SELECT id AS found FROM sessions
        WHERE next_series_id = $1 AND next_season = $2 AND next_episode = $3 AND profile_hash = $4
            AND (state = 'active' OR ended_at > $5) AND NOT next_taken
        ORDER BY id FOR UPDATE)
    UPDATE sessions SET next_ready = false FROM locked WHERE id = found RETURNING id"""
_MANY = f"SELECT {COLUMNS} FROM sessions WHERE id = ANY($1)"


class FallbackStore:
    """What becomes of sessions when their source fails."""

    def __init__(self, database: Database) -> None:
        self._pool = Pool(database)

    async def playing(self, source: Source, *, key: EpisodeKey, profile_hash: str) -> Sequence[Session]:
        """Return the active sessions of an episode that play a file."""
        rows = await self._pool.fetch(_PLAYING, *_file(source), *key_values(key), profile_hash)
        return [session_of(row) for row in rows]

    async def rejected(self, source: Source, *, key: EpisodeKey, profile_hash: str) -> None:
        """Note that a file is not to be resumed by those who played it, whether they still do or not."""
        await self._pool.execute(_REJECTED, *_file(source), *key_values(key), profile_hash)

    async def stalled(
        self, source: Source, *, holders: Sequence[str], at: datetime, since: datetime, reason: str
    ) -> Sequence[Session]:
        """Note that viewers wait for bytes of a file; return those sessions that still play it."""
        rows = await self._pool.fetch(_STALLED, *_file(source), holders, at, reason, since)
        return [session_of(row) for row in rows]

    async def fall_back(self, session: Session, source: Source, *, at: datetime, reason: str) -> Session | None:
        """Let a session go on from another source; None if it does not play its old one any more."""
        old = _file(session.source)
        return maybe_session(await self._pool.fetchrow(_FALL_BACK, *old, session.id, source.kept(), at, reason))

    async def give_up(self, session: Session, failure: JsonObject) -> bool:
        """Note that nothing is left for a session; False if it was noted before or does not matter any more."""
        return await self._pool.fetchval(_GIVE_UP, *_file(session.source), session.id, failure) is not None

    async def not_ready(self, key: EpisodeKey, *, profile_hash: str, ended_since: datetime) -> Sequence[str]:
        """Take back that an episode is ready to be the next one; return the sessions that wait for it."""
        rows = await self._pool.fetch(_NOT_READY, *key_values(key), profile_hash, ended_since)
        return [row["id"] for row in rows]

    async def many(self, session_ids: Sequence[str]) -> Sequence[Session]:
        """Return sessions, active and ended ones."""
        return [session_of(row) for row in await self._pool.fetch(_MANY, session_ids)]


def _file(source: Source) -> tuple[str, int]:
    return source.infohash, source.file_index

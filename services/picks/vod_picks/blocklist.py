"""Rejections in Postgres."""

from collections.abc import Sequence
from typing import Any

from vod_picks.domain import EpisodeKey, Pick, Release
from vod_picks.rejections import HALF_LIFE, Rejection, RejectionReason, RejectionScope, Strike, Weight
from vod_runtime import Clock
from vod_storage import Connection, Database

_AGAINST = """
    SELECT release.infohash AS of, reason, scope, explanation, blocked_until
    FROM unnest($1::text[], $2::text[]) AS release (infohash, release_group)
    JOIN rejections AS r ON blocked_until > $3 AND (
        (r.scope = 'torrent' AND r.infohash = release.infohash)
        OR (r.scope = 'file' AND r.infohash = release.infohash
            AND r.series_id = $4 AND r.season = $5 AND r.episode = $6)
        OR (r.scope = 'group' AND r.series_id = $4 AND r.release_group = lower(release.release_group)))
    ORDER BY blocked_until, id"""
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
_TARGET = "scope = $1 AND infohash = $2 AND file_index = $3 AND series_id = $4 AND release_group = lower($5)"
_KNOWN = f"SELECT reason, weight, weighed_at, blocked_until FROM rejections WHERE {_TARGET}"  # noqa: S608
_KEEP = """
    INSERT INTO rejections (scope, infohash, file_index, series_id, release_group, season, episode, reason,
        explanation, pick_id, weight, weighed_at, blocked_until)
    VALUES ($1, $2, $3, $4, lower($5), $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT (scope, infohash, file_index, series_id, release_group) DO UPDATE SET
        season = excluded.season, episode = excluded.episode, reason = excluded.reason,
        explanation = excluded.explanation, pick_id = excluded.pick_id, weight = excluded.weight,
        weighed_at = excluded.weighed_at, blocked_until = excluded.blocked_until"""


class Blocklist:
    """What must not be chosen."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._pool = database.pool
        self._clock = clock

    async def against(self, releases: Sequence[Release], *, key: EpisodeKey) -> dict[str, Rejection]:
        """Return what is against choosing *releases* for an episode, by infohash: the longest rejection of each."""
        hashes, groups = [one.infohash for one in releases], [one.group for one in releases]
        rows = await self._pool.fetch(
            _AGAINST, hashes, groups, self._clock.now(), key.series_id, key.season, key.episode
        )
        return {
            row["of"]: Rejection(
                RejectionReason(row["reason"]), RejectionScope(row["scope"]), row["explanation"], row["blocked_until"]
            )
            for row in rows
        }

    async def strike(self, strike: Strike) -> None:
        """Hold something against a pick. A strike while as much is against it already changes nothing."""
        async with self._pool.acquire() as connection, connection.transaction():
            target = _target(strike)
            await connection.execute(_ONE_AT_A_TIME, f"rejection {target}")
            await self._strike(connection, strike, target)

    async def _strike(self, connection: Connection, strike: Strike, target: tuple[Any, ...]) -> None:
        now, half_life = self._clock.now(), HALF_LIFE[strike.reason]
        known = await connection.fetchrow(_KNOWN, *target)
        if known and known["blocked_until"] > now and HALF_LIFE[RejectionReason(known["reason"])] >= half_life:
            return
        before = Weight(known["weight"], known["weighed_at"]) if known else Weight(0.0, now)
        weight = before.after_strike(at=now, half_life=half_life)
        key = strike.pick.key
        of_file = strike.scope is RejectionScope.FILE
        await connection.execute(
            _KEEP,
            *target,
            key.season if of_file else -1,
            key.episode if of_file else -1,
            strike.reason.value,
            strike.explanation,
            strike.pick.id,
            weight.value,
            weight.at,
            weight.blocks_until(half_life=half_life),
        )


def _target(strike: Strike) -> tuple[str, str, int, str, str]:
    """Return scope, infohash, file, series and group, empty where the scope does not need them."""
    pick: Pick = strike.pick
    match strike.scope:
        case RejectionScope.TORRENT:
            return strike.scope.value, pick.infohash, -1, "", ""
        case RejectionScope.FILE:
            return strike.scope.value, pick.infohash, pick.file_index, pick.key.series_id, ""
        case RejectionScope.GROUP:
            return strike.scope.value, "", -1, pick.key.series_id, pick.group

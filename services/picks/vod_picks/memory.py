"""What earlier races showed, in Postgres: swarms by infohash, and how far indexers are to be believed."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import asyncpg
from structlog.typing import FilteringBoundLogger

from vod_picks.domain import Evidence, Release
from vod_picks.race import Result
from vod_picks.trust import Lesson, Trust, indexers, lessons
from vod_runtime import Clock
from vod_storage import Connection, Database

REMEMBERED = timedelta(hours=6)
NOT_REMEMBERED = "race_not_remembered"

_SEEN = """
    SELECT infohash, peers, bytes_per_second, observed_at FROM swarm_observations
    WHERE infohash = ANY($1) AND observed_at > $2"""
_TRUST = "SELECT indexer, kept, broken FROM indexer_trust WHERE indexer = ANY($1)"
_NOTE = """
    INSERT INTO swarm_observations (infohash, peers, bytes_per_second, observed_at) VALUES ($1, $2, $3, $4)
    ON CONFLICT (infohash) DO UPDATE SET
        peers = excluded.peers, bytes_per_second = excluded.bytes_per_second, observed_at = excluded.observed_at"""
# Another race may be noting what it sees again of one of them: those are not old any more.
_FORGET = """
    DELETE FROM swarm_observations WHERE infohash IN (
        SELECT infohash FROM swarm_observations WHERE observed_at <= $1 FOR UPDATE SKIP LOCKED)"""
# Two races at once: the second waits here, and learns on top of the first.
_LOCK_TRUST = "SELECT pg_advisory_xact_lock(hashtextextended('indexer_trust', 0))"
_LEARN = """
    INSERT INTO indexer_trust (indexer, kept, broken) VALUES ($1, $2, $3)
    ON CONFLICT (indexer) DO UPDATE SET kept = excluded.kept, broken = excluded.broken"""


class SwarmMemory:
    """Swarms that were seen, and indexers that were checked."""

    def __init__(self, database: Database, *, clock: Clock, log: FilteringBoundLogger) -> None:
        self._pool = database.pool
        self._clock = clock
        self._log = log

    async def evidence(self, releases: Sequence[Release]) -> dict[str, Evidence]:
        """Return what is known of *releases*, by infohash."""
        now = self._clock.now()
        names = sorted({name for one in releases for name in indexers(one.announced.get("indexer", ""))})
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_SEEN, [one.infohash for one in releases], now - REMEMBERED)
            trust = await _trust(connection, names)
        seen = {row["infohash"]: row for row in rows}
        known = {}
        for release in releases:
            row = seen.get(release.infohash)
            # The better-looking number was taken, and nobody knows whose it was.
            worst = min((trust[name].mean for name in _known(release, trust)), default=None)
            known[release.infohash] = Evidence(
                trust=worst,
                peers=row["peers"] if row else None,
                bytes_per_second=row["bytes_per_second"] if row else 0,
                age=max(timedelta(0), now - row["observed_at"]) if row else timedelta(0),
            )
        return known

    async def note(self, result: Result) -> None:
        """Remember what a race showed; a database that can't is no reason to fail who waits for the race."""
        try:
            await self._note(result)
        except asyncpg.PostgresError as error:
            self._log.warning(NOT_REMEMBERED, why=str(error))

    async def _note(self, result: Result) -> None:
        runs = result.runs
        now = self._clock.now()
        seen = [
            (run.candidate.release.infohash, run.sighting.peers, run.sighting.bytes_per_second, now)
            for run in runs
            if run.sighting and not run.sighting.here_before
        ]
        seen += [
            (run.candidate.release.infohash, 0, 0, now)
            for run in runs
            if any(reason.code == "SWARM_SILENT" for reason in run.reasons)
        ]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.executemany(_NOTE, sorted(seen))
            await _learn(connection, list(lessons(result)))
        await self._pool.execute(_FORGET, now - REMEMBERED)


async def _learn(connection: Connection, taught: Sequence[tuple[str, Lesson]]) -> None:
    if not taught:
        return
    await connection.execute(_LOCK_TRUST)
    trust = await _trust(connection, sorted({indexer for indexer, _ in taught}))
    for indexer, lesson in taught:
        trust[indexer] = trust.get(indexer, Trust()).after(lesson)
    await connection.executemany(_LEARN, [(name, one.kept, one.broken) for name, one in sorted(trust.items())])


async def _trust(connection: Connection, names: Iterable[str]) -> dict[str, Trust]:
    rows = await connection.fetch(_TRUST, list(names))
    return {row["indexer"]: Trust(row["kept"], row["broken"]) for row in rows}


def _known(release: Release, trust: dict[str, Trust]) -> list[str]:
    return [name for name in indexers(release.announced.get("indexer", "")) if name in trust]

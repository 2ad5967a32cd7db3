"""All SQL of this service."""
# ruff: noqa: S608  the statements are put together from constants of this file only

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import asyncpg

from vod_picks.choosing import Decision
from vod_picks.domain import (
    Before,
    Candidate,
    Choice,
    Episode,
    EpisodeKey,
    Pick,
    Ranking,
    Reason,
    Release,
    SourceKind,
    Tier,
)
from vod_runtime import Clock
from vod_storage import Connection, Database

_COLUMNS = """series_id, season, episode, profile_hash, infohash, magnet, release_group, resolution, codec, file_index,
    source_kind, score, picked_at, replaces_pick_id, title, file_path, size_bytes"""
_KEY = "series_id = $1 AND season = $2 AND episode = $3 AND profile_hash = $4"

_CURRENT = f"SELECT id, false AS replaced, {_COLUMNS} FROM picks WHERE {_KEY}"
_INSERT = f"""
    INSERT INTO picks ({_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, nullif($7, ''), $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
    ON CONFLICT (series_id, season, episode, profile_hash) DO NOTHING
    RETURNING id"""
# Two overrides at once: the second waits here, and then replaces what the first one wrote.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
_RETIRE = f"""
    WITH gone AS (DELETE FROM picks WHERE {_KEY} RETURNING id, {_COLUMNS}, created_at)
    INSERT INTO pick_history (id, {_COLUMNS}, created_at) SELECT * FROM gone RETURNING id"""
_HISTORY = f"""
    SELECT id, false AS replaced, {_COLUMNS} FROM picks WHERE series_id = $1 AND season = $2 AND episode = $3
    UNION ALL
    SELECT id, true AS replaced, {_COLUMNS} FROM pick_history WHERE series_id = $1 AND season = $2 AND episode = $3
    ORDER BY id DESC"""

_FORGET_CANDIDATES = f"DELETE FROM pick_candidates WHERE {_KEY}"
_CANDIDATE_COLUMNS = "infohash, magnet, title, release_group, resolution, codec, tier, gates, announced, explanation"
_INSERT_CANDIDATE = f"""
    INSERT INTO pick_candidates (series_id, season, episode, profile_hash, rank, {_CANDIDATE_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"""
_CANDIDATES = f"SELECT {_CANDIDATE_COLUMNS} FROM pick_candidates WHERE {_KEY} ORDER BY rank"

_PREFERRED_GROUP = "SELECT preferred_group FROM group_preferences WHERE series_id = $1"
_LEARN_GROUP = """
    INSERT INTO group_preferences AS known (series_id, preferred_group, confidence) VALUES ($1, $2, 1)
    ON CONFLICT (series_id) DO UPDATE SET
        preferred_group = excluded.preferred_group,
        confidence = CASE WHEN known.preferred_group = excluded.preferred_group THEN known.confidence + 1 ELSE 1 END"""


class PickStore:
    """Picks, their history and candidates, and group preferences, in Postgres."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._pool = database.pool
        self._clock = clock

    async def current(self, key: EpisodeKey, *, profile_hash: str) -> Pick | None:
        """Return the pick in force, or None."""
        row = await self._pool.fetchrow(_CURRENT, key.series_id, key.season, key.episode, profile_hash)
        return _pick(row) if row else None

    async def keep(self, decision: Decision) -> Pick:
        """Write the decision down unless there is one by now; return the one that stands."""
        choice = decision.choice
        async with self._pool.acquire() as connection, connection.transaction():
            if await self._insert(connection, choice, replaces=None):
                await _keep_candidates(connection, choice, decision.candidates)
            return await _standing(connection, choice)

    async def replace(self, choice: Choice) -> Pick:
        """Put the choice in the place of the current pick, which moves to the history; learn its group."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(_ONE_AT_A_TIME, f"{choice.key} {choice.profile_hash}")
            standing = await connection.fetchval(f"SELECT infohash FROM picks WHERE {_KEY}", *_key(choice))
            if standing != choice.candidate.release.infohash:
                retired = await connection.fetchval(_RETIRE, *_key(choice))
                await self._insert(connection, choice, replaces=retired)
                if group := choice.candidate.release.group:
                    await connection.execute(_LEARN_GROUP, choice.key.series_id, group)
            return await _standing(connection, choice)

    async def candidates(self, key: EpisodeKey, *, profile_hash: str) -> Sequence[Candidate]:
        """Return the candidates behind a pick, best first."""
        rows = await self._pool.fetch(_CANDIDATES, key.series_id, key.season, key.episode, profile_hash)
        return [_candidate(row) for row in rows]

    async def history(self, key: EpisodeKey) -> Sequence[Pick]:
        """Return the current and all former picks of an episode, newest first."""
        return [_pick(row) for row in await self._pool.fetch(_HISTORY, key.series_id, key.season, key.episode)]

    async def before(self, episode: Episode, *, profile_hash: str) -> Before:
        """Return what served the episode before; where no group did, the one that viewers of the series prefer."""
        pick = await self.current(episode.previous, profile_hash=profile_hash) if episode.previous else None
        group = pick.group if pick else ""
        return Before(
            group=group or await self._pool.fetchval(_PREFERRED_GROUP, episode.key.series_id) or "",
            infohash=pick.infohash if pick else "",
        )

    async def _insert(self, connection: Connection, choice: Choice, *, replaces: int | None) -> bool:
        release, chosen = choice.candidate.release, choice.chosen
        inserted = await connection.fetchval(
            _INSERT,
            *_key(choice),
            release.infohash,
            release.magnet_uri,
            release.group,
            release.resolution,
            release.codec,
            chosen.file.index,
            chosen.source_kind.value,
            choice.candidate.ranking.explanation,
            self._clock.now(),
            replaces,
            release.title,
            chosen.file.path,
            chosen.file.size_bytes,
        )
        return inserted is not None


async def _keep_candidates(connection: Connection, choice: Choice, candidates: Sequence[Candidate]) -> None:
    await connection.execute(_FORGET_CANDIDATES, *_key(choice))
    rows = [(*_key(choice), rank, *_candidate_values(one)) for rank, one in enumerate(candidates)]
    await connection.executemany(_INSERT_CANDIDATE, rows)


def _candidate_values(candidate: Candidate) -> tuple[Any, ...]:
    release, ranking = candidate.release, candidate.ranking
    return (
        release.infohash,
        release.magnet_uri,
        release.title,
        release.group,
        release.resolution,
        release.codec,
        ranking.tier.value,
        [asdict(gate) for gate in ranking.gates],
        release.announced,
        ranking.explanation,
    )


def _candidate(row: asyncpg.Record) -> Candidate:
    release = Release(
        infohash=row["infohash"],
        title=row["title"],
        magnet_uri=row["magnet"],
        group=row["release_group"],
        resolution=row["resolution"],
        codec=row["codec"],
        announced=row["announced"],
    )
    gates = tuple(Reason(**gate) for gate in row["gates"])
    return Candidate(release, Ranking(tier=Tier(row["tier"]), gates=gates, explanation=row["explanation"]))


async def _standing(connection: Connection, choice: Choice) -> Pick:
    row = await connection.fetchrow(_CURRENT, *_key(choice))
    if row is None:
        raise LookupError("the pick vanished within the transaction that made it")
    return _pick(row)


def _key(choice: Choice) -> tuple[str, int, int, str]:
    return choice.key.series_id, choice.key.season, choice.key.episode, choice.profile_hash


def _pick(row: asyncpg.Record) -> Pick:
    return Pick(
        id=row["id"],
        key=EpisodeKey(row["series_id"], row["season"], row["episode"]),
        profile_hash=row["profile_hash"],
        infohash=row["infohash"],
        magnet_uri=row["magnet"],
        title=row["title"],
        group=row["release_group"] or "",
        resolution=row["resolution"],
        codec=row["codec"],
        file_index=row["file_index"],
        file_path=row["file_path"],
        size_bytes=row["size_bytes"],
        source_kind=SourceKind(row["source_kind"]),
        score=row["score"],
        picked_at=row["picked_at"],
        replaces_pick_id=row["replaces_pick_id"],
        replaced=row["replaced"],
    )

"""All SQL of this service."""
# ruff: noqa: S608  the statements are put together from constants of this file only

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import asyncpg

from vod_events import enqueue
from vod_picks.choosing import Decision
from vod_picks.domain import (
    Before,
    Candidate,
    Choice,
    Episode,
    EpisodeKey,
    Pick,
    Profile,
    Ranking,
    Reason,
    Release,
    SourceKind,
    Tier,
)
from vod_picks.events import rejected_event, rejected_id, rejected_subject
from vod_picks.rejections import SECOND_CHANCE, Rejection, RejectionReason, RejectionScope, Standing
from vod_picks.reviewing import REVIEW_AFTER
from vod_runtime import Clock
from vod_storage import Connection, Database

_COLUMNS = """series_id, season, episode, profile_hash, infohash, magnet, release_group, resolution, codec, file_index,
    source_kind, score, picked_at, replaces_pick_id, title, file_path, size_bytes"""
_KEY = "series_id = $1 AND season = $2 AND episode = $3 AND profile_hash = $4"

_IN_FORCE = f"SELECT id, false AS replaced, '' AS replaced_because, {_COLUMNS} FROM picks"
_CURRENT = f"{_IN_FORCE} WHERE {_KEY}"
# With the longest rejection of it, if any. A file that serves two episodes is blocked for both.
_STANDING = f"""
    SELECT p.*, r.reason, r.scope, r.explanation, r.blocked_until,
        (SELECT coalesce(reviewed_at, picked_at) FROM picks WHERE id = p.id) AS looked_at
    FROM ({_CURRENT}) AS p LEFT JOIN LATERAL (
        SELECT reason, scope, explanation, blocked_until FROM rejections WHERE blocked_until > $5 AND (
            (scope = 'torrent' AND infohash = p.infohash)
            OR (scope = 'file' AND infohash = p.infohash AND file_index = p.file_index)
            OR (scope = 'group' AND series_id = p.series_id AND release_group = lower(p.release_group)))
        ORDER BY blocked_until DESC, id LIMIT 1) AS r ON true"""
_SERVED_BY = f"{_IN_FORCE} WHERE infohash = $1 AND file_index = $2 ORDER BY id"
_INSERT = f"""
    INSERT INTO picks ({_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, nullif($7, ''), $8, $9, $10, $11, $12, $13,
        (SELECT max(id) FROM pick_history WHERE {_KEY}), $14, $15, $16)
    ON CONFLICT (series_id, season, episode, profile_hash) DO NOTHING
    RETURNING id"""
# Two overrides at once: the second waits here, and then replaces what the first one wrote.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
_RETIRE = f"""
    WITH gone AS (DELETE FROM picks WHERE id = $1 RETURNING id, {_COLUMNS}, created_at)
    INSERT INTO pick_history (id, {_COLUMNS}, created_at, replaced_because) SELECT *, $2 FROM gone RETURNING id"""
_RETIRED = f"SELECT id, true AS replaced, replaced_because, {_COLUMNS} FROM pick_history"
_HISTORY = f"""
    {_IN_FORCE} WHERE series_id = $1 AND season = $2 AND episode = $3
    UNION ALL
    {_RETIRED} WHERE series_id = $1 AND season = $2 AND episode = $3
    ORDER BY id DESC"""
_ONE = f"{_IN_FORCE} WHERE id = $1 UNION ALL {_RETIRED} WHERE id = $1"

_KNOW_DEVICE = """
    INSERT INTO device_profiles (profile_hash, capabilities) VALUES ($1, $2)
    ON CONFLICT (profile_hash) DO NOTHING"""
_DEVICE = "SELECT capabilities FROM device_profiles WHERE profile_hash = $1"
_SECOND_CHANCE = """
    UPDATE rejections SET blocked_until = least(blocked_until, $2)
    WHERE infohash = $1 AND scope = 'torrent' AND reason = 'stalled'"""
_LIFT = """
    DELETE FROM rejections WHERE (scope <> 'group' AND infohash = $1)
        OR (scope = 'group' AND series_id = $2 AND release_group = lower($3))"""

_FORGET_CANDIDATES = f"DELETE FROM pick_candidates WHERE {_KEY}"
_CANDIDATE_COLUMNS = "infohash, magnet, title, release_group, resolution, codec, tier, gates, announced, explanation"
_INSERT_CANDIDATE = f"""
    INSERT INTO pick_candidates (series_id, season, episode, profile_hash, rank, {_CANDIDATE_COLUMNS})
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"""
# Without a profile, those of the profile that was served last.
_CANDIDATES = f"""
    SELECT {_CANDIDATE_COLUMNS} FROM pick_candidates WHERE series_id = $1 AND season = $2 AND episode = $3
        AND profile_hash = coalesce(nullif($4, ''), (
            SELECT profile_hash FROM pick_candidates WHERE series_id = $1 AND season = $2 AND episode = $3
            ORDER BY created_at DESC, profile_hash LIMIT 1))
    ORDER BY rank"""

# As they were announced for the latest of those episodes.
_PACKS = """
    SELECT DISTINCT ON (infohash) p.id, infohash, c.magnet, c.title, c.release_group, c.resolution, c.codec, c.announced
    FROM picks AS p JOIN pick_candidates AS c USING (series_id, season, episode, profile_hash, infohash)
    WHERE p.series_id = $1 AND p.profile_hash = $2 AND p.source_kind = 'season_pack' ORDER BY infohash, p.id DESC"""

_PREFERRED_GROUP = "SELECT preferred_group FROM group_preferences WHERE series_id = $1"
# A choice by hand counts like three watched episodes, and at once.
_LEARN_GROUP = """
    INSERT INTO group_preferences AS known (series_id, preferred_group, confidence) VALUES ($1, $2, 3)
    ON CONFLICT (series_id) DO UPDATE SET
        preferred_group = excluded.preferred_group,
        confidence = CASE WHEN known.preferred_group = excluded.preferred_group THEN known.confidence + 3 ELSE 3 END"""
# What was watched to the end counts once; another group has to catch up before it is preferred.
_WATCHED = f"UPDATE picks SET watched = true WHERE {_KEY} AND NOT watched RETURNING release_group"
_WATCHED_GROUP = """
    INSERT INTO group_preferences AS known (series_id, preferred_group, confidence) VALUES ($1, $2, 1)
    ON CONFLICT (series_id) DO UPDATE SET
        preferred_group = CASE
            WHEN known.confidence > 1 THEN known.preferred_group ELSE excluded.preferred_group END,
        confidence = CASE
            WHEN known.preferred_group = excluded.preferred_group THEN known.confidence + 1
            WHEN known.confidence > 1 THEN known.confidence - 1 ELSE 1 END"""


class PickStore:
    """Picks, their history and candidates, and group preferences, in Postgres."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._pool = database.pool
        self._clock = clock

    async def standing(self, key: EpisodeKey, *, profile_hash: str) -> Standing | None:
        """Return the pick in force and what is against it, or None if there is no pick."""
        row = await self._pool.fetchrow(
            _STANDING, key.series_id, key.season, key.episode, profile_hash, self._clock.now()
        )
        if row is None:
            return None
        return Standing(_pick(row), _rejection(row), is_due=self._clock.now() - row["looked_at"] > REVIEW_AFTER)

    async def served_by(self, infohash: str, file_index: int) -> Sequence[Pick]:
        """Return the picks in force that are one file of a torrent."""
        return [_pick(row) for row in await self._pool.fetch(_SERVED_BY, infohash, file_index)]

    async def find(self, pick_id: int) -> Pick | None:
        """Return a pick by its id, in force or not."""
        row = await self._pool.fetchrow(_ONE, pick_id)
        return _pick(row) if row else None

    async def profile(self, profile_hash: str) -> Profile | None:
        """Return the profile of a hash, if a pick was ever made for it."""
        capabilities = await self._pool.fetchval(_DEVICE, profile_hash)
        return None if capabilities is None else Profile(profile_hash, capabilities)

    async def keep(self, decision: Decision) -> Pick:
        """Write the decision down unless there is one by now; return the one that stands."""
        choice = decision.choice
        async with self._pool.acquire() as connection, connection.transaction():
            await _one_at_a_time(connection, choice.key, choice.profile.hash)
            if await self._insert(connection, choice):
                await _keep_candidates(connection, choice.key, choice.profile, decision.candidates)
            return await _standing(connection, choice)

    async def replace(self, choice: Choice) -> Pick:
        """Put the choice in the place of the current pick, which moves to the history; learn its group.

        What was against the choice is forgotten: who chooses it by hand wants it.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await _one_at_a_time(connection, choice.key, choice.profile.hash)
            release = choice.candidate.release
            await connection.execute(_LIFT, release.infohash, choice.key.series_id, release.group)
            current = await connection.fetchrow(_CURRENT, *_key(choice))
            if current is None or current["infohash"] != release.infohash:
                if current:
                    await connection.fetchval(_RETIRE, current["id"], "another was chosen by hand")
                await self._insert(connection, choice)
                if release.group:
                    await connection.execute(_LEARN_GROUP, choice.key.series_id, release.group)
            return await _standing(connection, choice)

    async def succeed(self, rejected: Pick, rejection: Rejection, decision: Decision) -> Pick:
        """Put the decision in the place of a rejected pick and tell so, unless another did; return what stands."""
        choice = decision.choice
        async with self._pool.acquire() as connection, connection.transaction():
            await _one_at_a_time(connection, choice.key, choice.profile.hash)
            retired = await connection.fetchval(_RETIRE, rejected.id, f"rejected: {rejection.explanation}")
            # Another process may have retired it, and put something in its place or found nothing that it could put.
            if await self._insert(connection, choice):
                await _keep_candidates(connection, choice.key, choice.profile, decision.candidates)
            successor = await _standing(connection, choice)
            if retired:
                await _tell(connection, rejected, rejection, successor)
            return successor

    async def supersede(self, pick: Pick, decision: Decision, *, because: str) -> None:
        """Put the decision in the place of a pick that it beats, unless that went meanwhile."""
        choice = decision.choice
        async with self._pool.acquire() as connection, connection.transaction():
            await _one_at_a_time(connection, choice.key, choice.profile.hash)
            if await connection.fetchval(_RETIRE, pick.id, because):
                await self._insert(connection, choice)
                await _keep_candidates(connection, choice.key, choice.profile, decision.candidates)

    async def note_review(self, pick: Pick) -> None:
        """Note that a pick was looked at, and stays."""
        await self._pool.execute("UPDATE picks SET reviewed_at = $2 WHERE id = $1", pick.id, self._clock.now())

    async def give_up(self, rejected: Pick, rejection: Rejection, candidates: Sequence[Candidate]) -> None:
        """Retire a rejected pick that nothing can replace, and tell so, unless another did."""
        async with self._pool.acquire() as connection, connection.transaction():
            await _one_at_a_time(connection, rejected.key, rejected.profile_hash)
            if await connection.fetchval(_RETIRE, rejected.id, f"rejected: {rejection.explanation}"):
                await connection.execute(_SECOND_CHANCE, rejected.infohash, self._clock.now() + SECOND_CHANCE)
                await _replace_candidates(connection, rejected.key, rejected.profile_hash, candidates)
                await _tell(connection, rejected, rejection, None)

    async def note_watched(self, key: EpisodeKey, *, profile_hash: str) -> None:
        """Count a pick that was watched to the end for its group, once."""
        async with self._pool.acquire() as connection, connection.transaction():
            group = await connection.fetchval(_WATCHED, key.series_id, key.season, key.episode, profile_hash)
            if group:
                await connection.execute(_WATCHED_GROUP, key.series_id, group)

    async def note_candidates(self, key: EpisodeKey, profile: Profile, candidates: Sequence[Candidate]) -> None:
        """Keep what was found for an episode beside its pick, if it has one: for people who ask why."""
        async with self._pool.acquire() as connection, connection.transaction():
            await _one_at_a_time(connection, key, profile.hash)
            await _keep_candidates(connection, key, profile, candidates)

    async def candidates(self, key: EpisodeKey, *, profile_hash: str) -> Sequence[Candidate]:
        """Return the candidates behind a pick, best first."""
        rows = await self._pool.fetch(_CANDIDATES, key.series_id, key.season, key.episode, profile_hash)
        return [_candidate(row) for row in rows]

    async def history(self, key: EpisodeKey) -> Sequence[Pick]:
        """Return the current and all former picks of an episode, newest first."""
        return [_pick(row) for row in await self._pool.fetch(_HISTORY, key.series_id, key.season, key.episode)]

    async def packs(self, series_id: str, *, profile_hash: str) -> Sequence[Release]:
        """Return the season packs that serve episodes of a series for a profile, the latest first."""
        rows = await self._pool.fetch(_PACKS, series_id, profile_hash)
        return [_release(row) for row in sorted(rows, key=lambda row: row["id"], reverse=True)]

    async def before(self, episode: Episode, *, profile_hash: str) -> Before:
        """Return what served the episode before; where no group did, the one that viewers of the series prefer."""
        previous = await self.standing(episode.previous, profile_hash=profile_hash) if episode.previous else None
        pick = previous.pick if previous else None
        group = pick.group if pick else ""
        return Before(
            group=group or await self._pool.fetchval(_PREFERRED_GROUP, episode.key.series_id) or "",
            infohash=pick.infohash if pick else "",
        )

    async def _insert(self, connection: Connection, choice: Choice) -> bool:
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
            release.title,
            chosen.file.path,
            chosen.file.size_bytes,
        )
        return inserted is not None


async def _one_at_a_time(connection: Connection, key: EpisodeKey, profile_hash: str) -> None:
    await connection.execute(_ONE_AT_A_TIME, f"{key} {profile_hash}")


async def _tell(connection: Connection, rejected: Pick, rejection: Rejection, successor: Pick | None) -> None:
    message = rejected_event(rejected, rejection, successor)
    await enqueue(connection, subject=rejected_subject(rejected), message=message, event_id=rejected_id(rejected))


async def _keep_candidates(
    connection: Connection, key: EpisodeKey, profile: Profile, candidates: Sequence[Candidate]
) -> None:
    """Replace what a pick was chosen from, and note for what sort of device."""
    await connection.execute(_KNOW_DEVICE, profile.hash, profile.capabilities)
    await _replace_candidates(connection, key, profile.hash, candidates)


async def _replace_candidates(
    connection: Connection, key: EpisodeKey, profile_hash: str, candidates: Sequence[Candidate]
) -> None:
    of = (key.series_id, key.season, key.episode, profile_hash)
    await connection.execute(_FORGET_CANDIDATES, *of)
    rows = [(*of, rank, *_candidate_values(one)) for rank, one in enumerate(candidates)]
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


def _release(row: asyncpg.Record) -> Release:
    return Release(
        infohash=row["infohash"],
        title=row["title"],
        magnet_uri=row["magnet"],
        group=row["release_group"],
        resolution=row["resolution"],
        codec=row["codec"],
        announced=row["announced"],
    )


def _candidate(row: asyncpg.Record) -> Candidate:
    gates = tuple(Reason(**gate) for gate in row["gates"])
    return Candidate(_release(row), Ranking(tier=Tier(row["tier"]), gates=gates, explanation=row["explanation"]))


async def _standing(connection: Connection, choice: Choice) -> Pick:
    row = await connection.fetchrow(_CURRENT, *_key(choice))
    if row is None:
        raise LookupError("the pick vanished within the transaction that made it")
    return _pick(row)


def _key(choice: Choice) -> tuple[str, int, int, str]:
    return choice.key.series_id, choice.key.season, choice.key.episode, choice.profile.hash


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
        replaced_because=row["replaced_because"],
    )


def _rejection(row: asyncpg.Record) -> Rejection | None:
    if row["reason"] is None:
        return None
    return Rejection(
        RejectionReason(row["reason"]), RejectionScope(row["scope"]), row["explanation"], row["blocked_until"]
    )

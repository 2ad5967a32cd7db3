"""Tracks and files in Postgres: all SQL of subtitles."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from vod_subtitles.convert import CONVERTER_VERSION
from vod_subtitles.cues import last_end
from vod_subtitles.domain import (
    Choice,
    EpisodeKey,
    Lang,
    Listed,
    ReadVideo,
    Searched,
    StoredFile,
    Timing,
    Track,
    Trait,
)

_SAVE_TRACKS = """
    INSERT INTO tracks (series_id, season, episode, lang, source, file_id, release_title, downloads, fps, traits,
        matches, title)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
    ON CONFLICT (series_id, season, episode, source, file_id) DO UPDATE SET lang = excluded.lang,
        release_title = excluded.release_title, downloads = excluded.downloads, fps = excluded.fps,
        traits = excluded.traits, title = excluded.title,
        matches = CASE WHEN excluded.matches = '' THEN tracks.matches ELSE excluded.matches END
"""
_SAVE_SEARCHES = """
    INSERT INTO searches (series_id, season, episode, lang, searched_at, matched)
    SELECT $1, $2, $3, unnest($4::text[]), $5, $6
    ON CONFLICT (series_id, season, episode, lang) DO UPDATE SET searched_at = excluded.searched_at,
        matched = excluded.matched
"""
_SAVE_CHOICE = """
    INSERT INTO choices (series_id, season, episode, lang, track_id, release_title) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (series_id, season, episode, lang) DO UPDATE SET track_id = excluded.track_id,
        release_title = excluded.release_title
"""
_CLAIM_FILE = """
    INSERT INTO files (source, file_id, claimed_until) VALUES ($1, $2, $4)
    ON CONFLICT (source, file_id) DO UPDATE SET claimed_until = excluded.claimed_until
        WHERE files.content IS NULL AND (files.claimed_until IS NULL OR files.claimed_until <= $3)
    RETURNING true
"""
_KEPT_LANGUAGES = """
    SELECT DISTINCT lang FROM tracks JOIN files USING (source, file_id)
    WHERE series_id = $1 AND season = $2 AND episode = $3 AND webvtt IS NOT NULL
"""
_SAVE_VIDEO = """
    INSERT INTO videos (series_id, season, episode, video, read_bytes, converter_version, moviehash, runtime_ms, fps)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    ON CONFLICT (series_id, season, episode, video) DO UPDATE SET read_bytes = excluded.read_bytes,
        converter_version = excluded.converter_version, moviehash = excluded.moviehash,
        runtime_ms = excluded.runtime_ms, fps = excluded.fps
"""
_SAVE_EXTRACTED = """
    INSERT INTO files (source, file_id, webvtt, etag, script, complete, converter_version, last_ms, encoding)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'utf-8')
    ON CONFLICT (source, file_id) DO UPDATE SET webvtt = excluded.webvtt, etag = excluded.etag,
        script = excluded.script, complete = excluded.complete, converter_version = excluded.converter_version,
        last_ms = excluded.last_ms
"""
_OF_FILES = "webvtt, etag, failure, converter_version, encoding, script, complete, offset_ms, rate"
_IS_EPISODE = "series_id = $1 AND season = $2 AND episode = $3"
_TRACKS = (
    f"SELECT tracks.*, last_ms FROM tracks LEFT JOIN files USING (source, file_id) WHERE {_IS_EPISODE} "  # noqa: S608
    "AND ($4::text[] IS NULL OR lang = ANY ($4)) ORDER BY id"
)


class Store:
    """What subtitles remembers."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    async def searched(self, key: EpisodeKey, languages: Sequence[Lang]) -> dict[Lang, Searched]:
        """Return for each of the languages that was searched for when, and the tracks that are listed for it."""
        async with self._pool.acquire() as connection:
            searches = await connection.fetch(
                f"SELECT lang, searched_at, matched FROM searches WHERE {_IS_EPISODE} AND lang = ANY ($4)",  # noqa: S608
                *_args(key),
                list(languages),
            )
            rows = await connection.fetch(_TRACKS, *_args(key), list(languages))
        tracks = [_track(row) for row in rows]
        return {
            Lang(row["lang"]): Searched(
                row["searched_at"],
                tuple(track for track in tracks if track.listed.lang == row["lang"]),
                row["matched"],
            )
            for row in searches
        }

    async def save_search(
        self, key: EpisodeKey, languages: Sequence[Lang], listed: Sequence[Listed], *, at: datetime, matched: str
    ) -> None:
        """Keep what the sources list for an episode in these languages, and for which video they were asked."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.executemany(_SAVE_TRACKS, _rows(key, listed))
            await connection.execute(_SAVE_SEARCHES, *_args(key), list(languages), at, matched)

    async def save_tracks(self, key: EpisodeKey, listed: Sequence[Listed]) -> None:
        """Keep what was found without a search."""
        await self._pool.executemany(_SAVE_TRACKS, _rows(key, listed))

    async def tracks(self, key: EpisodeKey) -> list[Track]:
        """Return all tracks of an episode."""
        rows = await self._pool.fetch(_TRACKS, *_args(key), None)
        return [_track(row) for row in rows]

    async def video(self, key: EpisodeKey, video: str) -> ReadVideo:
        """Return how far a video was read."""
        row = await self._pool.fetchrow(
            f"SELECT * FROM videos WHERE {_IS_EPISODE} AND video = $4",  # noqa: S608
            *_args(key),
            video,
        )
        if row is None or row["converter_version"] != CONVERTER_VERSION:
            return ReadVideo(0, row["moviehash"] if row else "")
        return ReadVideo(row["read_bytes"], row["moviehash"], row["runtime_ms"], row["fps"])

    async def save_video(self, key: EpisodeKey, video: str, read: ReadVideo) -> None:
        """Keep how far a video was read."""
        await self._pool.execute(
            _SAVE_VIDEO,
            *_args(key),
            video,
            read.read_bytes,
            CONVERTER_VERSION,
            read.moviehash,
            read.runtime_ms,
            read.fps,
        )

    async def save_extracted(self, listed: Listed, *, webvtt: str, etag: str, script: str, complete: bool) -> None:
        """Keep what there is so far of a track inside a video."""
        await self._pool.execute(
            _SAVE_EXTRACTED,
            listed.source,
            listed.file_id,
            webvtt,
            etag,
            script,
            complete,
            CONVERTER_VERSION,
            last_end(webvtt),
        )

    async def save_timing(self, listed: Listed, timing: Timing) -> None:
        """Keep by how much a file's times are off."""
        await self._pool.execute(
            "INSERT INTO files (source, file_id, offset_ms, rate) VALUES ($1, $2, $3, $4) "
            "ON CONFLICT (source, file_id) DO UPDATE SET offset_ms = excluded.offset_ms, rate = excluded.rate",
            listed.source,
            listed.file_id,
            round(timing.offset.total_seconds() * 1000),
            timing.rate,
        )

    async def kept_languages(self, key: EpisodeKey) -> list[Lang]:
        """Return the languages in which an episode has a track that is converted already."""
        return [Lang(row["lang"]) for row in await self._pool.fetch(_KEPT_LANGUAGES, *_args(key))]

    async def choice(self, key: EpisodeKey, lang: Lang) -> Choice | None:
        """Return the track chosen last for an episode in a language."""
        row = await self._pool.fetchrow(
            f"SELECT track_id, release_title FROM choices WHERE {_IS_EPISODE} AND lang = $4",  # noqa: S608
            *_args(key),
            lang,
        )
        return None if row is None else Choice(row["track_id"], row["release_title"])

    async def save_choice(self, key: EpisodeKey, lang: Lang, choice: Choice) -> None:
        """Keep which track goes with the release picked last."""
        await self._pool.execute(_SAVE_CHOICE, *_args(key), lang, choice.track_id, choice.release_title)

    async def files(self, listed: Sequence[Listed]) -> dict[tuple[str, str], StoredFile]:
        """Return what we have of these files, without their bytes, by source and file id."""
        rows = await self._pool.fetch(
            f"SELECT source, file_id, NULL::bytea AS content, {_OF_FILES} FROM files "  # noqa: S608
            "WHERE (source, file_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
            [one.source for one in listed],
            [one.file_id for one in listed],
        )
        return {(row["source"], row["file_id"]): _file(row) for row in rows}

    async def file(self, listed: Listed) -> StoredFile:
        """Return what we have of a file, with its bytes."""
        row = await self._pool.fetchrow(
            f"SELECT content, {_OF_FILES} FROM files WHERE source = $1 AND file_id = $2",  # noqa: S608
            listed.source,
            listed.file_id,
        )
        return StoredFile() if row is None else _file(row)

    async def claim_file(self, listed: Listed, *, now: datetime, until: datetime) -> bool:
        """Return whether the caller may download the file: nobody has, and nobody else may before *until*."""
        return bool(await self._pool.fetchval(_CLAIM_FILE, listed.source, listed.file_id, now, until))

    async def release_file(self, listed: Listed) -> None:
        """Give back a claim."""
        await self._pool.execute(
            "UPDATE files SET claimed_until = NULL WHERE source = $1 AND file_id = $2", listed.source, listed.file_id
        )

    async def save_content(self, listed: Listed, content: bytes) -> None:
        """Keep a claimed file's bytes, for ever."""
        await self._pool.execute(
            "UPDATE files SET content = $3, claimed_until = NULL WHERE source = $1 AND file_id = $2",
            listed.source,
            listed.file_id,
            content,
        )

    async def save_webvtt(self, listed: Listed, *, webvtt: str, etag: str, encoding: str, script: str) -> None:
        """Keep what a file was converted to."""
        await self._pool.execute(
            "UPDATE files SET webvtt = $3, etag = $4, encoding = $5, failure = NULL, converter_version = $6, "
            "script = $7, last_ms = $8 "
            "WHERE source = $1 AND file_id = $2",
            listed.source,
            listed.file_id,
            webvtt,
            etag,
            encoding,
            CONVERTER_VERSION,
            script,
            last_end(webvtt),
        )

    async def save_failure(self, listed: Listed, *, failure: str) -> None:
        """Keep why a file can't be converted."""
        await self._pool.execute(
            "UPDATE files SET failure = $3, webvtt = NULL, converter_version = $4 WHERE source = $1 AND file_id = $2",
            listed.source,
            listed.file_id,
            failure,
            CONVERTER_VERSION,
        )

    async def quota_resets_at(self, source: str) -> datetime | None:
        """Return until when a source's downloads are used up, None if they never were."""
        at: datetime | None = await self._pool.fetchval("SELECT resets_at FROM quotas WHERE source = $1", source)
        return at

    async def save_quota(self, source: str, *, resets_at: datetime) -> None:
        """Keep until when a source's downloads are used up."""
        await self._pool.execute(
            "INSERT INTO quotas (source, resets_at) VALUES ($1, $2) "
            "ON CONFLICT (source) DO UPDATE SET resets_at = excluded.resets_at",
            source,
            resets_at,
        )


def _args(key: EpisodeKey) -> tuple[str, int, int]:
    return key.series_id, key.season, key.episode


def _rows(key: EpisodeKey, listed: Sequence[Listed]) -> list[tuple[object, ...]]:
    return [
        (
            *_args(key),
            one.lang,
            one.source,
            one.file_id,
            one.release_title,
            one.downloads,
            one.fps,
            sorted(trait.value for trait in one.traits),
            one.matches,
            one.title,
        )
        for one in listed
    ]


def _track(row: "asyncpg.Record") -> Track:
    listed = Listed(
        source=row["source"],
        file_id=row["file_id"],
        lang=Lang(row["lang"]),
        release_title=row["release_title"],
        downloads=row["downloads"],
        fps=row["fps"],
        traits=frozenset(Trait(trait) for trait in row["traits"]),
        matches=row["matches"],
        title=row["title"],
        episode=(row["season"], row["episode"]),
    )
    return Track(row["id"], listed, row["last_ms"] or 0)


def _file(row: "asyncpg.Record") -> StoredFile:
    return StoredFile(
        content=row["content"],
        webvtt=row["webvtt"],
        etag=row["etag"],
        failure=row["failure"],
        converter_version=row["converter_version"],
        encoding=row["encoding"],
        script=row["script"],
        complete=row["complete"],
        timing=Timing(timedelta(milliseconds=row["offset_ms"]), row["rate"]),
    )

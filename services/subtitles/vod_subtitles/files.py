"""Subtitle files: downloaded once ever, whoever asks and however many, and kept as WebVTT."""

import asyncio
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from vod_rpc import Flights
from vod_runtime import Clock
from vod_subtitles.convert import CONVERTER_VERSION, Converted
from vod_subtitles.domain import Listed, Readable, StoredFile, Track
from vod_subtitles.errors import SubtitleNotFound, SubtitleQuotaExhausted, SubtitleSourceUnavailable
from vod_subtitles.unreadable import UnreadableSubtitleError
from vod_subtitles.workers import Workers

FILE_DOWNLOADED = "subtitle_downloaded"
FILE_UNREADABLE = "subtitle_unreadable"
QUOTA_EXHAUSTED = "subtitle_quota_exhausted"

_CLAIM = timedelta(seconds=45)
_LOOK_AGAIN_SECONDS = 0.25
EMBEDDED = "embedded"
"""The source of tracks inside a video: `torrents.py` reads them, nobody downloads them."""


class Downloader(Protocol):
    """A source, as far as files go."""

    async def download(self, file_id: str) -> bytes:
        """Return a file's bytes; raises SubtitleQuotaExhausted, SubtitleSourceUnavailable, UnreadableSubtitleError."""
        ...


class FileStore(Protocol):
    """Where files are kept; see `Store`."""

    async def file(self, listed: Listed) -> StoredFile: ...
    async def claim_file(self, listed: Listed, *, now: datetime, until: datetime) -> bool: ...
    async def release_file(self, listed: Listed) -> None: ...
    async def save_content(self, listed: Listed, content: bytes) -> None: ...
    async def save_webvtt(self, listed: Listed, *, webvtt: str, etag: str, encoding: str, script: str) -> None: ...
    async def save_failure(self, listed: Listed, *, failure: str) -> None: ...
    async def quota_resets_at(self, source: str) -> datetime | None: ...
    async def save_quota(self, source: str, *, resets_at: datetime) -> None: ...


class Files:
    """The use cases on one file."""

    def __init__(
        self,
        store: FileStore,
        *,
        sources: Mapping[str, Downloader],
        workers: Workers,
        flights: Flights,
        clock: Clock,
        log: FilteringBoundLogger,
    ) -> None:
        self._store = store
        self._sources = sources
        self._flights = flights
        self._clock = clock
        self._log = log
        self._workers = workers

    async def readable(self, track: Track) -> Readable:
        """Return a track's text, downloading and converting the file unless that was done before.

        Raises:
            UnreadableSubtitleError: the file is no subtitle that we can read.
            SubtitleQuotaExhausted, SubtitleSourceUnavailable: it can't be downloaded now.
        """
        listed = track.listed
        file = await self._flights.join((listed.source, listed.file_id), lambda: self._converted(listed))
        readable = as_readable(track, file)
        if readable is None:
            raise UnreadableSubtitleError(file.failure or "not converted")
        return readable

    async def read_as(self, track: Track, encoding: str) -> Converted:
        """Return a track's file as it reads in an encoding that a viewer names.

        Raises:
            UnreadableSubtitleError: it does not read in that one, or is no such file.
        """
        await self.readable(track)
        content = (await self._store.file(track.listed)).content
        if content is None:
            raise UnreadableSubtitleError("a track inside a video is in UTF-8")
        listed = track.listed
        return await self._workers.convert(
            content, language=listed.lang, fps=listed.fps, encoding=encoding, episode=listed.episode
        )

    async def _converted(self, listed: Listed) -> StoredFile:
        file = await self._store.file(listed)
        if is_hopeless(file) or listed.source == EMBEDDED:
            return file
        if file.content is None:
            file = await self._downloaded(listed)
        if file.converter_version == CONVERTER_VERSION or file.content is None:
            return file
        return await self._convert(listed, file.content)

    async def _downloaded(self, listed: Listed) -> StoredFile:
        try:
            async with asyncio.timeout(_CLAIM.total_seconds()):
                while not await self._claim(listed):
                    # Another replica is at it.
                    if (file := await self._store.file(listed)).content is not None:
                        return file
                    await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        except TimeoutError as error:
            raise SubtitleSourceUnavailable(
                "The file is being downloaded.", retry_after=timedelta(seconds=_LOOK_AGAIN_SECONDS)
            ) from error
        try:
            content = await self._download(listed)
        except UnreadableSubtitleError as error:
            return await self._unreadable(listed, error)
        except BaseException:
            # Whatever happened, also a shutdown: nothing came, so the next one may try at once.
            await asyncio.shield(self._store.release_file(listed))
            raise
        await self._store.save_content(listed, content)
        self._log.info(FILE_DOWNLOADED, source=listed.source, file_id=listed.file_id, bytes=len(content))
        return StoredFile(content)

    async def _claim(self, listed: Listed) -> bool:
        now = self._clock.now()
        return await self._store.claim_file(listed, now=now, until=now + _CLAIM)

    async def _download(self, listed: Listed) -> bytes:
        source = self._sources.get(listed.source)
        if source is None:
            raise SubtitleNotFound(f"{listed.source} is not configured.", metadata={"source": listed.source})
        now, resets_at = self._clock.now(), await self._store.quota_resets_at(listed.source)
        if resets_at is not None and now < resets_at:
            raise SubtitleQuotaExhausted(listed.source, now=now, resets_at=resets_at)
        try:
            return await source.download(listed.file_id)
        except SubtitleQuotaExhausted as failure:
            await self._store.save_quota(listed.source, resets_at=failure.resets_at)
            self._log.warning(QUOTA_EXHAUSTED, **failure.metadata)
            raise

    async def _convert(self, listed: Listed, content: bytes) -> StoredFile:
        try:
            converted = await self._workers.convert(
                content, language=listed.lang, fps=listed.fps, episode=listed.episode
            )
        except UnreadableSubtitleError as error:
            return await self._unreadable(listed, error)
        await self._store.save_webvtt(
            listed,
            webvtt=converted.webvtt,
            etag=etag_of(converted.webvtt),
            encoding=converted.encoding,
            script=converted.script,
        )
        return await self._store.file(listed)

    async def _unreadable(self, listed: Listed, error: UnreadableSubtitleError) -> StoredFile:
        self._log.warning(FILE_UNREADABLE, source=listed.source, file_id=listed.file_id, reason=str(error))
        await self._store.save_failure(listed, failure=str(error))
        return StoredFile(failure=str(error), converter_version=CONVERTER_VERSION)


def is_hopeless(file: StoredFile) -> bool:
    """Return whether the present converter has tried the file in vain."""
    return file.failure is not None and file.converter_version == CONVERTER_VERSION


def as_readable(track: Track, file: StoredFile) -> Readable | None:
    """Return the track's text if the file was converted by the present converter."""
    if file.webvtt is None or file.etag is None or file.converter_version != CONVERTER_VERSION:
        return None
    return Readable(track, file.webvtt, file.etag, script=file.script, partial=not file.complete, timing=file.timing)


def etag_of(text: str) -> str:
    """Return the entity tag of a text, without quotes."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]

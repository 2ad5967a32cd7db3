"""What the picked file's torrent has: subtitle files beside the video, tracks inside of it, and the video's hash."""

import asyncio
import hashlib
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from structlog.typing import FilteringBoundLogger

from vod_rpc import Failure, Flights
from vod_subtitles.convert import MAX_BYTES
from vod_subtitles.domain import EpisodeKey, Font, Lang, Listed, Picked, ReadVideo, Trait
from vod_subtitles.embedded import Attachment
from vod_subtitles.errors import SubtitleSourceUnavailable
from vod_subtitles.files import EMBEDDED, etag_of
from vod_subtitles.languages import language_of
from vod_subtitles.moviehash import BLOCK, SMALLEST, moviehash
from vod_subtitles.sidecars import TORRENT, Beside, sidecars
from vod_subtitles.unreadable import UnreadableSubtitleError
from vod_subtitles.workers import Workers

VIDEO_READ = "subtitle_video_read"
VIDEO_NOT_READ = "subtitle_video_not_read"

_WAIT = timedelta(seconds=1.5)
"""How long a viewer waits for a video to be read; then there is what was found so far."""
_READING = timedelta(minutes=10)
_WORTH_READING = 1 << 20
"""So many more bytes have to be here before an unfinished video is read again."""


class StreamNode(Protocol):
    """Who has the torrent."""

    async def describe(self, infohash: str, file_index: int) -> Beside: ...
    async def read(self, infohash: str, file_index: int, offset: int, size: int) -> bytes: ...
    async def fetch(self, infohash: str, file_index: int, *, limit: int) -> bytes: ...


class VideoStore(Protocol):
    """Where what was found is kept; see `Store`."""

    async def video(self, key: EpisodeKey, video: str) -> ReadVideo: ...
    async def save_video(self, key: EpisodeKey, video: str, read: ReadVideo) -> None: ...
    async def save_tracks(self, key: EpisodeKey, listed: list[Listed]) -> None: ...
    async def save_extracted(self, listed: Listed, *, webvtt: str, etag: str, script: str, complete: bool) -> None: ...


class FontStore(Protocol):
    """Where fonts are kept; see `Fonts`."""

    async def save_font(self, video: str, font: Font, content: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Hashed:
    """The picked video as sources may know it; the hash is empty while its ends are not here."""

    video: str
    moviehash: str = ""


class Torrents:
    """The use cases on the torrent of the file that is watched; as a source of files it is called `torrent`."""

    name = TORRENT

    def __init__(
        self,
        store: VideoStore,
        *,
        fonts: FontStore,
        node: StreamNode,
        workers: Workers,
        flights: Flights,
        log: FilteringBoundLogger,
    ) -> None:
        self._store = store
        self._fonts = fonts
        self._node = node
        self._workers = workers
        self._flights = flights
        self._log = log

    async def look(self, key: EpisodeKey, picked: Picked) -> Hashed:
        """File the tracks beside and inside the picked video, as far as they are here; return its hash.

        Takes two seconds at most; a video that takes longer is read on, and the next look finds more.
        """
        try:
            beside = await self._node.describe(picked.infohash, picked.file_index)
            known = await self._store.video(key, picked.video)
            await self._store.save_tracks(key, sidecars(beside, key, picked))
            known = await self._hashed(key, picked, beside, known)
        except Failure as failure:
            self._log.info(VIDEO_NOT_READ, reason=failure.reason)
            return Hashed(picked.video)
        if _is_worth_reading(beside, known):
            reading = self._flights.launch(
                ("extract", key, picked.video), lambda: self._extract(key, picked, beside, known)
            )
            await asyncio.wait({reading}, timeout=_WAIT.total_seconds())
        return Hashed(picked.video, known.moviehash)

    async def download(self, file_id: str) -> bytes:
        """Return a file beside a video; the swarm delivers it.

        Raises:
            SubtitleSourceUnavailable: not now.
            UnreadableSubtitleError: it is too large.
        """
        infohash, _, index = file_id.partition(":")
        try:
            content = await self._node.fetch(infohash, int(index), limit=MAX_BYTES)
        except Failure as failure:
            raise SubtitleSourceUnavailable(
                "The torrent can't be read now.", metadata={"source": TORRENT}, retry_after=timedelta(seconds=5)
            ) from failure
        if not content:
            raise SubtitleSourceUnavailable(
                "The swarm has not delivered it yet.", metadata={"source": TORRENT}, retry_after=timedelta(seconds=5)
            )
        return content

    async def _hashed(self, key: EpisodeKey, picked: Picked, beside: Beside, known: ReadVideo) -> ReadVideo:
        video = beside.video
        if known.moviehash or video is None or video.size < SMALLEST:
            return known
        head = await self._node.read(picked.infohash, picked.file_index, 0, BLOCK)
        tail = await self._node.read(picked.infohash, picked.file_index, video.size - BLOCK, BLOCK)
        if len(head) != BLOCK or len(tail) != BLOCK:
            return known
        hashed = replace(known, moviehash=moviehash(video.size, head, tail))
        await self._store.save_video(key, picked.video, hashed)
        return hashed

    async def _extract(self, key: EpisodeKey, picked: Picked, beside: Beside, known: ReadVideo) -> None:
        video = beside.video
        if video is None:
            return

        async def read(offset: int, size: int) -> bytes:
            try:
                return await self._node.read(picked.infohash, picked.file_index, offset, size)
            except Failure:
                return b""  # the torrent left meanwhile: what was read so far is good

        inside: dict[str, Any] = {"tracks": [], "runtime_ms": known.runtime_ms, "fps": known.fps}
        try:
            parts = self._workers.extract(read, size=video.size, present=beside.begin, within=_READING)
            async with aclosing(parts):
                async for part in parts:
                    if isinstance(part, Attachment):
                        await self._fonts.save_font(picked.video, _font(part), part.content)
                    else:
                        inside = part
                        await self._save(key, picked, inside["tracks"], complete=False)
        except UnreadableSubtitleError as error:
            self._log.info(VIDEO_NOT_READ, reason=str(error))
        tracks, complete = inside["tracks"], beside.begin == video.size
        await self._save(key, picked, tracks, complete=complete)
        read_so_far = ReadVideo(beside.begin, known.moviehash, inside["runtime_ms"], inside["fps"])
        await self._store.save_video(key, picked.video, read_so_far)
        self._log.info(VIDEO_READ, tracks=len(tracks), complete=complete)

    async def _save(self, key: EpisodeKey, picked: Picked, tracks: list[dict[str, Any]], *, complete: bool) -> None:
        listed = [(_listed(track, picked), track) for track in tracks]
        await self._store.save_tracks(key, [one for one, _ in listed])
        for one, track in listed:
            webvtt = track["webvtt"]
            if webvtt:
                await self._store.save_extracted(
                    one, webvtt=webvtt, etag=etag_of(webvtt), script=track["script"], complete=complete
                )


def _font(attachment: Attachment) -> Font:
    content = attachment.content
    return Font(hashlib.sha256(content).hexdigest(), attachment.name, attachment.content_type, len(content))


def _is_worth_reading(beside: Beside, known: ReadVideo) -> bool:
    if not beside.may_have_tracks or beside.video is None or beside.begin <= known.read_bytes:
        return False
    return (
        not known.read_bytes or beside.begin - known.read_bytes >= _WORTH_READING or beside.begin == beside.video.size
    )


def _listed(track: dict[str, Any], picked: Picked) -> Listed:
    traits = {Trait.FORCED} if track["forced"] else set()
    if track["impaired"]:
        traits.add(Trait.HEARING_IMPAIRED)
    return Listed(
        source=EMBEDDED,
        file_id=f"{picked.video}:{track['index']}",
        lang=Lang(language_of(track["lang"]) or "und"),
        release_title=picked.release_title,
        downloads=0,
        traits=frozenset(traits),
        matches=picked.video,
        title=track["title"],
    )

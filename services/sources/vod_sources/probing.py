"""Looking at a source before it is offered: do its first bytes come, and are they what they should be?"""

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import unquote, urlsplit

from vod_sources import codecs
from vod_sources.domain import SourceType, StreamSource
from vod_sources.guard import Fetched, Guard, UnwellError
from vod_sources.playlists import Media, read_master, read_media

_PLAYLIST_BYTES = 1024 * 1024
_FIRST_BYTES = 1024
_HEAD_BYTES = 16 * 1024
"""Of a file: where its tracks are described, unless that comes at its end."""
_SMALL_FILE = 8 * 1024 * 1024
"""A file up to this size may come from a host that does not answer ranges."""
_BANDWIDTH = re.compile(r"[:,]BANDWIDTH=(\d{1,12})", re.ASCII)


class Probe:
    """A first look at sources."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    async def look(self, source: StreamSource, *, runtime: timedelta) -> StreamSource | None:
        """Return the source with its size and bitrate as far as they show, None if its bytes are not right.

        Raises:
            UnwellError, SourceRefused, ValueError (it is no playlist)
        """
        if source.type is SourceType.HLS:
            return await self._look_at_stream(source)
        return await self._look_at_file(source, runtime)

    async def _look_at_file(self, source: StreamSource, runtime: timedelta) -> StreamSource | None:
        found = await self._guard.fetch(
            source.url, headers=source.headers, most=2 * _HEAD_BYTES, first=0, last=_HEAD_BYTES - 1
        )
        if source.type is SourceType.TORRENT:
            return source if found.body[:1] == b"d" else None
        can_jump = found.is_part or 0 < found.total <= _SMALL_FILE
        if not can_jump or not _is_film(found.body):
            return None
        seconds = runtime.total_seconds()
        bitrate = source.stated_bitrate or (round(found.total * 8 / seconds) if seconds else 0)
        codec = await self._codec(source, found)
        return replace(source, size=found.total, stated_bitrate=bitrate, codec=codec)

    async def _codec(self, source: StreamSource, head: Fetched) -> str:
        """Return the codec of a file: as its bytes say, else as its name does."""
        said = codecs.of_words(f"{source.quality} {unquote(urlsplit(source.url).path)}")
        codec, behind = codecs.of_head(head.body), codecs.moov_at(head.body) or 0
        if codec or not (head.is_part and len(head.body) <= behind < head.total):
            return codec or said
        try:
            moov = await self._guard.fetch(
                source.url, headers=source.headers, most=2 * _HEAD_BYTES, first=behind, last=behind + _HEAD_BYTES - 1
            )
        except UnwellError:
            return said
        return codecs.of_head(moov.body) or said

    async def _look_at_stream(self, source: StreamSource) -> StreamSource | None:
        playlist = await self._guard.fetch(source.url, headers=source.headers, most=_PLAYLIST_BYTES)
        master = read_master(playlist.body, url=playlist.url)
        bitrate, codec = 0, codecs.of_words(source.quality)
        if master is not None:
            if not master.variants:
                return None
            bitrate = max((int(one) for one in _BANDWIDTH.findall(master.text)), default=0)
            codec = codecs.of_variant(master.text) or codec
            playlist = await self._guard.fetch(master.variants[0], headers=source.headers, most=_PLAYLIST_BYTES)
        media = read_media(playlist.body, url=playlist.url, name="v0")
        if not media.segments or not await self._has_bytes(source, media):
            return None
        return replace(source, stated_bitrate=bitrate or source.stated_bitrate, codec=codec)

    async def _has_bytes(self, source: StreamSource, media: Media) -> bool:
        one = media.segments[min(media.segments)]
        first = one.first or 0
        segment = await self._guard.fetch(
            one.url, headers=source.headers, most=4 * _FIRST_BYTES, first=first, last=first + _FIRST_BYTES - 1
        )
        return bool(segment.body)


def _is_film(start: bytes) -> bool:
    """Tell MP4 (ISO 14496-12) and Matroska or WebM (RFC 8794) from pages and the like."""
    return b"ftyp" in start[:64] or start.startswith(b"\x1aE\xdf\xa3")

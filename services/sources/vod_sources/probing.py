"""Looking at a source before it is offered: do its first bytes come, and are they what they should be?"""

import re
from dataclasses import replace
from datetime import timedelta

from vod_sources.domain import SourceType, StreamSource
from vod_sources.guard import Guard
from vod_sources.playlists import Media, read_master, read_media

_PLAYLIST_BYTES = 1024 * 1024
_FIRST_BYTES = 1024
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
            source.url, headers=source.headers, most=4 * _FIRST_BYTES, first=0, last=_FIRST_BYTES - 1
        )
        if source.type is SourceType.TORRENT:
            return source if found.body[:1] == b"d" else None
        can_jump = found.is_part or 0 < found.total <= _SMALL_FILE
        if not can_jump or not _is_film(found.body):
            return None
        seconds = runtime.total_seconds()
        bitrate = source.stated_bitrate or (round(found.total * 8 / seconds) if seconds else 0)
        return replace(source, size=found.total, stated_bitrate=bitrate)

    async def _look_at_stream(self, source: StreamSource) -> StreamSource | None:
        playlist = await self._guard.fetch(source.url, headers=source.headers, most=_PLAYLIST_BYTES)
        master = read_master(playlist.body, url=playlist.url)
        bitrate = 0
        if master is not None:
            if not master.variants:
                return None
            bitrate = max((int(one) for one in _BANDWIDTH.findall(master.text)), default=0)
            playlist = await self._guard.fetch(master.variants[0], headers=source.headers, most=_PLAYLIST_BYTES)
        media = read_media(playlist.body, url=playlist.url, name="v0")
        if not media.segments or not await self._has_bytes(source, media):
            return None
        return replace(source, stated_bitrate=bitrate or source.stated_bitrate)

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

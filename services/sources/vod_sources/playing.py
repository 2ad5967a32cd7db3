"""Handing out a source's bytes under our own names; what expires is renewed, what dies is replaced, and it goes on."""

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from vod_runtime import Clock
from vod_sources.domain import Play, SourceType, StreamSource
from vod_sources.errors import PartNotFound, PlayNotFound
from vod_sources.guard import Fetched, Guard
from vod_sources.playlists import HLS_TYPE, Address, Master, Media, Span, read_master, read_media, single_master
from vod_sources.replacing import Replacing
from vod_sources.store import Store

MOST_AT_ONCE = 2 * 1024 * 1024
_PLAYLIST_BYTES = 1024 * 1024
_SEGMENT_BYTES = 48 * 1024 * 1024
_KEPT_BYTES = 96 * 1024 * 1024
_MOST_OPEN = 500
_LIVE_SECONDS = 2.0
_PART = re.compile(
    r"(?P<variant>[va]\d{1,3})(?:\.m3u8|/(?:s(?P<segment>\d{1,10})(?:t(?P<begins>\d{1,9})d(?P<lasts>\d{1,8}))?"
    r"|(?P<other>[km]\d{1,4}))\.\w{2,4})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Slice:
    """Bytes of a part from where they were asked for."""

    data: bytes
    total: int
    content_type: str


class _Open:
    """What is remembered of a play while it runs: its playlists by source."""

    def __init__(self) -> None:
        self.masters: dict[str, Master | None] = {}
        self.media: dict[tuple[str, str], tuple[Media, float]] = {}
        self.leading: dict[tuple[str, str], str] = {}
        """The segment with which reading a variant of a source began."""


class Playing:
    """The use case of reading."""

    def __init__(self, guard: Guard, *, replacing: Replacing, store: Store, clock: Clock) -> None:
        self._guard = guard
        self._replacing = replacing
        self._store = store
        self._clock = clock
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._kept: OrderedDict[tuple[str, str], Fetched] = OrderedDict()

    async def read(self, play_id: str, part: str, *, offset: int, length: int) -> Slice:
        """Return some bytes of a part; none where it ends before.

        Raises:
            PlayNotFound, PartNotFound, SourceGone, SourceRefused
        """
        play = await self._store.load(play_id)
        if play is None:
            raise PlayNotFound("There is no such source; ask for sources again.")
        length = min(length or MOST_AT_ONCE, MOST_AT_ONCE)
        opened = self._opened(play_id)
        return await self._replacing.going_on(play, lambda one: self._part(one, opened, part, offset, length))

    def _opened(self, play_id: str) -> _Open:
        opened = self._open.setdefault(play_id, _Open())
        self._open.move_to_end(play_id)
        while len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)
        return opened

    async def _part(self, play: Play, opened: _Open, part: str, offset: int, length: int) -> Slice:
        if play.source.type is not SourceType.HLS:
            name = "file.torrent" if play.source.type is SourceType.TORRENT else "file.mp4"
            if part != name:
                raise PartNotFound(f"This source has no part {part[:40]}.")
            return await self._file(play.source, offset, length)
        if part == "master.m3u8":
            master = await self._master(play.source, opened)
            return _whole(master.text if master else single_master(), offset)
        match = _PART.fullmatch(part)
        if match is None:
            raise PartNotFound(f"This source has no part {part[:40]}.")
        media = await self._media(play.source, opened, match["variant"])
        if match["segment"] is None and match["other"] is None:
            return _whole(media.text, offset)
        if match["other"]:
            return await self._joined(play.source, [_other(media, match["other"])], offset, length)
        leading = opened.leading.setdefault((play.source.url, match["variant"]), part) == part
        return await self._joined(play.source, _segments(media, match, leading=leading), offset, length)

    async def _master(self, source: StreamSource, opened: _Open) -> Master | None:
        if source.url not in opened.masters:
            found = await self._guard.fetch(source.url, headers=source.headers, most=_PLAYLIST_BYTES)
            opened.masters[source.url] = read_master(found.body, url=found.url)
        return opened.masters[source.url]

    async def _media(self, source: StreamSource, opened: _Open, variant: str) -> Media:
        key = (source.url, variant)
        now = self._clock.monotonic()
        if key in opened.media and ("#EXT-X-ENDLIST" in opened.media[key][0].text or now < opened.media[key][1]):
            return opened.media[key][0]
        master = await self._master(source, opened)
        url = _variant_url(source, master, variant)
        found = await self._guard.fetch(url, headers=source.headers, most=_PLAYLIST_BYTES)
        if read_master(found.body, url=found.url) is not None:
            raise PartNotFound("Playlists may be nested twice, not deeper.")
        media = read_media(found.body, url=found.url, name=variant)
        opened.media[key] = (media, now + _LIVE_SECONDS)
        return media

    async def _joined(self, source: StreamSource, addresses: Sequence[Address], offset: int, length: int) -> Slice:
        """Return bytes of parts that follow each other; segments of MPEG-TS and of fragmented MP4 can be joined so."""
        first = await self._fetched(source, addresses[0])
        body = first.body
        for address in addresses[1:]:
            # A moment is missing rather than memory.
            if len(body) < _SEGMENT_BYTES:
                body += (await self._fetched(source, address)).body
        return Slice(body[offset : offset + length], len(body), _media_type(first.content_type))

    async def _fetched(self, source: StreamSource, address: Address) -> Fetched:
        key = (address.url, str(address.first))
        if key in self._kept:
            return self._kept[key]
        last = None if address.first is None or address.length is None else address.first + address.length - 1
        found = await self._guard.fetch(
            address.url, headers=source.headers, most=_SEGMENT_BYTES, first=address.first, last=last
        )
        self._keep(key, found)
        return found

    def _keep(self, key: tuple[str, str], found: Fetched) -> None:
        """Keep a segment while its slices are read, within a bound for all of them."""
        self._kept[key] = found
        while len(self._kept) > 1 and sum(len(one.body) for one in self._kept.values()) > _KEPT_BYTES:
            self._kept.popitem(last=False)

    async def _file(self, source: StreamSource, offset: int, length: int) -> Slice:
        found = await self._guard.fetch(
            source.url, headers=source.headers, most=max(length, 1) * 2, first=offset, last=offset + length - 1
        )
        return Slice(found.body[:length], found.total, _file_type(source))


def _other(media: Media, name: str) -> Address:
    found = next((one for part, one in media.others.items() if part.startswith(f"{name}.")), None)
    if found is None:
        raise PartNotFound("This source has no such part.")
    return found


def _segments(media: Media, match: re.Match[str], *, leading: bool) -> list[Address]:
    """Return where the bytes are of a segment that this source named, or the one before it."""
    numbers = [int(match["segment"])]
    if match["begins"] is not None:
        span = Span(int(match["begins"]), int(match["lasts"]))
        numbers = media.instead_of(numbers[0], span, leading=leading)
    found = [media.segments[one] for one in numbers if one in media.segments]
    if not found:
        raise PartNotFound("This source has no such segment.")
    return found


def _variant_url(source: StreamSource, master: Master | None, variant: str) -> str:
    number = int(variant[1:])
    if variant.startswith("a"):
        if master is None or number >= len(master.renditions):
            raise PartNotFound("This source has no such rendition.")
        return master.renditions[number]
    if master is None:
        return source.url
    if not master.variants:
        raise PartNotFound("This source has no variants.")
    # A source that took another's place may have fewer.
    return master.variants[min(number, len(master.variants) - 1)]


def _whole(text: str, offset: int) -> Slice:
    body = text.encode()
    return Slice(body[offset : offset + MOST_AT_ONCE], len(body), HLS_TYPE)


def _file_type(source: StreamSource) -> str:
    """Return the type of a file; what players do not know by its name they take for MP4, and look."""
    if source.type is SourceType.TORRENT:
        return "application/x-bittorrent"
    ending = urlsplit(source.url).path.lower().rpartition(".")[2]
    return {"mkv": "video/x-matroska", "webm": "video/webm"}.get(ending, "video/mp4")


def _media_type(said: str) -> str:
    """Return a type that no browser runs as a page or a script."""
    is_media = said.startswith(("video/", "audio/")) or said in {"text/vtt", "application/mp4"}
    return said if is_media else "application/octet-stream"

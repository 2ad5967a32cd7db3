"""The Internet Archive: an item's best files directly, its torrent second.

An item that is asked for under its own id is one of the operator's allow-list: curated, and so played before torrents.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from vod_sources.domain import Content, SourceType, StreamSource
from vod_sources.guard import Guard
from vod_sources.reading import fetch_record, number, records, text

# Formats that browsers play, best first.
_FILMS = {"MPEG4": 3, "h.264": 3, "h.264 IA": 2, "512Kb MPEG4": 1}
_MOST_FILES = 3
_COLLECTION = "Internet Archive"


class InternetArchive:
    """Items of the Internet Archive, under their ids `ia:item:…`."""

    name = "internet-archive"

    def __init__(self, base: str, guard: Guard) -> None:
        self._base = base.rstrip("/")
        self._guard = guard

    async def find(self, content: Content) -> Sequence[StreamSource]:
        """Return the item's sources; what is no item of the Archive it does not know."""
        namespace, _, item = content.series_id.rpartition(":")
        found = await self.item(item) if namespace == "ia:item" else []
        return [replace(one, collection=_COLLECTION) for one in found]

    async def item(self, item: str) -> list[StreamSource]:
        """Return an item's sources by its identifier; an unknown item has none. Raises as `find`."""
        found = await fetch_record(self._guard, f"{self._base}/metadata/{quote(item, safe='')}")
        files = [one for one in records(found.get("files")) if not one.get("private") and ".." not in _name(one)]
        films = sorted((one for one in files if text(one.get("format")) in _FILMS), key=_rank, reverse=True)
        sources = [self._film(item, one) for one in films[:_MOST_FILES]]
        torrent = next((one for one in files if text(one.get("format")) == "Archive BitTorrent"), None)
        if torrent:
            sources.append(StreamSource(self._address(item, torrent), "torrent", SourceType.TORRENT, self.name))
        return sources

    def _film(self, item: str, file: Mapping[str, Any]) -> StreamSource:
        size, seconds = number(file.get("size")) or 0, _seconds(text(file.get("length")))
        height = number(file.get("height"))
        return StreamSource(
            self._address(item, file),
            f"{height}p" if height else "auto",
            SourceType.MP4,
            self.name,
            size=size,
            stated_bitrate=round(size * 8 / seconds) if seconds else 0,
        )

    def _address(self, item: str, file: Mapping[str, Any]) -> str:
        # Not the redirected host: items move.
        return f"{self._base}/download/{quote(item, safe='')}/{quote(_name(file))}"


def _name(file: Mapping[str, Any]) -> str:
    return text(file.get("name"))


def _rank(file: Mapping[str, Any]) -> tuple[int, int]:
    return _FILMS[text(file.get("format"))], number(file.get("size")) or 0


def _seconds(length: str) -> float:
    """Return the seconds of `596.46` or `9:56`; 0 where it says nothing."""
    seconds = 0.0
    try:
        for part in length.split(":"):
            seconds = seconds * 60 + float(part)
    except ValueError:
        return 0.0
    return seconds if 0 < seconds < 10**6 else 0.0

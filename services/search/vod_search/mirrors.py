"""The torrents of the operator's mirror list: magnets and .torrent addresses, each for one episode or film.

The list is the one of the service sources, which plays its HLS and MP4 addresses; what is a torrent becomes a candidate
as any other, so that an episode keeps one pick. The operator says what it is, so it is named as what is wanted.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from vod_search.bencode import NotATorrentError, read_metainfo
from vod_search.domain import Announcement, Kind, Wanted
from vod_search.indexers import IndexerError, Question
from vod_search.magnets import TrackerHosts, has_web_seeds, parse_magnet, safe_trackers
from vod_search.upstream import LARGEST_TORRENT, body_of

NAME = "Mirrors"
_MOST = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """A torrent of the list: a magnet, or the address of a .torrent with what has to be sent for it."""

    address: str = field(repr=False)
    quality: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Mirrors:
    """The list: an indexer, and the only one it knows."""

    name = NAME

    def __init__(self, path: Path, *, http: httpx.AsyncClient, hosts: TrackerHosts) -> None:
        self._path = path
        self._http = http
        self._hosts = hosts

    async def indexers(self) -> "Sequence[Mirrors]":
        """Return itself."""
        return [self]

    async def questions(self, wanted: Wanted) -> Sequence[Question]:
        """Return one question per torrent that the list has for *wanted*; it is read anew each time.

        Raises:
            IndexerError: it can't be read.
        """
        try:
            entries = await asyncio.to_thread(lambda: list(_entries(self._path, wanted)))
        except (OSError, ValueError) as error:
            raise IndexerError("the mirror list can't be read") from error
        return [partial(self._announce, entry, wanted) for entry in entries[:_MOST]]

    async def resolve(self, _: Announcement) -> None:
        """Return None: what the list has is resolved when it is asked."""
        return

    async def _announce(self, entry: Entry, wanted: Wanted) -> Sequence[Announcement]:
        title = _title(wanted, entry.quality)
        if entry.address.startswith("magnet:"):
            magnet = parse_magnet(entry.address)
            if magnet is None:
                raise IndexerError("a magnet of the mirror list is none")
            trackers = safe_trackers(magnet.trackers, hosts=self._hosts)
            return [Announcement(title, NAME, magnet.hashes.infohash, magnet.hashes.v2, trackers=trackers)]
        try:
            metainfo = read_metainfo(await self._fetch(entry))
        except NotATorrentError as error:
            raise IndexerError("a .torrent of the mirror list is none") from error
        found = Announcement(
            title,
            NAME,
            metainfo.hashes.infohash,
            metainfo.hashes.v2,
            trackers=safe_trackers(metainfo.trackers, hosts=self._hosts),
            web_seeded=has_web_seeds(metainfo.web_seeds, hosts=self._hosts),
            # A node sends no headers of others.
            exact_source="" if entry.headers else entry.address,
        )
        return [found]

    async def _fetch(self, entry: Entry) -> bytes:
        try:
            async with self._http.stream("GET", entry.address, headers=dict(entry.headers)) as response:
                if response.status_code != httpx.codes.OK:
                    raise IndexerError(f"HTTP {response.status_code}")
                return await body_of(response, largest=LARGEST_TORRENT)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            # A ValueError: an address or a header that can't be sent.
            raise IndexerError("a .torrent of the mirror list can't be fetched") from error


def _title(wanted: Wanted, quality: str) -> str:
    """Name a torrent as releases are named."""
    number = f"S{wanted.season:02}E{wanted.episode:02}"
    if wanted.kind is Kind.MOVIE:
        number = f"({wanted.year})" if wanted.year else ""
    return " ".join(word for word in (wanted.titles[0], number, quality) if word)


def _entries(path: Path, wanted: Wanted) -> Iterator[Entry]:
    return _of_folder(path, wanted) if path.is_dir() else _of_file(path, wanted)


def _of_folder(path: Path, wanted: Wanted) -> Iterator[Entry]:
    name = wanted.series_id.replace(":", "_")
    names = [f"{name} S{wanted.season:02}E{wanted.episode:02}.strm"]
    names += [f"{name}.strm"] if (wanted.season, wanted.episode) == (1, 1) else []
    for file in (path / one for one in names):
        for line in file.read_text(encoding="utf-8-sig", errors="replace").splitlines() if file.is_file() else ():
            address, _, headers = line.strip().partition("|")
            if _is_torrent(address):
                yield Entry(address, headers=dict(parse_qsl(headers)))


def _of_file(path: Path, wanted: Wanted) -> Iterator[Entry]:
    listed: Any = json.loads(path.read_text(encoding="utf-8-sig"))
    for row in listed if isinstance(listed, list) else ():
        fields = row if isinstance(row, dict) else {}
        place = (fields.get("id"), fields.get("season", 1), fields.get("episode", 1))
        address, headers = fields.get("url"), fields.get("headers")
        if place != (wanted.series_id, wanted.season, wanted.episode) or not isinstance(address, str):
            continue
        if fields.get("type") == "torrent" or _is_torrent(address.strip()):
            sent = headers if isinstance(headers, dict) else {}
            quality = fields.get("quality")
            yield Entry(
                address.strip(),
                quality if isinstance(quality, str) else "",
                {str(name): str(value) for name, value in sent.items()},
            )


def _is_torrent(address: str) -> bool:
    if address.startswith("magnet:"):
        return True
    try:
        path = urlsplit(address).path
    except ValueError:
        # What can't be taken apart (`http://[oops`) is no address; the list's others are.
        return False
    return address.startswith(("http://", "https://")) and path.lower().endswith(".torrent")

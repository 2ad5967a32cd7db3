"""Reads what is needed of a .torrent file: the infohash of its raw info dictionary, and its trackers (BEP 3, BEP 12).

The info dictionary is hashed as it stands in the file: decoding and encoding it again would change the hash of files
that are not in canonical form.
"""

import hashlib
from dataclasses import dataclass
from typing import TypeAlias

from vod_search.domain import Infohash

DEEPEST = 20
Value: TypeAlias = "int | bytes | list[Value] | dict[bytes, Value]"


class NotATorrentError(ValueError):
    """The data is not a .torrent file that we can use."""


@dataclass(frozen=True, slots=True)
class Metainfo:
    """What is used of a .torrent file."""

    infohash: Infohash
    trackers: frozenset[str]


def read_metainfo(data: bytes) -> Metainfo:
    """Read a .torrent file.

    Raises:
        NotATorrentError: it is something else, or a torrent without v1 piece hashes.
    """
    reader = _Reader(data)
    try:
        metainfo = reader.value(depth=0)
    except (IndexError, RecursionError) as error:
        raise NotATorrentError("the data ends too early or is nested too deeply") from error
    info = metainfo.get(b"info") if isinstance(metainfo, dict) else None
    if reader.position != len(data) or not isinstance(metainfo, dict) or not isinstance(info, dict):
        raise NotATorrentError("not a torrent")
    if not isinstance(info.get(b"pieces"), bytes) or reader.info is None:
        raise NotATorrentError("a torrent without v1 piece hashes")
    digest = hashlib.sha1(data[reader.info], usedforsecurity=False).hexdigest()
    return Metainfo(Infohash(digest), frozenset(_trackers(metainfo)))


def _trackers(metainfo: "dict[bytes, Value]") -> list[str]:
    announce, tiers = metainfo.get(b"announce"), metainfo.get(b"announce-list")
    urls = [
        announce,
        *(url for tier in (tiers if isinstance(tiers, list) else []) if isinstance(tier, list) for url in tier),
    ]
    return [url.decode(errors="replace") for url in urls if isinstance(url, bytes)]


class _Reader:
    """A position in bencoded data, and where the info dictionary of the outermost dictionary lies."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0
        self.info: slice | None = None

    def value(self, *, depth: int) -> Value:
        if depth > DEEPEST:
            raise NotATorrentError("nested too deeply")
        match self._data[self.position : self.position + 1]:
            case b"i":
                return self._number(self.position + 1, end=b"e")
            case b"l":
                return self._list(depth)
            case b"d":
                return self._dictionary(depth)
            case _:
                return self._string()

    def _number(self, start: int, *, end: bytes) -> int:
        stop = self._data.find(end, start, start + 21)
        digits = self._data[start:stop] if stop >= 0 else b""
        if not digits.removeprefix(b"-").isdigit() or (digits != b"0" and digits.lstrip(b"-").startswith(b"0")):
            raise NotATorrentError("a malformed number")
        self.position = stop + 1
        return int(digits)

    def _string(self) -> bytes:
        length = self._number(self.position, end=b":")
        start = self.position
        if length < 0 or start + length > len(self._data):
            raise NotATorrentError("a string beyond the end")
        self.position = start + length
        return self._data[start : self.position]

    def _list(self, depth: int) -> "list[Value]":
        self.position += 1
        items: list[Value] = []
        while self._data[self.position] != ord("e"):
            items.append(self.value(depth=depth + 1))
        self.position += 1
        return items

    def _dictionary(self, depth: int) -> "dict[bytes, Value]":
        self.position += 1
        items: dict[bytes, Value] = {}
        while self._data[self.position] != ord("e"):
            key = self._string()
            start = self.position
            items[key] = self.value(depth=depth + 1)
            if depth == 0 and key == b"info":
                self.info = slice(start, self.position)
        self.position += 1
        return items

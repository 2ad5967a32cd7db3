"""Reads what is needed of a .torrent file: its hash, trackers and web seeds (BEP 3, 12, 19, 52).

The info dictionary is hashed as it stands in the file: decoding and encoding it again would change the hash of files
that are not in canonical form.
"""

import hashlib
from dataclasses import dataclass
from typing import TypeAlias

from vod_search.domain import Hashes, Infohash
from vod_search.magnets import hashes_of_v2

DEEPEST = 20
Value: TypeAlias = "int | bytes | list[Value] | dict[bytes, Value]"


class NotATorrentError(ValueError):
    """The data is not a .torrent file that we can use."""


@dataclass(frozen=True, slots=True)
class Metainfo:
    """What is used of a .torrent file."""

    hashes: Hashes
    trackers: frozenset[str]
    web_seeds: frozenset[str]


def read_metainfo(data: bytes) -> Metainfo:
    """Read a .torrent file.

    Raises:
        NotATorrentError: it is something else, or a torrent without the hashes of v1 or v2.
    """
    reader = _Reader(data)
    try:
        metainfo = reader.value(depth=0)
    except (IndexError, RecursionError) as error:
        raise NotATorrentError("the data ends too early or is nested too deeply") from error
    info = metainfo.get(b"info") if isinstance(metainfo, dict) else None
    if reader.position != len(data) or not isinstance(metainfo, dict) or not isinstance(info, dict):
        raise NotATorrentError("not a torrent")
    hashes = _hashes(info, data[reader.info]) if reader.info else None
    if hashes is None:
        raise NotATorrentError("a torrent without the hashes of v1 or v2")
    return Metainfo(hashes, frozenset(_trackers(metainfo)), frozenset(_texts(metainfo.get(b"url-list"))))


def _hashes(info: "dict[bytes, Value]", raw: bytes) -> Hashes | None:
    if isinstance(info.get(b"pieces"), bytes):
        return Hashes(Infohash(hashlib.sha1(raw, usedforsecurity=False).hexdigest()))
    if info.get(b"meta version") == 2 and isinstance(info.get(b"file tree"), dict):
        return hashes_of_v2(hashlib.sha256(raw).hexdigest())
    return None


def _trackers(metainfo: "dict[bytes, Value]") -> list[str]:
    tiers = metainfo.get(b"announce-list")
    return [*_texts(metainfo.get(b"announce")), *(url for tier in _items(tiers) for url in _texts(tier))]


def _texts(value: "Value | None") -> list[str]:
    """Return the texts of a field that is one, or a list of them."""
    listed = [value] if isinstance(value, bytes) else _items(value)
    return [one.decode(errors="replace") for one in listed if isinstance(one, bytes)]


def _items(value: "Value | None") -> "list[Value]":
    return value if isinstance(value, list) else []


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

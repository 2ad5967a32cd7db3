"""HLS playlists (RFC 8216), read and written anew: every address in them becomes one of ours.

Parts are named by what they are, not by where they are, so that a name still means the same after the source was
replaced by another: `v0/s12t24000d2000.ts` is variant 0, segment 12, which begins at 24 s and lasts 2 s. Sources cut
their segments as they like, and number them from anywhere, so that another one's segment is found by its time. In a
live playlist nobody knows when it began: there a segment has its number alone (`v0/s12.ts`).
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from vod_sources.errors import SourceRefused

HLS_TYPE = "application/vnd.apple.mpegurl"
_URI = re.compile(r'URI="([^"]*)"', re.ASCII)
_MOST_LINES = 50_000
_NEAR = 50
"""Milliseconds by which the same cut may differ between sources."""
_MOST_JOINED = 32
# What says nothing of addresses; what is not here and not handled below is left out.
_WHOLE = ("#EXT-X-ENDLIST", "#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-PLAYLIST-TYPE:EVENT")
"""Of playlists that begin where the stream begins."""
_KEPT_TAGS = (
    "#EXTM3U", "#EXT-X-VERSION", "#EXT-X-TARGETDURATION", "#EXT-X-MEDIA-SEQUENCE", "#EXT-X-ENDLIST", "#EXTINF",
    "#EXT-X-PLAYLIST-TYPE", "#EXT-X-DISCONTINUITY", "#EXT-X-PROGRAM-DATE-TIME", "#EXT-X-INDEPENDENT-SEGMENTS",
    "#EXT-X-START", "#EXT-X-GAP",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Address:
    """Where a part is; *first* and *length* where it is a slice of a file."""

    url: str
    first: int | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Master:
    """The variants and renditions of a stream, and the playlist as viewers get it."""

    variants: tuple[str, ...]
    renditions: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Span:
    """When a segment begins, and how long it lasts; in milliseconds."""

    begins: int
    lasts: int

    @property
    def ends(self) -> int:
        return self.begins + self.lasts


@dataclass(frozen=True, slots=True)
class Media:
    """The segments of one variant by number, when each plays, and the playlist as viewers get it."""

    segments: dict[int, Address]
    spans: dict[int, Span]
    others: dict[str, Address]
    text: str
    is_encrypted: bool = False

    def at(self, moment: int) -> int | None:
        """Return the segment that plays at a moment."""
        numbers = sorted(self.spans)
        index = bisect_right([self.spans[one].begins for one in numbers], moment + _NEAR) - 1
        return numbers[index] if 0 <= index < len(numbers) else None

    def instead_of(self, number: int, span: Span, *, leading: bool) -> list[int]:
        """Return the segments that play in the place of one that this or another source named.

        They are those that begin in it, so that each comes once; if it is the first one of this source (*leading*), or
        if none begins in it, the one that plays when it begins comes before them, so that nothing is missing.
        """
        if self.spans.get(number) == span:
            return [number]
        numbers = [one for one, own in self.spans.items() if span.begins - _NEAR <= own.begins < span.ends - _NEAR]
        first = self.at(span.begins)
        if first is not None and first not in numbers and (leading or not numbers):
            numbers.insert(0, first)
        # What is encrypted can't be joined: each segment has an initialization vector of its own.
        return sorted(numbers)[: 1 if self.is_encrypted else _MOST_JOINED]


def read_master(body: bytes, *, url: str) -> Master | None:
    """Return the variants, None if the playlist is one of segments.

    Raises:
        ValueError: it is no playlist.
        SourceRefused: it leads where it must not.
    """
    lines = _lines(body)
    if not any(line.startswith("#EXT-X-STREAM-INF") for line in lines):
        return None
    variants: list[str] = []
    renditions: list[str] = []
    written = ["#EXTM3U"]
    info = ""
    for line in lines[1:]:
        if line.startswith("#EXT-X-STREAM-INF"):
            info = line
        elif line.startswith("#EXT-X-MEDIA:"):
            if uri := _URI.search(line):
                renditions.append(_absolute(url, uri[1]))
            written.append(_URI.sub(f'URI="a{len(renditions) - 1}.m3u8"', line))
        elif line and not line.startswith("#") and info:
            written += [info, f"v{len(variants)}.m3u8"]
            variants.append(_absolute(url, line))
            info = ""
    return Master(tuple(variants), tuple(renditions), "\n".join(written) + "\n")


def single_master() -> str:
    """Return the playlist of a stream that has one variant only."""
    return "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=2000000\nv0.m3u8\n"


def read_media(body: bytes, *, url: str, name: str) -> Media:
    """Return the segments of a variant that is called *name* (`v0`); raises as `read_master`."""
    lines = _lines(body)
    reader = _MediaReader(url, name, is_live=not any(line.startswith(_WHOLE) for line in lines))
    for line in lines:
        reader.take(line)
    is_encrypted = any(part.startswith("k") for part in reader.others)
    return Media(reader.segments, reader.spans, reader.others, "\n".join(reader.written) + "\n", is_encrypted)


class _MediaReader:
    def __init__(self, url: str, name: str, *, is_live: bool) -> None:
        self._url = url
        self._name = name
        self._is_live = is_live
        self._next = 0
        self._clock = 0.0
        self._seconds = 0.0
        self._range: tuple[int, int] | None = None
        self._range_end: dict[str, int] = {}
        self._byterange = ""
        self.segments: dict[int, Address] = {}
        self.spans: dict[int, Span] = {}
        self.others: dict[str, Address] = {}
        self.written: list[str] = []

    def take(self, line: str) -> None:
        tag, _, value = line.partition(":")
        if line and not line.startswith("#"):
            self._segment(line)
        elif tag in {"#EXT-X-KEY", "#EXT-X-MAP"}:
            self._other(line, "k" if tag == "#EXT-X-KEY" else "m")
        elif tag == "#EXT-X-BYTERANGE":
            self._byterange = value
        elif tag in _KEPT_TAGS:
            if tag == "#EXT-X-MEDIA-SEQUENCE":
                self._next = int(value) if value.strip().isdecimal() else 0
            if tag == "#EXTINF":
                self._seconds = _number(value.partition(",")[0])
            self.written.append(line)

    def _segment(self, uri: str) -> None:
        url = _absolute(self._url, uri)
        first, length = self._slice(url)
        self.segments[self._next] = Address(url, first, length)
        span = Span(round(self._clock * 1000), round(self._seconds * 1000))
        when = "" if self._is_live else f"t{span.begins}d{span.lasts}"
        self.spans[self._next] = span
        self.written.append(f"{self._name}/s{self._next}{when}.{_ending(url)}")
        self._clock += self._seconds
        self._next += 1

    def _slice(self, url: str) -> tuple[int | None, int | None]:
        length, _, first = self._byterange.partition("@")
        self._byterange = ""
        if not length.strip().isdecimal():
            return None, None
        begin = int(first) if first.strip().isdecimal() else self._range_end.get(url, 0)
        self._range_end[url] = begin + int(length)
        return begin, int(length)

    def _other(self, line: str, letter: str) -> None:
        uri = _URI.search(line)
        if uri:
            part = f"{letter}{len(self.others)}.{'key' if letter == 'k' else 'mp4'}"
            begin = re.search(r'BYTERANGE="(\d+)@(\d+)"', line, re.ASCII)
            slice_ = (int(begin[2]), int(begin[1])) if begin else (None, None)
            self.others[part] = Address(_absolute(self._url, uri[1]), *slice_)
            line = re.sub(r',BYTERANGE="[^"]*"', "", _URI.sub(f'URI="{self._name}/{part}"', line))
        self.written.append(line)


def _lines(body: bytes) -> list[str]:
    lines = [line.strip() for line in body.decode("utf-8-sig", "replace").splitlines()]
    if not lines or lines[0] != "#EXTM3U" or len(lines) > _MOST_LINES:
        raise ValueError("no playlist")
    return lines


def _absolute(base: str, uri: str) -> str:
    url = urljoin(base, uri)
    scheme = urlsplit(url).scheme
    if scheme not in {"http", "https"}:
        raise SourceRefused(f"A playlist may not lead to a {scheme or 'nameless'}: address.")
    return url


def _ending(url: str) -> str:
    ending = urlsplit(url).path.rpartition(".")[2].lower()
    return ending if ending in {"ts", "m4s", "mp4", "aac", "vtt", "m4a", "m4v"} else "ts"


def _number(value: str) -> float:
    try:
        return max(0.0, float(value))
    except ValueError:
        return 0.0

"""Content that is looked for, and sources that were found."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from urllib.parse import urlsplit

_BARE_HEIGHT = re.compile(r"\d{3,4}", re.ASCII)
_SURE_HEIGHT = re.compile(r"(?<!\d)(\d{3,4})[pi]\b|\d{3,4}\s?x\s?(\d{3,4})", re.ASCII | re.IGNORECASE)
_WORDS = {"8k": 4320, "4k": 2160, "uhd": 2160, "fhd": 1080}
_USABLE_SHARE = 0.7
_BITS_PER_LINE = 5_000


class Kind(Enum):
    """What is watched."""

    SERIES = "series"
    ANIME = "anime"
    MOVIE = "movie"


class SourceType(Enum):
    """How its bytes come."""

    HLS = "hls"
    MP4 = "mp4"
    TORRENT = "torrent"


class Scope(Enum):
    """Who is asked."""

    ALL = "all"
    EDITORIAL = "the curated collections only"


@dataclass(frozen=True, slots=True)
class Name:
    """An episode in a title, and that title's ids elsewhere."""

    series_id: str
    season: int
    episode: int
    external_ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Content:
    """An episode or a film, and what providers may know it by."""

    series_id: str
    season: int
    episode: int
    kind: Kind
    title: str = ""
    year: int = 0
    external_ids: Mapping[str, str] = field(default_factory=dict)
    runtime: timedelta = timedelta()
    """Zero if unknown."""
    other_names: tuple[Name, ...] = ()
    """What else it is called: an anime's episode at TMDb, or by the later entry's own id."""

    @property
    def names(self) -> tuple[Name, ...]:
        """All names, the one first under which it is kept."""
        return (Name(self.series_id, self.season, self.episode, self.external_ids), *self.other_names)

    def at(self, site: str) -> Name | None:
        """Return the name that goes with the id of a site (`tmdb`, `imdb`): seasons and numbers are that title's."""
        return next((one for one in self.names if one.external_ids.get(site)), None)


@dataclass(frozen=True, slots=True)
class StreamSource:
    """Where a provider says the bytes are; *headers* go with every request for them."""

    url: str
    quality: str
    type: SourceType
    provider: str
    headers: Mapping[str, str] = field(default_factory=dict)
    expires_at: datetime | None = None
    renew_at: datetime | None = None
    """When to ask for a fresh address, well before this one ends."""
    size: int = 0
    """Bytes of a file; 0 if unknown, and for playlists."""
    stated_bitrate: int = 0
    """Bits per second as the playlist states them, or as size and length make them; 0 if unknown."""
    collection: str = ""
    """Name of the curated collection that has it."""
    codec: str = ""
    """Of its picture: `h264`, `hevc`, `av1` or `dolby_vision`; empty if nobody knows."""

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def height(self) -> int:
        """Lines of the picture as `quality` tells them (`1080p`, `4K`); 0 for `auto`, `HD` and other words."""
        sure = _SURE_HEIGHT.search(self.quality)
        if sure:
            return int(sure[1] or sure[2])
        words = (_WORDS.get(word) for word in re.findall(r"\w+", self.quality.lower()))
        found = next((one for one in words if one), 0)
        return found or (int(self.quality) if _BARE_HEIGHT.fullmatch(self.quality) else 0)

    @property
    def bitrate(self) -> int:
        """Bits per second, guessed from the height where nobody stated them; 0 if nothing is known."""
        return self.stated_bitrate or self.height * _BITS_PER_LINE

    def may_stand_in_for(self, other: "StreamSource") -> bool:
        """Tell whether a player that reads *other* can go on with this one.

        A playlist's segments are found by time; but the bytes of a file only follow those of the very same file.
        """
        if self.type is not other.type:
            return False
        if self.type is SourceType.HLS:
            return True
        same_words = (self.provider, self.quality) == (other.provider, other.quality)
        return self.size == other.size if self.size and other.size else same_words


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the viewer's device and link carry; 0 where nobody said."""

    max_bitrate: int = 0
    """Of the link."""
    max_height: int = 0
    device_bitrate: int = 0
    """What the device shows at most; unlike a link's all of it may be used."""
    codecs: Sequence[str] = ()
    """What the device decodes."""

    def decodes(self, source: StreamSource) -> bool:
        """Whether the device can show the source at all, as far as anybody knows."""
        return not self.codecs or not source.codec or source.codec in self.codecs

    def fits(self, source: StreamSource) -> bool:
        """Whether the source can be watched without stopping."""
        too_high = self.max_height and source.height > self.max_height
        too_fast = self.max_bitrate and source.bitrate > self.max_bitrate * _USABLE_SHARE
        too_much = self.device_bitrate and source.bitrate > self.device_bitrate
        return self.decodes(source) and not (too_high or too_fast or too_much)


@dataclass(frozen=True, slots=True)
class Play:
    """A source in use, and its spare on another host."""

    id: str
    content: Content
    source: StreamSource
    spare: StreamSource | None = None
    wanted: Wanted = Wanted()
    seen_at: datetime | None = None
    """When it was kept last."""


def in_order(
    sources: Sequence[StreamSource],
    *,
    wanted: Wanted,
    healthy: Mapping[str, bool],
    success: Mapping[tuple[str, str], float],
) -> list[StreamSource]:
    """Return sources best first.

    Well, in a codec that the device knows, fitting the device and the link, of a curated collection, direct before
    torrents, high bitrates first (of files of unknown length the larger one), hosts that did well first.
    """

    def rank(source: StreamSource) -> tuple[bool, bool, bool, bool, bool, int, int, float]:
        return (
            not healthy.get(source.url, False),
            not wanted.decodes(source),
            not wanted.fits(source),
            not source.collection,
            source.type is SourceType.TORRENT,
            -source.bitrate,
            -source.size,
            -success.get((source.provider, source.host), 1.0),
        )

    by_address: dict[str, StreamSource] = {}
    for source in sources:
        by_address.setdefault(source.url, source)
    return sorted(by_address.values(), key=rank)

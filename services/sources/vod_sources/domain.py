"""Content that is looked for, and sources that were found."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from urllib.parse import urlsplit

_HEIGHT = re.compile(r"(\d{3,4})\s*p?", re.ASCII)
_USABLE_SHARE = 0.7
_BITS_PER_PIXEL_LINE = 5_000


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


@dataclass(frozen=True, slots=True)
class StreamSource:
    """Where a provider says the bytes are; *headers* go with every request for them."""

    url: str
    quality: str
    type: SourceType
    provider: str
    headers: Mapping[str, str] = field(default_factory=dict)
    expires_at: datetime | None = None

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def height(self) -> int:
        """Lines of the picture as `quality` tells them (`1080p`); 0 for `auto`, `HD` and other words."""
        match = _HEIGHT.search(self.quality)
        return int(match[1]) if match else 0


@dataclass(frozen=True, slots=True)
class Play:
    """A source in use, and its spare on another host."""

    id: str
    content: Content
    source: StreamSource
    spare: StreamSource | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the viewer's device and link carry; 0 where nobody said."""

    max_bitrate: int = 0
    max_height: int = 0

    def fits(self, source: StreamSource) -> bool:
        """Whether the source can be watched without stopping; its bitrate is guessed from its height."""
        too_high = self.max_height and source.height > self.max_height
        too_fast = self.max_bitrate and source.height * _BITS_PER_PIXEL_LINE > self.max_bitrate * _USABLE_SHARE
        return not (too_high or too_fast)


def in_order(
    sources: Sequence[StreamSource],
    *,
    wanted: Wanted,
    healthy: Mapping[str, bool],
    success: Mapping[tuple[str, str], float],
) -> list[StreamSource]:
    """Return sources best first: well, fitting, direct before torrents, high pictures first, hosts that did well."""

    def rank(source: StreamSource) -> tuple[bool, bool, bool, int, float]:
        return (
            not healthy.get(source.url, False),
            not wanted.fits(source),
            source.type is SourceType.TORRENT,
            -source.height,
            -success.get((source.provider, source.host), 1.0),
        )

    by_address: dict[str, StreamSource] = {}
    for source in sources:
        by_address.setdefault(source.url, source)
    return sorted(by_address.values(), key=rank)

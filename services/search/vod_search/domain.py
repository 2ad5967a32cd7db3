"""What search knows: which episode is wanted, what indexers announced, and what release names say."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NewType

Infohash = NewType("Infohash", str)
"""40 lower-case hex digits: SHA-1 of a v1 torrent, or the first 20 bytes of a v2 torrent's SHA-256 (BEP 52)."""


@dataclass(frozen=True, slots=True)
class Hashes:
    """How a torrent is named; `v2` (64 hex digits) only where it has no v1 hash, and so only v2 peers have it."""

    infohash: Infohash
    v2: str = ""


class Kind(enum.Enum):
    """What sort of title is wanted; decides how names are read and how indexers are asked."""

    SERIES = "series"
    ANIME = "anime"
    MOVIE = "movie"


class Source(enum.Enum):
    """Where a release was taken from, by the names of `vod.scoring.v1.Source`."""

    UNSPECIFIED = "unspecified"
    CAM = "cam"
    TELESYNC = "telesync"
    TELECINE = "telecine"
    SCREENER = "screener"
    DVD = "dvd"
    HDTV = "hdtv"
    WEBRIP = "webrip"
    WEB_DL = "web_dl"
    BLURAY = "bluray"
    REMUX = "remux"


class Codec(enum.Enum):
    """How the picture is coded, by the names of `vod.scoring.v1.Codec`."""

    UNSPECIFIED = "unspecified"
    H264 = "h264"
    HEVC = "hevc"
    AV1 = "av1"
    VP9 = "vp9"
    MPEG4 = "mpeg4"
    MPEG2 = "mpeg2"


@dataclass(frozen=True, slots=True)
class ReleaseTraits:
    """What a release name says; empty, 0 and UNSPECIFIED mean that it does not say."""

    titles: tuple[str, ...] = ()
    year: int = 0
    seasons: tuple[int, ...] = ()
    episodes: tuple[int, ...] = ()
    absolutes: tuple[int, ...] = ()
    season_pack: bool = False
    height: int = 0
    source: Source = Source.UNSPECIFIED
    codec: Codec = Codec.UNSPECIFIED
    bit_depth: int = 0
    hi10p: bool = False
    hdr: bool = False
    dolby_vision: bool = False
    dolby_vision_fallback: bool = False
    languages: tuple[str, ...] = ()
    multi_audio: bool = False
    group: str = ""
    version: int = 1
    extra: bool = False
    air_date: date | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """One episode to find releases of. `titles` has at least one entry, the main title first."""

    series_id: str
    season: int
    episode: int
    kind: Kind
    titles: tuple[str, ...]
    year: int = 0
    absolute: int = 0
    profile_hash: str = ""
    air_date: date | None = None
    external_ids: Mapping[str, str] = field(default_factory=dict)
    """Ids elsewhere: `imdb` ("tt0903747"), `tmdb`, `tvdb`, `mal`, `ia`."""

    @property
    def cache_key(self) -> str:
        """The key that the owner's manual gives: `series|SxxExx|profile_hash`."""
        return f"{self.series_id}|S{self.season:02d}E{self.episode:02d}|{self.profile_hash}"


@dataclass(frozen=True, slots=True)
class Announcement:
    """One search result of one indexer, cleaned; still without an infohash where the indexer gave none.

    `web_seeded`: it is served over HTTP as well, so that seeders do not decide. `web_seeds` are addresses of which we
    know by ourselves that they do, and `exact_source` is that of its .torrent, without which nobody could tell a node
    what is in a torrent that has no other peers. Neither is taken from what strangers publish.
    `download_url` may carry an API key: it is used here and forgotten, never stored, logged or handed on.
    """

    title: str
    indexer: str
    infohash: Infohash | None = None
    v2: str = ""
    size_bytes: int = 0
    seeders: int | None = None
    leechers: int | None = None
    published_at: int = 0
    trackers: frozenset[str] = frozenset()
    web_seeded: bool = False
    web_seeds: frozenset[str] = frozenset()
    exact_source: str = ""
    download_url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Release:
    """All that was announced about one infohash."""

    infohash: Infohash
    title: str
    traits: ReleaseTraits
    indexers: tuple[str, ...]
    v2: str = ""
    size_bytes: int = 0
    seeders: int | None = None
    leechers: int | None = None
    published_at: int = 0
    trackers: tuple[str, ...] = ()
    web_seeded: bool = False
    web_seeds: tuple[str, ...] = ()
    exact_source: str = ""


@dataclass(frozen=True, slots=True)
class UnavailableIndexer:
    """An indexer that did not answer (in full), and why, in words for people."""

    indexer: str
    reason: str


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found, who did not take part in it, and when it was made."""

    releases: Sequence[Release]
    unavailable: Sequence[UnavailableIndexer]
    fetched_at: datetime

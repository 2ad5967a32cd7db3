"""What is ranked, for whom, and what comes out."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta


class Source(enum.Enum):
    """Where a release was taken from, by the names of `vod.scoring.v1.Source`."""

    UNSPECIFIED = "not stated"
    CAM = "filmed in a cinema"
    TELESYNC = "telesync"
    TELECINE = "telecine"
    SCREENER = "screener"
    DVD = "DVD"
    HDTV = "HDTV"
    WEBRIP = "WEBRip"
    WEB_DL = "WEB-DL"
    BLURAY = "Blu-ray"
    REMUX = "remux"


class Codec(enum.Enum):
    """How the picture is coded, by the names of `vod.scoring.v1.Codec`."""

    UNSPECIFIED = "not stated"
    H264 = "H.264"
    HEVC = "HEVC"
    AV1 = "AV1"
    VP9 = "VP9"
    MPEG4 = "MPEG-4 (XviD)"
    MPEG2 = "MPEG-2"


class Tier(enum.IntEnum):
    """How a candidate may be used; lower is better."""

    OK = 1
    UNVERIFIED = 2
    LAST_RESORT = 3
    REFUSED = 4


@dataclass(frozen=True, slots=True)
class Device:
    """What a device can show and what its owner wants; 0 is no limit."""

    codecs: frozenset[Codec]
    hi10p: bool = False
    hdr: bool = False
    dolby_vision: bool = False
    max_height: int = 0
    max_bitrate: int = 0
    audio_languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Traits:
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
class Observation:
    """What a stream node saw of a swarm, some time ago."""

    peers: int
    bytes_per_second: int
    age: timedelta


@dataclass(frozen=True, slots=True)
class Candidate:
    """One release as an indexer announced it; None and 0 are "not known"."""

    infohash: str
    title: str
    traits: Traits
    size_bytes: int = 0
    seeders: int | None = None
    leechers: int | None = None
    indexer: str = ""
    published_at: int = 0
    trust: float | None = None
    """How far the indexer's numbers have proved true, 0 to 1."""
    observed: Observation | None = None
    held: bool = False
    """A stream node has data of it."""
    web_seeded: bool = False
    blocked: str = ""
    """Why it must not be chosen, for people."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the viewer wants to see. `titles` has the title and all aliases; 0 is "not known" or "none"."""

    titles: tuple[str, ...]
    year: int = 0
    movie: bool = False
    season: int = 0
    episode: int = 0
    absolute: int = 0
    runtime: timedelta = timedelta(0)
    season_episode_count: int = 0
    previous_group: str = ""
    air_date: date | None = None
    previous_infohash: str = ""

    @property
    def label(self) -> str:
        """Name the episode for people."""
        running = f" (number {self.absolute})" if self.absolute else ""
        return "the film" if self.movie else f"S{self.season:02d}E{self.episode:02d}{running}"


@dataclass(frozen=True, slots=True)
class Component:
    """One line of the explanation: a value of 0 to 1, its share, their product in millionths, and why."""

    name: str
    value: float
    weight: float
    micro_points: int
    reason: str


@dataclass(frozen=True, slots=True)
class GateFailure:
    """A rule that a candidate failed, and why, with the numbers."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate's place, explained. `score_micro` is the sum of the components' points."""

    candidate: Candidate
    tier: Tier
    score_micro: int
    components: Sequence[Component]
    gates: Sequence[GateFailure]
    unknowns: Sequence[str]

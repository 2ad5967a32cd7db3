"""What a pick is made of: an episode, the releases that claim to be it, how they rank, and the file that was found."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

JsonObject = dict[str, Any]
"""A message of a neighbour in its JSON form: kept and passed on, not looked into."""


class Kind(StrEnum):
    """What sort of title an episode belongs to; decides how its files are numbered."""

    SERIES = "series"
    ANIME = "anime"
    MOVIE = "movie"


class Tier(StrEnum):
    """How far scoring trusts a release."""

    OK = "ok"
    UNVERIFIED = "unverified"
    LAST_RESORT = "last_resort"
    REFUSED = "refused"


class SourceKind(StrEnum):
    """Whether the torrent holds one episode or many."""

    SINGLE = "single"
    SEASON_PACK = "season_pack"


@dataclass(frozen=True, slots=True)
class EpisodeKey:
    """Names one episode everywhere in the system."""

    series_id: str
    season: int
    episode: int

    def __str__(self) -> str:
        return f"{self.series_id}:S{self.season:02}E{self.episode:02}"


@dataclass(frozen=True, slots=True)
class Profile:
    """For whom a pick is made: the hash is part of its key, the capabilities are for scoring only."""

    hash: str
    capabilities: JsonObject


@dataclass(frozen=True, slots=True)
class Episode:
    """What the catalog knows of an episode."""

    key: EpisodeKey
    kind: Kind
    titles: tuple[str, ...]
    """The title first, then its aliases."""
    year: int = 0
    absolute: int = 0
    """Number counted over all seasons; 0 where there is none."""
    name: str = ""
    runtime: timedelta = timedelta()
    air_date: date | None = None
    external_ids: Mapping[str, str] | None = None
    season_size: int = 0
    """Episodes in the season; 0 if unknown."""
    previous: EpisodeKey | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A torrent as an indexer announced it."""

    infohash: str
    title: str
    magnet_uri: str
    group: str
    resolution: str
    """`1080p`; empty if the name does not say."""
    codec: str
    """`h264`; empty if the name does not say."""
    announced: JsonObject


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a release beside what was announced."""

    trust: float | None = None
    """How far its indexer's numbers proved true, 0 to 1; None if nobody has checked any."""
    peers: int | None = None
    """Seen in the swarm lately; None if nobody looked."""
    bytes_per_second: int = 0
    age: timedelta = timedelta()
    held: bool = False
    """A stream node has data of it."""
    blocked: str = ""
    """Why it must not be chosen, for people."""


@dataclass(frozen=True, slots=True)
class Before:
    """What served the episode before; empty if nothing did."""

    group: str = ""
    """Or the group that viewers of the series prefer."""
    infohash: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something can't be played: a stable code, and the same for people."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Ranking:
    """What scoring says of one release."""

    tier: Tier
    gates: tuple[Reason, ...]
    explanation: JsonObject


@dataclass(frozen=True, slots=True)
class Candidate:
    """A release and its rank."""

    release: Release
    ranking: Ranking

    @property
    def score(self) -> float:
        """Its points, 0 to 1."""
        return int(self.ranking.explanation.get("score_micro", 0)) / 1_000_000

    def with_observation(self, text: str) -> "Candidate":
        """Return it with what its swarm showed, for people."""
        ranking = self.ranking
        told = {**ranking.explanation, "observations": [text]}
        return Candidate(self.release, Ranking(ranking.tier, ranking.gates, told))

    @property
    def merit(self) -> float:
        """Its points without those for the health of its swarm: what counts once swarms were seen, 0 to 1."""
        components = self.ranking.explanation.get("components", [])
        health = sum(int(one.get("micro_points", 0)) for one in components if one.get("name") == "health")
        return self.score - health / 1_000_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """A candidate that can't be played, and why."""

    release: Release
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class TorrentFile:
    """A file inside a torrent; the path is `/`-separated."""

    index: int
    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ChosenFile:
    """The file that is the episode, and in what sort of torrent it was found."""

    file: TorrentFile
    source_kind: SourceKind


@dataclass(frozen=True, slots=True)
class Choice:
    """What was decided, before it is written down."""

    key: EpisodeKey
    profile: Profile
    candidate: Candidate
    chosen: ChosenFile


@dataclass(frozen=True, slots=True)
class Pick:
    """The decision which torrent and file serve an episode for a profile."""

    id: int
    key: EpisodeKey
    profile_hash: str
    infohash: str
    magnet_uri: str
    title: str
    group: str
    resolution: str
    codec: str
    file_index: int
    file_path: str
    size_bytes: int
    source_kind: SourceKind
    score: JsonObject
    picked_at: datetime
    replaces_pick_id: int | None
    replaced: bool
    replaced_because: str = ""
    """For people; empty while it is in force."""

"""What watching is made of: profiles, sessions, positions and sources. Pure; durations and positions are timedeltas."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from vod_playback.errors import HeartbeatInvalid
from vod_playback.positions import wrong_position

JsonObject = dict[str, Any]
"""A message of a neighbour in its JSON form: kept and passed on, not looked into."""

DIRECT_SERIES = "direct:torrent:"
"""How the made-up series ids of direct play begin; no catalog knows them."""
FINISHED_PERCENT = 90.0
"""From here on an episode counts as watched: what is left are the credits."""
ENDED_PERCENT = 80.0
"""Who says, this far in, that it has ended has finished it: catalogs list broadcast slots, and files are shorter."""
_SEQUENCES = 2**63
_AHEAD = timedelta(seconds=2)
"""A player whose clock is further ahead than this says nothing by it."""


@dataclass(frozen=True, slots=True)
class EpisodeKey:
    """Names one episode everywhere in the system."""

    series_id: str
    season: int
    episode: int

    @property
    def is_film(self) -> bool:
        """Films have no episode after them."""
        return self.series_id.split(":")[1:2] == ["movie"]

    def __str__(self) -> str:
        return f"{self.series_id}:S{self.season:02}E{self.episode:02}"


@dataclass(frozen=True, slots=True)
class DeviceProfile:
    """What a device can show and what its owner wants; a field of vod.scoring.v1.DeviceProfile each."""

    h264: bool = False
    hevc: bool = False
    av1: bool = False
    hi10p: bool = False
    hdr: bool = False
    dolby_vision: bool = False
    max_height: int = 0
    max_bitrate: int = 0
    audio_languages: tuple[str, ...] = ()

    @property
    def codecs(self) -> list[str]:
        """What the device decodes, by the names of these fields."""
        return [name for name in ("h264", "hevc", "av1", "dolby_vision") if getattr(self, name)]

    def stated(self) -> JsonObject:
        """Return the fields that say something: those that are not false, 0 or empty."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items() if v}


def profile_hash(profile: DeviceProfile) -> str:
    """Return the name under which picks are kept for devices of this profile: 16 hexadecimal digits.

    It is the beginning of the SHA-256 of the profile's stated fields as JSON with sorted keys and no spaces, in ASCII;
    languages in lower case, in order, without repeats. Fields that say nothing are left out, so that a field added
    later changes no hash that exists. The order of languages counts: it is an order of preference.
    """
    languages = tuple(dict.fromkeys(language.lower() for language in profile.audio_languages))
    stated = replace(profile, audio_languages=languages).stated()
    canonical = json.dumps(stated, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Direct:
    """A direct source: its bytes come over HTTP, through sources, under an address of ours."""

    play_id: str = field(repr=False)
    path: str = field(repr=False)
    type: str
    """`hls` or `mp4`."""
    provider: str
    quality: str
    bitrate: int = 0
    """Bits per second; 0 if nobody knows."""
    collection: str = ""
    """The curated collection that has it; empty if none."""
    fits: bool = True
    """Device and link carry it."""
    reasons: tuple[str, ...] = ()
    """Why this one; for people."""


@dataclass(frozen=True, slots=True)
class Source:
    """A pick as far as playing needs it, and the whole of it as picks told it; or a direct source without a pick."""

    infohash: str
    file_index: int
    magnet_uri: str = field(repr=False)
    pick: JsonObject = field(repr=False)
    direct: Direct | None = None

    @property
    def bytes(self) -> int:
        """Size of the picked file; 0 if unknown."""
        # Proto's JSON form writes 64-bit numbers as text.
        return int(self.pick.get("size_bytes", 0))

    def kept(self) -> JsonObject:
        """Return it as it is stored with a session."""
        return {"direct": asdict(self.direct)} if self.direct else self.pick

    @property
    def pick_id(self) -> int:
        """What picks calls it; 0 if it is no pick."""
        return int(self.pick.get("id", 0))

    def same_file(self, other: "Source") -> bool:
        """Tell whether both are the same bytes."""
        if self.direct and other.direct:
            return self.direct.play_id == other.direct.play_id
        return (self.infohash, self.file_index) == (other.infohash, other.file_index)


def direct_source(direct: Direct) -> Source:
    """Return a source that has no pick."""
    return Source(infohash="", file_index=0, magnet_uri="", pick={}, direct=direct)


@dataclass(frozen=True, slots=True)
class Episode:
    """What the catalog knows of an episode, as far as watching needs it."""

    key: EpisodeKey
    """The one under which everything about the episode is kept, whatever it was asked for under."""
    runtime: timedelta
    """Zero if unknown."""
    next: EpisodeKey | None
    is_film: bool = False
    title: JsonObject = field(default_factory=dict, repr=False)
    """What providers of direct sources may know it by, in the form that sources takes."""


@dataclass(frozen=True, slots=True)
class Pin:
    """A file that the stream node keeps streamable for a session."""

    stream_url: str = field(repr=False)
    warm: bool = False
    """Its first and last bytes are on disk: a player can start at once."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A ranked release as picks told it."""

    infohash: str
    playable: bool
    release: JsonObject


class State(StrEnum):
    """ACTIVE → ENDED, once, by the viewer or by the sweeper; an ended session never comes back."""

    ACTIVE = "active"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class NextHint:
    """The next episode, and whether it can start at once."""

    key: EpisodeKey
    ready: bool


class How(StrEnum):
    """How a session ended."""

    SAID = "said"
    """The player said that the episode is over."""
    SILENT = "silent"
    """Nothing was heard of it for too long."""


@dataclass(frozen=True, slots=True)
class Session:
    """One viewer watching one episode on one device."""

    id: str
    device_id: str
    request_id: str | None
    subject_id: str
    key: EpisodeKey
    profile: DeviceProfile
    profile_hash: str
    source: Source
    next: EpisodeKey | None
    subtitle_languages: tuple[str, ...]
    duration: timedelta
    started_at: datetime
    heartbeat_at: datetime
    position: timedelta = timedelta()
    state: State = State.ACTIVE
    next_ready: bool = False
    next_taken: bool = False
    switches: int = 0
    """How often it went on from another source."""
    switched_at: datetime | None = None
    """When it last did so by itself, because its source failed."""
    switch_reason: str = ""
    failure: JsonObject | None = None
    """Why nothing is left to go on with: `reason`, `message`, `domain` and `metadata`, as picks told it."""
    stalled_at: datetime | None = None
    """When a stream node last said that the viewer waits for bytes."""
    waits_since: datetime | None = None
    stall_reason: str = ""

    @property
    def is_active(self) -> bool:
        """Nobody ended it."""
        return self.state is State.ACTIVE

    @property
    def next_hint(self) -> NextHint | None:
        """What comes next; None at the end of the series."""
        return NextHint(self.next, self.next_ready) if self.next else None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a viewer wants to watch, and on what."""

    key: EpisodeKey
    profile: DeviceProfile
    device_id: str
    subject_id: str
    request_id: str | None = None
    subtitle_languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DirectWish:
    """Which torrent somebody wants to watch, and on what."""

    magnet_uri: str = field(repr=False)
    torrent: bytes = field(repr=False)
    file_index: int | None
    """None: the stream node chooses."""
    profile: DeviceProfile
    device_id: str
    subject_id: str
    request_id: str | None = None
    subtitle_languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Beat:
    """A player's report. What is None the player did not say."""

    session_id: str
    position: timedelta
    duration: timedelta | None = None
    sequence: int | None = None
    """The player's own count, higher with each report."""
    event_time: datetime | None = None
    """When the position was reached, by the player's clock."""
    playing_pick: int | None = None
    """Id of the pick that the player plays."""

    def checked(self) -> "Beat":
        """Return it if it makes sense.

        Raises:
            HeartbeatInvalid: the position is negative or beyond the end.
        """
        if wrong := wrong_position(self.position, self.duration):
            raise HeartbeatInvalid(wrong)
        if self.sequence is not None and not 0 <= self.sequence < _SEQUENCES:
            raise HeartbeatInvalid("The sequence must be between 0 and 2^63 - 1.")
        return self


@dataclass(frozen=True, slots=True)
class Heard:
    """A report as it arrived."""

    beat: Beat
    at: datetime
    """When it arrived, by our clock."""

    @property
    def event_time(self) -> datetime | None:
        """The player's time as far as it can be believed; None if that clock is ahead of ours, or was not said.

        A clock that is behind does no harm: its times are in order, and none counts as before the session began.
        """
        said = self.beat.event_time
        return None if said is None or said > self.at + _AHEAD else min(said, self.at)


@dataclass(frozen=True, slots=True)
class Switched:
    """Where a session goes on after its source was replaced."""

    source: Source
    stream_url: str = field(repr=False)
    position: timedelta
    reason: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a player learns by a report."""

    next_hint: NextHint | None
    switched: Switched | None = None
    failure: JsonObject | None = None
    """Why nothing is left to go on with."""


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a report."""

    session: Session
    newer: bool
    """It counted: nothing newer had been heard before."""
    ending_asked: bool
    """Whether somebody asked for the ending's range already."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Where to go on, and from which source."""

    key: EpisodeKey
    position: timedelta
    duration: timedelta
    source: Source | None
    """None: it was watched elsewhere."""


@dataclass(frozen=True, slots=True)
class LastWatched:
    """What a subject watched last of one series."""

    key: EpisodeKey
    position: timedelta
    duration: timedelta
    finished: bool
    watched_at: datetime
    next: EpisodeKey | None
    """What its session said would come next."""
    next_position: timedelta
    """How far the subject got in that one, zero if it is finished or was not begun."""
    next_ready: bool


@dataclass(frozen=True, slots=True)
class Device:
    """A device as its latest start described it."""

    id: str
    profile: DeviceProfile
    profile_hash: str
    seen_at: datetime
    link: int = 0
    """Bits per second that its link carried lately; 0 if nobody measured it."""

"""The JSON of the API: what is asked and answered about watching. Field names are the seed's, to the letter.

The seed writes most names in camelCase and measured quantities with their unit (`position_s`); `wire_name` keeps both.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

_SNAKE_ON_THE_WIRE = frozenset({"position_s", "duration_s", "buffered_s", "runtime_s", "offset_s", "bitrate_estimate"})
_MAX_SECONDS = 1_000_000
_MAX_BITRATE = 10**12


def wire_name(name: str) -> str:
    """Return the JSON name of a field."""
    # Not for single words: `to_camel` would make `hi10P` of `hi10p`.
    return to_camel(name) if "_" in name and name not in _SNAKE_ON_THE_WIRE else name


def request_config(example: dict[str, Any]) -> ConfigDict:
    """Requests are taken strictly: no unknown fields, no "12" for 12, no NaN."""
    return ConfigDict(
        alias_generator=wire_name,
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        json_schema_extra={"examples": [example]},
    )


def answer_config(example: dict[str, Any]) -> ConfigDict:
    """Answers are made from Python names and leave with the wire's."""
    return ConfigDict(
        alias_generator=wire_name, populate_by_name=True, frozen=True, json_schema_extra={"examples": [example]}
    )


def _integer(value: object) -> object:
    """JSON knows one kind of number: 64.0 is an integer too (JSON Schema section 6.1.1 of 2020-12)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_integer)
SERIES_ID_PATTERN = r"^[a-z]{1,16}:[a-z]{1,16}:[0-9A-Za-z_.-]{1,100}$"
EPISODE_KEY_PATTERN = rf"{SERIES_ID_PATTERN[:-1]}:(S[0-9]{{2,5}}E[0-9]{{2,6}}|abs[0-9]{{1,6}}|[0-9]{{1,6}})$"
"""By season and episode, by the running number, or as MyAnimeList counts inside of an entry."""
SESSION_ID_PATTERN = r"^[0-9A-Za-z_-]{1,128}$"
SeriesId = Annotated[
    str,
    Field(pattern=SERIES_ID_PATTERN, description="For example `tmdb:tv:9001`, `tmdb:movie:9101`, `mal:anime:9201`."),
]
SessionId = Annotated[str, Field(pattern=SESSION_ID_PATTERN, description="From `session/start`.")]
SubjectId = Annotated[
    str, Field(pattern=r"^[0-9A-Za-z_.:@-]{1,128}$", description="Who watches; without it, the device itself.")
]
Season = Annotated[int, Field(ge=0, le=10_000, description="A film is season 1, episode 1."), WHOLE]
Episode = Annotated[int, Field(ge=0, le=100_000), WHOLE]
Infohash = Annotated[str, Field(pattern=r"^([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$", description="Hex.")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$", description="ISO 639-1.")]
Languages = Annotated[list[Language], Field(max_length=10)]
Seconds = Annotated[float, Field(ge=0, le=_MAX_SECONDS)]
Fraction = Annotated[float, Field(ge=0, le=1)]

Moment = Annotated[AwareDatetime, Field(strict=False, description="RFC 3339, with a zone.")]

_SESSION = "01J9ZQ6M3T7B5D2XW8VN4KC0RA"
_INFOHASH = "5d1ce7a9b0f34e2c8a6d7b9e0f1a2b3c4d5e6f70"
HINT_EXAMPLE = {"seriesId": "tmdb:tv:9001", "season": 1, "episode": 4, "ready": True}
_SCORE = {"health": 0.82, "quality": 0.7, "size": 0.5, "consistency": 0.2}
_CAPS = {
    "h264": True,
    "hevc": False,
    "maxHeight": 1080,
    "maxBitrate": 20_000_000,
    "audioLanguages": ["en"],
    "subtitleLanguages": ["en", "de"],
}
PICK_EXAMPLE = {
    "id": 17,
    "infohash": _INFOHASH,
    "magnet": f"magnet:?xt=urn:btih:{_INFOHASH}&dn=Harbor.Lights.S01.1080p.WEB-DL.H264-NOVA",
    "title": "Harbor.Lights.S01.1080p.WEB-DL.H264-NOVA",
    "releaseGroup": "NOVA",
    "resolution": "1080p",
    "codec": "h264",
    "fileIndex": 3,
    "filePath": "Harbor.Lights.S01/Harbor.Lights.S01E03.mkv",
    "sourceKind": "season_pack",
    "score": _SCORE,
    "reasons": ["12 seeders for 2 leechers", "1080p WEB-DL in H.264 fits the device"],
    "replacesPickId": 12,
    "pickedAt": "2026-11-20T20:15:00Z",
}
_CANDIDATE = {
    "infohash": _INFOHASH,
    "title": "Harbor.Lights.S01E04.720p.WEB-DL.H264-TIDE",
    "releaseGroup": "TIDE",
    "resolution": "720p",
    "codec": "h264",
    "sizeBytes": 734_003_200,
    "seeders": 9,
    "indexer": "Harbour",
    "tier": "ok",
    "score": _SCORE,
    "reasons": ["9 seeders"],
}
SOURCE_EXAMPLE = {
    "type": "torrent",
    "quality": "1080p",
    "provider": "torrent",
    "collection": "",
    "reasons": ["12 seeders for 2 leechers", "1080p WEB-DL in H.264 fits the device"],
}
STREAM_URL_EXAMPLE = "http://127.0.0.1:8081/stream/node-1/eyJ0b2tlbiI6IuKApiJ9/Harbor.Lights.S01E03.mkv"


class DeviceCaps(BaseModel):
    """What the device can show, and what its owner wants. All optional; what is not named can't be shown."""

    model_config = request_config(_CAPS)

    h264: bool = Field(True, description="H.264, 8 bit.")
    hevc: bool = False
    av1: bool = False
    hi10p: bool = Field(False, description="H.264 with 10 bit, which most televisions can't show.")
    hdr: bool = False
    dv: bool = Field(False, description="Dolby Vision.")
    max_bitrate: Annotated[
        int, Field(ge=0, le=_MAX_BITRATE, description="Bit per second; 0 means no limit."), WHOLE
    ] = 0
    max_height: Annotated[int, Field(ge=0, le=10_000, description="Picture lines (1080); 0: no limit."), WHOLE] = 0
    audio_languages: Languages = Field([], description="Most wanted first; empty: any.")
    subtitle_languages: Languages | None = Field(
        None, description="Most wanted first; absent: those of the Accept-Language header."
    )


class StartRequest(BaseModel):
    model_config = request_config(
        {"seriesId": "tmdb:tv:9001", "season": 1, "episode": 3, "deviceCaps": _CAPS, "subjectId": "anna"}
    )

    series_id: SeriesId
    season: Season = 1
    episode: Episode = 1
    absolute_ep: Annotated[
        int | None, Field(ge=1, le=100_000, description="The running number, instead of season and episode."), WHOLE
    ] = None
    device_caps: DeviceCaps
    subject_id: SubjectId | None = None


class HeartbeatRequest(BaseModel):
    model_config = request_config(
        {
            "sessionId": _SESSION,
            "position_s": 612.4,
            "duration_s": 1260,
            "buffered_s": 45.0,
            "bitrate_estimate": 18_000_000,
            "sequence": 61,
            "eventTime": "2026-11-20T20:25:12.400Z",
        }
    )

    session_id: SessionId
    position_s: Seconds
    duration_s: Seconds | None = Field(None, description="As the player measured it; absent: the catalog's runtime.")
    buffered_s: Seconds | None = Field(None, description="What the player holds ahead of the position.")
    bitrate_estimate: float | None = Field(None, ge=0, le=_MAX_BITRATE, description="Bit per second; may be broken.")
    sequence: Annotated[
        int | None,
        Field(ge=0, lt=2**53, description="The player's own count, higher with each; absent: by arrival."),
        WHOLE,
    ] = None
    event_time: Moment | None = Field(
        None,
        description="When the position was reached, by the player's clock. Of two heartbeats the later one counts, at "
        "the same time the one with the higher sequence; a time ahead of the server's is not believed.",
    )
    playing_pick_id: Annotated[
        int | None,
        Field(ge=0, lt=2**53, description="`pick.id` of what plays: a switch to it is not told again."),
        WHOLE,
    ] = None


class EndedRequest(BaseModel):
    model_config = request_config({"sessionId": _SESSION})

    session_id: SessionId


class OverrideRequest(BaseModel):
    model_config = request_config({"sessionId": _SESSION, "infohash": _INFOHASH})

    session_id: SessionId
    infohash: Infohash = Field(description="One of the candidates.")
    target: Literal["current", "next"] = Field(
        "current", description="`next`: what comes next is prepared from this release; also after the session's end."
    )


class Score(BaseModel):
    """The four parts of a release's score, before they are weighted."""

    model_config = answer_config(_SCORE)

    health: Fraction
    quality: Fraction
    size: Fraction
    consistency: Fraction


class Pick(BaseModel):
    """The decision which torrent and which file in it serve the episode."""

    model_config = answer_config(PICK_EXAMPLE)

    infohash: str
    magnet: str = Field(description="Rebuilt from the infohash and the name; no trackers, which may carry a passkey.")
    release_group: str | None
    resolution: str | None
    codec: str | None
    file_index: int
    score: Score
    id: int
    title: str = Field(description="The release's name.")
    source_kind: Literal["single", "season_pack"] | None
    file_path: str
    reasons: list[str] = Field(description="Why this one; for people.")
    replaces_pick_id: int | None
    picked_at: datetime | None


class PlayingSource(BaseModel):
    """What plays: the pick, or a direct source, which has none."""

    model_config = answer_config(SOURCE_EXAMPLE)

    type: Literal["torrent", "hls", "mp4"] = Field(description="`hls` needs a player that knows HLS.")
    quality: str
    provider: str
    collection: str = Field(description="The curated collection that has it; empty if none.")
    reasons: list[str] = Field(description="Why this one; for people.")


class Candidate(BaseModel):
    """A release that could be picked."""

    model_config = answer_config(_CANDIDATE)

    infohash: str
    title: str
    release_group: str | None
    resolution: str | None
    codec: str | None
    size_bytes: int | None
    seeders: int | None
    indexer: str | None
    tier: Literal["ok", "unverified", "last_resort", "refused"] | None = Field(
        description="How sure it is that this plays."
    )
    score: Score
    reasons: list[str]


class NextHint(BaseModel):
    """The next episode; `ready` when it would start at once."""

    model_config = answer_config(HINT_EXAMPLE)

    series_id: str
    season: int
    episode: int
    ready: bool


class StartAnswer(BaseModel):
    model_config = answer_config(
        {
            "sessionId": _SESSION,
            "pick": PICK_EXAMPLE,
            "source": SOURCE_EXAMPLE,
            "streamUrl": STREAM_URL_EXAMPLE,
            "nextHint": {**HINT_EXAMPLE, "ready": False},
        }
    )

    session_id: str
    pick: Pick | None = Field(description="Null for direct play, and when a direct source plays.")
    source: PlayingSource
    stream_url: str = Field(description="Signed; answers ranges, so any player can open it.")
    next_hint: NextHint | None = Field(description="Null when nothing follows.")


class EndedAnswer(BaseModel):
    model_config = answer_config({"nextPick": PICK_EXAMPLE, "autoplayIn": 10, "nextHint": HINT_EXAMPLE})

    next_pick: Pick | None = Field(description="Null when nothing follows.")
    autoplay_in: int = Field(description="Seconds that the player counts down.")
    next_hint: NextHint | None = None


class NextAnswer(BaseModel):
    model_config = answer_config({"candidates": [_CANDIDATE], "prepared": True})

    candidates: list[Candidate] = Field(description="What comes next, as chosen, then the best beside it.")
    prepared: Literal[True] | None = Field(None, description="Present when the next episode would start at once.")


class OverrideAnswer(BaseModel):
    model_config = answer_config({"pick": PICK_EXAMPLE, "streamUrl": STREAM_URL_EXAMPLE})

    pick: Pick
    stream_url: str | None = Field(description="Null for the next episode: nothing plays it yet.")


class ResumeAnswer(BaseModel):
    model_config = answer_config(
        {
            "seriesId": "tmdb:tv:9001",
            "season": 1,
            "episode": 3,
            "position_s": 612.0,
            "duration_s": 1260.0,
            "pick": PICK_EXAMPLE,
            "source": SOURCE_EXAMPLE,
        }
    )

    series_id: str
    season: int
    episode: int
    position_s: float
    duration_s: float
    pick: Pick | None = Field(
        description="The very pick it was watched from, even if another would be chosen today. Null: a direct source, "
        "or it was watched elsewhere."
    )
    source: PlayingSource | None = Field(description="Null: it was watched elsewhere.")

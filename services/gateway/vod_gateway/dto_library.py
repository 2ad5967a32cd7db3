"""The JSON of the API: titles, episodes, the admin's views, and the gateway itself."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from vod_gateway.dto import Candidate, Pick, answer_config, request_config

_EPISODE = {
    "seriesId": "mal:anime:9201",
    "season": 2,
    "episode": 2,
    "position": 2,
    "absoluteEp": 5,
    "name": "The Second Lamp",
    "runtime_s": 1420,
    "airDate": "2024-10-08",
    "episodeKey": "mal:anime:9201:S02E02",
}
_TITLE = {
    "seriesId": "tmdb:tv:9001",
    "title": "Harbor Lights",
    "type": "series",
    "year": 2024,
    "overview": "Who keeps the light when the last keeper leaves?",
    "posterUrl": "/v1/images/tmdb:tv:9001/poster",
    "backdropUrl": "/v1/images/tmdb:tv:9001/backdrop",
    "genres": ["Drama"],
    "seasonCount": 1,
}
_SESSION = {
    "sessionId": "01J9ZQ6M3T7B5D2XW8VN4KC0RA",
    "subjectId": "anna",
    "seriesId": "tmdb:tv:9001",
    "season": 1,
    "episode": 3,
    "position_s": 612.0,
    "duration_s": 1260.0,
    "startedAt": "2026-11-20T20:15:00Z",
    "heartbeatAt": "2026-11-20T20:25:12Z",
}
_RECORD = {
    "id": 17,
    "infohash": "5d1ce7a9b0f34e2c8a6d7b9e0f1a2b3c4d5e6f70",
    "magnet": "magnet:?xt=urn:btih:5d1ce7a9b0f34e2c8a6d7b9e0f1a2b3c4d5e6f70",
    "title": "Harbor.Lights.S01.1080p.WEB-DL.H264-NOVA",
    "releaseGroup": "NOVA",
    "resolution": "1080p",
    "codec": "h264",
    "fileIndex": 3,
    "filePath": "Harbor.Lights.S01/Harbor.Lights.S01E03.mkv",
    "sourceKind": "season_pack",
    "score": {"health": 0.82, "quality": 0.7, "size": 0.5, "consistency": 0.2},
    "reasons": ["12 seeders for 2 leechers"],
    "replacesPickId": 12,
    "pickedAt": "2026-11-20T20:15:00Z",
    "profileHash": "9c5b94b1a35ad4d9",
    "replaced": True,
    "replacedBecause": "rejected: the picture freezes after a minute",
}
_DIFFERENCE = {
    "name": "health",
    "points": 11.2,
    "reason": "44 seeders for 2.0 Mbit/s - the other: 9 seeders for 14.0 Mbit/s",
}
_PIN = {
    "node": "node-1",
    "infohash": "5d1ce7a9b0f34e2c8a6d7b9e0f1a2b3c4d5e6f70",
    "fileIndex": 3,
    "fileName": "Harbor.Lights.S01E03.mkv",
    "sizeBytes": 1_073_741_824,
    "downloadedBytes": 268_435_456,
    "state": "ready",
    "peers": 14,
    "downloadRate": 5_242_880,
    "holders": [{"name": "01J9ZQ6M3T7B5D2XW8VN4KC0RA", "purpose": "current"}],
    "expiresAt": "2026-11-20T21:15:00Z",
}
_PROBLEM = {
    "type": "/problems/gateway/invalid-request",
    "title": "Invalid request",
    "status": 400,
    "detail": "The request is not valid: #/season",
    "instance": "/v1/session/start",
    "reason": "INVALID_REQUEST",
    "domain": "gateway.vod",
    "metadata": {},
    "errors": [{"in": "body", "pointer": "#/season", "detail": "Input should be a valid integer"}],
    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
}


class EpisodeAnswer(BaseModel):
    model_config = answer_config(_EPISODE)

    series_id: str
    season: int
    episode: int
    position: int | None = Field(description="1-based rank in the season; `episode` is what the provider prints.")
    absolute_ep: int | None = Field(description="Number counted over all regular seasons; null for specials.")
    name: str
    runtime_s: int | None
    air_date: date | None
    episode_key: str = Field(description="The episode's name in `subtitles/{episodeKey}.vtt`.")


class Title(BaseModel):
    """A series, an anime or a film."""

    model_config = answer_config(_TITLE)

    series_id: str
    title: str
    type: Literal["series", "anime", "movie"] | None
    year: int | None
    overview: str
    poster_url: str | None = Field(description="An address of ours; a viewer's browser meets no third party.")
    backdrop_url: str | None
    genres: list[str]
    season_count: int | None = Field(description="Null until the title's episodes were looked at.")


class TitlesAnswer(BaseModel):
    model_config = answer_config({"titles": [_TITLE]})

    titles: list[Title]


class PickRecord(Pick):
    """A pick with what only the audit trail shows."""

    profile_hash: str
    replaced: bool = Field(description="Not the current pick any more.")
    replaced_because: str | None = Field(None, description="Why not, for people.")


class PicksAnswer(BaseModel):
    """Every pick ever made for an episode, newest first."""

    model_config = answer_config({"seriesId": "tmdb:tv:9001", "season": 1, "episode": 3, "picks": [], "candidates": []})

    series_id: str
    season: int
    episode: int
    picks: list[PickRecord]
    candidates: list[Candidate] = Field(description="What the newest pick was chosen from, best first.")


class Difference(BaseModel):
    model_config = answer_config(_DIFFERENCE)

    name: str = Field(description="health, quality, size, consistency or rules.")
    points: float = Field(description="Of 100; below zero, the second has more.")
    reason: str


class DiffAnswer(BaseModel):
    model_config = answer_config(
        {"summary": "Harbor.Lights.S01 goes first, by 9.0 points of 100.", "differences": [_DIFFERENCE]}
    )

    summary: str
    differences: list[Difference] = Field(description="The largest first.")


class RejectRequest(BaseModel):
    model_config = request_config(
        {"pickId": 17, "reason": "broken", "scope": "file", "explanation": "the picture freezes after a minute"}
    )

    pick_id: int = Field(ge=1, le=2**63 - 1, description="One of `picks`.")
    reason: Literal["stalled", "broken", "unwanted"] = Field(
        "unwanted", description="Decides how long it is not chosen: 2 hours, 30 days, 180 days."
    )
    scope: Literal["torrent", "file", "group"] = Field(
        "torrent", description="The whole torrent, this file of it, or all of its release group for the series."
    )
    explanation: str = Field("", max_length=300, description="Shown wherever the rejection is.")


class RejectAnswer(BaseModel):
    model_config = answer_config({"rejected": _RECORD})

    rejected: PickRecord
    replacement: PickRecord | None = Field(None, description="What is played instead; null when no candidate is left.")


class SessionStatus(BaseModel):
    model_config = answer_config(_SESSION)

    session_id: str
    subject_id: str
    series_id: str
    season: int
    episode: int
    position_s: float
    duration_s: float
    started_at: datetime | None
    heartbeat_at: datetime | None


class Holder(BaseModel):
    model_config = answer_config({"name": "01J9ZQ6M3T7B5D2XW8VN4KC0RA", "purpose": "current"})

    name: str = Field(description="A session.")
    purpose: Literal["current", "next"] | None


class PinStatus(BaseModel):
    """A torrent file on a stream node."""

    model_config = answer_config(_PIN)

    node: str = Field(description="Name of the node that has it.")
    infohash: str
    file_index: int
    file_name: str
    size_bytes: int
    downloaded_bytes: int
    state: Literal["connecting", "buffering", "ready", "complete"] | None
    peers: int
    download_rate: int = Field(description="Bytes per second, now.")
    holders: list[Holder]
    expires_at: datetime | None


class StatusAnswer(BaseModel):
    """What runs: active sessions, newest first, and what the stream nodes hold; `node` is the one that answered."""

    model_config = answer_config({"sessions": [_SESSION], "node": "node-1", "pins": [_PIN]})

    sessions: list[SessionStatus]
    node: str
    pins: list[PinStatus]


class HealthAnswer(BaseModel):
    model_config = answer_config({"status": "ok"})

    status: Literal["ok"] = "ok"


class ReadyAnswer(BaseModel):
    model_config = answer_config({"status": "ready"})

    status: Literal["ready"] = "ready"


class VersionAnswer(BaseModel):
    model_config = answer_config({"name": "NovaStream", "version": "0.1.0", "api": "v1"})

    name: str
    version: str
    api: Literal["v1"] = "v1"


class FieldError(BaseModel):
    """One thing that is wrong with a request."""

    model_config = answer_config({"in": "body", "pointer": "#/season", "detail": "Input should be a valid integer"})

    in_: Literal["body", "query", "path", "header"] = Field(alias="in")
    pointer: str | None = Field(None, description="JSON Pointer into the body (RFC 6901).")
    name: str | None = Field(None, description="Name of the parameter.")
    detail: str


class Problem(BaseModel):
    """Every error of the API (RFC 9457). Programs look at `reason` and `domain`, people at `detail`."""

    model_config = answer_config(_PROBLEM) | {"extra": "allow"}

    type: str
    title: str
    status: int
    detail: str
    instance: str
    reason: str = Field(description="UPPER_SNAKE, unique within the domain.")
    domain: str = Field(description="Which service failed, for example `picks.vod`.")
    metadata: dict[str, str] = Field(description="The changing parts of `detail`.")
    trace_id: str = Field(description="Quote it when you report the error.")
    errors: list[FieldError] | None = Field(None, description="With INVALID_REQUEST: what is wrong, one by one.")
    refused: list[object] | None = Field(None, description="With NO_PLAYABLE_RELEASE: why each release was refused.")
    unavailable: list[object] | None = Field(None, description="Sources that could not be asked.")

"""The JSON of the API: subtitles."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from vod_gateway.dto import answer_config, request_config

_TRACK = {
    "id": "17",
    "lang": "en",
    "label": "English (SDH)",
    "url": "/v1/subtitles/tmdb:tv:9001:S01E02.vtt?track=17",
    "source": "opensubtitles",
    "releaseTitle": "Harbor.Lights.S01E02.1080p.WEB-DL.H264-NOVA",
    "forced": False,
    "hearingImpaired": True,
    "machineTranslated": False,
    "exact": True,
    "ready": True,
    "encoding": "utf-8",
    "hasScript": False,
    "offset_s": 0.0,
    "rate": 1.0,
}

_FONT = {
    "url": "/v1/subtitles/fonts/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "fileName": "KeeperSans-Bold.ttf",
    "contentType": "font/ttf",
    "sizeBytes": 81236,
}
_ALIGNMENT = {
    "track": "17",
    "reference": "21",
    "state": "done",
    "progress": 1.0,
    "offset_s": -1.48,
    "rate": 1.0,
    "explanation": "",
}

TrackId = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,17}$")]
Offset = Annotated[float, Field(ge=-3600, le=3600, description="Seconds; more shows cues later.")]
Rate = Annotated[float, Field(ge=0.5, le=2, description="Times are multiplied by it: 25/23.976 is 1.0427.")]
Encoding = Annotated[
    str, Field(pattern=r"^[a-z0-9-]{3,20}$", description="What to read the file as, for example `cp1250`.")
]


class SubtitleTrack(BaseModel):
    model_config = answer_config(_TRACK)

    id: str
    lang: str = Field(description="ISO 639-1; `und` where nobody says.")
    label: str
    url: str
    source: str = Field(description="`embedded`: inside the video; `torrent`: beside it; else who has it.")
    release_title: str
    forced: bool
    hearing_impaired: bool
    machine_translated: bool
    exact: bool = Field(description="Made for the very file that is picked.")
    ready: bool = Field(description="Here already, or in part.")
    encoding: str = Field(description="What it was read as; empty until it is here.")
    has_script: bool = Field(description="`….ass?track=` has the SubStation original.")
    offset_s: float
    rate: float


class Font(BaseModel):
    model_config = answer_config(_FONT)

    url: str
    file_name: str = Field(description="As the video calls it.")
    content_type: str
    size_bytes: int


class SubtitlesAnswer(BaseModel):
    """The best first."""

    model_config = answer_config({"tracks": [_TRACK], "fonts": [_FONT], "quotaResetsAt": "2026-11-21T00:00:00Z"})

    tracks: list[SubtitleTrack]
    fonts: list[Font] = Field(description="What the video brings along for `….ass`, as far as it is here.")
    quota_resets_at: datetime | None = Field(description="Until then some source has no downloads left.")


class TimingRequest(BaseModel):
    model_config = request_config({"track": "17", "offset_s": -1.5, "rate": 1.0})

    track: TrackId
    offset_s: Offset = 0
    rate: Rate = 1


class AlignmentRequest(BaseModel):
    model_config = request_config({"track": "17"})

    track: TrackId
    reference: TrackId | None = Field(
        default=None, description="What to compare with; else the best that fits the file."
    )


class Alignment(BaseModel):
    """A search for a track's right timing."""

    model_config = answer_config(_ALIGNMENT)

    track: str
    reference: str
    state: Literal["running", "done", "failed"]
    progress: float = Field(ge=0, le=1)
    offset_s: float | None = Field(description="What was found, and is remembered for the track.")
    rate: float | None
    explanation: str = Field(description="Why it failed, for people.")

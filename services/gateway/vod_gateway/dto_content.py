"""The JSON of the API: refs of episodes, and what there is to watch with skip ranges and direct sources."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from vod_gateway.dto import EPISODE_KEY_PATTERN, Episode, Moment, Season, SeriesId, answer_config, request_config

_PLACE = {"seriesId": "tmdb:tv:1429", "season": 4, "position": 17, "episode": 17, "absoluteEp": 76}
_ALIAS = {
    "ref": "mal:anime:48583:1",
    "verdict": "certain",
    "confidence": 0.95,
    "flags": [],
    "place": _PLACE,
    "candidates": [],
    "entries": ["mal:anime:48583:1"],
    "tvdb": [{"seriesId": "tvdb:series:267440", "season": 4, "episode": 17}],
    "imdbIds": [],
    "anidbIds": [16177],
    "aliases": ["mal:anime:16498:76", "tmdb:tv:1429:S04E17", "tmdb:tv:1429:abs76"],
    "episodeKey": "mal:anime:16498:S05E01",
}


class Place(BaseModel):
    """An episode at TMDb, with its three numbers."""

    model_config = answer_config(_PLACE)

    series_id: str
    season: int
    position: int | None = Field(description="1-based rank in the season.")
    episode: int | None = Field(description="The number that TMDb prints; null if TMDb could not be asked.")
    absolute_ep: int | None


class TvdbPlace(BaseModel):
    model_config = answer_config({"seriesId": "tvdb:series:267440", "season": 4, "episode": 17})

    series_id: str
    season: int = Field(description="-1: `episode` counts over all seasons.")
    episode: int


class AliasAnswer(BaseModel):
    model_config = answer_config(_ALIAS)

    ref: str
    verdict: Literal["certain", "likely", "unsure", "unmapped"] | None
    confidence: float
    flags: list[str]
    place: Place | None
    candidates: list[Place]
    entries: list[str]
    tvdb: list[TvdbPlace]
    imdb_ids: list[str]
    anidb_ids: list[int] = Field(description="Several where AniDB has the episode twice.")
    aliases: list[str]
    episode_key: str | None = Field(description="Under which it is kept here; null while nobody has used it.")


class AliasRequest(BaseModel):
    model_config = request_config({"seriesId": "tmdb:tv:65942", "season": 1, "episode": 26})

    series_id: SeriesId
    season: Season
    episode: Episode


_MAPPING = {
    "ref": "mal:anime:48583:1",
    "seriesId": "tmdb:tv:1429",
    "season": 4,
    "episode": 17,
    "setAt": "2026-11-20T20:25:12Z",
}


class AliasMapping(BaseModel):
    """Where the operator put an episode."""

    model_config = answer_config(_MAPPING)

    ref: str
    series_id: str
    season: int
    episode: int
    set_at: datetime | None


class MappingsAnswer(BaseModel):
    model_config = answer_config({"mappings": [_MAPPING]})

    mappings: list[AliasMapping]


_CONTENT = {
    "id": "tmdb:tv:9001",
    "tmdbId": 9001,
    "title": "Harbor Lights",
    "type": "series",
    "backdropUrl": "/v1/images/tmdb:tv:9001/backdrop",
    "posterUrl": "/v1/images/tmdb:tv:9001/poster",
    "genres": ["Drama"],
    "year": 2024,
}
_EPISODE = {
    "id": "tmdb:tv:9001:S01E02",
    "contentId": "tmdb:tv:9001",
    "season": 1,
    "episodeNumber": 2,
    "title": "Low Tide",
}
_SOURCE = {
    "url": "/v1/play/5d1ce7a9b0f34e2c8a6d7b9e0f1a2b3c/master.m3u8",
    "quality": "1080p",
    "type": "hls",
    "provider": "mirror",
    "healthy": True,
    "fits": True,
    "bitrate": 6_000_000,
    "codec": "h264",
}
_SKIP = {"type": "opening", "start": 80.0, "end": 170.0, "exact": True, "source": "aniskip"}
_SUBTITLE = {"lang": "en", "url": "/v1/subtitles/tmdb:tv:9001:S01E02.vtt?lang=en", "label": "en"}


class Content(BaseModel):
    """A title, as that document's UI knows it. Pictures come through us, and a CDN may keep them."""

    model_config = answer_config(_CONTENT)

    id: str
    tmdb_id: int | None = Field(None, description="Absent where TMDb has no number for it.")
    title: str
    type: Literal["series", "anime", "movie"]
    backdrop_url: str
    poster_url: str
    genres: list[str]
    year: int


class ContentEpisode(BaseModel):
    model_config = answer_config(_EPISODE)

    id: str
    content_id: str
    season: int
    episode_number: int
    title: str


class StreamSource(BaseModel):
    """Where a player finds the bytes: always an address of ours, which needs no headers."""

    model_config = answer_config(_SOURCE)

    url: str
    quality: str
    type: Literal["hls", "mp4", "torrent"]
    provider: str
    healthy: bool = Field(description="Its first bytes came just now.")
    fits: bool = Field(description="Device and link carry it.")
    bitrate: int | None = Field(None, description="Bits per second; absent if nobody knows.")
    codec: str | None = Field(None, description="`h264`, `hevc`, `av1`, `dolby_vision`; absent if nobody knows.")


class SubtitleTrack(BaseModel):
    model_config = answer_config(_SUBTITLE)

    lang: str
    url: str
    label: str


class SkipRange(BaseModel):
    """Seconds of the viewer's file."""

    model_config = answer_config(_SKIP)

    type: Literal["opening", "ending", "recap"]
    start: float
    end: float
    exact: bool = Field(description="Only then may a player skip without asking; else it shows a button.")
    source: str


class WatchAnswer(BaseModel):
    """All that a watch page needs, in one answer; `nextEpisodeId` is the one across seasons and entries."""

    model_config = answer_config(
        {
            "content": _CONTENT,
            "episode": _EPISODE,
            "nextEpisodeId": "tmdb:tv:9001:S01E03",
            "sources": [_SOURCE],
            "subtitles": [_SUBTITLE],
            "skipRanges": [_SKIP],
        }
    )

    content: Content
    episode: ContentEpisode
    next_episode_id: str | None = Field(None, description="Absent when nothing follows.")
    sources: list[StreamSource]
    subtitles: list[SubtitleTrack]
    skip_ranges: list[SkipRange]


class ProgressRequest(BaseModel):
    """That document's `WatchProgress`; a film, or what has one episode only, needs no `episodeId`."""

    model_config = request_config(
        {
            "contentId": "tmdb:tv:9001",
            "episodeId": "tmdb:tv:9001:S01E02",
            "position": 512.0,
            "duration": 1420.0,
            "updatedAt": "2026-11-20T20:25:12Z",
        }
    )

    content_id: SeriesId
    episode_id: Annotated[str, Field(pattern=EPISODE_KEY_PATTERN)] | None = None
    position: Annotated[float, Field(ge=0, le=1_000_000)]
    duration: Annotated[float, Field(ge=0, le=1_000_000, description="0: nobody knows.")]
    updated_at: Moment | None = Field(
        None,
        description="When the position was reached, by the player's clock; absent: now. Of two positions the later one "
        "counts, whenever it arrives.",
    )

"""Tracks: subtitle files that a source lists for an episode, and which of them is the best."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import NewType

from vod_subtitles.errors import InvalidSubtitleRequest
from vod_subtitles.languages import language_name

Lang = NewType("Lang", str)
"""ISO 639-1, lower case."""

_SERIES_ID = re.compile(r"[a-z0-9]{1,20}(?::[A-Za-z0-9._-]{1,100}){2}", re.ASCII)
_LANGUAGE = re.compile(r"(?P<base>[a-z]{2})(?:-[a-z0-9]{2,8})?", re.ASCII | re.IGNORECASE)
_INFOHASH = re.compile(r"[0-9a-f]{40}", re.ASCII)
_MOST_OFFSET = timedelta(hours=1)
_SLOWEST, _FASTEST = 0.5, 2.0
_MAY_END_LATER_MS = 10_000
# Credits run in silence, a tenth of a film at most.
_LEAST_OF_RUNTIME = 0.85
_SAME_FPS = 0.01
# Control characters, and overrides of the writing direction, which could disguise a label.
_HIDDEN = dict.fromkeys((*range(32), 127, *range(8234, 8239), *range(8294, 8298)), " ")
_WORDS = re.compile(r"[a-z0-9]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class EpisodeKey:
    """Names one episode; a film is season 1, episode 1."""

    series_id: str
    season: int
    episode: int

    def __post_init__(self) -> None:
        if not _SERIES_ID.fullmatch(self.series_id) or self.season < 0 or self.episode < 0:
            raise InvalidSubtitleRequest("An episode is named by a series id, a season and an episode number.")


def parse_language(code: str) -> Lang:
    """Return the language of a code such as `de` or `pt-BR`, without the region.

    Raises:
        InvalidSubtitleRequest: it is no such code.
    """
    match = _LANGUAGE.fullmatch(code)
    if not match:
        raise InvalidSubtitleRequest(
            "A language is an ISO 639-1 code such as de or pt-BR.", metadata={"lang": code[:20]}
        )
    return Lang(match["base"].lower())


class Trait(Enum):
    """What is special about a track."""

    HEARING_IMPAIRED = "hearing_impaired"
    FORCED = "forced"
    """Only what is said in another language than the rest."""
    MACHINE_TRANSLATED = "machine_translated"
    TRUSTED = "trusted"


@dataclass(frozen=True, slots=True)
class Picked:
    """The file that is watched."""

    infohash: str
    file_index: int
    release_title: str = ""

    def __post_init__(self) -> None:
        if not _INFOHASH.fullmatch(self.infohash) or self.file_index < 0:
            raise InvalidSubtitleRequest("A picked file is named by an infohash and a file index.")

    @property
    def video(self) -> str:
        """What it is filed under."""
        return f"{self.infohash}:{self.file_index}"


@dataclass(frozen=True, slots=True)
class Timing:
    """How a file's times become those of the video: time times rate, plus offset."""

    offset: timedelta = timedelta()
    rate: float = 1.0

    def __post_init__(self) -> None:
        if abs(self.offset) > _MOST_OFFSET or not _SLOWEST <= self.rate <= _FASTEST:
            raise InvalidSubtitleRequest("A track can be moved by an hour, and made twice as fast or slow, at most.")


@dataclass(frozen=True, slots=True)
class EpisodeOf:
    """What to look for: an episode of a TMDb series."""

    tmdb_id: int
    season: int
    episode: int


@dataclass(frozen=True, slots=True)
class FilmOf:
    """What to look for: a TMDb film."""

    tmdb_id: int


@dataclass(frozen=True, slots=True)
class EpisodeNamed:
    """What to look for: an episode of a title whose id the sources don't know."""

    title: str
    season: int
    episode: int


Target = EpisodeOf | FilmOf | EpisodeNamed


@dataclass(frozen=True, slots=True)
class Wanted:
    """An episode in all the ways that sources know it; title and IMDb id (`tt…`) are empty where nobody needs them."""

    key: EpisodeKey
    target: Target
    title: str = ""
    imdb_id: str = ""

    @property
    def is_film(self) -> bool:
        return isinstance(self.target, FilmOf)


@dataclass(frozen=True, slots=True)
class Listed:
    """A subtitle file that a source lists; `fps` is None where the source does not tell."""

    source: str
    file_id: str
    lang: Lang
    release_title: str
    downloads: int
    fps: float | None = None
    traits: frozenset[Trait] = frozenset()
    matches: str = ""
    """The video (`Picked.video`) that it was made for; empty where nobody knows."""
    title: str = ""
    """What it is called inside its video."""
    episode: tuple[int, int] | None = None
    """Season and episode that it is listed for; tells which file of an archive is meant."""


@dataclass(frozen=True, slots=True)
class Track:
    """A listed file, as a track of an episode."""

    id: int
    listed: Listed
    last_ms: int = 0
    """When its last cue ends; 0 where that is not known yet."""

    @property
    def label(self) -> str:
        """What to call it, for people."""
        notes = [_NOTES[trait] for trait in Trait if trait in self.listed.traits and trait in _NOTES]
        name = language_name(self.listed.lang)
        title = self.listed.title.translate(_HIDDEN).strip()
        if title and title.lower() != name.lower():
            notes.append(title[:60])
        return f"{name} ({', '.join(notes)})" if notes else name


_NOTES = {Trait.HEARING_IMPAIRED: "SDH", Trait.FORCED: "forced", Trait.MACHINE_TRANSLATED: "machine translation"}


@dataclass(frozen=True, slots=True)
class Readable:
    """A track with its text as WebVTT; `etag` is that of the text, without quotes."""

    track: Track
    webvtt: str
    etag: str
    script: str = ""
    """The original where it is SubStation."""
    partial: bool = False
    """Whether the rest comes when more of the video is here."""
    timing: Timing = Timing()
    """What a viewer said of the file."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The track that goes with the release that was picked last."""

    track_id: int
    release_title: str


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What we have of a file: its bytes, and once they were converted either the WebVTT or why there is none."""

    content: bytes | None = None
    webvtt: str | None = None
    etag: str | None = None
    failure: str | None = None
    converter_version: int | None = None
    encoding: str | None = None
    script: str = ""
    complete: bool = True
    timing: Timing = Timing()


@dataclass(frozen=True, slots=True)
class ReadVideo:
    """How many of a video's first bytes were read for its tracks, and what is known of it by that."""

    read_bytes: int = 0
    moviehash: str = ""
    runtime_ms: int = 0
    """0: not known."""
    fps: float = 0.0
    """0: not known."""


@dataclass(frozen=True, slots=True)
class Font:
    """A font that a video brings along for its SubStation tracks; `id` is the SHA-256 of its bytes."""

    id: str
    file_name: str
    content_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Searched:
    """When the sources were asked for a language, and what they list for it."""

    at: datetime
    tracks: tuple[Track, ...]
    matched: str = ""
    """The video whose hash they were asked for."""


def by_merit(
    tracks: Sequence[Track], *, release_title: str, video: str = "", read: ReadVideo | None = None
) -> list[Track]:
    """Return tracks of one language, the best for a release and a video first.

    What was translated by a person and is whole comes first; then what was made for this very file, then for the most
    similar release, then for one that runs as long, because its times fit; then what the source trusts, and what others
    took.
    """

    def merit(track: Track) -> tuple[bool, bool, bool, float, int, bool, bool, int]:
        listed = track.listed
        return (
            Trait.FORCED not in listed.traits,
            Trait.MACHINE_TRANSLATED not in listed.traits,
            bool(video) and listed.matches == video,
            similarity(listed.release_title, release_title),
            _runs_like(track, read or ReadVideo()),
            Trait.HEARING_IMPAIRED not in listed.traits,
            Trait.TRUSTED in listed.traits,
            listed.downloads,
        )

    return sorted(tracks, key=merit, reverse=True)


def _runs_like(track: Track, video: ReadVideo) -> int:
    """Return 1 where a track seems made for a film as long as this, -1 where it does not, 0 where nobody knows."""
    if track.last_ms and video.runtime_ms:
        if track.last_ms > video.runtime_ms + _MAY_END_LATER_MS:
            return -1
        return 1 if track.last_ms >= video.runtime_ms * _LEAST_OF_RUNTIME else 0
    if track.listed.fps and video.fps:
        return 1 if abs(track.listed.fps - video.fps) < _SAME_FPS else -1
    return 0


def similarity(one: str, other: str) -> float:
    """Return how much two release names have in common, from 0 to 1 in tenths: the share of their words in both."""
    mine, others = set(_WORDS.findall(one.lower())), set(_WORDS.findall(other.lower()))
    if not mine or not others:
        return 0.0
    return round(len(mine & others) / len(mine | others), 1)

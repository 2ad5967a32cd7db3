"""The shapes that the demo library is written in: titles, releases, the files inside torrents, subtitles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum


class Container(Enum):
    """How a file is wrapped; decides where a player must read first."""

    MKV = "mkv"
    MP4 = "mp4"
    """`moov` at the end: a player needs the last bytes before the first picture."""
    MP4_FASTSTART = "mp4-faststart"


class Role(Enum):
    """What a file inside a torrent is for."""

    MAIN = "main"
    SAMPLE = "sample"
    EXTRA = "extra"


@dataclass(frozen=True, slots=True)
class Clip:
    """One video file inside a torrent.

    `path` is relative to the torrent's folder (or the file's own name in a single-file torrent), `megabytes` (10^6)
    and `seconds` describe the full profile. `season` and `episode` are 0 where the file is no episode.
    """

    path: str
    headline: str
    caption: str
    seconds: int
    megabytes: float
    height: int
    tone_hz: int
    container: Container = Container.MKV
    role: Role = Role.MAIN
    season: int = 0
    episode: int = 0
    lines: tuple[str, ...] = ()
    """What is said, spaced evenly: a subtitle track in English inside the file (Matroska only)."""

    @property
    def width(self) -> int:
        """The width in pixels of a 16:9 picture."""
        return self.height * 16 // 9


@dataclass(frozen=True, slots=True)
class Listing:
    """How one indexer shows a release; `None` where the indexer does not tell."""

    indexer_id: int
    seeders: int | None
    leechers: int | None
    hours_old: float = 72.0
    categories: tuple[int, ...] = (5000, 5040)


@dataclass(frozen=True, slots=True)
class Release:
    """One torrent: its name at the indexers, its files in torrent order, and who lists it."""

    name: str
    clips: tuple[Clip, ...]
    listings: tuple[Listing, ...]

    @property
    def is_folder(self) -> bool:
        """Whether the torrent is a folder of files; otherwise it is one file."""
        return len(self.clips) > 1

    def clip(self, season: int, episode: int) -> Clip:
        """Find the file that really is this episode."""
        found = [c for c in self.clips if c.role is Role.MAIN and (c.season, c.episode) == (season, episode)]
        return found[0]


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode as a catalog prints it."""

    id: int
    season: int
    number: int
    name: str
    overview: str
    air_date: date


@dataclass(frozen=True, slots=True)
class Series:
    """A TMDb series."""

    tmdb_id: int
    name: str
    overview: str
    imdb_id: str
    tvdb_id: int
    country: str
    popularity: float
    episodes: tuple[Episode, ...]
    aliases: tuple[tuple[str, str], ...] = ()
    """Alternative titles as (country, title)."""

    @property
    def seasons(self) -> tuple[int, ...]:
        """The season numbers, ascending."""
        return tuple(sorted({e.season for e in self.episodes}))

    def season(self, number: int) -> tuple[Episode, ...]:
        """The episodes of one season in order; empty if there is no such season."""
        return tuple(e for e in self.episodes if e.season == number)


@dataclass(frozen=True, slots=True)
class Film:
    """A TMDb film."""

    tmdb_id: int
    name: str
    overview: str
    imdb_id: str
    released: date
    popularity: float
    aliases: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Anime:
    """A MyAnimeList entry as Jikan serves it; `prequel` and `sequel` are MAL ids, 0 for none."""

    mal_id: int
    name: str
    japanese: str
    synopsis: str
    season: str
    episodes: tuple[Episode, ...]
    prequel: int = 0
    sequel: int = 0


@dataclass(frozen=True, slots=True)
class Subtitle:
    """One subtitle file at OpenSubtitles; season and episode are 0 for a film. `lines` are spaced evenly."""

    file_id: int
    tmdb_id: int
    season: int
    episode: int
    language: str
    encoding: str
    release: str
    lines: tuple[str, ...]
    downloads: int

    @property
    def file_name(self) -> str:
        """The name OpenSubtitles gives the download."""
        return f"{self.release}.{self.language}.srt"

    def srt(self) -> bytes:
        """Render as SubRip with CRLF line ends: a line of 3.5 s every 5 s, from second 2."""
        cues = (
            f"{n}\r\n{_srt_time(start)} --> {_srt_time(start + 3.5)}\r\n{line}\r\n\r\n"
            for n, line in enumerate(self.lines, 1)
            for start in [2.0 + 5.0 * (n - 1)]
        )
        return "".join(cues).encode(self.encoding)


def _srt_time(seconds: float) -> str:
    whole, millis = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d},{millis:03d}"


@dataclass(frozen=True, slots=True)
class Library:
    """Everything that exists in the made-up world."""

    series: tuple[Series, ...]
    films: tuple[Film, ...]
    anime: tuple[Anime, ...]
    releases: tuple[Release, ...]
    subtitles: tuple[Subtitle, ...]

    def release(self, name: str) -> Release:
        """Find a release by its exact name; KeyError if there is none."""
        for release in self.releases:
            if release.name == name:
                return release
        raise KeyError(name)

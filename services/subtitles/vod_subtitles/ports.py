"""What the use cases on an episode's tracks need of others."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from vod_subtitles.domain import (
    Choice,
    EpisodeKey,
    Lang,
    Listed,
    Picked,
    ReadVideo,
    Searched,
    StoredFile,
    Timing,
    Track,
    Wanted,
)
from vod_subtitles.torrents import Hashed


class Source(Protocol):
    """Who has subtitles."""

    @property
    def name(self) -> str:
        """What its tracks and files are filed under."""
        ...

    @property
    def needs_title(self) -> bool:
        """Whether it looks for titles or IMDb ids."""
        ...

    async def search(self, wanted: Wanted, languages: Sequence[Lang], *, hashed: Hashed | None) -> list[Listed]:
        """Return what there is; raises SubtitleSourceUnavailable."""
        ...

    async def download(self, file_id: str) -> bytes:
        """Return a file's bytes; see `files.Downloader`."""
        ...


class Catalog(Protocol):
    """Who knows what a series is called."""

    async def title(self, key: EpisodeKey) -> tuple[str, str]:
        """Return the name of an episode's series and its IMDb id; raises a Failure."""
        ...


class Videos(Protocol):
    """Who knows what lies beside and inside the picked video."""

    async def look(self, key: EpisodeKey, picked: Picked) -> Hashed:
        """File its tracks; return what it is known by."""
        ...


class TrackStore(Protocol):
    """Where tracks are kept; see `Store`."""

    async def searched(self, key: EpisodeKey, languages: Sequence[Lang]) -> dict[Lang, Searched]: ...
    async def save_search(
        self, key: EpisodeKey, languages: Sequence[Lang], listed: Sequence[Listed], *, at: datetime, matched: str
    ) -> None: ...
    async def tracks(self, key: EpisodeKey) -> list[Track]: ...
    async def video(self, key: EpisodeKey, video: str) -> ReadVideo: ...
    async def save_timing(self, listed: Listed, timing: Timing) -> None: ...
    async def quota_resets_at(self, source: str) -> datetime | None: ...
    async def kept_languages(self, key: EpisodeKey) -> list[Lang]: ...
    async def choice(self, key: EpisodeKey, lang: Lang) -> Choice | None: ...
    async def save_choice(self, key: EpisodeKey, lang: Lang, choice: Choice) -> None: ...
    async def files(self, listed: Sequence[Listed]) -> Mapping[tuple[str, str], StoredFile]: ...

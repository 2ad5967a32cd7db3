"""The operator's own word on where an episode belongs: it comes before all data, can be looked up, and taken back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vod_catalog.animelists import AnimeLists
from vod_catalog.domain import EpisodeKey, Season, Title
from vod_catalog.errors import EpisodeNotFound, InvalidReference, MappingNotFound
from vod_catalog.relations import EntryEpisode, Relations
from vod_rpc import Failure

_REF = re.compile(r"mal:anime:(?P<mal>\d{1,9})(?::(?P<episode>\d{1,6}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Override:
    """Where the operator put an episode of MyAnimeList, and when."""

    ref: str
    key: EpisodeKey
    said_at: datetime


class Library(Protocol):
    """Titles, as `Titles` has them."""

    async def with_episodes(self, series_id: str) -> Title: ...


class Seasons(Protocol):
    """What is stored of titles; see `Store`."""

    async def season_of(self, mal: int) -> Season | None: ...


class Shelf(Protocol):
    """Where overrides are kept; see `NumberingStore`."""

    async def overrides(self) -> list[Override]: ...
    async def save_override(self, ref: str, key: EpisodeKey) -> None: ...
    async def delete_override(self, ref: str) -> bool: ...


class Lists(Protocol):
    """The mapping data of this moment; None until they were fetched for the first time."""

    @property
    def current(self) -> AnimeLists | None: ...


class Overrides:
    """The use cases on the operator's word."""

    def __init__(self, *, library: Library, seasons: Seasons, shelf: Shelf, lists: Lists, relations: Relations) -> None:
        self._library = library
        self._seasons = seasons
        self._shelf = shelf
        self._lists = lists
        self._relations = relations

    async def all(self) -> Sequence[Override]:
        """Return all of them, the latest first."""
        return await self._shelf.overrides()

    async def say(self, ref: str, key: EpisodeKey) -> EntryEpisode:
        """Keep where an episode belongs; return the episode that it is about.

        Raises:
            InvalidReference: it is no ref of MyAnimeList.
            SeriesNotFound, EpisodeNotFound: there is no such episode, on either side.
        """
        episode = self._episode(ref)
        await self._check(episode)
        title = await self._library.with_episodes(key.series_id)
        if title.series.id != key.series_id or not _has(title, key.season, key.episode):
            raise EpisodeNotFound(f"There is no {key.series_id}:S{key.season:02}E{key.episode:02}.")
        await self._shelf.save_override(episode.ref, key)
        return episode

    async def take_back(self, ref: str) -> EntryEpisode:
        """Let the data say again where an episode belongs; return the episode that it is about.

        Raises:
            InvalidReference: it is no ref of MyAnimeList.
            MappingNotFound: the operator said nothing of it.
        """
        episode = self._episode(ref)
        if not await self._shelf.delete_override(episode.ref):
            raise MappingNotFound(f"{episode.ref} was not mapped by hand.")
        return episode

    def _episode(self, ref: str) -> EntryEpisode:
        match = _REF.fullmatch(ref)
        if match is None:
            raise InvalidReference("Only refs like mal:anime:48583:1 can be mapped by hand.")
        return self._relations.redirect(EntryEpisode(int(match["mal"]), int(match["episode"] or 1)))

    async def _check(self, episode: EntryEpisode) -> None:
        """Raise EpisodeNotFound unless MyAnimeList has the episode, as far as it can be asked; or the mapping data."""
        try:
            title = await self._library.with_episodes(f"mal:anime:{episode.entry}")
        except Failure:
            if self._lists.current and self._lists.current.of_mal(episode.entry):
                return
            raise
        season = await self._seasons.season_of(episode.entry)
        if season is None or not _has(title, season.number, episode.episode):
            raise EpisodeNotFound(f"There is no {episode.ref}.")


def _has(title: Title, season: int, episode: int) -> bool:
    return any((one.season, one.episode) == (season, episode) for one in title.episodes)

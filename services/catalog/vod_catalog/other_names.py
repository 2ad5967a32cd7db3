"""An episode's other names, for who looks for it elsewhere: as far as they are known well enough to play it.

Nobody is asked for them; but a title of TMDb that would have one is fetched for the next time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from vod_catalog.domain import ANIME, EpisodeKey, Season, Series, SeriesId, StoredTitle
from vod_catalog.numbering import Place, Resolved
from vod_catalog.relations import EntryEpisode


@dataclass(frozen=True, slots=True)
class OtherName:
    """An episode in another title, and that title's ids elsewhere."""

    key: EpisodeKey
    external_ids: Mapping[str, str]


class Stored(Protocol):
    """Titles as they are kept; see `Store`."""

    async def load(self, series_id: SeriesId) -> StoredTitle | None: ...
    async def season_of(self, mal: int) -> Season | None: ...


class Fetching(Protocol):
    """What fetches titles; see `Titles`."""

    def fetch_soon(self, series_id: str) -> None: ...


class Numbering(Protocol):
    """The mapping, with what is stored only; see `Numbering`."""

    async def resolve(self, ref: str) -> Resolved: ...
    async def entry_of(self, key: EpisodeKey) -> EntryEpisode | None: ...


class OtherNames:
    """The use case."""

    def __init__(self, *, stored: Stored, fetching: Fetching, numbering: Numbering) -> None:
        self._stored = stored
        self._fetching = fetching
        self._numbering = numbering

    async def of(self, series: Series, key: EpisodeKey) -> Sequence[OtherName]:
        """Return what else the episode *key* of *series* is called."""
        if not series.id.startswith(f"{ANIME}:"):
            is_show = series.id.startswith("tmdb:")
            episode = await self._numbering.entry_of(key) if is_show else None
            return await self._at_mal(episode, kept=key) if episode else ()
        entry = series.entry_of(key.season)
        if entry is None:
            return ()
        episode = EntryEpisode(entry, key.episode)
        return [*await self._at_mal(episode, kept=key), *await self._at_tmdb(episode)]

    async def _at_mal(self, episode: EntryEpisode, *, kept: EpisodeKey) -> list[OtherName]:
        names = [EpisodeKey(SeriesId(f"{ANIME}:{episode.entry}"), 1, episode.episode)]
        if season := await self._stored.season_of(episode.entry):
            names.append(EpisodeKey(season.series_id, season.number, episode.episode))
        ids = {"mal": str(episode.entry)}
        return [OtherName(name, ids) for name in dict.fromkeys(names) if name != kept]

    async def _at_tmdb(self, episode: EntryEpisode) -> list[OtherName]:
        found = await self._numbering.resolve(episode.ref)
        if found.place is None:
            return []
        if found.place.episode is None:
            # Its position there is known, what TMDb prints there is not; and that is what others go by.
            self._fetching.fetch_soon(found.place.series_id)
            return []
        key = EpisodeKey(found.place.series_id, found.place.season, found.place.episode)
        return [OtherName(key, await self._ids(found.place, imdb=found.imdb))]

    async def _ids(self, place: Place, *, imdb: Sequence[str]) -> Mapping[str, str]:
        title = await self._stored.load(place.series_id)
        if title:
            return title.title.series.external_ids
        is_one_film = place.series_id.startswith("tmdb:movie:") and len(imdb) == 1
        return {"tmdb": place.series_id.rpartition(":")[2], **({"imdb": imdb[0]} if is_one_film else {})}

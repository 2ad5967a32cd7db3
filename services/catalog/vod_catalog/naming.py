"""Many names, one episode: whatever an episode is asked for under, it is kept under one key, for good.

The title that was here first names it. A later part of an anime is a season of its beginning; MyAnimeList's and TMDb's
names of the same episode lead to each other where the mapping is certain. Each name's way is written down at its first
use, so that no mapping that changes moves what people have watched, picked, or timed.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from vod_catalog.domain import (
    ANIME,
    SPECIALS,
    EpisodeInOrder,
    EpisodeKey,
    Season,
    Series,
    SeriesId,
    StoredTitle,
    Title,
    numbers_of,
    parse_series_id,
)
from vod_catalog.errors import EpisodeNotFound, InvalidReference, SeriesNotFound
from vod_catalog.numbering import Numbering, Resolved, Verdict
from vod_catalog.relations import EntryEpisode

_NAME = re.compile(
    r"(?P<series>(?:tmdb:tv|tmdb:movie|mal:anime):\d{1,9}|ia:item:[0-9A-Za-z_.-]{1,100})"
    r"(?::(?:[sS](?P<season>\d{1,5})[eE](?P<episode>\d{1,6})|abs(?P<absolute>\d{1,6})|(?P<number>\d{1,6})))?",
    re.ASCII,
)


class Titles(Protocol):
    """Titles, fetched where they are not known; see `Titles`."""

    async def episode(self, key: EpisodeKey) -> EpisodeInOrder: ...
    async def with_episodes(self, series_id: str) -> Title: ...
    async def season_of(self, mal: int) -> Season | None: ...


class Stored(Protocol):
    """Titles as they are kept; see `Store`."""

    async def load(self, series_id: SeriesId) -> StoredTitle | None: ...


class Names(Protocol):
    """The names that were used; see `NameStore`."""

    async def of(self, names: Sequence[EpisodeKey]) -> dict[EpisodeKey, EpisodeKey]: ...
    async def keep(self, name: EpisodeKey, *, under: EpisodeKey) -> EpisodeKey: ...
    async def forget(self, name: EpisodeKey) -> None: ...
    async def of_title(self, series_id: SeriesId) -> Mapping[EpisodeKey, EpisodeKey]: ...
    async def title_of(self, series_id: SeriesId) -> SeriesId: ...
    async def older(self, one: SeriesId, other: SeriesId) -> SeriesId: ...


class StoredOnly:
    """Titles without their providers: a name's way is found from what is known, or not at all."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored

    async def with_episodes(self, series_id: str) -> Title:
        """Return a title; raises SeriesNotFound."""
        found = await self._stored.load(SeriesId(series_id))
        if found is None:
            raise SeriesNotFound(f"{series_id} was never fetched.")
        return found.title


@dataclass(frozen=True, slots=True)
class Named:
    """An episode with its neighbours, and the keys under which they are kept."""

    found: EpisodeInOrder
    key: EpisodeKey
    next: EpisodeKey | None
    previous: EpisodeKey | None


class Naming:
    """The use cases on names."""

    def __init__(self, *, titles: Titles, names: Names, numbering: Numbering, settled: Numbering) -> None:
        """*settled* knows stored titles only: choosing a key asks no provider."""
        self._titles = titles
        self._names = names
        self._numbering = numbering
        self._settled = settled

    async def episode(self, asked: EpisodeKey) -> Named:
        """Return the episode that a key of any title names.

        Raises:
            InvalidSeriesId, SeriesNotFound, EpisodeNotFound, CatalogNotConfigured, UpstreamUnavailable
        """
        own = await self._in_its_title(asked)
        kept = (await self._names.of([own])).get(own)
        if kept is None:
            # Only what exists gets a name.
            await self._titles.episode(own)
            kept = await self._names.keep(own, under=await self._choose(own))
        found = await self._titles.episode(kept)
        around = {
            one: EpisodeKey(found.series.id, one.season, one.episode) for one in (found.next, found.previous) if one
        }
        known = await self._names.of(list(around.values()))
        following, before = (
            known.get(around[one], around[one]) if one else None for one in (found.next, found.previous)
        )
        return Named(found, key=kept, next=following, previous=before)

    async def kept(self, asked: EpisodeKey) -> EpisodeKey:
        """Return the key under which an episode is kept, as far as that is settled; settles nothing."""
        own = await self._in_its_title(asked)
        return (await self._names.of([own])).get(own, own)

    async def kept_of(self, resolved: Resolved) -> EpisodeKey | None:
        """Return the key under which an episode is kept that was resolved; None while its title was never used."""
        names = [EpisodeKey(one.series_id, one.season, one.episode) for one in [resolved.place] if one and one.episode]
        for episode in resolved.entries:
            if season := await self._titles.season_of(episode.entry):
                names.insert(0, EpisodeKey(season.series_id, season.number, episode.episode))
        known = await self._names.of(names)
        return next((known[name] for name in names if name in known), None)

    async def forget(self, episode: EntryEpisode) -> None:
        """Let an episode's name find its way anew, now that the operator has said where it belongs."""
        if season := await self._titles.season_of(episode.entry):
            await self._names.forget(EpisodeKey(season.series_id, season.number, episode.episode))

    async def title(self, series_id: str) -> Series:
        """Return the title that any of its names names: the one that its episodes are kept in."""
        title = await self._titles.with_episodes(series_id)
        kept = await self._names.title_of(title.series.id)
        return title.series if kept == title.series.id else (await self._titles.with_episodes(kept)).series

    async def in_title(self, series_id: SeriesId) -> Mapping[EpisodeKey, EpisodeKey]:
        """Return the kept keys of those of a title's episodes that were used."""
        return await self._names.of_title(series_id)

    async def key_of(self, ref: str) -> EpisodeKey:
        """Return a key of the episode that *ref* names, in whatever form.

        Raises:
            InvalidReference: it is of no form that we know.
            EpisodeNotFound: nobody can say with confidence which episode that is.
        """
        match = _NAME.fullmatch(ref)
        if match is None:
            return _certain_place(await self._numbering.resolve(ref))
        series_id = SeriesId(match["series"])
        if match["absolute"]:
            return await self._counted(series_id, int(match["absolute"]))
        if match["number"] and not series_id.startswith(f"{ANIME}:"):
            raise InvalidReference("Only entries of MyAnimeList have episodes without seasons.")
        return EpisodeKey(series_id, int(match["season"] or 1), int(match["episode"] or match["number"] or 1))

    async def _counted(self, series_id: SeriesId, absolute: int) -> EpisodeKey:
        title = await self._titles.with_episodes(series_id)
        for (season, episode), numbers in numbers_of(title.episodes).items():
            if numbers.absolute == absolute:
                return EpisodeKey(title.series.id, season, episode)
        raise EpisodeNotFound(f"{title.series.title} has no episode {absolute}.", metadata={"series_id": series_id})

    async def _in_its_title(self, asked: EpisodeKey) -> EpisodeKey:
        """Return the key in the title that an anime's entry is a season of; of other titles, the key as it is."""
        ref = parse_series_id(asked.series_id)
        if ref.namespace != ANIME:
            return asked
        title = await self._titles.with_episodes(asked.series_id)
        begin = await self._titles.season_of(ref.number)
        series_id, season = title.series.id, begin.number if begin else 1
        if asked.season == SPECIALS:
            return replace(asked, series_id=series_id)
        key = EpisodeKey(series_id, season + asked.season - 1, asked.episode)
        is_listed = any((one.season, one.episode) == (key.season, key.episode) for one in title.episodes)
        if is_listed or asked.season != 1:
            return key
        # Numbers that run on into the entries after this one.
        goes_on = self._numbering.goes_on(EntryEpisode(ref.number, asked.episode))
        return await self._at(goes_on) if goes_on.entry != ref.number else key

    async def _at(self, episode: EntryEpisode) -> EpisodeKey:
        series_id = (await self._titles.with_episodes(f"{ANIME}:{episode.entry}")).series.id
        season = await self._titles.season_of(episode.entry)
        return EpisodeKey(series_id, season.number if season else 1, episode.episode)

    async def _choose(self, own: EpisodeKey) -> EpisodeKey:
        """Return the key under which an episode should be kept that is used under this name for the first time."""
        other = await self._elsewhere(own)
        # Both ways, or the mapping makes one of two.
        if other is None or await self._elsewhere(other) != own:
            return own
        kept = (await self._names.of([other])).get(other)
        if kept is not None:
            return kept
        if await self._names.older(own.series_id, other.series_id) == own.series_id:
            return own
        return await self._names.keep(other, under=other)

    async def _elsewhere(self, key: EpisodeKey) -> EpisodeKey | None:
        """Return what the other database calls an episode, where that is certain and its title is known here."""
        if key.series_id.startswith(f"{ANIME}:"):
            entry = (await self._titles.with_episodes(key.series_id)).series.entry_of(key.season)
            if entry is None:
                return None
            found = await self._settled.resolve(EntryEpisode(entry, key.episode).ref)
            place = found.place if found.verdict is Verdict.CERTAIN else None
            is_known = place is not None and place.episode is not None
            return EpisodeKey(place.series_id, place.season, place.episode or 0) if place and is_known else None
        episode = await self._settled.entry_of(key) if key.series_id.startswith("tmdb:") else None
        season = await self._titles.season_of(episode.entry) if episode else None
        return EpisodeKey(season.series_id, season.number, episode.episode) if episode and season else None


def _certain_place(found: Resolved) -> EpisodeKey:
    if found.place is None or found.place.episode is None:
        raise EpisodeNotFound(
            f"Nobody can say with confidence which episode {found.ref} is.", metadata={"ref": found.ref}
        )
    return EpisodeKey(found.place.series_id, found.place.season, found.place.episode)

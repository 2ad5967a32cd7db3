"""Refs of episodes: read, resolved through the mapping, and answered only as far as it is known."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum
from typing import Protocol

from vod_catalog.animelists import ABSOLUTE, AnimeLists, Spot
from vod_catalog.domain import Entry, Episode, EpisodeKey, Numbers, Season, SeriesId, StoredTitle, Title, numbers_of
from vod_catalog.errors import InvalidReference
from vod_catalog.mapping import BOUND, Flag, Mapped, Target, entries_at, map_anidb, map_entry
from vod_catalog.relations import EntryEpisode, Relations
from vod_rpc import Failure, NotFound

_CERTAIN = 0.9
_REF = re.compile(
    r"mal:anime:(?P<mal>\d{1,9})(?::(?P<mal_episode>\d{1,6}))?"
    r"|anidb:anime:(?P<anidb>\d{1,9})(?::(?P<anidb_episode>\d{1,6}))?"
    r"|tmdb:tv:(?P<tv>\d{1,9}):(?:[sS](?P<season>\d{1,5})[eE](?P<episode>\d{1,6})|abs(?P<absolute>\d{1,6}))"
    r"|tmdb:movie:(?P<film>\d{1,9})",
    re.ASCII,
)
_NEAR, _FAR = timedelta(days=2), timedelta(days=30)
_BY_DATE, _TOLD_BY_DATE = 0.6, 0.75


_AllNumbers = Mapping[tuple[int, int], Numbers]
"""Of a title's episodes, by season and printed number."""


class Verdict(Enum):
    """What may be done with an answer."""

    CERTAIN = "certain"
    LIKELY = "likely"
    UNSURE = "unsure"
    UNMAPPED = "unmapped"


@dataclass(frozen=True, slots=True)
class Place:
    """An episode at TMDb, with all its numbers; those that TMDb could not be asked for are None."""

    series_id: SeriesId
    season: int
    position: int | None
    episode: int | None
    absolute: int | None


@dataclass(frozen=True, slots=True)
class Resolved:
    """All that is known of a ref; `place` is absent below the bound, and then `candidates` has what the data say."""

    ref: str
    confidence: float
    flags: frozenset[Flag]
    place: Place | None
    candidates: tuple[Place, ...]
    entries: tuple[EntryEpisode, ...]
    tvdb: tuple[tuple[int, Spot], ...]
    imdb: tuple[str, ...]
    anidb: tuple[int, ...]
    """AniDB's entries; several where it has the episode twice."""
    aliases: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        if self.place is None:
            return Verdict.UNSURE if self.candidates or self.tvdb else Verdict.UNMAPPED
        return Verdict.CERTAIN if self.confidence >= _CERTAIN else Verdict.LIKELY


class Library(Protocol):
    """Titles, as `Titles` has them."""

    async def with_episodes(self, series_id: str) -> Title: ...


class Titles(Protocol):
    """What is stored of titles; see `Store`."""

    async def load(self, series_id: SeriesId) -> StoredTitle | None: ...
    async def season_of(self, mal: int) -> Season | None: ...


class Shelf(Protocol):
    """What is kept: overrides and entries; see `NumberingStore`."""

    async def override_of(self, ref: str) -> EpisodeKey | None: ...
    async def override_to(self, key: EpisodeKey) -> str | None: ...
    async def entries(self, mal: Sequence[int]) -> list[Entry]: ...


class Lists(Protocol):
    """The mapping data of this moment; None until they were fetched for the first time."""

    @property
    def current(self) -> AnimeLists | None: ...


class Numbering:
    """The use cases on refs."""

    def __init__(self, *, library: Library, stored: Titles, shelf: Shelf, lists: Lists, relations: Relations) -> None:
        self._library = library
        self._stored = stored
        self._shelf = shelf
        self._lists = lists
        self._relations = relations

    async def resolve(self, ref: str) -> Resolved:
        """Return what an episode is called elsewhere.

        Raises:
            InvalidReference: the ref is of no form that we know.
        """
        match = _REF.fullmatch(ref)
        if match is None:
            raise InvalidReference(
                "A ref looks like mal:anime:48583:1, anidb:anime:8357:2, tmdb:tv:1429:S04E17, tmdb:tv:1429:abs76 "
                "or tmdb:movie:129."
            )
        if match["tv"] or match["film"]:
            return await self._from_tmdb(ref, match)
        if match["mal"]:
            asked = EntryEpisode(int(match["mal"]), int(match["mal_episode"] or 1))
            return await self._from_entry(ref, asked)
        lists = self._lists.current or AnimeLists([])
        mapped = map_anidb(int(match["anidb"]), int(match["anidb_episode"] or 1), lists=lists)
        return await self._answer(ref, mapped)

    def goes_on(self, episode: EntryEpisode) -> EntryEpisode:
        """Return where an episode belongs whose number runs on from an earlier entry."""
        return self._relations.redirect(episode)

    async def entry_of(self, key: EpisodeKey) -> EntryEpisode | None:
        """Return the one entry whose episode this is at TMDb, None where that is not certain."""
        is_film = key.series_id.startswith("tmdb:movie:")
        found = await self.resolve(key.series_id if is_film else f"{key.series_id}:S{key.season:02}E{key.episode:02}")
        return found.entries[0] if len(found.entries) == 1 and found.confidence >= _CERTAIN else None

    async def _from_entry(self, ref: str, asked: EntryEpisode) -> Resolved:
        episode = self._relations.redirect(asked)
        lists = self._lists.current or AnimeLists([])
        counts = await self._counts(episode, lists)
        mapped = map_entry(asked, lists=lists, relations=self._relations, counts=counts)
        override = await self._shelf.override_of(episode.ref)
        if override is None:
            return await self._answer(ref, mapped)
        place = Place(override.series_id, override.season, None, override.episode, None)
        known = await self._numbers(str(override.series_id))
        if not isinstance(known, Flag) and (numbers := known.get((override.season, override.episode))):
            place = replace(place, position=numbers.position, absolute=numbers.absolute)
        answered = await self._answer(ref, mapped)
        return replace(answered, place=place, candidates=(), confidence=1.0, flags=frozenset())

    async def _counts(self, episode: EntryEpisode, lists: AnimeLists) -> Mapping[int, int]:
        shows = {entry.tmdb.show for entry in lists.of_mal(episode.entry)}
        siblings = {mal for show in shows if show for entry in lists.of_show(show) for mal in entry.mal}
        return {one.mal: one.episodes for one in await self._shelf.entries(sorted(siblings)) if one.episodes}

    async def _answer(self, ref: str, mapped: Mapped) -> Resolved:
        places = [await self._place(target) for target in mapped.targets]
        confidence, flags = mapped.confidence, mapped.flags
        known = [place for place in places if isinstance(place, Place)]
        if not self._lists.current and not mapped.targets:
            flags = flags - {Flag.NO_DATA} | {Flag.DATA_NOT_FETCHED}
        if mapped.targets and not known:
            confidence, flags = (
                min(confidence, BOUND / 2),
                flags | {place for place in places if isinstance(place, Flag)},
            )
            known = await self._by_date(mapped)
            if known:
                confidence, flags = _BY_DATE, flags | {Flag.BY_AIR_DATE}
        place = known[0] if len(known) == 1 and confidence >= BOUND else None
        episodes = (mapped.episode,) if mapped.episode else ()
        return Resolved(
            ref=ref,
            confidence=confidence,
            flags=flags,
            place=place,
            candidates=() if place else tuple(known),
            entries=episodes,
            tvdb=mapped.tvdb,
            imdb=mapped.imdb,
            anidb=mapped.anidb,
            aliases=self._aliases(ref, episodes, place),
        )

    def _aliases(self, ref: str, entries: Sequence[EntryEpisode], place: Place | None) -> tuple[str, ...]:
        refs = [entry.ref for entry in entries]
        refs += [one.ref for entry in entries for one in self._relations.continuous(entry)]
        if place and place.series_id.startswith("tmdb:movie:"):
            refs.append(place.series_id)
        elif place:
            refs += [f"{place.series_id}:S{place.season:02}E{place.episode:02}"] if place.episode is not None else []
            refs += [f"{place.series_id}:abs{place.absolute}"] if place.absolute else []
        return tuple(one for one in dict.fromkeys(refs) if one != ref)

    async def _numbers(self, series_id: str) -> _AllNumbers | Flag:
        """Return the numbers of a title's episodes at TMDb, or why they are not known."""
        try:
            return numbers_of((await self._library.with_episodes(series_id)).episodes)
        except NotFound:
            return Flag.NOT_UPSTREAM
        except Failure:
            # No key, or TMDb is down.
            return Flag.NOT_ASKED

    async def _place(self, target: Target) -> Place | Flag:
        """Return where a target is, or why nobody knows."""
        if target.film is not None:
            return Place(SeriesId(f"tmdb:movie:{target.film}"), 1, 1, 1, None)
        series_id = SeriesId(f"tmdb:tv:{target.show}")
        season, position = target.spot.season, target.spot.position
        known = await self._numbers(series_id)
        if isinstance(known, Flag):
            # Where it is in its season is known, only what TMDb prints there is not.
            return Place(series_id, season, position, None, None) if isinstance(season, int) else known
        for (its_season, printed), numbers in known.items():
            is_it = numbers.absolute == position if season == ABSOLUTE else numbers.position == position
            if is_it and season in (ABSOLUTE, its_season):
                return Place(series_id, its_season, numbers.position, printed, numbers.absolute)
        return Flag.NOT_UPSTREAM

    async def _by_date(self, mapped: Mapped) -> list[Place]:
        """Look for the one episode of the same show that came out on the same day."""
        show = next((target.show for target in mapped.targets if target.show), None)
        aired = await self._aired(mapped.episode)
        if show is None or aired is None:
            return []
        series_id = SeriesId(f"tmdb:tv:{show}")
        try:
            episodes = (await self._library.with_episodes(series_id)).episodes
        except Failure:
            return []
        near = match_by_date(aired, episodes)
        if near is None:
            return []
        numbers = numbers_of(episodes)[near.season, near.episode]
        return [Place(series_id, near.season, numbers.position, near.episode, numbers.absolute)]

    async def _aired(self, episode: EntryEpisode | None) -> date | None:
        season = await self._stored.season_of(episode.entry) if episode else None
        stored = await self._stored.load(season.series_id) if season else None
        if episode is None or season is None or stored is None:
            return None
        wanted = (season.number, episode.episode)
        same = (one for one in stored.title.episodes if (one.season, one.episode) == wanted)
        return next((one.air_date for one in same), None)

    async def _from_tmdb(self, ref: str, match: re.Match[str]) -> Resolved:
        place, aired = await self._asked_place(match)
        if place is None:
            return Resolved(ref, 0.0, frozenset({Flag.NOT_UPSTREAM}), None, (), (), (), (), (), ())
        film = int(match["film"]) if match["film"] else None
        target = Target(int(match["tv"]) if match["tv"] else None, Spot(place.season, place.position or 1), film)
        found = entries_at(target, lists=self._lists.current or AnimeLists([]))
        flags: frozenset[Flag] = frozenset()
        confidence = 1.0
        if said := await self._shelf.override_to(EpisodeKey(place.series_id, place.season, place.episode or 1)):
            found = [_entry_episode(said)]
        elif len(found) > 1:
            found, confidence = await self._choose(found, aired)
            flags = frozenset({Flag.AMBIGUOUS} if len(found) > 1 else {Flag.BY_AIR_DATE})
        elif found:
            there = await self._from_entry(found[0].ref, found[0])
            confidence, flags = there.confidence, there.flags
        elif not self._lists.current:
            flags = frozenset({Flag.DATA_NOT_FETCHED})
        return Resolved(ref, confidence, flags, place, (), tuple(found), (), (), (), self._aliases(ref, found, place))

    async def _asked_place(self, match: re.Match[str]) -> tuple[Place | None, date | None]:
        if match["film"]:
            return Place(SeriesId(f"tmdb:movie:{match['film']}"), 1, 1, 1, None), None
        series_id = SeriesId(f"tmdb:tv:{match['tv']}")
        episodes = (await self._library.with_episodes(series_id)).episodes
        for (season, printed), numbers in numbers_of(episodes).items():
            wanted = match["absolute"]
            is_it = numbers.absolute == int(wanted) if wanted else (season, printed) == _printed(match)
            if is_it:
                aired = next(one.air_date for one in episodes if (one.season, one.episode) == (season, printed))
                return Place(series_id, season, numbers.position, printed, numbers.absolute), aired
        return None, None

    async def _choose(self, found: list[EntryEpisode], aired: date | None) -> tuple[list[EntryEpisode], float]:
        starts = {one.mal: one.started_on for one in await self._shelf.entries([one.entry for one in found])}
        first = [one for one in found if one.episode == 1]
        near = [one for one in first if aired and (day := starts.get(one.entry)) and abs(day - aired) <= _NEAR]
        far = [one for one in first if aired and (day := starts.get(one.entry)) and abs(day - aired) > _FAR]
        if len(near) == 1 and len(far) == len(found) - 1:
            return near, _TOLD_BY_DATE
        return found, 0.5


def match_by_date(aired: date, episodes: Sequence[Episode]) -> Episode | None:
    """Return the one regular episode of that day, give or take one (Japan is ahead); None if there are several."""
    regular = [one for one in episodes if one.season > 0 and one.air_date is not None]
    for tolerance in (timedelta(0), timedelta(days=1)):
        near = [one for one in regular if one.air_date and abs(one.air_date - aired) <= tolerance]
        if near:
            return near[0] if len(near) == 1 else None
    return None


def _printed(match: re.Match[str]) -> tuple[int, int]:
    return int(match["season"]), int(match["episode"])


def _entry_episode(ref: str) -> EntryEpisode:
    entry, episode = ref.split(":")[2:]
    return EntryEpisode(int(entry), int(episode))

"""Titles, episodes, and which episode follows which."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum
from typing import NewType

from vod_catalog.errors import EpisodeNotFound, InvalidSeriesId

SeriesId = NewType("SeriesId", str)
SPECIALS = 0
ANIME = "mal:anime"

_SERIES_ID = re.compile(
    r"(?P<namespace>tmdb:tv|tmdb:movie|mal:anime):(?P<item>[1-9][0-9]{0,9})"
    r"|(?P<archive>ia:item):(?P<identifier>[0-9A-Za-z][0-9A-Za-z_.-]{0,99})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What MyAnimeList says of an entry as a whole; `episodes` is None while nobody knows how many there will be."""

    mal: int
    episodes: int | None
    started_on: date | None


class Kind(Enum):
    """What sort of title this is."""

    SERIES = "series"
    ANIME = "anime"
    MOVIE = "movie"


@dataclass(frozen=True, slots=True)
class TitleRef:
    """A title as its provider names it: `tmdb:tv` and `9001`."""

    namespace: str
    item: str

    @property
    def number(self) -> int:
        """The item where items are numbered; Internet Archive's are named."""
        return int(self.item)

    @property
    def series_id(self) -> SeriesId:
        return SeriesId(f"{self.namespace}:{self.item}")


def parse_series_id(series_id: str) -> TitleRef:
    """Return what an id such as `tmdb:tv:9001`, `tmdb:movie:9101` or `mal:anime:9201` names.

    Raises:
        InvalidSeriesId: it is of another form.
    """
    match = _SERIES_ID.fullmatch(series_id)
    if not match:
        raise InvalidSeriesId("A series id looks like tmdb:tv:9001, tmdb:movie:9101, mal:anime:9201 or ia:item:Sintel.")
    return TitleRef(match["namespace"] or match["archive"], match["item"] or match["identifier"])


@dataclass(frozen=True, slots=True)
class EpisodeKey:
    """Names one episode; a film is season 1, episode 1."""

    series_id: SeriesId
    season: int
    episode: int


@dataclass(frozen=True, slots=True)
class Episode:
    """One episode as the provider numbers it; `absolute` counts over all seasons, where that makes sense."""

    season: int
    episode: int
    name: str
    absolute: int | None = None
    runtime: timedelta | None = None
    air_date: date | None = None

    @property
    def place(self) -> tuple[bool, int, int, int]:
        """What episodes of one title are ordered by; specials come last.

        The running number comes first where there is one: an anime's season that was found late has a late number.
        """
        return (self.season == SPECIALS, self.absolute or 0, self.season, self.episode)


@dataclass(frozen=True, slots=True)
class Series:
    """A series, an anime or a film, without its episodes."""

    id: SeriesId
    title: str
    kind: Kind
    year: int | None = None
    aliases: tuple[str, ...] = ()
    """Other names under which releases are published, without `title`."""
    external_ids: Mapping[str, str] = field(default_factory=dict)
    overview: str = ""
    poster_url: str = ""
    backdrop_url: str = ""
    genres: tuple[str, ...] = ()
    season_count: int | None = None
    entries: tuple[int, ...] = ()
    """Of an anime: MyAnimeList's entry of each season; 0 where a season's entry is kept elsewhere."""

    def entry_of(self, season: int) -> int | None:
        """Return MyAnimeList's entry that is a season of this title."""
        return (self.entries[season - 1] or None) if 0 < season <= len(self.entries) else None


@dataclass(frozen=True, slots=True)
class Title:
    """A series with its episodes in viewing order."""

    series: Series
    episodes: tuple[Episode, ...]
    entries: tuple[Entry, ...] = ()
    """Of an anime: its seasons' entries, as they were fetched."""


@dataclass(frozen=True, slots=True)
class Season:
    """A season of a title: where an entry of MyAnimeList is kept."""

    series_id: SeriesId
    number: int


@dataclass(frozen=True, slots=True)
class StoredTitle:
    """What we keep of a title: all episodes that the provider lists, those that it once listed, and how fresh it is."""

    title: Title
    gone: tuple[Episode, ...]
    fetched_at: datetime
    retry_at: datetime | None
    """Nobody asks the provider again before this moment."""


@dataclass(frozen=True, slots=True)
class EpisodeInOrder:
    """An episode, its title, and its neighbours in viewing order."""

    series: Series
    episode: Episode
    next: Episode | None
    previous: Episode | None
    season_size: int
    """Episodes in the same season, as far as is known."""


def in_viewing_order(episodes: Sequence[Episode]) -> tuple[Episode, ...]:
    """Return episodes by season and number, specials last."""
    return tuple(sorted(episodes, key=lambda episode: episode.place))


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of an episode that do not depend on how a provider prints them."""

    position: int
    """1-based rank in its season."""
    absolute: int | None
    """Running number over all regular seasons; None for specials."""


def numbers_of(episodes: Sequence[Episode]) -> dict[tuple[int, int], Numbers]:
    """Return the numbers of each episode by (season, printed number)."""
    found: dict[tuple[int, int], Numbers] = {}
    in_season: dict[int, int] = {}
    running = 0
    for one in in_viewing_order(episodes):
        in_season[one.season] = in_season.get(one.season, 0) + 1
        running += one.season != SPECIALS
        absolute = None if one.season == SPECIALS else one.absolute or running
        found[one.season, one.episode] = Numbers(in_season[one.season], absolute)
    return found


def keep_seasons(title: Title, *, kept: Mapping[int, Season]) -> Title:
    """Number an anime's seasons as they were numbered when they were first seen, whatever stands between them now.

    A season that is new gets the next free number, and one that is *kept* in another title is left there: people's
    progress hangs on these numbers, and the viewing order does not.
    """
    series = title.series
    if not title.entries:
        return title
    own = {mal: season.number for mal, season in kept.items() if season.series_id == series.id}
    listed_as: dict[int, int] = {}
    for listed, entry in enumerate(title.entries, start=1):
        if entry.mal in own or entry.mal not in kept:
            own.setdefault(entry.mal, max(own.values(), default=0) + 1)
            listed_as[listed] = own[entry.mal]
    by_number = {number: mal for mal, number in own.items()}
    entries = tuple(by_number.get(number, 0) for number in range(1, max(by_number, default=0) + 1))
    episodes = [replace(one, season=listed_as[one.season]) for one in title.episodes if one.season in listed_as]
    return Title(replace(series, entries=entries), in_viewing_order(episodes), entries=title.entries)


def aliases_of(title: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return *names* without blanks, doubles and *title* itself, in their order; case does not tell names apart."""
    kept = {name.strip().casefold(): name.strip() for name in reversed(names) if name.strip()}
    kept.pop(title.strip().casefold(), None)
    return tuple(reversed(kept.values()))


def place_episode(stored: StoredTitle, *, season: int, number: int) -> EpisodeInOrder:
    """Find an episode and what comes before and after it; nothing comes before or after a special.

    An episode that the provider no longer lists is found too, so that who was watching it can go on.

    Raises:
        EpisodeNotFound: the title has no such episode.
    """
    title = stored.title
    candidates = (one for one in (*title.episodes, *stored.gone) if (one.season, one.episode) == (season, number))
    episode = next(candidates, None)
    if episode is None:
        raise EpisodeNotFound(
            f"{title.series.title} has no episode S{season:02}E{number:02}.",
            metadata={"series_id": title.series.id, "season": str(season), "episode": str(number)},
        )
    season_size = sum(one.season == season for one in title.episodes)
    if season == SPECIALS:
        return EpisodeInOrder(title.series, episode, next=None, previous=None, season_size=season_size)
    order = in_viewing_order([one for one in title.episodes if one.season != SPECIALS])
    places = [one.place for one in order]
    before, after = bisect_left(places, episode.place), bisect_right(places, episode.place)
    return EpisodeInOrder(
        title.series,
        episode,
        next=order[after] if after < len(order) else None,
        previous=order[before - 1] if before > 0 else None,
        season_size=season_size,
    )

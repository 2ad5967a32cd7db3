"""Anime-Lists' XML and the table of ids beside it: which season and position an AniDB episode has elsewhere.

Neither carries a licence to pass it on, so an operator's own instance fetches them (see `mapping_data.py`).
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import Enum
from typing import Literal
from xml.etree import ElementTree as Xml

from vod_catalog.fields import number, record, text

ABSOLUTE = "a"
Season = int | Literal["a"] | None


class Where(Enum):
    """Whose seasons."""

    TMDB = "tmdb"
    TVDB = "tvdb"


@dataclass(frozen=True, slots=True)
class Spot:
    """A 1-based position in a season; season `a` counts over all regular seasons."""

    season: int | Literal["a"]
    position: int


@dataclass(frozen=True, slots=True)
class Span:
    """Episodes *first* to *last* (None: open) moved by *offset*, and pairs of their own, which come before it."""

    season: int
    first: int | None
    last: int | None
    offset: int
    pairs: Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Seasons:
    """How an entry lies in a show of TMDb or TVDB."""

    show: int | None
    season: Season
    offset: int
    spans: tuple[Span, ...]
    special_spans: tuple[Span, ...]

    def spots(self, episode: int) -> list[Spot] | None:
        """Return where an episode lies; an empty list says it is nowhere on purpose, None that nobody knows."""
        for span in self.spans:
            if (pairs := span.pairs.get(episode)) is not None:
                return [Spot(span.season, position) for position in pairs if position]
        for span in self.spans:
            if span.first is not None and span.first <= episode and (span.last is None or episode <= span.last):
                return [Spot(span.season, episode + span.offset)]
        return None if self.season is None else [Spot(self.season, episode + self.offset)]

    def is_past_the_last_span(self, episode: int) -> bool:
        """Whether spans exist and all end before the episode, so that its place is carried on and not written down."""
        ends = [span.last for span in self.spans if span.first is not None]
        return self.season == ABSOLUTE and bool(ends) and all(end is not None and end < episode for end in ends)


@dataclass(frozen=True, slots=True)
class AnidbEntry:
    """One anime of AniDB and where its episodes are elsewhere."""

    id: int
    name: str
    tmdb: Seasons
    tvdb: Seasons
    films: tuple[int, ...]
    """TMDb's films, one per episode."""
    imdb: tuple[str, ...]
    mal: tuple[int, ...]
    own_mal: tuple[int, ...]
    """Without those that have an entry of their own as well: that one is theirs."""


class AnimeLists:
    """All entries, found by the ids of three databases."""

    def __init__(self, entries: Sequence[AnidbEntry]) -> None:
        self.by_id = {entry.id: entry for entry in entries}
        self._by_mal: dict[int, list[AnidbEntry]] = defaultdict(list)
        self._by_show: dict[int, list[AnidbEntry]] = defaultdict(list)
        self._by_film: dict[int, list[AnidbEntry]] = defaultdict(list)
        for entry in entries:
            for mal in entry.mal:
                self._by_mal[mal].append(entry)
            if entry.tmdb.show:
                self._by_show[entry.tmdb.show].append(entry)
            for film in entry.films:
                self._by_film[film].append(entry)

    def of_mal(self, mal: int) -> Sequence[AnidbEntry]:
        return self._by_mal.get(mal, ())

    def of_show(self, show: int) -> Sequence[AnidbEntry]:
        return self._by_show.get(show, ())

    def of_film(self, film: int) -> Sequence[AnidbEntry]:
        return self._by_film.get(film, ())


def parse_anime_lists(xml: bytes, ids: bytes) -> AnimeLists:
    """Read `anime-list-master.xml` and a table AniDB id → {mal_id, …} (Kometa's `anime_ids.json`).

    Raises:
        ValueError: one of them is not what it should be.
    """
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise ValueError("a list with a DOCTYPE is refused")
    try:
        # Entities, the danger of XML, need the DOCTYPE that was refused above.
        root = Xml.fromstring(xml)  # noqa: S314
    except Xml.ParseError as error:
        raise ValueError("not XML") from error
    table = record(json.loads(ids))
    mal = {anidb: _mal_ids(record(ids_elsewhere).get("mal_id")) for anidb, ids_elsewhere in table.items()}
    with_an_entry = {ids_there[0] for ids_there in mal.values() if len(ids_there) == 1}
    entries = [_entry(item, mal.get(str(item.get("anidbid")), ()), with_an_entry) for item in root]
    found = [entry for entry in entries if entry is not None]
    if not found or not table:
        raise ValueError("no entries")
    return AnimeLists(found)


def _mal_ids(value: object) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,)
    return tuple(_numbers(text(value)))


def _numbers(value: str | None) -> Iterator[int]:
    return (int(part) for part in re.findall(r"\d+", value or "", re.ASCII))


def _entry(item: Xml.Element, mal: tuple[int, ...], with_an_entry: Set[int]) -> AnidbEntry | None:
    anidb = number(item.get("anidbid"))
    if anidb is None:
        return None
    imdb = tuple(part for part in (item.get("imdbid") or "").split(",") if part.startswith("tt"))
    return AnidbEntry(
        id=anidb,
        name=text(item.findtext("name")),
        tmdb=_seasons(item, Where.TMDB, ("tmdbtv", "tmdbseason", "tmdboffset")),
        tvdb=_seasons(item, Where.TVDB, ("tvdbid", "defaulttvdbseason", "episodeoffset")),
        films=tuple(_numbers(item.get("tmdbid"))),
        imdb=imdb,
        mal=mal,
        own_mal=mal if len(mal) < 2 else tuple(one for one in mal if one not in with_an_entry),
    )


def _seasons(item: Xml.Element, where: Where, names: tuple[str, str, str]) -> Seasons:
    show, season, offset = (item.get(name) or "" for name in names)
    mappings = item.findall("mapping-list/mapping")
    return Seasons(
        show=number(show),
        season="a" if season == ABSOLUTE else number(season),
        offset=_signed(offset),
        spans=_spans(mappings, where, anidb_season=1),
        special_spans=_spans(mappings, where, anidb_season=0),
    )


def _spans(mappings: Sequence[Xml.Element], where: Where, *, anidb_season: int) -> tuple[Span, ...]:
    return tuple(
        Span(season, number(one.get("start")), number(one.get("end")), _signed(one.get("offset")), _pairs(one.text))
        for one in mappings
        if number(one.get("anidbseason")) == anidb_season
        and (season := number(one.get(f"{where.value}season"))) is not None
    )


def _pairs(listed: str | None) -> dict[int, tuple[int, ...]]:
    pairs: dict[int, tuple[int, ...]] = {}
    for here, there in re.findall(r"(\d+)-([\d+]+)", listed or "", re.ASCII):
        pairs[int(here)] = pairs.get(int(here), ()) + tuple(_numbers(there))
    return pairs


def _signed(value: str | None) -> int:
    return int(value) if value and re.fullmatch(r"-?\d+", value, re.ASCII) else 0

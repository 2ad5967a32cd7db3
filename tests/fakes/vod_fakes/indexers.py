"""What the indexers behind the Prowlarr fake know, and how a search finds it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum

from vod_fakes.releases import OPEN_SHELF, TRACKED
from vod_fakes.shapes import Listing
from vod_fakes.torrents import Torrent
from vod_fakes.words import contains_all, words

CATEGORIES: Mapping[int, str] = {
    2000: "Movies",
    2040: "Movies/HD",
    5000: "TV",
    5040: "TV/HD",
    5070: "TV/Anime",
}
_BRACES = re.compile(r"\{(\w+):([^}]*)\}")


class Handover(Enum):
    """What an indexer's download link leads to."""

    MAGNET = "magnet"
    TORRENT_FILE = "torrent"


@dataclass(frozen=True, slots=True)
class Indexer:
    """One indexer as Prowlarr has it configured."""

    id: int
    name: str
    tv_params: tuple[str, ...]
    movie_params: tuple[str, ...]
    tells_infohash: bool
    handover: Handover = Handover.MAGNET
    enabled: bool = True

    @property
    def site(self) -> str:
        """Its web address, which leads nowhere."""
        return f"https://{self.name.lower().replace(' ', '-')}.example"


INDEXERS: tuple[Indexer, ...] = (
    Indexer(TRACKED, "Breakwater", ("q", "season", "ep"), ("q",), tells_infohash=True),
    # a scraped site: it knows only words, and neither infohashes nor how many seed
    Indexer(OPEN_SHELF, "Open Shelf", ("q",), ("q",), tells_infohash=False),
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A torrent as one indexer lists it."""

    title: str
    torrent: Torrent
    listing: Listing
    ids: Mapping[str, str] = field(default_factory=dict)
    """What the indexer knows it is, by search parameter: `{"tvdbid": "9900901"}`."""

    @property
    def published(self) -> datetime:
        """When it was listed."""
        return datetime.now(UTC) - timedelta(hours=self.listing.hours_old)


class Kind(Enum):
    """The search types of Prowlarr that matter here; the value is also the Torznab function."""

    ANY = "search"
    TV = "tvsearch"
    MOVIE = "movie"


@dataclass(frozen=True, slots=True)
class Query:
    """A search: its words, and parameters such as season, ep, year, imdbid."""

    kind: Kind
    text: str
    params: Mapping[str, str]
    categories: frozenset[int]

    def supported_by(self, indexer: Indexer) -> bool:
        """Whether the indexer takes every parameter; Prowlarr silently skips one that does not."""
        known = {Kind.TV: indexer.tv_params, Kind.MOVIE: indexer.movie_params, Kind.ANY: ("q",)}[self.kind]
        return all(name in known for name in self.params)

    def finds(self, offer: Offer) -> bool:
        """Whether an indexer would list this offer: every word in the title, the ids and the category right."""
        ids = {name: value for name, value in self.params.items() if name.endswith("id")}
        if any(offer.ids.get(name) != value for name, value in ids.items()):
            return False
        return contains_all(self._words(), offer.title) and self._category_fits(offer.listing.categories)

    def _words(self) -> list[str]:
        season, episode = self.params.get("season", ""), self.params.get("ep", "")
        numbering = f"S{int(season):02d}" if season.isdigit() else ""
        numbering += f"E{int(episode):02d}" if episode.isdigit() else ""
        return words(f"{self.text} {numbering}")

    def _category_fits(self, categories: tuple[int, ...]) -> bool:
        head = {Kind.TV: 5, Kind.MOVIE: 2}.get(self.kind)
        if head is not None and not any(category // 1000 == head for category in categories):
            return False
        # a whole thousand stands for all of its subcategories
        return not self.categories or any(
            c in self.categories or c // 1000 * 1000 in self.categories for c in categories
        )


def prowlarr_query(kind: Kind, text: str, categories: frozenset[int]) -> Query:
    """Read the query text of `/api/v1/search`, whose parameters stand in braces: `Name {season:1}{episode:2}`."""
    params = {{"episode": "ep"}.get(name.lower(), name.lower()): value for name, value in _BRACES.findall(text)}
    if kind is Kind.ANY:
        params = {}
    return Query(kind, _BRACES.sub(" ", text), params, categories)

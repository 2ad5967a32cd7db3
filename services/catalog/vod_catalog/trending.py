"""What is popular: outside, as providers rank it, and here, by what was watched; more viewers make here count more.

score = w·outside + (1 - w)·here, both scaled to their maxima; outside = 1/(60 + rank), w = k/(k + viewers).
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from vod_catalog.animelists import AnimeLists
from vod_catalog.domain import Series, SeriesId, StoredTitle
from vod_rpc import Failure

_RANK_DAMPING = 60
_VIEWERS_FOR_HALF = 25
_MOST = 50


class Popular(Protocol):
    """What is popular outside; see `Listings`."""

    async def search(self, query: str, *, limit: int) -> list[Series]: ...


class Stored(Protocol):
    """Titles that were used here; see `Store`."""

    async def load(self, series_id: SeriesId) -> StoredTitle | None: ...


class Lists(Protocol):
    """The mapping data of this moment."""

    @property
    def current(self) -> AnimeLists | None: ...


class Trending:
    """The use case."""

    def __init__(self, popular: Popular, *, stored: Stored, lists: Lists) -> None:
        self._popular = popular
        self._stored = stored
        self._lists = lists

    async def list(self, here: Mapping[str, float], *, viewers: int, limit: int) -> list[Series]:
        """Return the titles, most popular first; with every provider down those that were watched here."""
        try:
            outside = await self._popular.search("", limit=_MOST)
        except Failure:
            if not here:
                raise
            outside = []
        known = {series.id: series for series in outside}
        for series_id in sorted(here, key=lambda one: -here[one])[:_MOST]:
            stored = await self._stored.load(SeriesId(series_id)) if series_id not in known else None
            if stored:
                known[stored.title.series.id] = stored.title.series
        ranked = blend([series.id for series in outside], here, viewers=viewers)
        seen: set[str] = set()
        return [known[one] for one in ranked if one in known and self._is_new(one, seen)][:limit]

    def _is_new(self, series_id: SeriesId, seen: set[str]) -> bool:
        """Whether the title was not listed yet under its other id."""
        same = {str(series_id)}
        lists = self._lists.current
        if lists and series_id.startswith("mal:anime:"):
            shows = [entry.tmdb.show for entry in lists.of_mal(int(series_id.rpartition(":")[2]))]
            same |= {f"tmdb:tv:{show}" for show in shows if show}
        if lists and series_id.startswith("tmdb:tv:"):
            entries = lists.of_show(int(series_id.rpartition(":")[2]))
            same |= {f"mal:anime:{mal}" for entry in entries for mal in entry.mal}
        is_new = not same & seen
        seen.add(str(series_id))
        return is_new


def blend(outside: Sequence[SeriesId], here: Mapping[str, float], *, viewers: int) -> list[SeriesId]:
    """Return ids by blended score, best first; equal ones as they were outside."""
    weight = _VIEWERS_FOR_HALF / (_VIEWERS_FOR_HALF + max(0, viewers))
    most = max(here.values(), default=0.0)
    scores: dict[SeriesId, float] = {}
    for rank, series_id in enumerate(outside, start=1):
        scores[series_id] = weight * (_RANK_DAMPING + 1) / (_RANK_DAMPING + rank)
    for watched, score in here.items():
        one = SeriesId(watched)
        scores[one] = scores.get(one, 0.0) + ((1 - weight) * score / most if most > 0 else 0.0)
    return sorted(scores, key=lambda one: -scores[one])

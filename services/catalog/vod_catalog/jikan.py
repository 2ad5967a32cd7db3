"""Jikan API v4 (https://docs.api.jikan.moe), which reads MyAnimeList: anime, whose seasons are entries of their own.

Jikan fails in three ways: by itself, on behalf of MyAnimeList, and with an error inside of a 200; so an answer counts
only if it holds `data`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import httpx

from vod_catalog.chains import beginning_of, seasons_from
from vod_catalog.domain import ANIME, Entry, Episode, Kind, Series, SeriesId, Title, TitleRef, aliases_of
from vod_catalog.fields import Fields, day, number, record, records, text, year
from vod_catalog.upstream import NotThereError, Upstream
from vod_runtime import Clock

_SERIAL_TYPES = frozenset({"TV", "ONA"})
_MOST_PAGES = 30
_READ_FOR = timedelta(seconds=60)
"""A chain is walked to its beginning and then to its end: nobody is asked twice on the way."""
_DURATION = re.compile(r"(?:(?P<hours>\d+) hr)?\s*(?:(?P<minutes>\d+) min)?\s*(?:(?P<seconds>\d+) sec)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of MyAnimeList: for us a season."""

    number: int
    fields: Fields

    @property
    def is_serial(self) -> bool:
        return text(self.fields.get("type")) in _SERIAL_TYPES

    @property
    def sequels(self) -> list[int]:
        return self._related("Sequel")

    @property
    def prequels(self) -> list[int]:
        return self._related("Prequel")

    def _related(self, relation: str) -> list[int]:
        related = [r for r in records(self.fields.get("relations")) if text(r.get("relation")) == relation]
        entries = [entry for one in related for entry in records(one.get("entry"))]
        return [n for e in entries if text(e.get("type")) == "anime" and (n := number(e.get("mal_id"))) is not None]

    def as_a_whole(self) -> Entry:
        started = day(record(self.fields.get("aired")).get("from"))
        return Entry(self.number, number(self.fields.get("episodes")), started)


class Jikan:
    """The provider of `mal:anime:N`."""

    name = "jikan"
    namespaces = (ANIME,)

    def __init__(self, upstream: Upstream, *, clock: Clock) -> None:
        self._upstream = upstream
        self._clock = clock
        self._read: dict[int, tuple[float, _Entry]] = {}

    async def beginning(self, ref: TitleRef) -> TitleRef:
        """Return the first entry of the chain of TV entries that *ref* belongs to.

        Raises:
            NotThereError, UpstreamUnavailable: as `Upstream.get`.
        """
        begins = await beginning_of(await self._entry(ref.number), self._entry)
        return TitleRef(ANIME, str(begins.number))

    async def title(self, ref: TitleRef) -> Title:
        """Return an anime: its seasons are the entry *ref* and the chain of TV sequels that follows it.

        Raises:
            NotThereError, UpstreamUnavailable: as `Upstream.get`.
        """
        first = await self._entry(ref.number)
        seasons = await seasons_from(first, self._entry)
        episodes: list[Episode] = []
        for season, entry in enumerate(seasons, start=1):
            episodes += await self._episodes(entry, season=season, already=len(episodes))
        return Title(
            _series(first.fields, ref=ref, seasons=seasons),
            tuple(episodes),
            entries=tuple(entry.as_a_whole() for entry in seasons),
        )

    async def series(self, ref: TitleRef) -> Series:
        """Return what the entry *ref* says by itself, which is one request; raises as `title`."""
        return _series((await self._entry(ref.number)).fields, ref=ref, seasons=[])

    async def search(self, query: str) -> Sequence[Series]:
        """Return anime of that name, best first, 25 at most."""
        return _listed(await self._data("anime", params={"q": query, "limit": "25", "sfw": "true"}))

    async def popular(self) -> Sequence[Series]:
        """Return the best rated of what is airing now, 25 at most."""
        return _listed(await self._data("top/anime", params={"filter": "airing", "limit": "25", "sfw": "true"}))

    async def _entry(self, wanted: int) -> _Entry:
        now = self._clock.monotonic()
        self._read = {number: one for number, one in self._read.items() if now - one[0] < _READ_FOR.total_seconds()}
        if wanted in self._read:
            return self._read[wanted][1]
        found = record(await self._data(f"anime/{wanted}/full", says=_is_entry))
        self._read[wanted] = (now, _Entry(wanted, found))
        return self._read[wanted][1]

    async def _episodes(self, entry: _Entry, *, season: int, already: int) -> list[Episode]:
        listed = await self._listed_episodes(entry.number)
        runtime = _duration(entry.fields.get("duration"))
        return [
            Episode(
                season=season,
                episode=n,
                name=_episode_name(listed.get(n, {})),
                absolute=already + n,
                runtime=runtime,
                air_date=day(listed.get(n, {}).get("aired")),
            )
            for n in range(1, _episode_count(entry, listed=max(listed, default=0)) + 1)
        ]

    async def _listed_episodes(self, wanted: int) -> dict[int, Fields]:
        listed: dict[int, Fields] = {}
        for page in range(1, _MOST_PAGES + 1):
            try:
                found = await self._upstream.get(
                    f"anime/{wanted}/episodes",
                    params={"page": str(page)},
                    says=lambda said: isinstance(said.get("data"), list),
                )
            except NotThereError:
                break
            fresh = {
                n: item for item in records(found["data"]) if (n := number(item.get("mal_id"))) and n not in listed
            }
            listed |= fresh
            # `has_next_page` is sometimes wrongly true (jikan-rest#340): a page with nothing new is the last one.
            if not fresh or not record(found.get("pagination")).get("has_next_page"):
                break
        return listed

    async def _data(
        self, path: str, *, params: dict[str, str] | None = None, says: Callable[[object], bool] = lambda _: True
    ) -> object:
        def is_answer(found: Fields) -> bool:
            return _is_absent(found) or ("data" in found and says(found["data"]))

        found = await self._upstream.get(path, params=params, says=is_answer)
        if _is_absent(found):
            raise NotThereError
        return found["data"]


def _is_absent(found: Fields) -> bool:
    """Whether Jikan says with a 200 that there is no such thing."""
    return "data" not in found and number(found.get("status")) == httpx.codes.NOT_FOUND


def _is_entry(found: object) -> bool:
    return number(record(found).get("mal_id")) is not None


def _episode_count(entry: _Entry, *, listed: int) -> int:
    """Return how many episodes there are to watch.

    The list has holes and starts late (jikan-rest#340), so what is finished has as many as the entry says; of what
    is still airing nobody can watch more than was listed.
    """
    finished = text(entry.fields.get("status")) == "Finished Airing"
    announced = number(entry.fields.get("episodes")) or 0
    return max(listed, announced) if finished else listed


def _listed(found: object) -> list[Series]:
    series: dict[int, Series] = {}
    for item in records(found):
        wanted = number(item.get("mal_id"))
        if wanted and not text(item.get("rating")).startswith("Rx"):
            series.setdefault(wanted, _series(item, ref=TitleRef(ANIME, str(wanted)), seasons=[]))
    return list(series.values())


def _series(found: Fields, *, ref: TitleRef, seasons: Sequence[_Entry]) -> Series:
    title = _title(found) or str(ref.series_id)
    images = record(record(found.get("images")).get("jpg"))
    later = [name for entry in seasons[1:] for name in _names(entry.fields)]
    return Series(
        id=SeriesId(ref.series_id),
        title=title,
        kind=Kind.ANIME,
        year=number(found.get("year")) or year(record(found.get("aired")).get("from")),
        aliases=aliases_of(title, [*_names(found), *later]),
        external_ids={"mal": str(ref.number)},
        overview=text(found.get("synopsis")),
        poster_url=text(images.get("large_image_url")) or text(images.get("image_url")),
        genres=tuple(name for genre in records(found.get("genres")) if (name := text(genre.get("name")))),
        season_count=len(seasons) or None,
        entries=tuple(entry.number for entry in seasons),
    )


def _names(found: Fields) -> list[str]:
    return [text(one.get("title")) for one in records(found.get("titles"))]


def _title(found: Fields) -> str:
    """Return the name for people: English where there is one, as TMDb's are."""
    by_type = {text(one.get("type")): text(one.get("title")) for one in reversed(records(found.get("titles")))}
    return by_type.get("English") or by_type.get("Default") or text(found.get("title"))


def _episode_name(item: Fields) -> str:
    return text(item.get("title")) or text(item.get("title_romanji"))


def _duration(value: object) -> timedelta | None:
    """Read `24 min per ep`, `1 hr 52 min`, `Unknown`."""
    match = _DURATION.match(text(value))
    parts = {unit: int(amount) for unit, amount in match.groupdict().items() if amount} if match else {}
    return timedelta(**parts) if parts else None

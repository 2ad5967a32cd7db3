"""MyAnimeList's own API v2 (https://myanimelist.net/apiconfig/references/api/v2): the second source of anime.

It lists no episodes, only how many there are. So it answers for Jikan where a title has finished, and for searches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import httpx

from vod_catalog.chains import beginning_of, seasons_from
from vod_catalog.domain import ANIME, Entry, Episode, Kind, Series, SeriesId, Title, TitleRef, aliases_of
from vod_catalog.errors import UpstreamUnavailable
from vod_catalog.fields import Fields, day, number, record, records, text, year
from vod_catalog.upstream import Upstream, json_http

_SERIAL_TYPES = frozenset({"tv", "ona"})
_ADULT = "black"
# Without them there are only id, title and picture.
_LISTED_FIELDS = "alternative_titles,start_date,nsfw,synopsis,num_episodes,media_type,status,genres"
_FIELDS = f"{_LISTED_FIELDS},average_episode_duration,related_anime"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of MyAnimeList: for us a season."""

    number: int
    fields: Fields

    @property
    def is_serial(self) -> bool:
        return text(self.fields.get("media_type")) in _SERIAL_TYPES

    @property
    def sequels(self) -> list[int]:
        return self._related("sequel")

    @property
    def prequels(self) -> list[int]:
        return self._related("prequel")

    @property
    def count(self) -> int | None:
        """How many episodes there are to watch; None while nobody can say."""
        has_finished = text(self.fields.get("status")) == "finished_airing"
        # 0 stands for unknown.
        return (number(self.fields.get("num_episodes")) or None) if has_finished else None

    def _related(self, relation: str) -> list[int]:
        related = [one for one in records(self.fields.get("related_anime")) if one.get("relation_type") == relation]
        return [n for one in related if (n := number(record(one.get("node")).get("id"))) is not None]


def mal_http(base: str, *, client_id: str) -> httpx.AsyncClient:
    """Return a client that says which application it is; the caller closes it."""
    return json_http(base, headers={"x-mal-client-id": client_id})


class Mal:
    """The second provider of `mal:anime:N`."""

    name = "mal"
    namespaces = (ANIME,)

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def beginning(self, ref: TitleRef) -> TitleRef:
        """Return the first entry of the chain of TV entries that *ref* belongs to; raises as `Upstream.get`."""
        begins = await beginning_of(await self._entry(ref.number), self._entry)
        return TitleRef(ANIME, str(begins.number))

    async def title(self, ref: TitleRef) -> Title:
        """Return an anime whose seasons have all finished; its episodes have numbers, but no names.

        Raises:
            NotThereError, CatalogNotConfigured, UpstreamUnavailable: as `Upstream.get`; the last one also where
                nobody can say how many episodes there are.
        """
        seasons = await seasons_from(await self._entry(ref.number), self._entry)
        episodes: list[Episode] = []
        for season, entry in enumerate(seasons, start=1):
            if entry.count is None:
                raise UpstreamUnavailable("MyAnimeList does not say how many episodes there are so far.")
            seconds = number(entry.fields.get("average_episode_duration"))
            runtime = timedelta(seconds=seconds) if seconds else None
            already = len(episodes)
            episodes += [Episode(season, n, "", already + n, runtime) for n in range(1, entry.count + 1)]
        entries = tuple(Entry(one.number, one.count, day(one.fields.get("start_date"))) for one in seasons)
        return Title(_series(seasons[0], seasons), tuple(episodes), entries=entries)

    async def series(self, ref: TitleRef) -> Series:
        """Return what the entry *ref* says by itself, which is one request; raises as `Upstream.get`."""
        return _series(await self._entry(ref.number), [])

    async def search(self, query: str) -> Sequence[Series]:
        """Return anime of that name, best first, 25 at most."""
        return await self._list("anime", {"q": query})

    async def popular(self) -> Sequence[Series]:
        """Return the best rated of what is airing now, 25 at most."""
        return await self._list("anime/ranking", {"ranking_type": "airing"})

    async def _list(self, path: str, params: dict[str, str]) -> list[Series]:
        found = await self._upstream.get(
            path,
            params={**params, "limit": "25", "fields": _LISTED_FIELDS},
            says=lambda said: isinstance(said.get("data"), list),
        )
        nodes = [record(one.get("node")) for one in records(found["data"])]
        entries = [_Entry(n, node) for node in nodes if (n := number(node.get("id"))) and node.get("nsfw") != _ADULT]
        return list({entry.number: _series(entry, []) for entry in reversed(entries)}.values())[::-1]

    async def _entry(self, wanted: int) -> _Entry:
        found = await self._upstream.get(
            f"anime/{wanted}", params={"fields": _FIELDS}, says=lambda said: number(said.get("id")) is not None
        )
        return _Entry(wanted, found)


def _series(entry: _Entry, seasons: Sequence[_Entry]) -> Series:
    series_id, fields = SeriesId(f"{ANIME}:{entry.number}"), entry.fields
    title = text(record(fields.get("alternative_titles")).get("en")) or text(fields.get("title")) or str(series_id)
    picture = record(fields.get("main_picture"))
    return Series(
        id=series_id,
        title=title,
        kind=Kind.ANIME,
        year=year(fields.get("start_date")),
        aliases=aliases_of(title, [name for one in (entry, *seasons[1:]) for name in _names(one.fields)]),
        external_ids={"mal": str(entry.number)},
        overview=text(fields.get("synopsis")),
        poster_url=text(picture.get("large")) or text(picture.get("medium")),
        genres=tuple(name for genre in records(fields.get("genres")) if (name := text(genre.get("name")))),
        season_count=len(seasons) or None,
        entries=tuple(one.number for one in seasons),
    )


def _names(fields: Fields) -> list[str]:
    others = record(fields.get("alternative_titles"))
    synonyms = others.get("synonyms")
    listed = [text(one) for one in synonyms] if isinstance(synonyms, list) else []
    return [text(fields.get("title")), text(others.get("en")), text(others.get("ja")), *listed]

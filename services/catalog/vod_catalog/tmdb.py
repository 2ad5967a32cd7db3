"""TMDb API v3 (https://developer.themoviedb.org/reference): series and films."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta

import httpx

from vod_catalog.domain import SPECIALS, Episode, Kind, Series, SeriesId, Title, TitleRef, aliases_of, in_viewing_order
from vod_catalog.fields import Fields, day, number, record, records, text, year
from vod_catalog.upstream import NotThereError, Upstream, json_http

TV = "tmdb:tv"
MOVIE = "tmdb:movie"

_POSTER_SIZE = "w500"
_BACKDROP_SIZE = "w1280"
_SEASONS_AT_ONCE = 4
_MOST_CHANGES = 100
"""Pages of 100."""
# A v3 key has 32 hex digits; a v4 read token is a JWT.
_LONGEST_V3_KEY = 40


def tmdb_http(base: str, *, key: str) -> httpx.AsyncClient:
    """Return a client that identifies itself with *key*, a v3 key or a v4 read token; the caller closes it."""
    if len(key) > _LONGEST_V3_KEY:
        return json_http(base, headers={"authorization": f"Bearer {key}"})
    return json_http(base, params={"api_key": key})


class Tmdb:
    """The provider of `tmdb:tv:N` and `tmdb:movie:N`."""

    name = "tmdb"
    namespaces = (TV, MOVIE)

    def __init__(self, upstream: Upstream, *, image_base: str) -> None:
        self._upstream = upstream
        self._image_base = image_base.rstrip("/")

    async def beginning(self, ref: TitleRef) -> TitleRef:
        """Return *ref*: every title here is a whole."""
        return ref

    async def title(self, ref: TitleRef) -> Title:
        """Return a series with all its episodes, or a film as a series of one.

        Raises:
            NotThereError, CatalogNotConfigured, UpstreamUnavailable: as `Upstream.get`.
        """
        return await (self._film(ref) if ref.namespace == MOVIE else self._show(ref))

    async def series(self, ref: TitleRef) -> Series:
        """Return a series or a film without its seasons, which is one request; raises as `title`."""
        path = f"movie/{ref.number}" if ref.namespace == MOVIE else f"tv/{ref.number}"
        return self._series(await self._details(path), ref=ref, season_count=None)

    async def search(self, query: str) -> Sequence[Series]:
        """Return series and films of that name, best first, 20 at most."""
        return self._listed(await self._list("search/multi", {"query": query, "include_adult": "false"}))

    async def popular(self) -> Sequence[Series]:
        """Return what is watched most this week, 20 at most."""
        return self._listed(await self._list("trending/all/week", {}))

    async def changed(self, *, since: date, until: date) -> Sequence[SeriesId]:
        """Return the series and films that were changed in these days.

        Raises:
            UpstreamUnavailable, CatalogNotConfigured: as `Upstream.get`.
        """
        found: list[SeriesId] = []
        for path, namespace in (("tv/changes", TV), ("movie/changes", MOVIE)):
            for page in range(1, _MOST_CHANGES + 1):
                days = {"start_date": since.isoformat(), "end_date": until.isoformat(), "page": str(page)}
                said = await self._list(path, days)
                ids = [number(item.get("id")) for item in records(said["results"])]
                found += [SeriesId(f"{namespace}:{one}") for one in ids if one]
                if page >= (number(said.get("total_pages")) or 1):
                    break
        return found

    async def _show(self, ref: TitleRef) -> Title:
        found = await self._details(f"tv/{ref.number}")
        seasons = sorted(
            {n for s in records(found.get("seasons")) if (n := number(s.get("season_number"))) is not None}
        )
        lists = await self._seasons(ref, seasons)
        filled = [wanted for wanted, episodes in zip(seasons, lists, strict=True) if wanted != SPECIALS and episodes]
        series = self._series(found, ref=ref, season_count=len(filled))
        return Title(series, in_viewing_order([episode for episodes in lists for episode in episodes]))

    async def _seasons(self, ref: TitleRef, seasons: Sequence[int]) -> list[list[Episode]]:
        at_once = asyncio.Semaphore(_SEASONS_AT_ONCE)

        async def season(wanted: int) -> list[Episode]:
            async with at_once:
                return await self._season(ref, wanted)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(season(wanted)) for wanted in seasons]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
        return [task.result() for task in tasks]

    async def _season(self, ref: TitleRef, wanted: int) -> list[Episode]:
        try:
            found = await self._upstream.get(f"tv/{ref.number}/season/{wanted}", says=lambda said: "episodes" in said)
        except NotThereError:
            # Listed in the details, but without a page of its own yet.
            return []
        episodes = (_episode(item, season=wanted) for item in records(found["episodes"]))
        return list({episode.episode: episode for episode in episodes if episode is not None}.values())

    async def _film(self, ref: TitleRef) -> Title:
        found = await self._details(f"movie/{ref.number}")
        series = self._series(found, ref=ref, season_count=1)
        only = Episode(
            season=1,
            episode=1,
            name=series.title,
            runtime=_minutes(found.get("runtime")),
            air_date=day(found.get("release_date")),
        )
        return Title(series, (only,))

    async def _details(self, path: str) -> Fields:
        params = {"append_to_response": "alternative_titles,external_ids"}
        # TMDb is known to send 200 with {"success": false, …}, too.
        return await self._upstream.get(path, params=params, says=lambda said: number(said.get("id")) is not None)

    async def _list(self, path: str, params: dict[str, str]) -> Fields:
        return await self._upstream.get(path, params=params, says=lambda said: isinstance(said.get("results"), list))

    def _listed(self, found: Fields) -> list[Series]:
        series = (self._listed_one(item) for item in records(found["results"]) if not item.get("adult"))
        return [one for one in series if one is not None]

    def _listed_one(self, item: Fields) -> Series | None:
        namespace = {"tv": TV, "movie": MOVIE}.get(text(item.get("media_type")))
        wanted = number(item.get("id"))
        # The lists mix in persons.
        if namespace is None or wanted is None or not _name(item):
            return None
        return self._series(item, ref=TitleRef(namespace, str(wanted)), season_count=None)

    def _series(self, found: Fields, *, ref: TitleRef, season_count: int | None) -> Series:
        title = _name(found) or str(ref.series_id)
        alternatives = record(found.get("alternative_titles"))
        others = records(alternatives.get("results")) + records(alternatives.get("titles"))
        original = text(found.get("original_name")) or text(found.get("original_title"))
        return Series(
            id=SeriesId(ref.series_id),
            title=title,
            kind=Kind.MOVIE if ref.namespace == MOVIE else Kind.SERIES,
            year=year(found.get("first_air_date")) or year(found.get("release_date")),
            aliases=aliases_of(title, [original, *(text(other.get("title")) for other in others)]),
            external_ids=_external_ids(found, ref=ref),
            overview=text(found.get("overview")),
            poster_url=self._image(found.get("poster_path"), size=_POSTER_SIZE),
            backdrop_url=self._image(found.get("backdrop_path"), size=_BACKDROP_SIZE),
            genres=tuple(name for genre in records(found.get("genres")) if (name := text(genre.get("name")))),
            season_count=season_count,
        )

    def _image(self, path: object, *, size: str) -> str:
        return f"{self._image_base}/{size}{text(path)}" if text(path).startswith("/") else ""


def _name(found: Fields) -> str:
    keys = ("name", "title", "original_name", "original_title")
    return next((name for key in keys if (name := text(found.get(key)))), "")


def _episode(item: Fields, *, season: int) -> Episode | None:
    wanted = number(item.get("episode_number"))
    if wanted is None:
        return None
    return Episode(
        season=season,
        episode=wanted,
        name=text(item.get("name")),
        runtime=_minutes(item.get("runtime")),
        air_date=day(item.get("air_date")),
    )


def _minutes(value: object) -> timedelta | None:
    minutes = number(value)
    return timedelta(minutes=minutes) if minutes else None


def _external_ids(found: Fields, *, ref: TitleRef) -> dict[str, str]:
    ids = record(found.get("external_ids"))
    imdb = text(ids.get("imdb_id")) or text(found.get("imdb_id"))
    tvdb = number(ids.get("tvdb_id"))
    known = {"tmdb": str(ref.number), "imdb": imdb, "tvdb": str(tvdb) if tvdb else ""}
    return {where: value for where, value in known.items() if value}

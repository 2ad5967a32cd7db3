"""Who knows sources: one small interface, and the shapes of APIs that an operator may configure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from vod_sources.domain import Content, Kind, Name, StreamSource
from vod_sources.guard import Guard
from vod_sources.reading import fetch_record, number, record, records, source_of, text


class Provider(Protocol):
    """Who knows sources."""

    @property
    def name(self) -> str:
        """A short name that viewers may see."""
        ...

    async def find(self, content: Content) -> Sequence[StreamSource]:
        """Return sources, best first; none if it does not know the content. Raises UnwellError, SourceRefused."""
        ...


class Consumet:
    """A Consumet-shaped API: `info/{tmdb id}?type=` lists episodes, `watch/{episode}?id=` their sources."""

    name = "consumet"

    def __init__(self, base: str, guard: Guard) -> None:
        self._base = base.rstrip("/")
        self._guard = guard

    async def find(self, content: Content) -> Sequence[StreamSource]:
        """Return what it lists for TMDb's id."""
        name = content.at("tmdb")
        if name is None:
            return []
        tmdb, kind = name.external_ids["tmdb"], "movie" if _is_film(content, name) else "tv"
        info = await fetch_record(self._guard, f"{self._base}/info/{quote(tmdb, safe='')}?type={kind}")
        episode = _film_id(info) if kind == "movie" else _episode_id(info, name)
        if not episode:
            return []
        media = quote(text(info.get("id")) or tmdb, safe="")
        found = await fetch_record(self._guard, f"{self._base}/watch/{quote(episode, safe='')}?id={media}")
        listed = [one for one in records(found.get("sources")) if one.get("isDASH") is not True]
        return _given(self._source(one, headers=found.get("headers")) for one in listed)

    def _source(self, one: Mapping[str, Any], *, headers: object) -> StreamSource | None:
        kinds = {True: "hls", False: "mp4"}
        said = one.get("isM3U8")
        return source_of(
            one.get("url"),
            one.get("quality"),
            provider=self.name,
            base=f"{self._base}/",
            type_=kinds[said] if isinstance(said, bool) else None,
            headers=headers,
        )


class Vidlink:
    """A Vidlink-shaped API: `movie/{tmdb id}` and `tv/{tmdb id}/{season}/{episode}` give a stream.

    Its `stream` has a `playlist`, or files by quality in `qualities`; some give a list of streams.
    """

    name = "vidlink"

    def __init__(self, base: str, guard: Guard) -> None:
        self._base = base.rstrip("/")
        self._guard = guard

    async def find(self, content: Content) -> Sequence[StreamSource]:
        """Return what it has for TMDb's id."""
        name = content.at("tmdb")
        if name is None:
            return []
        tmdb = quote(name.external_ids["tmdb"], safe="")
        path = f"movie/{tmdb}" if _is_film(content, name) else f"tv/{tmdb}/{name.season}/{name.episode}"
        given = (await fetch_record(self._guard, f"{self._base}/{path}")).get("stream")
        streams = records(given) or [record(given)]
        return _given(source for stream in streams for source in self._sources(stream))

    def _sources(self, stream: Mapping[str, Any]) -> list[StreamSource | None]:
        more: dict[str, Any] = {"provider": self.name, "base": f"{self._base}/", "headers": stream.get("headers")}
        found = [source_of(stream.get("playlist"), "auto", type_="hls", **more)]
        for quality, file in record(stream.get("qualities")).items():
            one = record(file)
            found.append(source_of(one.get("url"), quality, type_=one.get("type") or "mp4", **more))
        return found


class StremioAddon:
    """A Stremio add-on's `stream` resource, by IMDb's id; magnets are left to the search of this system."""

    name = "stremio"

    def __init__(self, base: str, guard: Guard) -> None:
        self._base = base.rstrip("/").removesuffix("/manifest.json")
        self._guard = guard

    async def find(self, content: Content) -> Sequence[StreamSource]:
        """Return the streams that have an address."""
        name = content.at("imdb")
        if name is None:
            return []
        imdb = name.external_ids["imdb"]
        kind, video = "series", f"{imdb}:{name.season}:{name.episode}"
        if _is_film(content, name):
            kind, video = "movie", imdb
        found = await fetch_record(self._guard, f"{self._base}/stream/{kind}/{quote(video, safe='')}.json")
        return _given(
            source_of(one.get("url"), _label(one), provider=self.name, headers=_proxy_headers(one))
            for one in records(found.get("streams"))
        )


def _given(sources: Iterable[StreamSource | None]) -> list[StreamSource]:
    return [one for one in sources if one]


def _is_film(content: Content, name: Name) -> bool:
    """Whether it is a film there; a film of MyAnimeList is an anime here."""
    return content.kind is Kind.MOVIE or name.series_id.startswith("tmdb:movie:")


def _film_id(info: Mapping[str, Any]) -> str:
    episodes = records(info.get("episodes"))
    return text(info.get("episodeId")) or (text(episodes[0].get("id")) if episodes else "")


def _episode_id(info: Mapping[str, Any], name: Name) -> str:
    seasons = [one for one in records(info.get("seasons")) if number(one.get("season")) == name.season]
    episodes = [one for season in seasons for one in records(season.get("episodes"))]
    # Some list all episodes in one row, with the season beside each.
    episodes += [
        one for one in records(info.get("episodes")) if (number(one.get("season")) or name.season) == name.season
    ]
    wanted = (one for one in episodes if _printed_number(one) == name.episode)
    return next((text(one.get("id")) for one in wanted), "")


def _printed_number(episode: Mapping[str, Any]) -> int | None:
    found = number(episode.get("episode"))
    return number(episode.get("number")) if found is None else found


def _label(stream: Mapping[str, Any]) -> str:
    """Return what a person would read of the quality: add-ons write it into the name or into the title."""
    words = " ".join(text(stream.get(name)) for name in ("name", "title", "description"))
    return " ".join(words.split())[:80]


def _proxy_headers(stream: Mapping[str, Any]) -> object:
    return record(record(stream.get("behaviorHints")).get("proxyHeaders")).get("request")

"""Who knows sources: one small interface, and the shapes of those that an operator may configure.

Answers are read tolerantly: any field may be missing, null or of another type.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from vod_sources.domain import Content, Kind, SourceType, StreamSource
from vod_sources.expiry import expiry_of
from vod_sources.guard import Guard, UnwellError

_MAX_BYTES = 2 * 1024 * 1024
_FILMS = {"MPEG4": 3, "h.264": 3, "h.264 IA": 2, "512Kb MPEG4": 1}


class Provider(Protocol):
    """Who knows sources."""

    @property
    def name(self) -> str:
        """A short name that viewers may see."""
        ...

    async def find(self, content: Content) -> Sequence[StreamSource]:
        """Return sources, best first; none if it does not know the content. Raises UnwellError."""
        ...


class Consumet:
    """A Consumet-shaped API: `info/{tmdb id}?type=` lists episodes, `watch/{episode}?id=` their sources."""

    name = "consumet"

    def __init__(self, base: str, guard: Guard) -> None:
        self._base = base.rstrip("/")
        self._guard = guard

    async def find(self, content: Content) -> Sequence[StreamSource]:
        """Return what it lists for TMDb's id."""
        tmdb = content.external_ids.get("tmdb")
        if not tmdb:
            return []
        kind = "movie" if content.kind is Kind.MOVIE else "tv"
        info = await _json(self._guard, f"{self._base}/info/{quote(tmdb, safe='')}?type={kind}")
        episode = _text(info.get("episodeId")) if kind == "movie" else _episode_id(info, content)
        if not episode:
            return []
        media = quote(_text(info.get("id")) or tmdb, safe="")
        found = await _json(self._guard, f"{self._base}/watch/{quote(episode, safe='')}?id={media}")
        headers = _headers(found.get("headers"))
        return [
            source
            for one in _records(found.get("sources"))
            if not one.get("isDASH")
            and (source := _source(one.get("url"), one.get("quality"), self.name, headers, is_hls=one.get("isM3U8")))
        ]


class Vidlink:
    """A Vidlink-shaped API: one `stream` with a playlist or with files by quality."""

    name = "vidlink"

    def __init__(self, base: str, guard: Guard) -> None:
        self._base = base.rstrip("/")
        self._guard = guard

    async def find(self, content: Content) -> Sequence[StreamSource]:
        """Return what it has for TMDb's id."""
        tmdb = content.external_ids.get("tmdb")
        if not tmdb:
            return []
        path = f"tv/{quote(tmdb, safe='')}/{content.season}/{content.episode}"
        if content.kind is Kind.MOVIE:
            path = f"movie/{quote(tmdb, safe='')}"
        stream = _record((await _json(self._guard, f"{self._base}/{path}")).get("stream"))
        headers = _headers(stream.get("headers"))
        found = [_source(stream.get("playlist"), "auto", self.name, headers, is_hls=True)]
        for quality, file in _record(stream.get("qualities")).items():
            found.append(_source(_record(file).get("url"), quality, self.name, headers, is_hls=False))
        return [one for one in found if one]


class StremioAddon:
    """A Stremio add-on's `stream` resource, by IMDb's id; magnets are left to the search of this system."""

    name = "stremio"

    def __init__(self, base: str, guard: Guard) -> None:
        self._base = base.rstrip("/").removesuffix("/manifest.json")
        self._guard = guard

    async def find(self, content: Content) -> Sequence[StreamSource]:
        """Return the streams that have an address."""
        imdb = content.external_ids.get("imdb")
        if not imdb:
            return []
        kind, video = "series", f"{imdb}:{content.season}:{content.episode}"
        if content.kind is Kind.MOVIE:
            kind, video = "movie", imdb
        found = await _json(self._guard, f"{self._base}/stream/{kind}/{quote(video, safe='')}.json")
        return [
            source
            for one in _records(found.get("streams"))
            if (source := _source(one.get("url"), _title(one), self.name, _proxy_headers(one), is_hls=None))
        ]


class InternetArchive:
    """An item's files: the best one directly, its torrent second."""

    name = "internet-archive"

    def __init__(self, base: str, guard: Guard) -> None:
        self._base = base.rstrip("/")
        self._guard = guard

    async def find(self, content: Content) -> Sequence[StreamSource]:
        """Return the item's sources; what is no item of the Archive it does not know."""
        namespace, _, item = content.series_id.rpartition(":")
        if namespace != "ia:item":
            return []
        found = await _json(self._guard, f"{self._base}/metadata/{quote(item, safe='')}")
        files = [one for one in _records(found.get("files")) if not one.get("private") and ".." not in _name(one)]
        films = sorted((one for one in files if _text(one.get("format")) in _FILMS), key=_film_rank, reverse=True)
        torrent = next((one for one in files if _text(one.get("format")) == "Archive BitTorrent"), None)
        sources = [
            StreamSource(self._file(item, one), f"{_text(one.get('height')) or 0}p", SourceType.MP4, self.name)
            for one in films[:3]
        ]
        if torrent:
            sources.append(StreamSource(self._file(item, torrent), "torrent", SourceType.TORRENT, self.name))
        return sources

    def _file(self, item: str, file: Mapping[str, Any]) -> str:
        # Not the redirected host: items move.
        return f"{self._base}/download/{quote(item, safe='')}/{quote(_name(file))}"


class Mirrors:
    """The operator's own list: a JSON file, or a folder of `{seriesId}.strm` and `{seriesId} S01E02.strm` files.

    Colons of ids are written `_` in names of files. A file has one address per line.
    """

    name = "mirror"

    def __init__(self, path: Path) -> None:
        self._path = path

    async def find(self, content: Content) -> Sequence[StreamSource]:
        """Return what the list has; it is read anew each time, so that edits count at once."""
        try:
            return self._from_folder(content) if self._path.is_dir() else self._from_file(content)
        except (OSError, ValueError) as error:
            raise UnwellError from error

    def _from_folder(self, content: Content) -> list[StreamSource]:
        name = content.series_id.replace(":", "_")
        names = [f"{name} S{content.season:02}E{content.episode:02}.strm"]
        if (content.season, content.episode) == (1, 1):
            names.append(f"{name}.strm")
        files = [file for one in names if (file := self._path / one).is_file()]
        lines = [line.strip() for file in files for line in file.read_text(encoding="utf-8").splitlines()]
        found = [_source(line, "", self.name, {}, is_hls=None) for line in lines if not line.startswith("#")]
        return [one for one in found if one]

    def _from_file(self, content: Content) -> list[StreamSource]:
        wanted = (content.series_id, content.season, content.episode)
        found: list[StreamSource | None] = []
        for one in _records(json.loads(self._path.read_text(encoding="utf-8"))):
            if (one.get("id"), one.get("season", 1), one.get("episode", 1)) == wanted:
                headers = _headers(one.get("headers"))
                is_hls = {"hls": True, "mp4": False}.get(_text(one.get("type")))
                found.append(_source(one.get("url"), one.get("quality"), self.name, headers, is_hls=is_hls))
        return [one for one in found if one]


async def _json(guard: Guard, url: str) -> Mapping[str, Any]:
    try:
        answer = await guard.fetch(url, headers={"Accept": "application/json"}, most=_MAX_BYTES)
    except UnwellError as error:
        if error.status == 404:
            return {}
        raise
    try:
        return _record(json.loads(answer.body))
    except (ValueError, RecursionError) as error:
        raise UnwellError from error


def _source(
    url: object, quality: object, provider: str, headers: Mapping[str, str], *, is_hls: object
) -> StreamSource | None:
    address = _text(url)
    if not address.startswith(("http://", "https://")) or len(address) > 4_000:
        return None
    guessed = ".m3u8" in address if is_hls is None else bool(is_hls)
    kind = SourceType.HLS if guessed else SourceType.MP4
    return StreamSource(address, _text(quality) or "auto", kind, provider, dict(headers), expiry_of(address))


def _episode_id(info: Mapping[str, Any], content: Content) -> str:
    seasons = [one for one in _records(info.get("seasons")) if one.get("season") == content.season]
    episodes = [one for season in seasons for one in _records(season.get("episodes"))]
    return next((_text(one.get("id")) for one in episodes if one.get("episode") == content.episode), "")


def _film_rank(file: Mapping[str, Any]) -> tuple[int, int]:
    size = _text(file.get("size"))
    return _FILMS[_text(file.get("format"))], int(size) if size.isdecimal() else 0


def _title(stream: Mapping[str, Any]) -> str:
    return (_text(stream.get("name")) or _text(stream.get("title"))).replace("\n", " ")[:80]


def _proxy_headers(stream: Mapping[str, Any]) -> dict[str, str]:
    hints = _record(stream.get("behaviorHints"))
    return _headers(_record(hints.get("proxyHeaders")).get("request"))


def _headers(value: object) -> dict[str, str]:
    given = {name: text for name, one in _record(value).items() if (text := _text(one))}
    return {name: text for name, text in given.items() if name.isascii() and "\n" not in name + text}


def _name(file: Mapping[str, Any]) -> str:
    return _text(file.get("name"))


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _record(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _records(value: object) -> list[Mapping[str, Any]]:
    return [_record(one) for one in value if isinstance(one, dict)][:500] if isinstance(value, list) else []

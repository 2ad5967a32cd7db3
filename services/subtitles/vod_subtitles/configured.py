"""Sources that the operator configures: a folder of files, Stremio add-ons, and addresses of single files.

Add-ons: https://github.com/Stremio/stremio-addon-sdk/blob/master/docs/api/responses/subtitles.md.
"""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import httpx

from vod_subtitles.archives import ARCHIVES, MAX_ARCHIVE_BYTES
from vod_subtitles.convert import MAX_BYTES
from vod_subtitles.domain import EpisodeKey, Lang, Listed, Wanted
from vod_subtitles.errors import SubtitleSourceUnavailable
from vod_subtitles.languages import language_of
from vod_subtitles.members import SUFFIXES
from vod_subtitles.torrents import Hashed
from vod_subtitles.unreadable import UnreadableSubtitleError

_DEADLINE = timedelta(seconds=8)
_MOST_FILES = 20_000
_MOST_TRACKS = 100
_LONGEST_URL = 2_000
_NUMBER = re.compile(r"s(\d{1,3})[ ._-]{0,3}e(\d{1,4})(?!\d)", re.IGNORECASE | re.ASCII)
_SEASON = re.compile(r"\bs(?:eason[ ._-]?)?(\d{1,3})(?![\de])", re.IGNORECASE | re.ASCII)
_MEMBER = re.compile(r"#S\d+E\d+\Z", re.ASCII)
_WORDS = re.compile(r"[^\W_]+")


class Folder:
    """Subtitle files in a folder of the operator's, and below it."""

    name = "folder"
    needs_title = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    async def search(self, wanted: Wanted, languages: Sequence[Lang], *, hashed: Hashed | None) -> list[Listed]:
        """Return the files whose names (or folders) have the title's words and the episode's number."""
        return await asyncio.to_thread(lambda: list(self._found(wanted, languages)))

    async def download(self, file_id: str) -> bytes:
        """Return a file's bytes.

        Raises:
            UnreadableSubtitleError: it is gone, too large, or not in the folder.
        """
        return await asyncio.to_thread(self._read, file_id)

    def _found(self, wanted: Wanted, languages: Sequence[Lang]) -> Iterator[Listed]:
        title = words(wanted.title)
        for count, path in enumerate(self._folder.rglob("*")):
            if count > _MOST_FILES:
                return
            name = str(path.relative_to(self._folder))
            is_archive = path.suffix.lower() in ARCHIVES
            if not (is_archive or path.suffix.lower() in SUFFIXES) or not title or not title <= words(name):
                continue
            lang = next((lang for word in reversed(_WORDS.findall(path.stem)) if (lang := language_of(word))), "")
            if (wanted.is_film or _tells_of(path, wanted.key)) and lang in languages:
                file_id = of_episode(name, wanted.key) if is_archive else name
                yield Listed(self.name, file_id, Lang(lang), path.stem[:300], downloads=0)

    def _read(self, file_id: str) -> bytes:
        path = (self._folder / _MEMBER.sub("", file_id)).resolve()
        # A link inside of it may lead elsewhere.
        if not path.is_relative_to(self._folder) or not path.is_file():
            raise UnreadableSubtitleError("gone from the folder")
        limit = MAX_ARCHIVE_BYTES if path.suffix.lower() in ARCHIVES else MAX_BYTES
        if path.stat().st_size > limit:
            raise UnreadableSubtitleError(f"more than {limit} bytes")
        return path.read_bytes()


class Addon:
    """A Stremio add-on with subtitles."""

    needs_title = True

    def __init__(self, http: httpx.AsyncClient, address: str) -> None:
        self._http = http
        self._base = address.removesuffix("/manifest.json").rstrip("/")
        self.name = f"addon:{httpx.URL(address).host}"

    async def search(self, wanted: Wanted, languages: Sequence[Lang], *, hashed: Hashed | None) -> list[Listed]:
        """Return what the add-on has; it knows titles by their IMDb ids alone.

        Raises:
            SubtitleSourceUnavailable: no usable answer in time.
        """
        if not wanted.imdb_id:
            return []
        key = wanted.key
        kind = "movie" if wanted.is_film else "series"
        video = wanted.imdb_id if wanted.is_film else f"{wanted.imdb_id}:{key.season}:{key.episode}"
        extra = f"/videoHash={hashed.moviehash}" if hashed and hashed.moviehash else ""
        url = f"{self._base}/subtitles/{kind}/{quote(video, safe='')}{extra}.json"
        content = await fetched(self._http, url, self.name)
        listed = [self._listed(item, key) for item in _items(content)[:_MOST_TRACKS]]
        return [one for one in listed if one and one.lang in languages]

    async def download(self, file_id: str) -> bytes:
        """Return a file's bytes.

        Raises:
            SubtitleSourceUnavailable: not now, or from where nothing may be fetched.
        """
        return await fetched(self._http, file_id, self.name)

    def _listed(self, item: Mapping[str, object], key: EpisodeKey) -> Listed | None:
        url, lang = item.get("url"), item.get("lang")
        if not isinstance(url, str) or not isinstance(lang, str) or len(url) > _LONGEST_URL:
            return None
        known = language_of(lang)
        return Listed(self.name, of_episode(url, key), Lang(known), "", downloads=0) if known else None


class Template:
    """Addresses of single files, made from the episode and a language."""

    needs_title = False

    def __init__(self, http: httpx.AsyncClient, template: str) -> None:
        self._http = http
        self._template = template
        self.name = f"endpoint:{httpx.URL(_filled(template, EpisodeKey('a:b:c', 1, 1), 'en')).host}"

    async def search(self, wanted: Wanted, languages: Sequence[Lang], *, hashed: Hashed | None) -> list[Listed]:
        """Return a file per language; whether there is one shows when it is fetched."""
        urls = [(lang, _filled(self._template, wanted.key, lang)) for lang in languages]
        return [Listed(self.name, of_episode(url, wanted.key), lang, "", downloads=0) for lang, url in urls]

    async def download(self, file_id: str) -> bytes:
        """Return a file's bytes; raises SubtitleSourceUnavailable."""
        return await fetched(self._http, file_id, self.name)


def of_episode(file: str, key: EpisodeKey) -> str:
    """Name a file that may be an archive of a season, as the file of one episode; servers are not told of fragments."""
    return f"{file}#S{key.season:02}E{key.episode:02}"


def _tells_of(path: Path, key: EpisodeKey) -> bool:
    """Say whether a name has the episode's number, or that of its season if it is an archive."""
    if number := _NUMBER.search(path.name):
        return (int(number[1]), int(number[2])) == (key.season, key.episode)
    season = _SEASON.search(path.name) if path.suffix.lower() in ARCHIVES else None
    return season is not None and int(season[1]) == key.season


def _filled(template: str, key: EpisodeKey, lang: str) -> str:
    values = {"series_id": quote(key.series_id, safe=""), "season": key.season, "episode": key.episode, "lang": lang}
    return re.sub(r"\{(series_id|season|episode|lang)\}", lambda found: str(values[found[1]]), template)


async def fetched(http: httpx.AsyncClient, url: str, source: str) -> bytes:
    """Return what is at an address, 10 MiB at most.

    Raises:
        UnreadableSubtitleError: it is gone, or too large.
        SubtitleSourceUnavailable: not now, or from where nothing may be fetched.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(_DEADLINE.total_seconds()), http.stream("GET", url) as response:
            if response.status_code in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
                raise UnreadableSubtitleError("gone at the source")
            response.raise_for_status()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ARCHIVE_BYTES:
                    raise UnreadableSubtitleError(f"more than {MAX_ARCHIVE_BYTES} bytes")
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
        raise SubtitleSourceUnavailable(
            "A configured source does not answer as it should.",
            metadata={"source": source},
            retry_after=timedelta(seconds=30),
        ) from error
    return bytes(body)


def _items(content: bytes) -> list[Mapping[str, object]]:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return []
    found = answer.get("subtitles") if isinstance(answer, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def words(text: str) -> frozenset[str]:
    """Return the words of a title, in lower case."""
    return frozenset(word.lower() for word in _WORDS.findall(text))

"""Feeds of subtitle files that the operator names.

RSS 2.0 (https://www.rssboard.org/rss-specification) and Atom (RFC 4287). An entry is a file when its enclosure or link
ends like one; its title (or the file's name) tells show, number and language.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import httpx

from vod_subtitles.archives import ARCHIVES
from vod_subtitles.configured import fetched, of_episode, words
from vod_subtitles.domain import Lang, Listed, Wanted
from vod_subtitles.errors import SubtitleSourceUnavailable
from vod_subtitles.languages import language_of
from vod_subtitles.members import SUFFIXES, episode_in
from vod_subtitles.torrents import Hashed

_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_MOST_ENTRIES = 2_000
_LONGEST_URL = 2_000
_SPLIT = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a feed."""

    title: str
    url: str

    @property
    def name(self) -> str:
        """The file's name."""
        return PurePosixPath(unquote(httpx.URL(self.url).path)).name


class Feed:
    """One feed. `language` is that of entries that don't tell; empty: they are left out."""

    needs_title = True

    def __init__(self, http: httpx.AsyncClient, address: str, *, language: str = "") -> None:
        self._http = http
        self._address = address
        self._language = language
        self.name = f"feed:{httpx.URL(address).host}"

    async def search(self, wanted: Wanted, languages: Sequence[Lang], *, hashed: Hashed | None) -> list[Listed]:
        """Return the entries that have the title's words, the episode's number and a wanted language.

        Raises:
            SubtitleSourceUnavailable: no usable answer in time.
        """
        content = await fetched(self._http, self._address, self.name)
        try:
            entries = list(read_feed(content))
        except ValueError as error:
            raise SubtitleSourceUnavailable(
                "A configured feed is none.", metadata={"source": self.name, "why": str(error)}
            ) from error
        found = (self._listed(entry, wanted) for entry in entries)
        return [one for one in found if one and one.lang in languages]

    async def download(self, file_id: str) -> bytes:
        """Return a file's bytes; raises SubtitleSourceUnavailable."""
        return await fetched(self._http, file_id, self.name)

    def _listed(self, entry: Entry, wanted: Wanted) -> Listed | None:
        title = words(wanted.title)
        told = f"{entry.title} {entry.name}"
        if not title or not title <= words(told):
            return None
        key = wanted.key
        numbers = {episode_in(text, season=key.season) for text in (entry.title, entry.name)} - {None}
        if not wanted.is_film and (key.season, key.episode) not in numbers:
            return None
        spoken = (lang for word in reversed(_SPLIT.findall(told)) if (lang := language_of(word)))
        lang = next(spoken, self._language)
        release = PurePosixPath(entry.name).stem[:300]
        return Listed(self.name, of_episode(entry.url, key), Lang(lang), release, downloads=0) if lang else None


def read_feed(content: bytes) -> Iterator[Entry]:
    """Yield the files in a feed, newest first as feeds are.

    Raises:
        ValueError: it is no feed.
    """
    if _DECLARATION.search(content):
        raise ValueError("a feed with a document type")
    try:
        root = ET.fromstring(content)  # noqa: S314  what declares entities was refused
    except ET.ParseError as error:
        raise ValueError("no XML") from error
    entries = [one for one in root.iter() if _name(one) in {"item", "entry"}]
    for entry in entries[:_MOST_ENTRIES]:
        title = next(("".join(one.itertext()).strip() for one in entry if _name(one) == "title"), "")
        url = next((url for url in _links(entry) if _is_file(url)), None)
        if url:
            yield Entry(title[:300], url)


def _links(entry: ET.Element) -> Iterator[str]:
    for one in entry:
        match _name(one):
            case "enclosure":
                yield one.get("url", "")
            case "link":
                yield one.get("href") or (one.text or "").strip()


def _is_file(url: str) -> bool:
    if len(url) > _LONGEST_URL or not url.startswith(("https://", "http://")):
        return False
    try:
        path = httpx.URL(url).path
    except httpx.InvalidURL:
        return False
    return PurePosixPath(path).suffix.lower() in SUFFIXES | ARCHIVES


def _name(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()

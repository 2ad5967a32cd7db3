"""Internet Archive: torrents of open films, from a list of identifiers only (https://archive.org/help/aboutsearch.htm).

Uploads there are not vetted, so nothing is found but what the list names *and* states an open licence of its own, as
in the catalog. Its torrents are served over HTTP by the Archive itself, so seeders do not decide; mostly there
are none. The hosts that a .torrent names may be gone, because items move, so the Archive's own door is named as well.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from vod_runtime import Clock
from vod_search.domain import Announcement, Kind, Wanted
from vod_search.indexers import IndexerError, Question
from vod_search.magnets import TrackerHosts, parse_hashes, safe_trackers
from vod_search.normalising import LARGEST, UnreadableAnswerError, json_object, seconds_of
from vod_search.queries import MOST_QUERIES, title_key
from vod_search.release_name import tidy
from vod_search.upstream import Upstream

NAME = "Internet Archive"
LIST_STAYS_GOOD = timedelta(hours=6)
FIELDS = ["identifier", "title", "year", "licenseurl"]
IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
LICENCE = re.compile(r"https?://creativecommons\.org/(publicdomain|licenses)/", re.ASCII)
VIDEO = frozenset({"MPEG4", "h.264", "h.264 IA", "Matroska", "WebM", "512Kb MPEG4", "Ogg Video"})
TORRENT = "Archive BitTorrent"
TRACKERS = ("http://bt1.archive.org:6969/announce", "http://bt2.archive.org:6969/announce")
YEARS_APART = 1


def shipped_items() -> tuple[str, ...]:
    """Return the identifiers that came with this release; the catalog ships the same."""
    lines = (files("vod_search") / "data" / "open-films.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


class InternetArchive:
    """The Archive: an indexer, and the only one it knows."""

    name = NAME

    def __init__(
        self, upstream: Upstream, *, base: str, items: Sequence[str], hosts: TrackerHosts, clock: Clock
    ) -> None:
        self._upstream = upstream
        self._downloads = f"{base.rstrip('/')}/download/"
        self._items = frozenset(one for one in items if IDENTIFIER.fullmatch(one))
        self._hosts = hosts
        self._clock = clock
        self._listed: Sequence[Mapping[str, Any]] | None = None
        self._listed_at = 0.0

    async def indexers(self) -> "Sequence[InternetArchive]":
        """Return itself."""
        return [self]

    async def questions(self, wanted: Wanted) -> Sequence[Question]:
        """Return one question per item that has the wanted film's title and year; there are no series on the list.

        Raises:
            IndexerError: it did not tell what there is.
        """
        if wanted.kind is not Kind.MOVIE or not self._items:
            return []
        named = [_one(doc.get("identifier")) for doc in await self._all() if _is_wanted(doc, wanted)]
        return [partial(self._describe, item) for item in named[:MOST_QUERIES]]

    async def resolve(self, _: Announcement) -> None:
        """Return None: the Archive tells infohashes."""
        return

    async def _all(self) -> Sequence[Mapping[str, Any]]:
        """Return the listed items that are there, from an answer at most six hours old."""
        now = self._clock.monotonic()
        if self._listed is None or now - self._listed_at >= LIST_STAYS_GOOD.total_seconds():
            asked = " OR ".join(f"identifier:{item}" for item in sorted(self._items))
            rows = str(len(self._items))
            answer = await self._get("advancedsearch.php", {"q": asked, "fl[]": FIELDS, "rows": rows, "output": "json"})
            response = answer.get("response")
            docs = response.get("docs") if isinstance(response, Mapping) else None
            if not isinstance(docs, list):
                raise IndexerError("the answer is not what was asked for")
            self._listed, self._listed_at = [one for one in docs if isinstance(one, Mapping)], now
        return [one for one in self._listed if _one(one.get("identifier")) in self._items]

    async def _describe(self, item: str) -> Sequence[Announcement]:
        """Return the torrent of one item, as large as its best film; nothing without a torrent or an open licence."""
        described = await self._get(f"metadata/{quote(item, safe='')}", {})
        about = described.get("metadata")
        listed = described.get("files")
        if (
            not isinstance(about, Mapping)
            or described.get("is_dark")
            or not LICENCE.match(_one(about.get("licenseurl")))
        ):
            return []
        there = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
        torrent = next((one for one in there if one.get("format") == TORRENT), {})
        hashes = parse_hashes(_one(torrent.get("btih")))
        films = [one for one in there if one.get("format") in VIDEO]
        if hashes is None or not films:
            return []
        best = max(films, key=lambda one: (_number(one.get("height")), _number(one.get("size"))))
        found = Announcement(
            title=_name(about, best, item),
            indexer=NAME,
            infohash=hashes.infohash,
            size_bytes=_number(best.get("size")),
            published_at=seconds_of(_one(about.get("publicdate"))),
            trackers=safe_trackers(TRACKERS, hosts=self._hosts),
            web_seeded=True,
            # A torrent of the Archive has the item's name, and its files below that.
            web_seeds=frozenset({self._downloads}),
            exact_source=f"{self._downloads}{quote(item, safe='')}/{quote(_one(torrent.get('name')))}",
        )
        return [found]

    async def _get(self, path: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return json_object(await self._upstream.get(path, params))
        except UnreadableAnswerError as failure:
            raise IndexerError(str(failure)) from failure


def _is_wanted(doc: Mapping[str, Any], wanted: Wanted) -> bool:
    """Tell whether an item is the wanted film: by its identifier if the catalog has it from there, else by name."""
    if _one(doc.get("identifier")) == wanted.external_ids.get("ia"):
        return True
    year = _number(doc.get("year"))
    is_near = not year or not wanted.year or abs(year - wanted.year) <= YEARS_APART
    return is_near and title_key(_one(doc.get("title"))) in {title_key(title) for title in wanted.titles}


def _name(about: Mapping[str, Any], film: Mapping[str, Any], item: str) -> str:
    """Name the torrent as releases are named: title, year and picture, as far as the Archive says."""
    year, height = _number(about.get("year")), _number(film.get("height"))
    words = [_one(about.get("title")) or item, f"({year})" if year else "", f"{height}p" if height else ""]
    return tidy(" ".join(word for word in words if word))


def _number(value: object) -> int:
    """Return a whole number that may be written as text; 0 for anything else."""
    digits = _one(value)
    return int(digits) if re.fullmatch(r"\d{1,15}", digits) and int(digits) <= LARGEST else 0


def _one(value: object) -> str:
    """Return a field that may be a scalar, a list, or a number."""
    first = value[0] if isinstance(value, list) and value else value
    return str(first) if isinstance(first, str | int) else ""

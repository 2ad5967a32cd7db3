"""The `stream` resource of a Stremio add-on (https://stremio.github.io/stremio-addon-sdk/api/responses/stream.html).

An add-on is asked by id only. What it knows about a torrent stands in texts made for people: the first lines are the
torrent's name, and symbols or words mark seeders and size.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from vod_runtime import Clock
from vod_search.configured import Configured
from vod_search.domain import Announcement, Kind, Wanted
from vod_search.indexers import IndexerError, Question
from vod_search.magnets import TrackerHosts, parse_hashes, safe_trackers
from vod_search.normalising import LARGEST, MOST_PEERS, MOST_RESULTS, UnreadableAnswerError, bounded, json_object
from vod_search.queries import title_key
from vod_search.release_name import parse, tidy
from vod_search.upstream import Upstream

MANIFEST_STAYS_GOOD = timedelta(hours=12)
USUAL_PREFIXES = ("tt",)
SEEDERS = re.compile(
    r"(?:[\U0001F464\U0001F465\U0001F331]|(?<![a-z])(?:seed(?:er)?s?|peers)\s*[:=])\s*(\d{1,7})(?!\d)", re.IGNORECASE
)
SIZE = re.compile(
    r"(?:[\U0001F4BE\U0001F4E6]|(?<![a-z])size\s*[:=])\s*(\d{1,5}(?:[.,]\d{1,3})?)\s*([KMGT])i?B", re.IGNORECASE
)
UNITS = {"K": 10, "M": 20, "G": 30, "T": 40}
PICTURE = re.compile(r"(?<![A-Za-z0-9])(2160p|4k|1440p|1080p|720p|576p|480p)(?![A-Za-z0-9])", re.IGNORECASE)


class Stremio:
    """An add-on: an indexer, and the only one it knows."""

    def __init__(self, configured: Configured, *, upstream: Upstream, hosts: TrackerHosts, clock: Clock) -> None:
        self.name = configured.name
        self._upstream = upstream
        self._hosts = hosts
        self._clock = clock
        self._streams: Mapping[str, Sequence[str]] | None = None
        self._read_at = 0.0
        self._reading = asyncio.Lock()

    async def indexers(self) -> "Sequence[Stremio]":
        """Return itself."""
        return [self]

    async def questions(self, wanted: Wanted) -> Sequence[Question]:
        """Return the one request for *wanted*; nothing if the add-on has no such type, or no id is known that it takes.

        Raises:
            IndexerError: it did not tell its manifest.
        """
        streams = await self._known()
        kind = "movie" if wanted.kind is Kind.MOVIE else "series"
        taken = next((one for one in ids(wanted) if one.startswith(tuple(streams.get(kind, ())))), None)
        return [partial(self._search, f"stream/{kind}/{quote(taken, safe='')}.json", wanted)] if taken else []

    async def resolve(self, _: Announcement) -> None:
        """Return None: an add-on tells infohashes or nothing."""
        return

    async def _known(self) -> Mapping[str, Sequence[str]]:
        """Return the prefixes of ids by type, from a manifest of the last twelve hours, if it tells one."""
        async with self._reading:
            now = self._clock.monotonic()
            if self._streams is None or now - self._read_at >= MANIFEST_STAYS_GOOD.total_seconds():
                try:
                    self._streams = streams_of(json_object(await self._upstream.get("manifest.json")))
                    self._read_at = now
                except UnreadableAnswerError as failure:
                    if self._streams is None:
                        raise IndexerError(str(failure)) from failure
                except IndexerError:
                    if self._streams is None:
                        raise
            return self._streams

    async def _search(self, path: str, wanted: Wanted) -> Sequence[Announcement]:
        try:
            answer = json_object(await self._upstream.get(path))
        except UnreadableAnswerError as failure:
            raise IndexerError(str(failure)) from failure
        return await asyncio.to_thread(self._announcements, answer, wanted)

    def _announcements(self, answer: Mapping[str, Any], wanted: Wanted) -> list[Announcement]:
        listed = answer.get("streams")
        if not isinstance(listed, list):
            raise IndexerError("the answer has no streams")
        found = (announcement(one, wanted, indexer=self.name, hosts=self._hosts) for one in listed[:MOST_RESULTS])
        return [one for one in found if one]


def ids(wanted: Wanted) -> list[str]:
    """Return the ids of *wanted* as add-ons write them, most usual first."""
    known = wanted.external_ids
    films = [one for one in (known.get("imdb", ""), f"tmdb:{known['tmdb']}" if "tmdb" in known else "") if one]
    if wanted.kind is Kind.MOVIE:
        return films
    numbered = [f"{one}:{wanted.season}:{wanted.episode}" for one in films]
    return [*numbered, f"mal:{known['mal']}:{wanted.episode}"] if "mal" in known else numbered


def streams_of(manifest: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """Return the prefixes of the ids whose streams an add-on has, by type; an empty prefix stands for any id.

    Raises:
        IndexerError: it has no streams.
    """
    resources = manifest.get("resources")
    for one in resources if isinstance(resources, list) else []:
        detailed = one if isinstance(one, Mapping) else {}
        if "stream" in (one, detailed.get("name")):
            types = _texts(detailed.get("types")) or _texts(manifest.get("types"))
            prefixes = _texts(detailed.get("idPrefixes")) or _texts(manifest.get("idPrefixes")) or [""]
            return dict.fromkeys(types, prefixes)
    raise IndexerError("is an add-on without streams")


def announcement(stream: object, wanted: Wanted, *, indexer: str, hosts: TrackerHosts) -> Announcement | None:
    """Read one stream; None if it is no torrent or has no name."""
    if not isinstance(stream, Mapping):
        return None
    hashes = parse_hashes(_text(stream, "infoHash"))
    hints = stream.get("behaviorHints")
    hints = hints if isinstance(hints, Mapping) else {}
    about = f"{_text(stream, 'title')}\n{_text(stream, 'description')}"
    title = _title([*about.splitlines(), _text(hints, "filename")], wanted)
    if hashes is None or not title:
        return None
    picture = PICTURE.search(f"{_text(stream, 'name')} {_text(hints, 'bingeGroup')}")
    traits = parse(title, wanted.kind)
    seeders = SEEDERS.search(about)
    return Announcement(
        title=title if traits.height or picture is None else f"{title} {picture[1]}",
        indexer=indexer,
        infohash=hashes.infohash,
        v2=hashes.v2,
        # Both are of the file that would be played, which says nothing about a torrent of many.
        size_bytes=0 if traits.season_pack else bounded(hints.get("videoSize"), most=LARGEST) or _size(about),
        seeders=bounded(int(seeders[1]), most=MOST_PEERS) if seeders else None,
        trackers=safe_trackers(_trackers(stream.get("sources")), hosts=hosts),
    )


def _title(lines: Sequence[str], wanted: Wanted) -> str:
    """Return the first line with the wanted title in it, else the last (the file's name), else the first."""
    tidied = [line for one in lines if (line := tidy(one))]
    keys = [key for title in wanted.titles if (key := title_key(title))]
    named = next((line for line in tidied if any(key in title_key(line) for key in keys)), None)
    if named or not tidied:
        return named or ""
    return tidied[-1] if lines[-1] else tidied[0]


def _size(text: str) -> int:
    """Return the bytes that "💾 1.4 GB" says, 0 if nothing does."""
    match = SIZE.search(text)
    return round(float(match[1].replace(",", ".")) * 2 ** UNITS[match[2].upper()]) if match else 0


def _trackers(sources: object) -> list[str]:
    return [one.removeprefix("tracker:") for one in _texts(sources) if one.startswith("tracker:")]


def _text(fields: Mapping[Any, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []

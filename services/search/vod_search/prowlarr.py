"""Prowlarr over HTTP: which indexers there are, one search at one indexer, and where a download link leads.

The aggregate search is not used: it waits for the slowest indexer and shows failures as empty lists.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from pydantic import SecretStr

from vod_runtime import Clock
from vod_search.bencode import NotATorrentError, read_metainfo
from vod_search.domain import Announcement, Kind
from vod_search.magnets import LONGEST_MAGNET, TrackerHosts, parse_magnet, safe_trackers
from vod_search.normalising import UnreadableAnswerError, announcements, json_array
from vod_search.queries import CATEGORIES
from vod_search.release_name import tidy

LARGEST_ANSWER = 16 * 2**20
LARGEST_TORRENT = 8 * 2**20
MOST_HOPS = 5
LINKS_AT_ONCE = 2  # per indexer: Prowlarr limits searches and downloads together
RESULTS_PER_QUERY = 100
LIST_STAYS_GOOD = timedelta(minutes=5)
NAME = "Prowlarr"


@dataclass(frozen=True, slots=True)
class Indexer:
    """An indexer that Prowlarr has."""

    id: int
    name: str


class IndexerError(Exception):
    """An indexer, or Prowlarr itself, gave no usable answer; the text says why, for people, without addresses.

    `retry_after` is what it asked for, if it did.
    """

    def __init__(self, text: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Misconfigured(IndexerError):  # noqa: N818  it names the state that the operator can change
    """Waiting would not help: the operator has to change something, or Prowlarr lets it rest itself."""


class Prowlarr:
    """A client of one Prowlarr; `prowlarr` makes it."""

    def __init__(self, http: httpx.AsyncClient, *, hosts: TrackerHosts, clock: Clock) -> None:
        self._http = http
        self._hosts = hosts
        self._clock = clock
        self._indexers: Sequence[Indexer] = ()
        self._listed_at: float | None = None
        self._links: dict[str, asyncio.Semaphore] = {}

    async def indexers(self) -> Sequence[Indexer]:
        """Return the enabled torrent indexers, at most five minutes old; an older list if Prowlarr fails now.

        Raises:
            IndexerError: Prowlarr never told.
        """
        now = self._clock.monotonic()
        if self._listed_at is not None and now - self._listed_at < LIST_STAYS_GOOD.total_seconds():
            return self._indexers
        try:
            rows = json_array(await self._get("api/v1/indexer", {}, largest=LARGEST_ANSWER))
        except (IndexerError, UnreadableAnswerError) as failure:
            if self._listed_at is None:
                raise IndexerError(str(failure)) from failure
            return self._indexers
        self._indexers = [indexer for row in rows if (indexer := _enabled(row))]
        self._listed_at = now
        return self._indexers

    async def search(self, indexer: Indexer, query: str, kind: Kind) -> list[Announcement]:
        """Ask one indexer one question.

        Raises:
            IndexerError: it did not answer, or with something else than results.
        """
        asked = {
            "query": query,
            "type": "search",
            "indexerIds": indexer.id,
            "categories": CATEGORIES[kind],
            "limit": RESULTS_PER_QUERY,
        }
        body = await self._get("api/v1/search", asked, largest=LARGEST_ANSWER)
        try:
            # Reading names takes a while where there are many of them; the event loop has other callers.
            return await asyncio.to_thread(announcements, body, indexer=indexer.name, hosts=self._hosts)
        except UnreadableAnswerError as error:
            raise IndexerError(str(error)) from error

    async def resolve(self, found: Announcement) -> Announcement | None:
        """Follow the download link of *found* to an infohash and trackers; None where it leads to neither.

        Only links to the configured Prowlarr itself are followed, and redirects by hand: a `magnet:` target is read
        from the raw header, because httpx would make an HTTP address of it.
        """
        async with self._links.setdefault(found.indexer, asyncio.Semaphore(LINKS_AT_ONCE)):
            try:
                return await self._follow(found)
            except (httpx.HTTPError, httpx.InvalidURL, NotATorrentError, IndexerError, ValueError):
                return None

    async def _follow(self, found: Announcement) -> Announcement | None:
        url = found.download_url
        for _ in range(MOST_HOPS):
            if _origin(url) != _origin(str(self._http.base_url)):
                return None
            async with self._http.stream("GET", url) as response:
                target = response.headers.get("location", "")
                if not response.is_redirect:
                    return await self._from_torrent(found, response)
            if target.lower().startswith("magnet:"):
                return self._from_magnet(found, target[: LONGEST_MAGNET + 1])
            url = urljoin(url, target)
        return None

    async def _from_torrent(self, found: Announcement, response: httpx.Response) -> Announcement | None:
        if response.status_code != httpx.codes.OK:
            return None
        metainfo = read_metainfo(await _body(response, largest=LARGEST_TORRENT))
        trackers = safe_trackers(metainfo.trackers, hosts=self._hosts)
        return replace(found, infohash=metainfo.infohash, trackers=trackers, download_url="")

    def _from_magnet(self, found: Announcement, text: str) -> Announcement | None:
        magnet = parse_magnet(text)
        if magnet is None:
            return None
        trackers = safe_trackers(magnet.trackers, hosts=self._hosts)
        return replace(found, infohash=magnet.infohash, trackers=trackers, download_url="")

    async def _get(self, path: str, params: Mapping[str, Any], *, largest: int) -> bytes:
        try:
            async with self._http.stream("GET", path, params=params) as response:
                if response.status_code != httpx.codes.OK:
                    raise _refusal(response)
                return await _body(response, largest=largest)
        except httpx.TimeoutException as error:
            raise IndexerError("timed out") from error
        except httpx.ConnectError as error:
            raise IndexerError("is not reachable") from error
        except httpx.HTTPError as error:
            raise IndexerError("broke the connection off") from error


async def _body(response: httpx.Response, *, largest: int) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > largest:
            raise IndexerError(f"the answer is larger than {largest // 2**20} MiB")
    return bytes(body)


def _refusal(response: httpx.Response) -> IndexerError:
    match response.status_code:
        case 401 | 403:
            return Misconfigured(f"refuses the API key (HTTP {response.status_code})")
        case 400:
            return Misconfigured("is blocked in Prowlarr after failures, or disabled (HTTP 400)")
        case 429 | 503:
            return _later(response)
        case status:
            return IndexerError(f"HTTP {status}")


def _later(response: httpx.Response) -> IndexerError:
    wait = _retry_after(response)
    if wait is None:
        return IndexerError("asks to wait (HTTP 429)" if response.status_code == 429 else "HTTP 503")
    text = f"asks to wait {wait.total_seconds():.0f} s (HTTP {response.status_code})"
    return IndexerError(text, retry_after=wait)


def _retry_after(response: httpx.Response) -> timedelta | None:
    """Read `Retry-After`, seconds or a date (RFC 9110, 10.2.3)."""
    text = response.headers.get("retry-after", "").strip()
    if text.isdigit():
        return timedelta(seconds=int(text)) if len(text) < 8 else None
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(timedelta(0), until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC))


def _enabled(row: object) -> Indexer | None:
    """Read one entry of `GET /api/v1/indexer`; None for disabled ones and for Usenet."""
    if not isinstance(row, Mapping) or not row.get("enable", True) or row.get("protocol", "torrent") != "torrent":
        return None
    number, name = row.get("id"), row.get("name")
    if not isinstance(number, int):
        return None
    return Indexer(id=number, name=tidy(name)[:80] if isinstance(name, str) and name else f"indexer {number}")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, port


@asynccontextmanager
async def prowlarr(
    base: str, *, key: SecretStr, deadline: timedelta, hosts: TrackerHosts, clock: Clock
) -> AsyncIterator[Prowlarr]:
    """Open a client for the Prowlarr at *base*; no single wait of it is longer than *deadline*."""
    async with httpx.AsyncClient(
        base_url=base,
        headers={"X-Api-Key": key.get_secret_value(), "Accept-Encoding": "identity"},
        timeout=deadline.total_seconds(),
        limits=httpx.Limits(max_connections=64, max_keepalive_connections=16),
        follow_redirects=False,
        trust_env=False,
    ) as http:
        yield Prowlarr(http, hosts=hosts, clock=clock)

"""HTTP to one configured address: bounded answers, failures in words for people, and links that lead back to it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from vod_search.bencode import NotATorrentError, read_metainfo
from vod_search.domain import Announcement
from vod_search.indexers import IndexerError, Misconfigured
from vod_search.magnets import LONGEST_MAGNET, TrackerHosts, has_web_seeds, parse_magnet, safe_trackers

LARGEST_ANSWER = 16 * 2**20
LARGEST_TORRENT = 8 * 2**20
LARGEST_REFUSAL = 4 * 2**10
MOST_HOPS = 5
LINKS_AT_ONCE = 2  # per indexer: searches and downloads are often limited together


class Upstream:
    """A client of one address that the operator has configured; `upstream` makes it."""

    def __init__(self, http: httpx.AsyncClient, *, hosts: TrackerHosts) -> None:
        self._http = http
        self._hosts = hosts
        self._links: dict[str, asyncio.Semaphore] = {}

    async def get(self, path: str, params: Mapping[str, Any] | None = None) -> bytes:
        """Return the body of an answer with status 200. Redirects are refusals: no API answers with one.

        Raises:
            IndexerError: there was no such answer.
        """
        try:
            async with self._http.stream("GET", path, params=params) as response:
                if response.status_code != httpx.codes.OK:
                    raise await _refusal(response)
                return await body_of(response, largest=LARGEST_ANSWER)
        except httpx.TimeoutException as error:
            raise IndexerError("timed out") from error
        except httpx.ConnectError as error:
            raise IndexerError("is not reachable") from error
        except httpx.HTTPError as error:
            raise IndexerError("broke the connection off") from error

    async def resolve(self, found: Announcement) -> Announcement | None:
        """Follow the download link of *found* to an infohash and trackers; None where it leads to neither.

        Only links to the configured host itself are followed, and redirects by hand: a `magnet:` target is read
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
        metainfo = read_metainfo(await body_of(response, largest=LARGEST_TORRENT))
        return replace(
            found,
            infohash=metainfo.hashes.infohash,
            v2=metainfo.hashes.v2,
            trackers=safe_trackers(metainfo.trackers, hosts=self._hosts),
            web_seeded=has_web_seeds(metainfo.web_seeds, hosts=self._hosts),
            download_url="",
        )

    def _from_magnet(self, found: Announcement, text: str) -> Announcement | None:
        magnet = parse_magnet(text)
        if magnet is None:
            return None
        return replace(
            found,
            infohash=magnet.hashes.infohash,
            v2=magnet.hashes.v2,
            trackers=safe_trackers(magnet.trackers, hosts=self._hosts),
            web_seeded=has_web_seeds(magnet.web_seeds, hosts=self._hosts),
            download_url="",
        )


async def body_of(response: httpx.Response, *, largest: int) -> bytes:
    """Return an answer's body; raises IndexerError if it has more than *largest* bytes."""
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > largest:
            raise IndexerError(f"the answer is larger than {largest // 2**20} MiB")
    return bytes(body)


async def _refusal(response: httpx.Response) -> IndexerError:
    status = response.status_code
    match status:
        case 401 | 403:
            return Misconfigured(f"refuses the API key (HTTP {status})", status=status)
        case 429 | 503:
            wait = _retry_after(response)
            asks = "asks to wait" if wait is None else f"asks to wait {wait.total_seconds():.0f} s"
            text = "HTTP 503" if wait is None and status == 503 else f"{asks} (HTTP {status})"
            return IndexerError(text, retry_after=wait, status=status)
        case _ if response.is_redirect:
            return IndexerError(f"redirects instead of answering (HTTP {status})", status=status)
        case _:
            return IndexerError(f"HTTP {status}", status=status, body=await _beginning(response))


async def _beginning(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) >= LARGEST_REFUSAL:
            break
    return bytes(body[:LARGEST_REFUSAL])


def _retry_after(response: httpx.Response) -> timedelta | None:
    """Read `Retry-After`, seconds or a date (RFC 9110, 10.2.3)."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return timedelta(seconds=int(text)) if len(text) < 8 else None
    try:
        until = parsedate_to_datetime(text)
        return max(timedelta(0), until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC))
    except (ValueError, OverflowError):
        return None


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, port


@asynccontextmanager
async def upstream(
    base: str, *, deadline: timedelta, hosts: TrackerHosts, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Upstream]:
    """Open a client for the address *base*; no single wait of it is longer than *deadline*."""
    async with httpx.AsyncClient(
        base_url=base,
        headers={"User-Agent": "NovaStream/0.1 (self-hosted)", "Accept-Encoding": "identity", **(headers or {})},
        timeout=deadline.total_seconds(),
        limits=httpx.Limits(max_connections=64, max_keepalive_connections=16),
        follow_redirects=False,
        trust_env=False,
    ) as http:
        yield Upstream(http, hosts=hosts)

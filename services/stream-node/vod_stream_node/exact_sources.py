"""Fetches a .torrent from where a magnet says that it is (`xs`).

A torrent that lives from web seeds alone has no peer that could tell what is in it. The address is a stranger's: only
public hosts are asked, at the very address that was checked, for 3 MiB at most, and what comes counts only if it is the
torrent that was asked for. Nothing is fetched where the owner wants all traffic to go through a proxy or by an address
of his, which only libtorrent knows how to do.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
from structlog.typing import FilteringBoundLogger

from vod_stream_node.domain import Infohash, short
from vod_stream_node.errors import TorrentInvalid
from vod_stream_node.magnets import MAX_TORRENT_BYTES, Origin, Reach, with_torrent
from vod_stream_node.network import Network
from vod_web.public import PublicTransport

EXACT_SOURCE_FAILED = "exact_source_failed"

_LONGEST = timedelta(seconds=3)
_FOR_THE_SWARM = timedelta(milliseconds=500)
"""Kept of the caller's time: peers may tell what the source did not."""
_MOST_REDIRECTS = 5


class ExactSources:
    """The .torrents of torrents that this node does not know yet."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        reach: Reach,
        known: Callable[[Infohash], Awaitable[bool]],
        log: FilteringBoundLogger,
    ) -> None:
        self._http = http
        self._reach = reach
        self._known = known
        self._log = log

    async def complete(self, asked: Origin, *, within: timedelta) -> Origin:
        """Return it with the .torrent's content, if that is needed and can be had; else as it is."""
        seconds = min(_LONGEST, within - _FOR_THE_SWARM).total_seconds()
        if asked.torrent or not asked.exact_sources or seconds <= 0 or await self._known(asked.infohash):
            return asked
        try:
            async with asyncio.timeout(seconds):
                for address in asked.exact_sources:
                    if found := await self._fetch(asked, address):
                        return found
        except TimeoutError:
            self._failed(asked, "timed out")
        return asked

    async def _fetch(self, asked: Origin, address: str) -> Origin | None:
        try:
            torrent = await self._body(address)
            return await asyncio.to_thread(with_torrent, asked, torrent, reach=self._reach)
        except (httpx.HTTPError, httpx.InvalidURL, TorrentInvalid) as error:
            self._failed(asked, str(error) if isinstance(error, TorrentInvalid) else type(error).__name__)
            return None

    async def _body(self, address: str) -> bytes:
        body = bytearray()
        async with self._http.stream("GET", address) as response:
            response.raise_for_status()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > MAX_TORRENT_BYTES:
                    raise TorrentInvalid("The .torrent is too large.")
        return bytes(body)

    def _failed(self, asked: Origin, reason: str) -> None:
        # Without the address, which may be signed.
        self._log.warning(EXACT_SOURCE_FAILED, infohash=short(asked.infohash), reason=reason)


@asynccontextmanager
async def exact_sources(
    network: Network, *, reach: Reach, known: Callable[[Infohash], Awaitable[bool]], log: FilteringBoundLogger
) -> AsyncIterator[ExactSources]:
    """Open what fetches .torrents, until the context is left."""
    transport: httpx.AsyncBaseTransport = httpx.AsyncHTTPTransport()
    if not network.goes_the_usual_way:
        transport = _Nowhere()
    elif reach is Reach.PUBLIC:
        transport = PublicTransport(transport, allowed=frozenset())
    async with httpx.AsyncClient(
        transport=transport,
        headers={"User-Agent": "NovaStream/0.1 (self-hosted)", "Accept-Encoding": "identity"},
        timeout=_LONGEST.total_seconds(),
        follow_redirects=True,
        max_redirects=_MOST_REDIRECTS,
        trust_env=False,
    ) as http:
        yield ExactSources(http, reach=reach, known=known, log=log)


class _Nowhere(httpx.AsyncBaseTransport):
    """Fetches nothing."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.UnsupportedProtocol("Nothing is fetched beside the engine's proxy.", request=request)

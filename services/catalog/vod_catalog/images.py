"""Posters and backdrops through us, so that viewers' browsers meet no third party and a CDN may keep them."""

from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from vod_catalog.domain import Series
from vod_catalog.errors import ImageNotFound, UpstreamUnavailable
from vod_web.public import NotPublicError

_MAX_BYTES = 3 * 1024 * 1024
_TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "image/avif"})


class ImageKind(Enum):
    """Which picture."""

    POSTER = "poster"
    BACKDROP = "backdrop"


@dataclass(frozen=True, slots=True)
class Image:
    """A picture's bytes."""

    content_type: str
    data: bytes


class Titles(Protocol):
    """Titles, as `Titles` has them."""

    async def series(self, series_id: str) -> Series: ...


@asynccontextmanager
async def image_http(transport: httpx.AsyncBaseTransport) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client that follows a few redirects, as the Archive's thumbnails need; *transport* guards every hop."""
    headers = {"user-agent": "NovaStream/0.1"}
    async with httpx.AsyncClient(
        transport=transport, headers=headers, timeout=8.0, follow_redirects=True, max_redirects=3
    ) as http:
        yield http


class Images:
    """The use case. Only *hosts* are asked, the providers' own, and where they redirect to."""

    def __init__(self, titles: Titles, http: httpx.AsyncClient, *, hosts: Set[str]) -> None:
        self._titles = titles
        self._http = http
        self._hosts = hosts

    async def get(self, series_id: str, kind: ImageKind) -> Image:
        """Return a picture.

        Raises:
            ImageNotFound, UpstreamUnavailable, and as `Titles.series`.
        """
        series = await self._titles.series(series_id)
        url = series.poster_url if kind is ImageKind.POSTER else series.backdrop_url
        if urlsplit(url).netloc not in self._hosts:
            raise ImageNotFound(f"{series.title} has no {kind.value}.", metadata={"series_id": series_id})
        try:
            async with self._http.stream("GET", url) as response:
                content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
                if response.status_code != httpx.codes.OK or content_type not in _TYPES:
                    raise ImageNotFound(f"{series.title} has no {kind.value}.", metadata={"series_id": series_id})
                return Image(content_type, await _body(response))
        except NotPublicError as error:
            raise ImageNotFound(f"The image is refused: {error}", metadata={"series_id": series_id}) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UpstreamUnavailable("The image's host does not answer.") from error


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MAX_BYTES:
            raise UpstreamUnavailable("The image is too large.")
    return bytes(body)

"""Fetching from addresses that strangers wrote down: public hosts only, checked at every hop, and never too much.

A name is resolved once and the connection goes to the very address that was checked, so that a name that changes its
mind in between (DNS rebinding) gains nothing.
"""

import asyncio
from collections.abc import Mapping, Set
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx

from vod_sources.errors import SourceRefused
from vod_web.public import NotPublicError, Resolve, public_address

_LONGEST_NUMBER = 15
"""Digits of a size in bytes."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_HOPS = 5
_READ_OVER = 32 * 1024 * 1024
"""How much of an answer is thrown away to reach its middle, where a host does not know ranges."""
_SECRET_HEADERS = frozenset({"cookie", "authorization"})
_NOT_OURS = frozenset({"host", "content-length", "connection", "transfer-encoding", "range", "accept-encoding"})


class UnwellError(Exception):
    """The host answers with an error, or not at all; `status` is 0 where it said nothing.

    `problem` is a sentence for the operator, where one helps.
    """

    def __init__(self, status: int = 0, *, problem: str = "") -> None:
        super().__init__(problem or f"status {status}")
        self.status = status
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer; *offset* and *total* tell which part of the whole the body is, *url* where it came from."""

    body: bytes
    content_type: str
    offset: int
    total: int
    url: str
    is_part: bool = False
    """The host knows ranges."""


class Guard:
    """A client for addresses that strangers wrote down; *allowed* are private `host:port`s that the operator named."""

    def __init__(self, http: httpx.AsyncClient, *, resolve: Resolve, allowed: Set[str], seconds: float = 8.0) -> None:
        self._http = http
        self._resolve = resolve
        self._allowed = allowed
        self._seconds = seconds

    async def fetch(
        self, url: str, *, headers: Mapping[str, str], most: int, first: int | None = None, last: int | None = None
    ) -> Fetched:
        """Return a whole answer of at most *most* bytes, or its bytes *first* to *last*; none where it ends before.

        Raises:
            SourceRefused: the address, or one that it redirects to, is not public, or the answer is too large.
            UnwellError: it could not be fetched.
        """
        sent = {name: value for name, value in headers.items() if name.lower() not in _NOT_OURS}
        if first is not None:
            sent["Range"] = f"bytes={first}-{'' if last is None else last}"
        sent["Accept-Encoding"] = "identity"
        try:
            async with asyncio.timeout(self._seconds):
                return await self._follow(url, sent, most=most, first=first, last=last)
        except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise UnwellError from error

    async def _follow(
        self, url: str, headers: dict[str, str], *, most: int, first: int | None, last: int | None
    ) -> Fetched:
        for _ in range(_MOST_HOPS + 1):
            request = await self._request(url, headers)
            response = await self._http.send(request, stream=True)
            try:
                location = response.headers.get("location")
                if response.status_code not in _REDIRECTS or not location:
                    return await _read(response, url, most=most, first=first, last=last)
            finally:
                await response.aclose()
            target = urljoin(url, location)
            if urlsplit(target)[:2] != urlsplit(url)[:2]:
                headers = {name: value for name, value in headers.items() if name.lower() not in _SECRET_HEADERS}
            url = target
        raise SourceRefused(f"The source redirects more than {_MOST_HOPS} times.")

    async def _request(self, url: str, headers: Mapping[str, str]) -> httpx.Request:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
            raise SourceRefused(f"A source may not lead to a {parts.scheme or 'nameless'}: address.")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        if f"{parts.hostname}:{port}" in self._allowed:
            return self._http.build_request("GET", url, headers=headers)
        try:
            address = await public_address(parts.hostname, port, resolve=self._resolve)
        except NotPublicError:
            raise SourceRefused("The source leads to an address that is not public.") from None
        pinned = httpx.URL(url).copy_with(host=address)
        named = {**headers, "Host": parts.netloc}
        return self._http.build_request("GET", pinned, headers=named, extensions={"sni_hostname": parts.hostname})


async def _read(response: httpx.Response, url: str, *, most: int, first: int | None, last: int | None) -> Fetched:
    status = response.status_code
    content_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if first is not None and status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        return Fetched(b"", content_type, first, _total(response, 0), url, is_part=True)
    if status not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        raise UnwellError(status)
    is_part = status == httpx.codes.PARTIAL_CONTENT
    if first is None or is_part:
        if is_part and _begin(response) != (first or 0):
            raise UnwellError(status)
        body = await _body(response, most=most)
        offset = first or 0
        total = _total(response, offset + len(body)) if is_part else len(body)
        return Fetched(body, content_type, offset, total, url, is_part=is_part)
    # The host does not know ranges: what comes before is read over.
    end = most if last is None else last + 1
    if end > _READ_OVER + most:
        raise SourceRefused("The source's host does not answer ranges, so that one can't jump in it.")
    body = await _beginning(response, length=end)
    total = int(response.headers.get("content-length") or len(body))
    return Fetched(body[first:end], content_type, first, total, url)


async def _body(response: httpx.Response, *, most: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > most:
            raise SourceRefused(f"The source answers with more than {most} bytes.")
    return bytes(body)


async def _beginning(response: httpx.Response, *, length: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) >= length:
            break
    return bytes(body[:length])


def _begin(response: httpx.Response) -> int | None:
    begin = response.headers.get("content-range", "").removeprefix("bytes ").partition("-")[0].strip()
    return int(begin) if begin.isdecimal() else None


def _total(response: httpx.Response, at_least: int) -> int:
    total = response.headers.get("content-range", "").rpartition("/")[2]
    return int(total) if total.isdecimal() and len(total) <= _LONGEST_NUMBER else at_least

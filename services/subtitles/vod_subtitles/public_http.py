"""HTTP to addresses that others chose: never to a machine of ours.

A name is resolved here, each of its addresses is looked at, and the connection goes to the address that was looked at:
a name that resolves to something else a moment later leads nowhere. Redirects are not followed by themselves.
"""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx

_DEADLINE = timedelta(seconds=10)
_MOST_REDIRECTS = 3


class ForbiddenAddressError(httpx.TransportError):
    """The address is not on the public internet, and nobody who runs this service named it."""


class PublicOnly(httpx.AsyncBaseTransport):
    """Connects to public addresses, and to the origins that the operator configured."""

    def __init__(self, inner: httpx.AsyncBaseTransport, *, trusted: frozenset[str]) -> None:
        self._inner = inner
        self._trusted = trusted

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.scheme not in {"http", "https"} or request.url.userinfo:
            raise ForbiddenAddressError("only plain http and https")
        if origin(request.url) in self._trusted:
            return await self._inner.handle_async_request(request)
        host = request.url.host
        address = await _public_address(host, request.url.port or (443 if request.url.scheme == "https" else 80))
        request.extensions = {**request.extensions, "sni_hostname": host}
        request.url = request.url.copy_with(host=address)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def _public_address(host: str, port: int) -> str:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpx.ConnectError("the name is unknown") from error
    addresses = [str(one[4][0]) for one in found]
    # All of them: which one would be taken is not ours to bet on.
    if not addresses or not all(is_public(address) for address in addresses):
        raise ForbiddenAddressError("not a public address")
    return addresses[0]


def is_public(address: str) -> bool:
    """Return whether an IP address is one on the public internet, also inside of an IPv6 one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    inner = ip.ipv4_mapped or ip.sixtofour if isinstance(ip, ipaddress.IPv6Address) else None
    return ip.is_global and not ip.is_multicast and (inner is None or inner.is_global)


def origin(url: httpx.URL) -> str:
    """Return scheme, host and port."""
    return f"{url.scheme}://{url.host}:{url.port or (443 if url.scheme == 'https' else 80)}"


@asynccontextmanager
async def public_http(*, trusted: frozenset[str]) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client that reaches public addresses and the *trusted* origins only."""
    transport = PublicOnly(httpx.AsyncHTTPTransport(), trusted=trusted)
    async with httpx.AsyncClient(
        transport=transport,
        timeout=_DEADLINE.total_seconds(),
        follow_redirects=True,
        max_redirects=_MOST_REDIRECTS,
        trust_env=False,
    ) as http:
        yield http

"""Fetching from the outside without being led inside: every hop goes to a public address, and to the one checked.

A name is resolved once and the connection goes to that very address, so that a name that changes its mind in between
(DNS rebinding) gains nothing. Redirects pass the same way, hop by hop.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence, Set
from ipaddress import IPv6Address, ip_address

import httpx

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class RefusedError(httpx.TransportError):
    """The address leads where nothing of ours may be fetched; the message says why."""


async def system_resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name, as the machine's resolver knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in found]


class PublicTransport(httpx.AsyncBaseTransport):
    """Lets requests to public hosts pass, and to those `host:port`s that the operator named."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, *, allowed: Set[str], resolve: Resolve = system_resolve
    ) -> None:
        self._inner = inner
        self._allowed = allowed
        self._resolve = resolve

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        if url.scheme not in {"http", "https"} or not url.host:
            raise RefusedError(f"A fetch may not lead to a {url.scheme or 'nameless'}: address.", request=request)
        if host_and_port(url) not in self._allowed:
            address = await self._public_address(request)
            request.extensions = {**request.extensions, "sni_hostname": url.host}
            # `Host` was set from the name when the request was made, and stays.
            request.url = url.copy_with(host=address)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _public_address(self, request: httpx.Request) -> str:
        host = request.url.host
        try:
            addresses: Sequence[str] = [str(ip_address(host))]
        except ValueError:
            try:
                addresses = await self._resolve(host, _port(request.url))
            except OSError as error:
                raise httpx.ConnectError(f"{host} has no address.", request=request) from error
        if not addresses or not all(is_public(one) for one in addresses):
            raise RefusedError(f"{host} leads to an address that is not public.", request=request)
        return addresses[0]


def is_public(address: str) -> bool:
    """Tell whether an address is anybody's on the internet, and not one that leads to a private one."""
    found = ip_address(address.partition("%")[0])
    inner = None
    if isinstance(found, IPv6Address):
        teredo = found.teredo
        inner = found.ipv4_mapped or found.sixtofour or (teredo[1] if teredo else None)
    return found.is_global and not found.is_multicast and (inner is None or inner.is_global)


def host_and_port(url: httpx.URL) -> str:
    """Return `host:port` of an address, the port also where it is the usual one."""
    return f"{url.host}:{_port(url)}"


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)

"""What is public, and how to go nowhere else.

A name is resolved once and the connection goes to the very address that was checked, so that a name that changes its
mind in between (DNS rebinding) gains nothing. Redirects pass the same way, hop by hop.
"""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence, Set
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

# IPv6 addresses that lead to an IPv4 one inside of them (RFC 6052).
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_INSIDE = (".local", ".localhost", ".internal", ".lan", ".home", ".home.arpa", ".corp")
_NUMERIC = re.compile(r"(?:(?:0x[0-9a-f]*|\d+)\.?)+")
"""Forms of IPv4 addresses that only some resolvers read: 2130706433, 127.1, 0x7f.0.0.1."""


class NotPublicError(httpx.TransportError):
    """The address leads where nothing of ours may be fetched; the message says why."""


def is_public(address: str) -> bool:
    """Tell whether an IP address is anybody's on the internet, and not one that leads to a private one."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        found = _embedded(found) or found
    return found.is_global and not found.is_multicast


def looks_public(host: str) -> bool:
    """Tell whether a host, an address or a name, looks like a public one, without asking DNS."""
    host = host.lower().rstrip(".")
    try:
        return is_public(host)
    except ValueError:
        return "." in host and not _NUMERIC.fullmatch(host) and not host.endswith(_INSIDE)


async def system_resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name, as the machine's resolver knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in found]


async def public_address(host: str, port: int, *, resolve: Resolve) -> str:
    """Return the address to connect to for a host.

    Raises:
        NotPublicError: one of its addresses is not public; which one would be taken is not ours to bet on.
        OSError: it has none.
    """
    try:
        addresses: Sequence[str] = [str(ip_address(host))]
    except ValueError:
        addresses = await resolve(host, port)
    if not addresses:
        raise OSError(f"{host} has no address.")
    if not all(map(is_public, addresses)):
        raise NotPublicError(f"{host} leads to an address that is not public.")
    return addresses[0]


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
        if url.scheme not in {"http", "https"} or not url.host or url.userinfo:
            raise NotPublicError(f"A fetch may not lead to a {url.scheme or 'nameless'}: address.", request=request)
        if host_and_port(url) not in self._allowed:
            try:
                address = await public_address(url.host, _port(url), resolve=self._resolve)
            except OSError as error:
                raise httpx.ConnectError(f"{url.host} has no address.", request=request) from error
            request = _to(address, request)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def host_and_port(url: httpx.URL) -> str:
    """Return `host:port` of an address, the port also where it is the usual one."""
    return f"{url.host}:{_port(url)}"


def _to(address: str, request: httpx.Request) -> httpx.Request:
    """Return the request to that very address; the client's own keeps the name, which redirects are relative to."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        # `Host` among them was set from the name.
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": request.url.host},
    )


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if any(address in one for one in _TRANSLATED):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)

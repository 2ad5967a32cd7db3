"""How the engine reaches the internet, as its owner wants it: by which address and proxy, how fast, and whom not."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import libtorrent as lt

Address = IPv4Address | IPv6Address
Span = tuple[Address, Address]
"""The first and the last address of a blocked range."""

_PROXIES = {
    ("socks5", False): lt.proxy_type_t.socks5,
    ("socks5", True): lt.proxy_type_t.socks5_pw,
    ("http", False): lt.proxy_type_t.http,
    ("http", True): lt.proxy_type_t.http_pw,
}
_LARGEST_ACCESS = 127
"""eMule's lists give each range a level; those below this are blocked."""


class Encryption(StrEnum):
    """Of the connections to peers."""

    PREFER = "prefer"
    REQUIRE = "require"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy through which everything goes, names of hosts too."""

    kind: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Network:
    """How to reach peers, trackers and web seeds."""

    bind: str = ""
    """Addresses or interfaces to go out by, separated by commas; empty: the system chooses."""
    proxy: Proxy | None = None
    encryption: Encryption = Encryption.PREFER
    dht: bool = True
    pex: bool = True
    lsd: bool = False
    download_bytes_per_second: int = 0
    upload_bytes_per_second: int = 0
    blocked: tuple[Span, ...] = ()

    @property
    def goes_the_usual_way(self) -> bool:
        """Whether connections go out as the system has it: by no proxy, and from no address that was named."""
        return self.proxy is None and not self.bind

    @property
    def allows_own_connections(self) -> bool:
        """Whether we may connect to peers by ourselves: plainly, as the system has it, and as fast as it goes."""
        plain = self.encryption is not Encryption.REQUIRE
        return self.goes_the_usual_way and plain and not self.download_bytes_per_second

    def narrow(self, params: Any) -> Any:
        """Leave out of libtorrent's `add_torrent_params` the trackers that can't be asked, and return it.

        An http proxy carries no UDP: libtorrent would ask nobody, but look their names up beside the proxy.
        """
        if self.proxy is not None and self.proxy.kind == "http":
            params.trackers = [tracker for tracker in params.trackers if not tracker.startswith("udp:")]
            params.tracker_tiers = [0] * len(params.trackers)
        return params

    def settings(self) -> dict[str, Any]:
        """Return libtorrent's settings for all this; the IP filter is not among them."""
        level = lt.enc_level.pe_rc4 if self.encryption is Encryption.REQUIRE else lt.enc_level.pe_both
        enabled, disabled, forced = lt.enc_policy.pe_enabled, lt.enc_policy.pe_disabled, lt.enc_policy.pe_forced
        policy = {Encryption.PREFER: enabled, Encryption.REQUIRE: forced, Encryption.OFF: disabled}[self.encryption]
        return {
            "outgoing_interfaces": self.bind,
            "out_enc_policy": int(policy),
            "in_enc_policy": int(policy),
            "allowed_enc_level": int(level),
            "prefer_rc4": False,
            "enable_dht": self.dht,
            "enable_lsd": self.lsd,
            "download_rate_limit": self.download_bytes_per_second,
            "upload_rate_limit": self.upload_bytes_per_second,
            **self._proxy_settings(),
        }

    def _proxy_settings(self) -> dict[str, Any]:
        if self.proxy is None:
            return {}
        return {
            "proxy_type": int(_PROXIES[self.proxy.kind, bool(self.proxy.user)]),
            "proxy_hostname": self.proxy.host,
            "proxy_port": self.proxy.port,
            "proxy_username": self.proxy.user,
            "proxy_password": self.proxy.password,
            "proxy_hostnames": True,
            "proxy_peer_connections": True,
            "proxy_tracker_connections": True,
            "socks5_udp_send_local_ep": False,
            # libtorrent asks the system for their addresses, not the proxy. Peers tell of DHT nodes, too.
            "dht_bootstrap_nodes": "",
        }


def read_proxy(url: str) -> Proxy | None:
    """Return the proxy of a URL like `socks5://user:password@host:1080`; None for an empty one.

    Raises:
        ValueError: it is no such URL.
    """
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"socks5", "http"} or not parts.hostname or parts.port is None:
        raise ValueError("a proxy is socks5://[user:password@]host:port or http://…")
    return Proxy(parts.scheme, parts.hostname, parts.port, unquote(parts.username or ""), unquote(parts.password or ""))


def read_filter(path: Path) -> tuple[Span, ...]:
    """Return the ranges that a list blocks: networks (`10.0.0.0/8`), PeerGuardian's or eMule's lines, mixed.

    Raises:
        OSError: it can't be read.
        ValueError: a line is none of these.
    """
    with path.open(encoding="utf-8", errors="replace") as lines:
        return tuple(_spans(lines))


def _spans(lines: Iterable[str]) -> Iterator[Span]:
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith(("#", "//")):
            continue
        try:
            span = _span(text)
        except ValueError:
            raise ValueError(f"line {number} of the IP filter is no range of addresses") from None
        if span is not None:
            yield span


def _span(text: str) -> Span | None:
    if "-" not in text:
        network = ip_network(text, strict=False)
        return network[0], network[-1]
    addresses, *columns = text.split(",")
    if columns and int(columns[0]) > _LARGEST_ACCESS:
        return None  # eMule: listed, and allowed
    first, _, last = addresses.rpartition("-")
    # PeerGuardian puts a name and a colon first; an IPv6 address has colons, too.
    begin = first.rpartition(":")[2] if "." in last else first
    span = ip_address(_plain(begin)), ip_address(_plain(last))
    if span[0].version != span[1].version:
        raise ValueError("of two kinds")
    return span


def _plain(address: str) -> str:
    """Return an address without the zeros that eMule writes before numbers."""
    parts = address.strip().split(".")
    return ".".join(str(int(part)) for part in parts) if len(parts) == 4 else address.strip()

"""Magnet links and .torrent files from strangers, rebuilt from the parts that are safe.

They can carry trackers, web seeds and peers at addresses inside our own network, and files to select. Only the
infohashes (v1 of BEP 3, v2 of BEP 52), the display name, public trackers, public web seeds (BEP 19) and public
addresses of the .torrent itself (`xs`, see `exact_sources.py`) survive.
"""

import base64
import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import libtorrent as lt

from vod_stream_node.domain import Infohash, parse_infohash
from vod_stream_node.errors import InfohashInvalid, MagnetInvalid, TorrentInvalid
from vod_web.public import looks_public

MAX_TORRENT_BYTES = 3 << 20
_TORRENT_LIMITS: Any = {
    "max_buffer_size": MAX_TORRENT_BYTES,
    "max_pieces": 1 << 18,
    "max_decode_depth": 30,
    "max_decode_tokens": 500_000,
}
_MAX_MAGNET = 16_384
_MAX_WEB_SEEDS = 10
_MAX_EXACT_SOURCES = 2
_MAX_TRACKERS = 30
_MAX_TRACKER = 512
_MAX_NAME = 200


class Reach(Enum):
    """Where trackers, peers and web seeds may be."""

    PUBLIC = "public"
    ANYWHERE = "anywhere"


PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/3",
        "::/127",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
    )
)
"""Networks in which no stranger's tracker, peer or web seed has any business (RFC 6890)."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The infohashes that a torrent goes by; hybrid torrents have both."""

    v1: str = ""
    """SHA-1, 40 hex digits."""
    v2: str = ""
    """SHA-256, 64 hex digits."""

    @property
    def names(self) -> set[str]:
        """What the torrent may be called here: BEP 52 cuts a v2 infohash to the length of a v1 where only that fits."""
        return {name for name in (self.v1, self.v2[:40]) if name}

    @property
    def infohash(self) -> Infohash:
        return Infohash(self.v1 or self.v2[:40])


@dataclass(frozen=True, slots=True)
class Origin:
    """A torrent, and how to ask for it."""

    infohash: Infohash
    magnet: str = field(repr=False)
    """Rebuilt; secret, trackers may carry a passkey."""
    torrent: bytes = field(default=b"", repr=False)
    """A .torrent's content, if that was given."""
    title: str = ""
    exact_sources: tuple[str, ...] = field(default=(), repr=False)
    """Where the .torrent is, if the magnet says so."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What of a magnet is used."""

    topics: Topics
    name: str = ""
    trackers: Sequence[str] = ()
    web_seeds: Sequence[str] = ()
    exact_sources: Sequence[str] = ()

    def usable(self, reach: Reach) -> "_Parts":
        """Return it without addresses that must not be reached."""
        return replace(
            self,
            trackers=_usable(self.trackers, reach),
            web_seeds=_on_the_web(_usable(self.web_seeds, reach)),
            exact_sources=_on_the_web(_usable(self.exact_sources, reach))[:_MAX_EXACT_SOURCES],
        )


def rebuild(magnet: str, infohash: Infohash, *, reach: Reach) -> str:
    """Return a magnet for *infohash* with nothing else from *magnet* than its name and addresses that may be reached.

    An empty *magnet* is one without trackers.

    Raises:
        MagnetInvalid: it is no magnet, too long, or names another torrent.
    """
    if not magnet:
        return _written(_Parts(Topics(v1=infohash)))
    return _written(_usable_parts(magnet, infohash, reach))


def origin(infohash: str, magnet: str, torrent: bytes, *, reach: Reach) -> Origin:
    """Return how to ask for the torrent that a caller names in any of three ways; a bare infohash is a magnet, too.

    Blocks while a .torrent is read.

    Raises:
        InfohashInvalid, MagnetInvalid, TorrentInvalid: one of them is wrong, or they contradict each other.
    """
    name = parse_infohash(infohash) if infohash else None
    if torrent:
        return _of_torrent(torrent, name, reach)
    if not magnet and name is None:
        raise InfohashInvalid("Name a torrent: by infohash, magnet or .torrent.")
    if not magnet:
        assert name is not None  # noqa: S101  said above
        return Origin(name, rebuild("", name, reach=reach))
    parts = _usable_parts(_of_bare(magnet), name, reach)
    return Origin(
        name or parts.topics.infohash,
        _written(parts),
        title=parts.name,
        exact_sources=tuple(parts.exact_sources),
    )


def with_torrent(asked: Origin, torrent: bytes, *, reach: Reach) -> Origin:
    """Return a torrent that was asked for by a magnet with its .torrent, and with the trackers and seeds of both.

    Blocks while the .torrent is read.

    Raises:
        TorrentInvalid: that is no .torrent, or one of another torrent.
    """
    found = _of_torrent(torrent, asked.infohash, reach)
    first, second = _parts(asked.magnet), _parts(found.magnet)
    both = replace(
        first,
        trackers=list(dict.fromkeys([*first.trackers, *second.trackers])),
        web_seeds=list(dict.fromkeys([*first.web_seeds, *second.web_seeds])),
    )
    return replace(asked, magnet=_written(both), torrent=torrent)


def _of_bare(text: str) -> str:
    if re.fullmatch(r"[0-9a-fA-F]{40}|[a-zA-Z2-7]{32}", text):
        return f"magnet:?xt=urn:btih:{text}"
    return f"magnet:?xt=urn:btmh:1220{text}" if re.fullmatch(r"[0-9a-fA-F]{64}", text) else text


def _of_torrent(torrent: bytes, name: Infohash | None, reach: Reach) -> Origin:
    params = read_torrent(torrent)
    hashes = params.info_hashes
    topics = Topics(
        v1=str(hashes.v1) if hashes.has_v1() else "",
        v2=str(hashes.v2) if hashes.has_v2() else "",
    )
    if name is not None and name not in topics.names:
        raise TorrentInvalid("The .torrent is of another infohash.")
    title = _clean(params.ti.name())
    parts = _Parts(topics, title, params.trackers, params.url_seeds).usable(reach)
    return Origin(name or topics.infohash, _written(parts), torrent, title)


def read_torrent(torrent: bytes) -> Any:
    """Return libtorrent's `add_torrent_params` of a .torrent's content; blocks.

    Raises:
        TorrentInvalid: it is too large, or no .torrent.
    """
    if len(torrent) > MAX_TORRENT_BYTES:
        raise TorrentInvalid("The .torrent is too large.", metadata={"limit": str(MAX_TORRENT_BYTES)})
    try:
        return lt.load_torrent_buffer(torrent, _TORRENT_LIMITS)
    except RuntimeError:  # what the binding raises for everything that libtorrent can't read
        raise TorrentInvalid("That is not a .torrent file.") from None


def _written(parts: _Parts) -> str:
    topics = parts.topics
    words = [f"xt=urn:btih:{topics.v1}"] if topics.v1 else []
    words += [f"xt=urn:btmh:1220{topics.v2}"] if topics.v2 else []
    words += [f"dn={quote(parts.name, safe='')}"] if parts.name else []
    words += [f"tr={quote(tracker, safe='')}" for tracker in parts.trackers[:_MAX_TRACKERS]]
    words += [f"ws={quote(seed, safe='')}" for seed in parts.web_seeds[:_MAX_WEB_SEEDS]]
    words += [f"xs={quote(source, safe='')}" for source in parts.exact_sources]
    return "magnet:?" + "&".join(words)


def _usable_parts(magnet: str, infohash: Infohash | None, reach: Reach) -> _Parts:
    parts = _parts(magnet)
    if infohash is not None and infohash not in parts.topics.names:
        raise MagnetInvalid("The magnet does not name this infohash.")
    return parts.usable(reach)


def _parts(magnet: str) -> _Parts:
    """Return what a magnet says."""
    pairs = _pairs(magnet)

    def all_of(key: str) -> list[str]:
        return [value for name, value in pairs if re.fullmatch(rf"{key}(\.\d+)?", name)]

    names = [_clean(value) for name, value in pairs if name == "dn"]
    return _Parts(_topics(all_of("xt")), next(filter(None, names), ""), all_of("tr"), all_of("ws"), all_of("xs"))


def _pairs(magnet: str) -> list[tuple[str, str]]:
    if len(magnet) > _MAX_MAGNET or not magnet.lower().startswith("magnet:?"):
        raise MagnetInvalid("That is not a magnet link.")
    try:
        return parse_qsl(magnet[len("magnet:?") :], max_num_fields=200)
    except ValueError:
        raise MagnetInvalid("That is not a magnet link.") from None


def _topics(values: Iterable[str]) -> Topics:
    """Return the infohashes of a magnet; two of the same kind are a contradiction."""
    values = list(values)
    first = {found for value in values if (found := _btih(value))}
    second = {found for value in values if (found := _btmh(value))}
    if len(first) > 1 or len(second) > 1 or not first | second:
        raise MagnetInvalid("The magnet does not name one torrent.")
    return Topics(v1=next(iter(first), ""), v2=next(iter(second), ""))


def _btih(topic: str) -> str:
    value = topic[len("urn:btih:") :] if topic.lower().startswith("urn:btih:") else ""
    if re.fullmatch(r"[0-9a-fA-F]{40}", value):
        return value.lower()
    if re.fullmatch(r"[a-zA-Z2-7]{32}", value):
        return base64.b32decode(value.upper()).hex()
    return ""


def _btmh(topic: str) -> str:
    """Return a v2 infohash; it is a multihash, and 1220 says SHA-256."""
    found = re.fullmatch(r"urn:btmh:1220([0-9a-f]{64})", topic.lower())
    return found[1] if found else ""


def _clean(name: str) -> str:
    return "".join(letter for letter in name if letter.isprintable())[:_MAX_NAME].strip()


def _usable(addresses: Iterable[str], reach: Reach) -> list[str]:
    """Return the addresses of trackers or web seeds that may be reached, each once."""
    return [address for address in dict.fromkeys(addresses) if _is_usable(address, reach)]


def _on_the_web(addresses: Iterable[str]) -> list[str]:
    return [address for address in addresses if not address.startswith("udp:")]


def _is_usable(address: str, reach: Reach) -> bool:
    if len(address) > _MAX_TRACKER or not address.isascii() or not address.isprintable():
        return False
    try:
        url = urlsplit(address)
        host, _ = url.hostname, url.port
    except ValueError:
        return False
    if url.scheme not in {"http", "https", "udp"} or not host:
        return False
    return reach is Reach.ANYWHERE or looks_public(host)

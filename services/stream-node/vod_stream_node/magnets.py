"""Magnet links and .torrent files from strangers, rebuilt from the parts that are safe.

They can carry trackers, web seeds and peers at addresses inside our own network, and files to select. Only the
infohashes (v1 of BEP 3, v2 of BEP 52), the display name, public trackers and public web seeds (BEP 19) survive.
"""

import base64
import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
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


def rebuild(magnet: str, infohash: Infohash, *, reach: Reach) -> str:
    """Return a magnet for *infohash* with nothing else from *magnet* than its name, usable trackers and web seeds.

    An empty *magnet* is one without trackers.

    Raises:
        MagnetInvalid: it is no magnet, too long, or names another torrent.
    """
    if not magnet:
        return _written(Topics(v1=infohash), "", (), ())
    topics, name, trackers, web_seeds = _parts(magnet)
    if infohash not in topics.names:
        raise MagnetInvalid("The magnet does not name this infohash.")
    return _written(topics, name, _usable(trackers, reach), _usable(web_seeds, reach))


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
    magnet = _of_bare(magnet)
    title = ""
    if magnet:
        topics, title, _, _ = _parts(magnet)
        name = name or topics.infohash
    assert name is not None  # noqa: S101  there is a magnet, or there was an infohash
    return Origin(name, rebuild(magnet, name, reach=reach), title=title)


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
    magnet = _written(topics, title, _usable(params.trackers, reach), _usable(params.url_seeds, reach))
    return Origin(name or topics.infohash, magnet, torrent, title)


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


def _written(topics: Topics, name: str, trackers: Sequence[str], web_seeds: Sequence[str]) -> str:
    parts = [f"xt=urn:btih:{topics.v1}"] if topics.v1 else []
    parts += [f"xt=urn:btmh:1220{topics.v2}"] if topics.v2 else []
    parts += [f"dn={quote(name, safe='')}"] if name else []
    parts += [f"tr={quote(tracker, safe='')}" for tracker in trackers[:_MAX_TRACKERS]]
    parts += [f"ws={quote(seed, safe='')}" for seed in web_seeds[:_MAX_WEB_SEEDS] if not seed.startswith("udp:")]
    return "magnet:?" + "&".join(parts)


def _parts(magnet: str) -> tuple[Topics, str, list[str], list[str]]:
    """Return a magnet's infohashes, name, trackers and web seeds."""
    pairs = _pairs(magnet)
    topics = _topics([value for key, value in pairs if re.fullmatch(r"xt(\.\d+)?", key)])
    names = [_clean(value) for key, value in pairs if key == "dn"]
    trackers = [value for key, value in pairs if re.fullmatch(r"tr(\.\d+)?", key)]
    web_seeds = [value for key, value in pairs if re.fullmatch(r"ws(\.\d+)?", key)]
    return topics, next(filter(None, names), ""), trackers, web_seeds


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

"""Magnet links from strangers, rebuilt from the parts that are safe.

A magnet can carry trackers, web seeds and peers at addresses inside our own network, and files to select. Only the
infohash, the display name and public trackers survive.
"""

import base64
import ipaddress
import re
from enum import Enum
from urllib.parse import parse_qsl, quote, urlsplit

from vod_stream_node.domain import Infohash
from vod_stream_node.errors import MagnetInvalid

_MAX_MAGNET = 16_384
_MAX_TRACKERS = 30
_MAX_TRACKER = 512
_MAX_NAME = 200
_LOCAL_NAMES = ("localhost", "local", "internal", "lan", "home.arpa")


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


def rebuild(magnet: str, infohash: Infohash, *, reach: Reach) -> str:
    """Return a magnet for *infohash* with nothing else from *magnet* than its name and usable trackers.

    An empty *magnet* is one without trackers.

    Raises:
        MagnetInvalid: it is no magnet, too long, or names another torrent.
    """
    pairs = _pairs(magnet) if magnet else []
    topics = {topic for key, value in pairs if key == "xt" and (topic := _btih(value))}
    if magnet and topics != {infohash}:
        raise MagnetInvalid("The magnet does not name this infohash.")
    names = [_clean(value) for key, value in pairs if key == "dn"]
    trackers = [value for key, value in pairs if (key == "tr" or re.fullmatch(r"tr\.\d+", key))]
    usable = dict.fromkeys(tracker for tracker in trackers if _usable(tracker, reach))
    parts = [f"xt=urn:btih:{infohash}"]
    parts += [f"dn={quote(name, safe='')}" for name in names[:1] if name]
    parts += [f"tr={quote(tracker, safe='')}" for tracker in list(usable)[:_MAX_TRACKERS]]
    return "magnet:?" + "&".join(parts)


def _pairs(magnet: str) -> list[tuple[str, str]]:
    if len(magnet) > _MAX_MAGNET or not magnet.lower().startswith("magnet:?"):
        raise MagnetInvalid("That is not a magnet link.")
    try:
        return parse_qsl(magnet[len("magnet:?") :], max_num_fields=200)
    except ValueError:
        raise MagnetInvalid("That is not a magnet link.") from None


def _btih(topic: str) -> Infohash | None:
    value = topic[len("urn:btih:") :] if topic.lower().startswith("urn:btih:") else ""
    if re.fullmatch(r"[0-9a-fA-F]{40}", value):
        return Infohash(value.lower())
    if re.fullmatch(r"[a-zA-Z2-7]{32}", value):
        return Infohash(base64.b32decode(value.upper()).hex())
    return None


def _clean(name: str) -> str:
    return "".join(letter for letter in name if letter.isprintable())[:_MAX_NAME].strip()


def _usable(tracker: str, reach: Reach) -> bool:
    if len(tracker) > _MAX_TRACKER or not tracker.isascii() or not tracker.isprintable():
        return False
    try:
        url = urlsplit(tracker)
        host, _ = url.hostname, url.port
    except ValueError:
        return False
    if url.scheme not in {"http", "https", "udp"} or not host:
        return False
    return reach is Reach.ANYWHERE or not _is_local(host)


def _is_local(host: str) -> bool:
    """Say whether a host is plainly not on the internet; names that only resolve there are for the IP filter."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # The forms 2130706433, 0x7f.1 and 0177.1 are addresses to a resolver.
        numeric = re.fullmatch(r"(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+))*\.?", host)
        return bool(numeric) or "." not in host.rstrip(".") or host.rstrip(".").endswith(_LOCAL_NAMES)
    return any(address in network for network in PRIVATE_NETWORKS)

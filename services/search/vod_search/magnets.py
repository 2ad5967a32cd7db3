"""Infohashes and magnet links: read from what indexers publish, rebuilt from nothing but what is known to be harmless.

A published magnet may point the torrent engine anywhere (`ws=`, `x.pe=`), so ours are made of xt, dn and tr only.
"""

import base64
import enum
import html
import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit

from vod_search.domain import Infohash

LONGEST_MAGNET = 16 * 1024
MOST_TRACKERS = 30
LONGEST_TRACKER = 300
LONGEST_NAME = 200
TRACKER_SCHEMES = ("http", "https", "udp", "wss")
PRIVATE_SUFFIXES = (".local", ".localhost", ".internal", ".lan", ".home", ".home.arpa", ".corp")
HEX = re.compile(r"[0-9a-f]{40}")
NUMERIC_HOST = re.compile(r"(?:(?:0x[0-9a-f]*|\d+)\.?)+")  # forms that only some resolvers read: 127.1, 0x7f000001
BASE32 = re.compile(r"[a-z2-7]{32}")


class TrackerHosts(enum.Enum):
    """Which hosts a tracker may be on."""

    PUBLIC = "public"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Magnet:
    """What of a magnet link is used."""

    infohash: Infohash
    trackers: frozenset[str]


def parse_infohash(text: str) -> Infohash | None:
    """Read a v1 infohash, 40 hex digits or 32 of base32 in any case; None for anything else and for all zeros."""
    text = text.strip().lower()
    if BASE32.fullmatch(text):
        text = base64.b32decode(text.upper()).hex()
    if not HEX.fullmatch(text) or not text.strip("0"):
        return None
    return Infohash(text)


def parse_magnet(text: str) -> Magnet | None:
    """Read a magnet link (BEP 9); None if it has no v1 infohash or is longer than 16 KiB."""
    text = html.unescape(text.strip()) if len(text) <= LONGEST_MAGNET else ""
    if not text.lower().startswith("magnet:?"):
        return None
    try:
        fields = parse_qs(text[len("magnet:?") :], max_num_fields=500, errors="replace")
    except ValueError:
        return None
    topics = (
        topic.lower().removeprefix("urn:btih:")
        for topic in fields.get("xt", ())
        if topic.lower().startswith("urn:btih:")
    )
    infohash = next((found for topic in topics if (found := parse_infohash(topic))), None)
    return Magnet(infohash, frozenset(fields.get("tr", ()))) if infohash else None


def build_magnet(infohash: Infohash, name: str, trackers: Iterable[str]) -> str:
    """Make a magnet link of xt, dn and tr, with the trackers in a stable order."""
    parts = [f"magnet:?xt=urn:btih:{infohash}", f"dn={quote(name[:LONGEST_NAME], safe='')}"]
    parts += [f"tr={quote(tracker, safe='')}" for tracker in sorted(trackers)]
    return "&".join(parts)


def safe_trackers(urls: Iterable[str], *, hosts: TrackerHosts) -> frozenset[str]:
    """Keep at most 30 trackers that are http, https, udp or wss and on an allowed host."""
    good = sorted({url.strip() for url in urls if len(url) <= LONGEST_TRACKER and _is_tracker(url.strip(), hosts)})
    return frozenset(good[:MOST_TRACKERS])


def _is_tracker(url: str, hosts: TrackerHosts) -> bool:
    if not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.scheme not in TRACKER_SCHEMES or not host:
        return False
    return hosts is TrackerHosts.ANY or is_public_host(host)


def is_public_host(host: str) -> bool:
    """Tell whether *host* looks like a public one, without asking DNS."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    if NUMERIC_HOST.fullmatch(host.lower()):
        return False
    return "." in host and not host.rstrip(".").endswith(PRIVATE_SUFFIXES)

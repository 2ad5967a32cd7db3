"""Infohashes and magnet links: read from what indexers publish, rebuilt from nothing but what is known to be harmless.

A published magnet may point the torrent engine anywhere (`ws=`, `xs=`, `x.pe=`), so ours are made of xt, dn and tr
only, and of web seeds and the address of a .torrent where we know them by ourselves.
"""

import base64
import enum
import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit

from vod_search.domain import Hashes, Infohash
from vod_web.public import looks_public

LONGEST_MAGNET = 16 * 1024
MOST_TRACKERS = 30
LONGEST_TRACKER = 300
LONGEST_NAME = 200
TRACKER_SCHEMES = ("http", "https", "udp", "wss")
HEX = re.compile(r"[0-9a-f]{40}")
MULTIHASH = re.compile(r"(?:urn:)?(?:btmh:)?1220([0-9a-f]{64})")  # 12: SHA-256, 20: of 32 bytes
BASE32 = re.compile(r"[a-z2-7]{32}")


class TrackerHosts(enum.Enum):
    """Which hosts a tracker may be on."""

    PUBLIC = "public"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Magnet:
    """What of a magnet link is used."""

    hashes: Hashes
    trackers: frozenset[str] = frozenset()
    web_seeds: frozenset[str] = frozenset()


def parse_hashes(text: str) -> Hashes | None:
    """Read an infohash of any form and case: 40 hex digits, 32 of base32, or the multihash of a v2 torrent.

    None for anything else, and for zeros.
    """
    text = text.strip().lower().removeprefix("urn:btih:")
    if multihash := MULTIHASH.fullmatch(text):
        return hashes_of_v2(multihash[1])
    if BASE32.fullmatch(text):
        text = base64.b32decode(text.upper()).hex()
    if not HEX.fullmatch(text) or not text.strip("0"):
        return None
    return Hashes(Infohash(text))


def hashes_of_v2(digest: str) -> Hashes | None:
    """Name a torrent by the SHA-256 of its info dictionary, 64 hex digits; None for zeros."""
    return Hashes(Infohash(digest[:40]), digest) if digest[:40].strip("0") else None


def parse_magnet(text: str) -> Magnet | None:
    """Read a magnet link (BEP 9); None if it has no infohash or is longer than 16 KiB. A v1 hash goes before v2."""
    text = html.unescape(text.strip()) if len(text) <= LONGEST_MAGNET else ""
    if not text.lower().startswith("magnet:?"):
        return None
    try:
        fields = parse_qs(text[len("magnet:?") :], max_num_fields=500, errors="replace")
    except ValueError:
        return None
    topics = [found for topic in fields.get("xt", ()) if (found := parse_hashes(topic))]
    if not topics:
        return None
    hashes = min(topics, key=lambda one: bool(one.v2))
    return Magnet(hashes, frozenset(fields.get("tr", ())), frozenset(fields.get("ws", ())))


def build_magnet(
    hashes: Hashes, name: str, trackers: Iterable[str], *, web_seeds: Iterable[str] = (), exact_source: str = ""
) -> str:
    """Make a magnet link of what is known to be harmless, with trackers and web seeds in a stable order."""
    topic = f"urn:btmh:1220{hashes.v2}" if hashes.v2 else f"urn:btih:{hashes.infohash}"
    parts = [f"magnet:?xt={topic}", f"dn={quote(name[:LONGEST_NAME], safe='')}"]
    parts += [f"tr={quote(tracker, safe='')}" for tracker in sorted(trackers)]
    parts += [f"ws={quote(seed, safe='')}" for seed in sorted(web_seeds)]
    parts += [f"xs={quote(exact_source, safe='')}"] if exact_source else []
    return "&".join(parts)


def safe_trackers(urls: Iterable[str], *, hosts: TrackerHosts) -> frozenset[str]:
    """Keep at most 30 trackers that are http, https, udp or wss and on an allowed host."""
    good = sorted({url.strip() for url in urls if _is_allowed(url.strip(), hosts, schemes=TRACKER_SCHEMES)})
    return frozenset(good[:MOST_TRACKERS])


def has_web_seeds(urls: Iterable[str], *, hosts: TrackerHosts) -> bool:
    """Tell whether a torrent is served over HTTP as well (BEP 19), by an allowed host."""
    return any(_is_allowed(url.strip(), hosts, schemes=("http", "https")) for url in urls)


def _is_allowed(url: str, hosts: TrackerHosts, *, schemes: Sequence[str]) -> bool:
    if len(url) > LONGEST_TRACKER or not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if parts.scheme not in schemes or not host:
        return False
    return hosts is TrackerHosts.ANY or looks_public(host)

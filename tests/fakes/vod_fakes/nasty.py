"""Search results as bad indexers send them, in Prowlarr's JSON: all that was ever seen to break a program."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]

_MEGABYTE = 10**6
_LARGEST_INT32, _BEYOND = 2**31 - 1, 2**62


def infohash(name: str) -> str:
    """The infohash that a nasty result of this name claims."""
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()


def magnet(name: str, *, trackers: int = 1, more: str = "") -> str:
    """A magnet of a nasty result."""
    announce = "".join(f"&tr={quote(f'udp://t{n}.lamps.example:1337/announce', safe='')}" for n in range(trackers))
    return f"magnet:?xt=urn:btih:{infohash(name)}&dn={quote(name)}{announce}{more}"


def result(title: object, *, name: str = "", **fields: Any) -> Json:
    """One result with usual values; `fields` replace them, and None leaves a key out, as Prowlarr does."""
    usual: Json = {
        "guid": f"https://lamps.example/t/{infohash(name or str(title))[:10]}",
        "title": title,
        "size": 600 * _MEGABYTE,
        "publishDate": "2026-08-29T12:00:00Z",
        "infoHash": infohash(name or str(title)),
        "seeders": 30,
        "leechers": 2,
        "protocol": "torrent",
        "categories": [{"id": 5000, "name": "TV", "subCategories": []}],
        "indexerFlags": [],
    }
    return {key: value for key, value in (usual | fields).items() if value is not None}


def usable(title: str) -> dict[str, Json]:
    """Results about the episode that *title* names that are odd and still good, by the infohash they stand for."""
    found = {
        "bare": result(f"{title} bare", name="bare", seeders=None, leechers=None, size=0),
        "upper": result(f"{title} upper", name="upper", infoHash=infohash("upper").upper()),
        "html": result(f"<b>{title.replace(' ', '&nbsp;')}</b> &amp; more", name="html"),
        "invisible": result(title.replace(" ", "\u202e \u0000", 1) + "\u200b 720p", name="invisible"),
        "negative": result(f"{title} negative", name="negative", seeders=-1, leechers=-5, size=-1),
        "huge": result(f"{title} huge", name="huge", seeders=_LARGEST_INT32, leechers=0, size=_BEYOND),
        "endless": result(f"{title} endless", name="endless", size=10**400),
        "timeless": result(f"{title} timeless", name="timeless", publishDate="0001-01-01T00:00:00Z"),
        "guid": result(f"{title} guid", name="guid", infoHash=None, guid=magnet("guid")),
        "zero": result(f"{title} zero", name="zero", infoHash="0" * 40, guid=magnet("zero")),
        "word": result(f"{title} word", name="word", infoHash="not-a-hash", guid=magnet("word")),
        "entities": result(
            f"{title} entities", name="entities", infoHash=None, guid=magnet("entities").replace("&", "&amp;")
        ),
        "pointed": result(
            f"{title} pointed",
            name="pointed",
            infoHash=None,
            guid=magnet("pointed", trackers=100, more="&ws=http%3A%2F%2F169.254.169.254%2F&x.pe=127.0.0.1:22"),
        ),
        "odd": result(f"{title} odd", name="odd", categories="none", files="many", indexerFlags=None),
    }
    by_hash = {infohash(name): one for name, one in found.items()}
    return by_hash | {"ab" * 20: result(f"{title} v2", name="v2", infoHash="1220" + "ab" * 32)}


def useless(title: str) -> list[Any]:
    """Results that nothing can be made of."""
    return [
        result(title, name="usenet", protocol="usenet"),
        result(title, name="sound", categories=[{"id": 3010}]),
        result(f"{title} nothing behind it", infoHash=None),
        result(f"{title} zeros", infoHash="0" * 40),
        result("", name="untitled"),
        result(5, name="number"),
        result(None, name="missing"),
        ["no", "object"],
        None,
    ]


def exhausting() -> list[Json]:
    """Results whose names take a careless parser minutes."""
    names = ["A" * 4000, "字幕组" * 700, "7" * 3000, "()" * 1500, "S01, S02, " * 300, "1x02x" * 600, "-" * 3000 + "x"]
    return [result(name, name=f"exhausting {place}") for place, name in enumerate(names)]

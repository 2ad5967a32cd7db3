"""Reads the XML of Torznab: feeds, capabilities, and error documents (https://torznab.github.io/spec-1.3-draft/).

Real feeds have control characters, bytes that are not in the declared encoding, bare ampersands and HTML's entities,
none of which XML allows; so the text is mended first. A document type, where entities are declared, is refused: the
parser below would expand them without end.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree as Xml

from vod_search.domain import Announcement
from vod_search.magnets import TrackerHosts, has_web_seeds, parse_hashes, parse_magnet, safe_trackers
from vod_search.normalising import (
    LARGEST,
    MOST_PEERS,
    MOST_RESULTS,
    UnreadableAnswerError,
    is_video,
    seconds_of,
)
from vod_search.queries import Abilities, Availability
from vod_search.release_name import tidy

DECLARATION = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
USUAL_ENCODING = re.compile(r"utf|ascii|iso8859|cp12|koi8|gb|big5|shift_jis|euc")
PROLOGUE = re.compile(r"^\s*(?:<\?[^>]{0,200}\?>|<!--.{0,2000}?-->|\s)*", re.DOTALL)
FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LOOSE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);|#(?:\d{1,7}|x[0-9a-fA-F]{1,6});)")
REFERENCE = re.compile(r"&#(?:(\d{1,7})|x([0-9a-fA-F]{1,6}));")
DIGITS = re.compile(r"\d{1,18}")
ATTRIBUTES = ("{http://torznab.com/schemas/2015/feed}attr", "{http://www.newznab.com/DTD/2010/feeds/attributes/}attr")


@dataclass(frozen=True, slots=True)
class ErrorDocument(Exception):  # noqa: N818  it is named as the specification names it
    """The answer is `<error code="…" description="…"/>`."""

    code: int
    description: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What `t=caps` says; no categories: it does not say."""

    abilities: Abilities
    categories: frozenset[int] = frozenset()


def capabilities(body: bytes) -> Capabilities:
    """Read the answer to `t=caps`.

    Raises:
        UnreadableAnswerError, ErrorDocument: it is something else.
    """
    root = _document(body, root="caps")
    words = root.find("searching/search")
    is_without = words is not None and words.get("available") == "no"
    numbers = [
        one.get("id", "") for path in ("category", "category/subcat") for one in root.iterfind(f"categories/{path}")
    ]
    return Capabilities(
        Abilities(
            words=Availability.NO if is_without else Availability.YES,
            tv=_params(root, "tv-search"),
            movie=_params(root, "movie-search"),
        ),
        frozenset(int(one) for one in numbers if DIGITS.fullmatch(one)),
    )


def _params(root: Xml.Element, name: str) -> frozenset[str]:
    search = root.find(f"searching/{name}")
    if search is None or search.get("available") != "yes":
        return frozenset()
    return frozenset(one.strip().lower() for one in search.get("supportedParams", "q").split(",") if one.strip())


def feed(body: bytes, *, indexer: str, hosts: TrackerHosts) -> list[Announcement]:
    """Read the answer to a search; items that are of no use are left out.

    Raises:
        UnreadableAnswerError, ErrorDocument: it is something else.
    """
    items = list(_document(body, root="rss").iter("item"))[:MOST_RESULTS]
    found = (_announcement(item, indexer=indexer, hosts=hosts) for item in items)
    return [one for one in found if one]


def _announcement(item: Xml.Element, *, indexer: str, hosts: TrackerHosts) -> Announcement | None:
    attributes = dict(_attributes(item))
    categories = [int(one) for one in _categories(item) if DIGITS.fullmatch(one)]
    title = tidy(_text(item, "title"))
    if not title or not is_video(categories):
        return None
    enclosure = item.find("enclosure")
    links = [
        attributes.get("magneturl", ""),
        enclosure.get("url", "") if enclosure is not None else "",
        _text(item, "link"),
        _text(item, "guid"),
    ]
    magnet = next((found for link in links if (found := parse_magnet(link))), None)
    hashes = parse_hashes(attributes.get("infohash", "")) or (magnet.hashes if magnet else None)
    seeders = _number(attributes.get("seeders", ""), most=MOST_PEERS)
    return Announcement(
        title=title,
        indexer=indexer,
        infohash=hashes.infohash if hashes else None,
        v2=hashes.v2 if hashes else "",
        size_bytes=_number(attributes.get("size") or _text(item, "size"), most=LARGEST) or 0,
        seeders=seeders,
        leechers=_leechers(attributes, seeders),
        published_at=_published(_text(item, "pubDate")),
        trackers=safe_trackers(magnet.trackers, hosts=hosts) if magnet else frozenset(),
        web_seeded=magnet is not None and has_web_seeds(magnet.web_seeds, hosts=hosts),
        download_url=next((link for link in links[1:3] if link.startswith(("http://", "https://"))), ""),
    )


def _attributes(item: Xml.Element) -> Iterator[tuple[str, str]]:
    for one in item:
        if one.tag in ATTRIBUTES:
            yield one.get("name", "").lower(), one.get("value", "")


def _categories(item: Xml.Element) -> Iterator[str]:
    """Yield the categories, which some feeds give as elements and some as attributes."""
    for one in item:
        if one.tag == "category":
            yield (one.text or "").strip()
        elif one.tag in ATTRIBUTES and one.get("name") == "category":
            yield one.get("value", "")


def _leechers(attributes: dict[str, str], seeders: int | None) -> int | None:
    """Return the leechers; `peers` are seeders and leechers together."""
    if (leechers := _number(attributes.get("leechers", ""), most=MOST_PEERS)) is not None:
        return leechers
    peers = _number(attributes.get("peers", ""), most=2 * MOST_PEERS)
    return None if peers is None or seeders is None else max(0, peers - seeders)


def _number(text: str, *, most: int) -> int | None:
    text = text.strip()
    return int(text) if DIGITS.fullmatch(text) and int(text) <= most else None


def _published(text: str) -> int:
    """Return seconds since the epoch for a date as in mails (RFC 822) or ISO 8601; 0 for anything else."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return seconds_of(text)
    return seconds_of((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat())


def _text(item: Xml.Element, name: str) -> str:
    return (item.findtext(name) or "").strip()


def _document(body: bytes, *, root: str) -> Xml.Element:
    text = _mended(body)
    try:
        document = Xml.fromstring(text)  # noqa: S314  no document type, so no entities
    except (Xml.ParseError, ValueError, RecursionError) as error:
        raise UnreadableAnswerError("the answer is not XML") from error
    if document.tag == "error":
        code = document.get("code", "")
        raise ErrorDocument(int(code) if DIGITS.fullmatch(code) else 0, tidy(document.get("description", "")))
    if document.tag != root:
        raise UnreadableAnswerError("the answer is not what was asked for")
    return document


def _mended(body: bytes) -> str:
    text = _decoded(body)
    begin = PROLOGUE.match(text)
    text = text[begin.end() if begin else 0 :]
    if text[:2] == "<!" or not text.startswith("<"):
        raise UnreadableAnswerError("the answer is not XML")
    text = FORBIDDEN.sub(" ", REFERENCE.sub(_allowed_reference, text))
    return LOOSE_AMPERSAND.sub("&amp;", text)


def _decoded(body: bytes) -> str:
    declared = DECLARATION.match(body[:400])
    try:
        encoding = codecs.lookup(declared[1].decode() if declared else "utf-8").name
        if not USUAL_ENCODING.match(encoding):  # some that Python knows take time that is quadratic in length
            raise LookupError(encoding)
        return body.decode(encoding, errors="replace").removeprefix("\ufeff")
    except (LookupError, ValueError):
        return body.decode("utf-8", errors="replace").removeprefix("\ufeff")


def _allowed_reference(match: re.Match[str]) -> str:
    """Keep a character reference unless XML has no such character."""
    number = int(match[1]) if match[1] else int(match[2], 16)
    return match[0] if number <= 0x10FFFF and not FORBIDDEN.match(chr(number)) else " "

"""From what indexers send to announcements: nothing is believed that cannot be."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from vod_search.domain import Announcement
from vod_search.magnets import TrackerHosts, has_web_seeds, parse_hashes, parse_magnet, safe_trackers
from vod_search.release_name import tidy

MOST_RESULTS = 10_000  # of one answer; reading so many takes about a second
MOST_PEERS = 1_000_000
LARGEST = 2**50  # 1 PiB: no release is larger
CONSTANT_AFTER = 5  # so many equal numbers in a row are not a coincidence
VIDEO_CATEGORIES = (2000, 5000, 8000)  # Newznab: movies, TV, other
FIRST_OWN_CATEGORY = 100_000  # an indexer's own numbering begins here


class UnreadableAnswerError(ValueError):
    """The answer is not the JSON that it should be."""


def announcements(body: bytes, *, indexer: str, hosts: TrackerHosts) -> list[Announcement]:
    """Read an answer of `GET /api/v1/search`; entries that are of no use are left out.

    Raises:
        UnreadableAnswerError: it is no JSON array, for example the HTML of a login page.
    """
    entries = json_array(body)[:MOST_RESULTS]
    found = (announcement(entry, indexer=indexer, hosts=hosts) for entry in entries)
    return [one for one in found if one]


def json_array(body: bytes) -> list[Any]:
    """Decode a JSON array; bytes that are no UTF-8 are replaced, numbers that no field could hold become 0.

    Raises:
        UnreadableAnswerError: it is something else.
    """
    answer = _decoded(body)
    if not isinstance(answer, list):
        raise UnreadableAnswerError("the answer is not a list")
    return answer


def json_object(body: bytes) -> dict[str, Any]:
    """Decode a JSON object, in the same way.

    Raises:
        UnreadableAnswerError: it is something else.
    """
    answer = _decoded(body)
    if not isinstance(answer, dict):
        raise UnreadableAnswerError("the answer is not an object")
    return answer


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8", errors="replace"), parse_int=_bounded_int)
    except (ValueError, RecursionError) as error:
        raise UnreadableAnswerError("the answer is not JSON") from error


def _bounded_int(digits: str) -> int:
    return int(digits) if len(digits) <= 20 else 0


def announcement(entry: object, *, indexer: str, hosts: TrackerHosts) -> Announcement | None:
    """Read one search result; None if it is no torrent, has no title, or is neither film nor television."""
    if not isinstance(entry, Mapping) or entry.get("protocol", "torrent") != "torrent":
        return None
    title = tidy(_text(entry, "title"))
    if not title or not is_video(_categories(entry.get("categories"))):
        return None
    texts = [_text(entry, name) for name in ("guid", "magnetUrl", "downloadUrl")]
    magnet = next((found for text in texts if (found := parse_magnet(text))), None)
    hashes = parse_hashes(_text(entry, "infoHash")) or (magnet.hashes if magnet else None)
    return Announcement(
        title=title,
        indexer=indexer,
        infohash=hashes.infohash if hashes else None,
        v2=hashes.v2 if hashes else "",
        size_bytes=bounded(entry.get("size"), most=LARGEST) or 0,
        seeders=bounded(entry.get("seeders"), most=MOST_PEERS),
        leechers=bounded(entry.get("leechers"), most=MOST_PEERS),
        published_at=seconds_of(_text(entry, "publishDate")),
        trackers=safe_trackers(magnet.trackers, hosts=hosts) if magnet else frozenset(),
        web_seeded=magnet is not None and has_web_seeds(magnet.web_seeds, hosts=hosts),
        download_url=next((text for text in reversed(texts) if text.startswith(("http://", "https://"))), ""),
    )


def _text(entry: Mapping[Any, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def bounded(value: object, *, most: int) -> int | None:
    """Return a whole number from 0 to *most*; None for anything else."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and isinstance(value, int) and 0 <= value <= most else None


def seconds_of(text: str) -> int:
    """Return seconds since the epoch; 0 for what is no date or lies before there were torrents."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) if 2000 < moment.year < 2100 else 0


def _categories(listed: object) -> list[int]:
    ids = [one.get("id") for one in listed if isinstance(one, Mapping)] if isinstance(listed, Sequence) else []
    return [one for one in ids if isinstance(one, int)]


def is_video(categories: Sequence[int]) -> bool:
    """Tell whether something in these Newznab categories may be film or television; it may, if none are stated."""
    return not categories or any(
        one >= FIRST_OWN_CATEGORY or one // 1000 * 1000 in VIDEO_CATEGORIES for one in categories
    )


def without_constants(found: Sequence[Announcement]) -> list[Announcement]:
    """Forget numbers of one indexer that are the same for everything it found.

    Half of the public indexers print 1 seeder and 1 leecher for everything, some also one size; that is no knowledge.
    """
    peers = {(one.seeders, one.leechers) for one in found}
    is_many = len({one.title for one in found}) >= CONSTANT_AFTER
    kept = list(found)
    if peers == {(1, 1)} or (is_many and len({one.seeders for one in found}) == 1):
        kept = [replace(one, seeders=None, leechers=None) for one in kept]
    if is_many and len({one.size_bytes for one in found}) == 1:
        kept = [replace(one, size_bytes=0) for one in kept]
    return kept

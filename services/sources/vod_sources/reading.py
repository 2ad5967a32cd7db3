"""Strangers' JSON, read tolerantly: any field may be missing, null or of another type."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from vod_sources.domain import SourceType, StreamSource
from vod_sources.expiry import expiry_of
from vod_sources.guard import Guard, UnwellError

_MAX_BYTES = 2 * 1024 * 1024
_MAX_ADDRESS = 4_000
_MAX_RECORDS = 500
_TYPES = {
    "hls": SourceType.HLS,
    "m3u8": SourceType.HLS,
    "mp4": SourceType.MP4,
    "file": SourceType.MP4,
    "torrent": SourceType.TORRENT,
}


async def fetch_record(guard: Guard, url: str) -> Mapping[str, Any]:
    """Return a JSON object; an empty one where there is none (404). Raises UnwellError, SourceRefused."""
    try:
        answer = await guard.fetch(url, headers={"Accept": "application/json"}, most=_MAX_BYTES)
    except UnwellError as error:
        if error.status == 404:
            return {}
        raise
    try:
        return record(json.loads(answer.body))
    except (ValueError, RecursionError) as error:
        raise UnwellError(problem="It answered with something else than JSON.") from error


def source_of(
    address: object, quality: object, *, provider: str, base: str = "", type_: object = None, headers: object = None
) -> StreamSource | None:
    """Return a source if it has an address on the web; its type is guessed from it where nobody says it."""
    url = _address(base, address)
    if not url:
        return None
    guessed = SourceType.HLS if ".m3u8" in url.lower() else SourceType.MP4
    if urlsplit(url).path.lower().endswith(".torrent"):
        guessed = SourceType.TORRENT
    kind = _TYPES.get(text(type_).lower(), guessed)
    # A database keeps no NUL, and no answer carries half a surrogate pair.
    words = "".join(one if one.isprintable() else " " for one in text(quality)).strip()
    return StreamSource(url, words or "auto", kind, provider, headers_of(headers), expiry_of(url))


def _address(base: str, address: object) -> str:
    """Return a whole address on the web; empty for all else."""
    if not isinstance(address, str) or not address.strip():
        return ""
    try:
        url = urljoin(base, address.strip())
        # What can't be taken apart (`http://[oops`) or encoded (half a surrogate pair) is no address.
        urlsplit(url)
        url.encode()
    except ValueError:
        return ""
    return url if url.startswith(("http://", "https://")) and len(url) <= _MAX_ADDRESS and "\0" not in url else ""


def headers_of(value: object) -> dict[str, str]:
    """Return headers that can be sent."""
    given = {name: found for name, one in record(value).items() if (found := text(one))}
    return {
        name: found
        for name, found in given.items()
        if name.replace("-", "").isalnum() and found.isascii() and found.isprintable() and name.isascii()
    }


def text(value: object) -> str:
    """Return a text or a number as text; empty for all else."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def number(value: object) -> int | None:
    """Return a whole number, also where it is written as text or as a float."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    found = text(value)
    return int(found) if found.isascii() and found.isdecimal() and len(found) < 16 else None


def record(value: object) -> Mapping[str, Any]:
    """Return a JSON object; an empty one for all else."""
    return value if isinstance(value, dict) else {}


def records(value: object) -> list[Mapping[str, Any]]:
    """Return the objects of a JSON array."""
    return [record(one) for one in value if isinstance(one, dict)][:_MAX_RECORDS] if isinstance(value, list) else []

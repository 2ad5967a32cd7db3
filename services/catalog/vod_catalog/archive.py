"""Internet Archive (https://archive.org/help/aboutsearch.htm): open films, from a list of identifiers only.

Uploads there are not vetted, so nothing is listed but what the list names *and* states an open licence of its own.
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from importlib.resources import files

from structlog.typing import FilteringBoundLogger

from vod_catalog.domain import Episode, Kind, Series, SeriesId, Title, TitleRef
from vod_catalog.fields import Fields, number, record, records, text
from vod_catalog.upstream import NotThereError, Upstream

ARCHIVE = "ia:item"
ARCHIVE_ITEM_SKIPPED = "archive_item_skipped"
_LICENCE = re.compile(r"https?://creativecommons\.org/(publicdomain|licenses)/", re.ASCII)
_AT_ONCE = 50
"""Items that one search asks for: its address must not become too long."""
_FIELDS = ["identifier", "title", "year", "licenseurl", "week"]
_TAG = re.compile(r"<[^<>]{0,500}>")
_VIDEO = frozenset({"MPEG4", "h.264", "h.264 IA", "Matroska", "WebM", "512Kb MPEG4", "Ogg Video"})


def shipped_items() -> tuple[str, ...]:
    """Return the identifiers that came with this release."""
    lines = (files("vod_catalog") / "data" / "open-films.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


class InternetArchive:
    """The provider of `ia:item:IDENTIFIER`."""

    name = "internet-archive"
    namespaces = (ARCHIVE,)

    def __init__(self, upstream: Upstream, *, base: str, items: Sequence[str], log: FilteringBoundLogger) -> None:
        self._upstream = upstream
        self._log = log
        self._skipped: set[str] = set()
        self._base = base.rstrip("/")
        self._items = frozenset(items)

    async def beginning(self, ref: TitleRef) -> TitleRef:
        """Return *ref*: every title here is a whole."""
        return ref

    async def title(self, ref: TitleRef) -> Title:
        """Return a film.

        Raises:
            NotThereError: it is not on the list, not there, or without an open licence.
            UpstreamUnavailable: as `Upstream.get`.
        """
        if ref.item not in self._items:
            raise NotThereError
        found = await self._upstream.get(f"metadata/{ref.item}", says=_is_item)
        metadata = record(found.get("metadata"))
        if reason := _why_not(found, metadata):
            self._skip(ref.item, reason)
            raise NotThereError
        series = self._series(ref.item, metadata)
        lengths = [_seconds(file.get("length")) for file in records(found.get("files")) if file.get("format") in _VIDEO]
        runtime = max((one for one in lengths if one), default=None)
        return Title(series, (Episode(season=1, episode=1, name=series.title, runtime=runtime),))

    async def series(self, ref: TitleRef) -> Series:
        """Return a film, which is one request; raises as `title`."""
        return (await self.title(ref)).series

    async def search(self, query: str) -> Sequence[Series]:
        """Return films of the list with *query* in their name."""
        return [series for series in await self.popular() if query.casefold() in series.title.casefold()]

    async def popular(self) -> Sequence[Series]:
        """Return the list's films, most watched this week first."""
        items = sorted(self._items)
        found = [doc for at in range(0, len(items), _AT_ONCE) for doc in await self._look_up(items[at : at + _AT_ONCE])]
        docs = {_one(doc.get("identifier")): doc for doc in found}
        listed = {item: doc for item, doc in docs.items() if item in self._items}
        for item in sorted(self._items - listed.keys()):
            self._skip(item, "not found")
        closed = [item for item, doc in listed.items() if not _LICENCE.match(_one(doc.get("licenseurl")))]
        for item in closed:
            self._skip(item, "no open licence")
        shown = [(item, doc) for item, doc in listed.items() if item not in closed]
        return [self._series(item, doc) for item, doc in sorted(shown, key=lambda one: -_watched(one[1]))]

    async def _look_up(self, items: Sequence[str]) -> list[Fields]:
        params = {
            "q": " OR ".join(f"identifier:{item}" for item in items),
            "fl[]": _FIELDS,
            "sort[]": "week desc",
            "rows": str(len(items)),
            "output": "json",
        }
        found = await self._upstream.get("advancedsearch.php", params=params, says=_is_list)
        return records(record(found.get("response")).get("docs"))

    def _skip(self, item: str, reason: str) -> None:
        """Say once why an item of the list is not shown."""
        if item not in self._skipped:
            self._skipped.add(item)
            self._log.warning(ARCHIVE_ITEM_SKIPPED, item=item, reason=reason)

    def _series(self, item: str, fields: Fields) -> Series:
        return Series(
            id=SeriesId(f"{ARCHIVE}:{item}"),
            title=_one(fields.get("title")) or item,
            kind=Kind.MOVIE,
            year=number(_one(fields.get("year")) or _one(fields.get("date"))[:4]),
            external_ids={"ia": item},
            overview=_TAG.sub(" ", _one(fields.get("description"))).strip(),
            poster_url=f"{self._base}/services/img/{item}",
            season_count=1,
        )


def _why_not(found: Fields, metadata: Fields) -> str:
    # An unknown item is answered with 200 and {}.
    if not metadata:
        return "not found"
    if found.get("is_dark"):
        return "taken down"
    return "" if _LICENCE.match(_one(metadata.get("licenseurl"))) else "no open licence"


def _is_item(found: Fields) -> bool:
    """Whether it is about an item, or says that there is none; not an error inside of a 200."""
    return not found or bool(found.get("is_dark")) or isinstance(found.get("metadata"), dict)


def _is_list(found: Fields) -> bool:
    return isinstance(record(found.get("response")).get("docs"), list)


def _watched(doc: Fields) -> int:
    """Return how often it was watched this week."""
    return number(_one(doc.get("week"))) or 0


def _one(value: object) -> str:
    """Return a field that may be a scalar, a list, or a number."""
    first = value[0] if isinstance(value, list) and value else value
    return str(first) if isinstance(first, int) else text(first)


def _seconds(value: object) -> timedelta | None:
    """Read `596.46` and `9:56`."""
    parts = text(value).split(":")
    try:
        seconds = 0.0
        for part in parts:
            seconds = seconds * 60 + float(part)
    except ValueError:
        return None
    return timedelta(seconds=round(seconds)) if 0 < seconds < 1e6 else None

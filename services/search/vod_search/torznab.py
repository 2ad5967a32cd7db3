"""One Torznab address: what it understands is read once in a while, and it is asked in that way."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from urllib.parse import parse_qsl, quote

from vod_runtime import Clock
from vod_search.configured import Configured
from vod_search.domain import Announcement, Wanted
from vod_search.indexers import IndexerError, Misconfigured, Question
from vod_search.magnets import TrackerHosts
from vod_search.normalising import UnreadableAnswerError, is_video
from vod_search.queries import CATEGORIES, Query, queries
from vod_search.torznab_xml import Capabilities, ErrorDocument, capabilities, feed
from vod_search.upstream import Upstream

CAPABILITIES_STAY_GOOD = timedelta(hours=12)
RESULTS_PER_QUERY = 100
MOST_CATEGORIES = 20
ORDERLY = frozenset(range(8000))  # categories that say what they hold; the others may hold anything
REFUSED_CODES = range(100, 200)  # credentials, suspended or missing accounts
SWITCHED_OFF_CODES = (410, 910)
LONGEST_REASON = 120


class Torznab:
    """An indexer of its own, and the only one it knows."""

    def __init__(self, configured: Configured, *, upstream: Upstream, hosts: TrackerHosts, clock: Clock) -> None:
        self.name = configured.name
        self._url, _, fixed = configured.url.partition("?")
        self._key = configured.key.get_secret_value()
        self._fixed = dict(parse_qsl(fixed)) | ({"apikey": self._key} if self._key else {})
        self._upstream = upstream
        self._hosts = hosts
        self._clock = clock
        self._capabilities: Capabilities | None = None
        self._read_at = 0.0
        self._reading = asyncio.Lock()

    async def indexers(self) -> "Sequence[Torznab]":
        """Return itself."""
        return [self]

    async def questions(self, wanted: Wanted) -> Sequence[Question]:
        """Return what to ask, by its capabilities; nothing if it has no such category.

        Raises:
            IndexerError: it did not tell its capabilities.
        """
        known = await self._known()
        general = CATEGORIES[wanted.kind]
        fitting = [one for one in known.categories if one // 1000 * 1000 == general]
        if known.categories and not fitting and not any(is_video([one]) for one in known.categories - ORDERLY):
            return []
        # A general category stands for those below it, but not every indexer knows that.
        is_stated = fitting or not known.categories
        categories = sorted({general, *fitting})[:MOST_CATEGORIES] if is_stated else []
        return [partial(self._search, one, categories) for one in queries(wanted, known.abilities)]

    async def resolve(self, found: Announcement) -> Announcement | None:
        """Follow a download link that leads to the configured host."""
        return await self._upstream.resolve(found)

    async def _known(self) -> Capabilities:
        """Return the capabilities, at most twelve hours old; older ones if it does not tell them now."""
        async with self._reading:
            now = self._clock.monotonic()
            is_old = now - self._read_at >= CAPABILITIES_STAY_GOOD.total_seconds()
            if self._capabilities is None or is_old:
                try:
                    self._capabilities = capabilities(await self._get({"t": "caps"}))
                    self._read_at = now
                except (UnreadableAnswerError, ErrorDocument, IndexerError) as failure:
                    if self._capabilities is None:
                        raise self._explained(failure) from failure
            return self._capabilities

    async def _search(self, query: Query, categories: Sequence[int]) -> Sequence[Announcement]:
        asked = {"t": query.mode.value, "limit": str(RESULTS_PER_QUERY)}
        asked |= {"cat": ",".join(map(str, categories))} if categories else {}
        asked |= {"q": query.words} if query.words else {}
        try:
            body = await self._get(asked | dict(query.params))
            return await asyncio.to_thread(feed, body, indexer=self.name, hosts=self._hosts)
        except (UnreadableAnswerError, ErrorDocument, IndexerError) as failure:
            raise self._explained(failure) from failure

    async def _get(self, params: dict[str, str]) -> bytes:
        """Ask; a refusal that carries an error document counts as that document."""
        try:
            return await self._upstream.get(self._url, params | self._fixed)
        except IndexerError as failure:
            if b"<error" in failure.body:
                return failure.body  # it is read as the error document that it is
            raise

    def _explained(self, failure: UnreadableAnswerError | ErrorDocument | IndexerError) -> IndexerError:
        """Say for people what went wrong; what strangers write may repeat our key."""
        if isinstance(failure, IndexerError):
            return failure
        if isinstance(failure, UnreadableAnswerError):
            return IndexerError(str(failure))
        said = failure.description
        for written in (self._key, quote(self._key, safe="")) if self._key else ():
            said = said.replace(written, "…")
        # Cut afterwards: a key that lies across the cut would keep its beginning.
        text = f"says: {said[:LONGEST_REASON]} (code {failure.code})"
        if failure.code in REFUSED_CODES or failure.code in SWITCHED_OFF_CODES:
            return Misconfigured(text)
        return IndexerError(text)

"""Prowlarr over HTTP: which indexers there are and what they understand, and one search at one indexer.

The aggregate search is not used: it waits for the slowest indexer and shows failures as empty lists.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from pydantic import SecretStr

from vod_runtime import Clock
from vod_search.domain import Announcement, Kind, Wanted
from vod_search.indexers import IndexerError, Misconfigured, Question
from vod_search.magnets import TrackerHosts
from vod_search.normalising import UnreadableAnswerError, announcements, json_array
from vod_search.queries import CATEGORIES, Abilities, Query, queries
from vod_search.release_name import tidy
from vod_search.upstream import Upstream, upstream

RESULTS_PER_QUERY = 100
LIST_STAYS_GOOD = timedelta(minutes=5)
NAME = "Prowlarr"
NONE_ENABLED = "has no enabled torrent indexer"
BLOCKED = 400


class Prowlarr:
    """A client of one Prowlarr; `prowlarr` makes it. *taken* are names of indexers that are not its own."""

    name = NAME

    def __init__(self, upstream: Upstream, *, hosts: TrackerHosts, taken: Set[str], clock: Clock) -> None:
        self._upstream = upstream
        self._hosts = hosts
        self._taken = taken
        self._clock = clock
        self._indexers: Sequence[ProwlarrIndexer] = ()
        self._listed_at: float | None = None

    async def indexers(self) -> "Sequence[ProwlarrIndexer]":
        """Return the enabled torrent indexers, at most five minutes old; an older list if Prowlarr fails now.

        Raises:
            IndexerError: Prowlarr never told, or has none.
        """
        now = self._clock.monotonic()
        if self._listed_at is None or now - self._listed_at >= LIST_STAYS_GOOD.total_seconds():
            await self._list(now)
        if not self._indexers:
            raise Misconfigured(NONE_ENABLED)
        return self._indexers

    async def _list(self, now: float) -> None:
        try:
            rows = json_array(await self._upstream.get("api/v1/indexer"))
        except UnreadableAnswerError as failure:
            if self._listed_at is None:
                raise IndexerError(str(failure)) from failure
        except IndexerError:
            if self._listed_at is None:
                raise
        else:
            self._indexers = [indexer for row in rows if (indexer := self._enabled(row))]
            self._listed_at = now

    def _enabled(self, row: object) -> "ProwlarrIndexer | None":
        """Read one entry of `GET /api/v1/indexer`; None for disabled ones and for Usenet."""
        if not isinstance(row, Mapping) or not row.get("enable", True) or row.get("protocol", "torrent") != "torrent":
            return None
        number, name = row.get("id"), row.get("name")
        if not isinstance(number, int):
            return None
        name = tidy(name)[:80] if isinstance(name, str) and name else f"indexer {number}"
        name = f"{name} ({NAME})" if name in self._taken else name
        return ProwlarrIndexer(self, number, name, _abilities(row.get("capabilities")))

    async def search(self, indexer: "ProwlarrIndexer", query: Query, kind: Kind) -> Sequence[Announcement]:
        """Ask one indexer one question.

        Raises:
            IndexerError: it did not answer, or with something else than results.
        """
        asked = {
            "query": _text(query),
            "type": query.mode.value,
            "indexerIds": indexer.number,
            "categories": CATEGORIES[kind],
            "limit": RESULTS_PER_QUERY,
        }
        try:
            body = await self._upstream.get("api/v1/search", asked)
            # Reading names takes a while where there are many of them; the event loop has other callers.
            return await asyncio.to_thread(announcements, body, indexer=indexer.name, hosts=self._hosts)
        except UnreadableAnswerError as error:
            raise IndexerError(str(error)) from error
        except IndexerError as failure:
            if failure.status == BLOCKED:
                raise Misconfigured("is blocked in Prowlarr after failures, or disabled (HTTP 400)") from failure
            raise

    async def resolve(self, found: Announcement) -> Announcement | None:
        """Follow a download link, which leads through Prowlarr itself."""
        return await self._upstream.resolve(found)


@dataclass(frozen=True, slots=True)
class ProwlarrIndexer:
    """An indexer that Prowlarr has, by its number there."""

    prowlarr: Prowlarr
    number: int
    name: str
    abilities: Abilities

    async def questions(self, wanted: Wanted) -> Sequence[Question]:
        """Return what to ask it, through Prowlarr."""
        return [partial(self.prowlarr.search, self, one, wanted.kind) for one in queries(wanted, self.abilities)]

    async def resolve(self, found: Announcement) -> Announcement | None:
        """Follow a download link, which leads through Prowlarr itself."""
        return await self.prowlarr.resolve(found)


def _text(query: Query) -> str:
    """Write a query as Prowlarr wants it: parameters in braces behind the words.

    It skips an indexer silently that does not understand one of them.
    """
    names = {"ep": "episode"}
    return query.words + "".join(f"{{{names.get(name, name)}:{value}}}" for name, value in query.params.items())


def _abilities(capabilities: object) -> Abilities:
    known = capabilities if isinstance(capabilities, Mapping) else {}
    return Abilities(tv=_params(known, "tvSearchParams"), movie=_params(known, "movieSearchParams"))


def _params(capabilities: Mapping[Any, Any], name: str) -> frozenset[str]:
    listed = capabilities.get(name)
    return frozenset(one.lower() for one in listed if isinstance(one, str)) if isinstance(listed, list) else frozenset()


@asynccontextmanager
async def prowlarr(
    base: str, *, key: SecretStr, deadline: timedelta, hosts: TrackerHosts, taken: Set[str], clock: Clock
) -> AsyncIterator[Prowlarr]:
    """Open a client for the Prowlarr at *base*; no single wait of it is longer than *deadline*."""
    headers = {"X-Api-Key": key.get_secret_value()}
    async with upstream(base, deadline=deadline, hosts=hosts, headers=headers) as opened:
        yield Prowlarr(opened, hosts=hosts, taken=taken, clock=clock)

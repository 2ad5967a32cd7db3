"""Titles and their episodes: fetched at first use, kept, and refreshed without anybody waiting for it.

What is kept is always served, however old; a provider's outage is seen only by who asks for something new.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from vod_catalog.domain import (
    ANIME,
    EpisodeInOrder,
    EpisodeKey,
    Season,
    Series,
    SeriesId,
    StoredTitle,
    Title,
    TitleRef,
    parse_series_id,
    place_episode,
)
from vod_catalog.errors import CatalogNotConfigured, EpisodeNotFound, SeriesNotFound, UpstreamUnavailable
from vod_catalog.freshness import SOONEST, refresh_after
from vod_catalog.upstream import HostRests, NotThereError
from vod_rpc import Failure, Flights
from vod_runtime import Clock

TITLE_FETCHED = "title_fetched"
TITLE_NOT_REFRESHED = "title_not_refreshed"

_FETCH_DEADLINE = timedelta(seconds=90)
_REFRESH_PAUSE = timedelta(minutes=15)
_LONGEST_PAUSE = timedelta(days=1)
_FAILURES_IN_A_ROW = 2
"""After them the job asks a provider no more in this round: a third one would make the host rest for viewers, too."""
_NEW_EPISODE_AFTER = timedelta(minutes=30)
_ABSENT_FOR = timedelta(minutes=10)
_MOST_ABSENT = 1000


class Outcome(Enum):
    """What became of a refresh."""

    DONE = "done"
    TITLE_FAILED = "title failed"
    HOST_REFUSED = "nothing makes sense to be asked of the host now"


class Provider(Protocol):
    """Who knows titles."""

    @property
    def name(self) -> str:
        """A short name for logs and keys."""
        ...

    @property
    def namespaces(self) -> Sequence[str]:
        """Beginnings of the ids that it knows, such as `tmdb:tv`."""
        ...

    async def beginning(self, ref: TitleRef) -> TitleRef:
        """Return the title that *ref* is a later part of, else *ref* itself; raises NotThereError or a Failure."""
        ...

    async def title(self, ref: TitleRef) -> Title:
        """Return a title with its episodes; raises NotThereError or a Failure."""
        ...

    async def series(self, ref: TitleRef) -> Series:
        """Return a title without its episodes, in one request; raises NotThereError or a Failure."""
        ...

    async def search(self, query: str) -> Sequence[Series]:
        """Return titles of that name, best first; raises a Failure."""
        ...

    async def popular(self) -> Sequence[Series]:
        """Return what is popular now; raises a Failure."""
        ...


class Shelf(Protocol):
    """Where titles are kept; see `Store`."""

    async def load(self, series_id: SeriesId) -> StoredTitle | None: ...
    async def series(self, series_id: SeriesId) -> Series | None: ...
    async def listed(self, series_id: SeriesId) -> Series | None: ...
    async def save_listing(self, provider: str, query: str, titles: Sequence[Series], *, at: datetime) -> None: ...
    async def save(self, title: Title, *, at: datetime, due_at: datetime) -> None: ...
    async def season_of(self, mal: int) -> Season | None: ...
    async def claim(self, series_id: SeriesId, *, now: datetime, until: datetime) -> bool: ...
    async def claim_due(self, namespaces: Sequence[str], *, now: datetime, until: datetime) -> SeriesId | None: ...
    async def note_changes(self, changed: Sequence[SeriesId], *, now: datetime, soonest: timedelta) -> int: ...
    async def put_off(self, series_id: SeriesId, *, until: datetime) -> None: ...
    async def failed(self, series_id: SeriesId, *, at: datetime, pause: timedelta, longest: timedelta) -> None: ...


class Titles:
    """The use cases on one title."""

    def __init__(
        self,
        shelf: Shelf,
        *,
        providers: Mapping[str, Provider],
        second: Mapping[str, Provider],
        flights: Flights,
        clock: Clock,
        log: FilteringBoundLogger,
        ttl: timedelta,
    ) -> None:
        self._shelf = shelf
        self._providers = providers
        self._second = second
        self._flights = flights
        self._clock = clock
        self._log = log
        self._ttl = ttl
        self._absent: dict[SeriesId, datetime] = {}

    async def episode(self, key: EpisodeKey) -> EpisodeInOrder:
        """Return an episode with its title and neighbours.

        Raises:
            InvalidSeriesId, SeriesNotFound, EpisodeNotFound, CatalogNotConfigured, UpstreamUnavailable
        """
        stored = await self._stored(key.series_id)
        try:
            return place_episode(stored, season=key.season, number=key.episode)
        except EpisodeNotFound:
            if self._clock.now() - stored.fetched_at < _NEW_EPISODE_AFTER:
                raise
        # It may have come out since we looked.
        ref = parse_series_id(stored.title.series.id)
        await self._flights.join(ref, lambda: self._refresh_if_free(ref))
        return place_episode(await self._shelf.load(ref.series_id) or stored, season=key.season, number=key.episode)

    async def with_episodes(self, series_id: str) -> Title:
        """Return a title with all its episodes in viewing order; raises as `episode`.

        For an anime that is a later part of another one that is the whole of it.
        """
        return (await self._stored(series_id)).title

    async def series(self, series_id: str) -> Series:
        """Return a title without its episodes, from whatever is kept of it, be it only a line of a list.

        What is not known at all costs one request and is kept like a list. Raises as `episode`.
        """
        ref = parse_series_id(series_id)
        if known := await self._known(ref):
            return known
        return await self._flights.join(("alone", ref), lambda: self._fetch_alone(ref))

    def fetch_soon(self, series_id: str) -> None:
        """Fetch a title that is not kept, without anybody waiting for it."""
        ref = parse_series_id(series_id)
        if ref.namespace in self._providers:
            self._flights.launch(("first", ref), lambda: self._fetch_first(ref))

    async def season_of(self, mal: int) -> Season | None:
        """Return which season of which title an entry of MyAnimeList is, None if it was never fetched."""
        return await self._shelf.season_of(mal)

    async def refresh_due(self, namespaces: Sequence[str], *, may_go_on: Callable[[], Awaitable[bool]]) -> int:
        """Refresh a provider's titles that are due, one after the other, and return how many that were.

        *may_go_on* is asked before each. A title that fails is put off, each time for longer, and comes after those
        that did not fail.
        """
        fetched = failed = 0
        while failed < _FAILURES_IN_A_ROW and await may_go_on():
            now = self._clock.now()
            due = await self._shelf.claim_due(namespaces, now=now, until=now + _REFRESH_PAUSE)
            outcome = await self._refresh(parse_series_id(due)) if due else Outcome.HOST_REFUSED
            if outcome is Outcome.HOST_REFUSED:
                break
            is_done = outcome is Outcome.DONE
            fetched, failed = fetched + is_done, 0 if is_done else failed + 1
        return fetched

    async def note_changes(self, changed: Sequence[SeriesId]) -> int:
        """Let those titles that a provider says have changed be refreshed soon; return how many are known here."""
        return await self._shelf.note_changes(changed, now=self._clock.now(), soonest=SOONEST)

    async def _stored(self, series_id: str) -> StoredTitle:
        asked = parse_series_id(series_id)
        stored = await self._load(asked)
        if stored is None:
            return await self._flights.join(("first", asked), lambda: self._fetch_first(asked))
        ref = parse_series_id(stored.title.series.id)
        now = self._clock.now()
        is_free = stored.retry_at is None or stored.retry_at <= now
        if now - stored.fetched_at >= self._ttl and is_free and ref.namespace in self._providers:
            self._flights.launch(ref, lambda: self._refresh_if_free(ref))
        return stored

    async def _load(self, asked: TitleRef) -> StoredTitle | None:
        """Return what is kept of a title; that of an anime may be kept as a season of the one that it goes on from."""
        return await self._shelf.load(await self._kept_as(asked))

    async def _known(self, asked: TitleRef) -> Series | None:
        return await self._shelf.series(await self._kept_as(asked)) or await self._shelf.listed(asked.series_id)

    async def _kept_as(self, asked: TitleRef) -> SeriesId:
        season = await self._shelf.season_of(asked.number) if asked.namespace == ANIME else None
        return season.series_id if season else asked.series_id

    async def _fetch_alone(self, ref: TitleRef) -> Series:
        self._refuse_known_absent(ref)
        # Another fetch may have ended between the caller's look and now.
        if known := await self._known(ref):
            return known
        try:
            return await self._ask_either_alone(ref)
        except NotThereError as error:
            self._remember_absent(ref)
            raise _not_found(ref) from error

    async def _ask_either_alone(self, ref: TitleRef) -> Series:
        try:
            return await self._ask_alone(ref, self._provider(ref))
        except UpstreamUnavailable as failure:
            if ref.namespace not in self._second:
                raise
            try:
                return await self._ask_alone(ref, self._second[ref.namespace])
            except Failure as another:
                raise failure from another

    async def _ask_alone(self, ref: TitleRef, provider: Provider) -> Series:
        async with self._patience(ref):
            series = await provider.series(ref)
        await self._shelf.save_listing(provider.name, ref.series_id, [series], at=self._clock.now())
        return series

    async def _fetch_first(self, ref: TitleRef) -> StoredTitle:
        self._refuse_known_absent(ref)
        # Another fetch may have ended between the caller's look and now.
        if stored := await self._load(ref):
            return stored
        try:
            try:
                await self._fetch_whole(ref, self._provider(ref))
            except UpstreamUnavailable as failure:
                await self._ask_second(ref, failure)
        except NotThereError as error:
            self._remember_absent(ref)
            raise _not_found(ref) from error
        stored = await self._load(ref)
        if stored is None:
            raise _not_found(ref)
        return stored

    async def _ask_second(self, ref: TitleRef, failure: UpstreamUnavailable) -> None:
        if ref.namespace not in self._second:
            raise failure
        try:
            await self._fetch_whole(ref, self._second[ref.namespace])
        except Failure as another:
            raise failure from another

    async def _fetch_whole(self, ref: TitleRef, provider: Provider) -> None:
        async with self._patience(ref):
            beginning = await provider.beginning(ref)
        await self._fetch(beginning, provider)
        if beginning != ref and await self._load(ref) is None:
            # What goes on from there takes another way.
            await self._fetch(ref, provider)

    def _provider(self, ref: TitleRef) -> Provider:
        if provider := self._providers.get(ref.namespace):
            return provider
        raise CatalogNotConfigured(
            f"No key is configured for the provider of {ref.namespace} titles.", metadata={"namespace": ref.namespace}
        )

    async def _fetch(self, ref: TitleRef, provider: Provider) -> None:
        async with self._patience(ref):
            title = await provider.title(ref)
        now = self._clock.now()
        wait = refresh_after(title, today=now.date(), ttl=self._ttl)
        # Spread out, or all that was fetched in one evening is due in one evening.
        due_at = now + wait * random.uniform(1.0, 1.1)  # noqa: S311  no secret depends on it
        if provider is self._second.get(ref.namespace):
            # It knows less: the first one is asked again as soon as that makes sense.
            due_at = now + _REFRESH_PAUSE
        await self._shelf.save(title, at=now, due_at=due_at)
        self._log.info(TITLE_FETCHED, series_id=ref.series_id, episodes=len(title.episodes))

    @asynccontextmanager
    async def _patience(self, ref: TitleRef) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_FETCH_DEADLINE.total_seconds()):
                yield
        except TimeoutError as error:
            name = self._provider(ref).name
            raise UpstreamUnavailable(f"{name} is too slow.", retry_after=_REFRESH_PAUSE) from error

    async def _refresh_if_free(self, ref: TitleRef) -> None:
        now = self._clock.now()
        if await self._shelf.claim(ref.series_id, now=now, until=now + _REFRESH_PAUSE):
            await self._refresh(ref)

    async def _refresh(self, ref: TitleRef) -> Outcome:
        """Fetch anew what the caller has claimed; on failure what was kept stays as it is."""
        try:
            await self._fetch(ref, self._provider(ref))
        except NotThereError:
            # Removed or merged upstream: what we know stays true for who is watching it.
            await self._shelf.put_off(ref.series_id, until=self._clock.now() + self._ttl)
            self._log.warning(TITLE_NOT_REFRESHED, series_id=ref.series_id, reason="gone upstream")
        except (HostRests, CatalogNotConfigured) as failure:
            wait = max(failure.retry_after or _REFRESH_PAUSE, _REFRESH_PAUSE)
            await self._shelf.put_off(ref.series_id, until=self._clock.now() + wait)
            # A host that rests is told of once, by `hosts.py`, not with every title.
            if isinstance(failure, CatalogNotConfigured):
                self._log.warning(TITLE_NOT_REFRESHED, series_id=ref.series_id, reason=failure.reason)
            return Outcome.HOST_REFUSED
        except UpstreamUnavailable:
            await self._fall_behind(ref)
            return Outcome.TITLE_FAILED
        except Exception:  # noqa: BLE001  whatever a stranger's data breaks, the other titles are refreshed
            self._log.exception(TITLE_NOT_REFRESHED, series_id=ref.series_id)
            await self._fall_behind(ref)
            return Outcome.TITLE_FAILED
        return Outcome.DONE

    async def _fall_behind(self, ref: TitleRef) -> None:
        # Spread out, or all that failed together come back together.
        pause = _REFRESH_PAUSE * random.uniform(1.0, 1.1)  # noqa: S311  no secret depends on it
        await self._shelf.failed(ref.series_id, at=self._clock.now(), pause=pause, longest=_LONGEST_PAUSE)

    def _refuse_known_absent(self, ref: TitleRef) -> None:
        until = self._absent.get(ref.series_id)
        if until is not None and self._clock.now() < until:
            raise _not_found(ref)

    def _remember_absent(self, ref: TitleRef) -> None:
        if len(self._absent) >= _MOST_ABSENT:
            self._absent.clear()
        self._absent[ref.series_id] = self._clock.now() + _ABSENT_FOR


def _not_found(ref: TitleRef) -> SeriesNotFound:
    return SeriesNotFound(f"There is no title {ref.series_id}.", metadata={"series_id": ref.series_id})

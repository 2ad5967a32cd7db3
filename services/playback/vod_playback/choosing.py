"""What a session plays: the pick of its episode, or a direct source."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from vod_playback import films
from vod_playback.domain import DeviceProfile, Direct, Episode, EpisodeKey, Source, Wish, direct_source, profile_hash
from vod_playback.films import Link, Policy
from vod_playback.ports import Picks
from vod_rpc import Failure, NotFound, Unavailable, time_left

DIRECT_SOURCES_NOT_ASKED = "direct_sources_not_asked"
DIRECT_SOURCE_CHOSEN = "direct_source_chosen"

_FOR_DIRECT = timedelta(seconds=7)
"""Kept back of the caller's time, so that a direct source can still be found when no torrent was."""


class DirectSources(Protocol):
    """Direct sources of an episode."""

    async def curated(self, episode: Episode, *, profile: DeviceProfile, link: Link) -> Sequence[Direct]:
        """Return those of curated collections that are well, best first."""
        ...

    async def all(self, episode: Episode, *, profile: DeviceProfile, link: Link) -> Sequence[Direct]:
        """Return all that are well, best first."""
        ...

    async def is_alive(self, direct: Direct) -> bool:
        """Tell whether what was watched before can be played again."""
        ...


class Links(Protocol):
    """What devices' links carried lately."""

    async def link(self, device_id: str) -> Link: ...


@dataclass(frozen=True, slots=True)
class Chosen:
    """What to play, and for which profile it was chosen."""

    episode: Episode
    source: Source
    profile: DeviceProfile

    @property
    def profile_hash(self) -> str:
        return profile_hash(self.profile)


class Choosing:
    """The use case of choosing."""

    def __init__(
        self,
        *,
        picks: Picks,
        direct: DirectSources,
        links: Links,
        policy: Policy,
        log: FilteringBoundLogger,
    ) -> None:
        self._picks = picks
        self._direct = direct
        self._links = links
        self._policy = policy
        self._log = log

    async def again(self, wish: Wish, episode: Episode, watched: Source | None) -> Chosen | None:
        """Return what was watched before, None if nothing was or if it is gone."""
        if watched is None or (watched.direct and not await self._direct.is_alive(watched.direct)):
            return None
        return Chosen(episode, watched, wish.profile)

    async def choose(self, wish: Wish, episode: Episode) -> Chosen:
        """Choose by the hierarchy; picks and sources are asked at the same time where nothing speaks against it.

        Raises:
            NotFound: there is nothing that can be played (NO_PLAYABLE_RELEASE).
        """
        link = await self._links.link(wish.device_id)
        limited = films.within(link, wish.profile)
        profile = limited if episode.is_film else wish.profile
        try:
            async with asyncio.TaskGroup() as group:
                early = group.create_task(self._pick(wish.key, wish.profile)) if limited == wish.profile else None
                first = await self._before_torrents(episode, wish.profile, link)
                if first:
                    source = direct_source(first)
                    if early:
                        early.cancel()
                else:
                    pick = early or group.create_task(self._pick(wish.key, profile))
                    source = await self._after(pick, episode, wish.profile, link)
        except BaseExceptionGroup as failures:
            # The first failure cancelled the other calls; it alone is the answer.
            raise failures.exceptions[0] from None
        if source.direct:
            self._log.info(
                DIRECT_SOURCE_CHOSEN,
                series_id=wish.key.series_id,
                provider=source.direct.provider,
                reason=source.direct.reasons[0],
            )
        return Chosen(episode, source, profile)

    async def without_torrents(self, episode: Episode, *, device_id: str, profile: DeviceProfile) -> Source | None:
        """Return a direct source for an episode whose torrents have all failed, None if there is none."""
        if self._policy is Policy.NEVER:
            return None
        link = await self._links.link(device_id)
        offers = await self._offers(self._direct.all(episode, profile=profile, link=link))
        best = films.best_of_all(offers, why="no torrent is left that plays")
        return direct_source(best) if best else None

    async def _before_torrents(self, episode: Episode, profile: DeviceProfile, link: Link) -> Direct | None:
        if self._policy is Policy.PREFER:
            offers = await self._offers(self._direct.all(episode, profile=profile, link=link))
            return films.best_curated(offers) or films.best_fitting(offers, why="direct sources are preferred here")
        if self._policy is Policy.FALLBACK and episode.is_film:
            return films.best_curated(await self._offers(self._direct.curated(episode, profile=profile, link=link)))
        return None

    async def _after(
        self, pick: "asyncio.Task[Source | Failure]", episode: Episode, profile: DeviceProfile, link: Link
    ) -> Source:
        """Return the pick if there is one that device and link carry, else a direct source."""
        if self._policy is Policy.NEVER:
            return _source(await pick)
        picked = await _in_time(pick)
        if isinstance(picked, Source):
            if not (episode.is_film and films.needs_more(picked, episode, _limit(profile, link))):
                return picked
            offers = await self._offers(self._direct.all(episode, profile=profile, link=link))
            why = "the best torrent needs more than device and link carry"
            fitting = films.best_fitting(offers, why=why)
            return direct_source(fitting) if fitting else picked
        offers = await self._offers(self._direct.all(episode, profile=profile, link=link))
        best = films.best_of_all(offers, why="no torrent can be played" if picked else "no torrent was found in time")
        if best is None:
            return _source(await pick)
        pick.cancel()
        return direct_source(best)

    async def _pick(self, key: EpisodeKey, profile: DeviceProfile) -> Source | Failure:
        try:
            return await self._picks.ensure(key, profile=profile, profile_hash=profile_hash(profile))
        except (NotFound, Unavailable) as failure:
            return failure

    async def _offers(self, asked: Awaitable[Sequence[Direct]]) -> Sequence[Direct]:
        """Return what sources answers; without it there are torrents still."""
        try:
            return await asked
        except Failure as failure:
            self._log.warning(DIRECT_SOURCES_NOT_ASKED, reason=failure.reason)
            return ()


async def _in_time(pick: "asyncio.Task[Source | Failure]") -> Source | Failure | None:
    """Return what was picked; None if that takes so long that there would be no time for a direct source."""
    left = time_left()
    await asyncio.wait({pick}, timeout=max(0.0, (left - _FOR_DIRECT).total_seconds()) if left is not None else None)
    return pick.result() if pick.done() else None


def _source(picked: Source | Failure) -> Source:
    if isinstance(picked, Failure):
        raise picked
    return picked


def _limit(profile: DeviceProfile, link: Link) -> int:
    return min((one for one in (profile.max_bitrate, link.usable) if one), default=0)

"""What happens when a source fails while it is watched: the session goes on from the next candidate.

Whatever the news is, the session is compared with the pick that is in force now. So news may come twice, late, in any
order, or to two replicas at once, and a session that plays something else than that pick goes on too when it stalls.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from vod_playback.domain import DeviceProfile, Episode, EpisodeKey, JsonObject, Session, Source
from vod_playback.holding import SILENT, SILENT_AFTER, Holding, says_silent
from vod_playback.logged import session_fields, waited_ms
from vod_playback.ports import Catalog, Picks
from vod_rpc import DeadlineExceeded, Failure, NotFound, deadline
from vod_runtime import Clock

SESSION_FELL_BACK = "session_fell_back"
SESSION_GIVEN_UP = "session_given_up"
SESSION_STALLED = "session_stalled"
NO_RELEASE = "NO_PLAYABLE_RELEASE"
_OLD_NEWS = timedelta(minutes=2)
"""Who still waits is told of again every few seconds, however long it lasts; who was told of before that does not."""
_AT_ONCE = 8
_PREPARED_FOR = timedelta(hours=6)
"""So long after a session's end its pin of the next episode may last."""


class FallbackStore(Protocol):
    async def playing(self, source: Source, *, key: EpisodeKey, profile_hash: str) -> Sequence[Session]:
        """Return the active sessions of an episode that play a file."""
        ...

    async def stalled(
        self, source: Source, *, holders: Sequence[str], at: datetime, since: datetime, reason: str
    ) -> Sequence[Session]:
        """Note that viewers wait for bytes of a file; return those sessions that still play it."""
        ...

    async def fall_back(self, session: Session, source: Source, *, at: datetime, reason: str) -> Session | None:
        """Let a session go on from another source; None if it does not play its old one any more."""
        ...

    async def give_up(self, session: Session, failure: JsonObject) -> bool:
        """Note that nothing is left for a session; False if it was noted before."""
        ...

    async def rejected(self, source: Source, *, key: EpisodeKey, profile_hash: str) -> None:
        """Note that a file is not to be resumed by those who played it, whether they still do or not."""
        ...

    async def not_ready(self, key: EpisodeKey, *, profile_hash: str, ended_since: datetime) -> Sequence[str]:
        """Take back that an episode is ready to be the next one.

        Returns the sessions that wait for it, those that ended since then among them.
        """
        ...

    async def many(self, session_ids: Sequence[str]) -> Sequence[Session]: ...


class LastResort(Protocol):
    async def without_torrents(self, episode: Episode, *, device_id: str, profile: DeviceProfile) -> Source | None:
        """Return a direct source for an episode whose torrents have all failed, None if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Rejection:
    """A pick that is not in force any more."""

    source: Source
    key: EpisodeKey
    profile_hash: str
    explanation: str


@dataclass(frozen=True, slots=True)
class Stall:
    """Viewers who wait for bytes of a file."""

    source: Source
    holders: Sequence[str]
    told_at: datetime
    """When the viewers still waited."""
    waited: timedelta
    """For how long, by then."""
    reason: str


class FallingBack:
    """Sessions whose source failed."""

    def __init__(
        self,
        *,
        store: FallbackStore,
        catalog: Catalog,
        picks: Picks,
        last_resort: LastResort,
        holding: Holding,
        clock: Clock,
        log: FilteringBoundLogger,
        switched: Callable[[], None],
        changed: Callable[[str], None],
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._picks = picks
        self._last_resort = last_resort
        self._holding = holding
        self._clock = clock
        self._log = log
        self._count_switch = switched
        self._changed = changed

    async def rejected(self, rejection: Rejection) -> None:
        """Let the sessions that play a rejected pick go on from the one in its place, now or when they are resumed.

        Raises:
            Failure: a neighbour could not do its part for one of them; the next call tries again.
        """
        key, hashed = rejection.key, rejection.profile_hash
        await self._store.rejected(rejection.source, key=key, profile_hash=hashed)
        # Autoplay comes after the end. Who still plays hears it with the next heartbeat, and prefetch prepares anew.
        since = self._clock.now() - _PREPARED_FOR
        waiting = await self._store.not_ready(key, profile_hash=hashed, ended_since=since)
        for session_id in waiting:
            self._changed(session_id)
        sessions = await self._store.playing(rejection.source, key=key, profile_hash=hashed)
        await self._reconsider_all(sessions, rejection.explanation)
        for session_id in waiting:
            await self._holding.let_go(rejection.source, holder=session_id)

    async def stalled(self, stall: Stall) -> None:
        """Tell the viewers that they wait, and let those go on whose source is not the pick in force.

        The others hear of it when picks rejects their pick.

        Raises:
            Failure: as in `rejected`.
        """
        now = self._clock.now()
        if now - stall.told_at > _OLD_NEWS:
            return
        since = stall.told_at - stall.waited
        sessions = await self._store.stalled(
            stall.source, holders=stall.holders, at=now, since=since, reason=stall.reason
        )
        for session in sessions:
            waited = waited_ms(session, now)
            self._log.info(SESSION_STALLED, **session_fields(session), reason=stall.reason, buffering_ms=waited)
            self._changed(session.id)
        await self._reconsider_all(sessions, f"Its swarm does not deliver ({stall.reason}).")

    async def _reconsider_all(self, sessions: Sequence[Session], reason: str) -> None:
        slots = asyncio.Semaphore(_AT_ONCE)

        async def one(session: Session) -> Failure | None:
            async with slots:
                try:
                    await self._reconsider(session, reason)
                except Failure as failure:  # the others go on all the same
                    return failure
                return None

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(session)) for session in sessions]
        failures = [failure for task in tasks if (failure := task.result())]
        if failures:
            raise failures[0]

    async def _reconsider(self, session: Session, reason: str) -> None:
        if not session.source.pick_id:
            return  # its owner named the torrent: there is nothing to choose from
        try:
            source = await self._picks.ensure(session.key, profile=session.profile, profile_hash=session.profile_hash)
        except NotFound as failure:
            if failure.reason != NO_RELEASE:
                raise
            direct = await self._direct(session)
            if direct is None:
                await self._give_up(session, failure)
            else:
                await self._go_on(session, direct, reason)
            return
        if not source.same_file(session.source):
            await self._go_on(session, source, reason)

    async def _direct(self, session: Session) -> Source | None:
        episode = await self._catalog.episode(session.key)
        return await self._last_resort.without_torrents(episode, device_id=session.device_id, profile=session.profile)

    async def _go_on(self, session: Session, source: Source, reason: str) -> None:
        try:
            with deadline(SILENT_AFTER):
                pin = await self._holding.hold(source, holder=session.id)
        except DeadlineExceeded as late:
            await self._holding.let_go(source, holder=session.id)
            if not source.pick_id or not says_silent(late):
                raise
            await self._picks.reject(source.pick_id, explanation=SILENT)
            await self._reconsider(session, reason)
            return
        switched = await self._store.fall_back(session, source, at=self._clock.now(), reason=reason)
        if switched is None:
            await self._unless_held(session, source)
            return
        await self._holding.let_go(session.source, holder=session.id, successor="" if source.direct else pin.stream_url)
        self._count_switch()
        waited = waited_ms(session, self._clock.now())
        self._log.warning(SESSION_FELL_BACK, **session_fields(switched), reason=reason, buffering_ms=waited)
        self._changed(session.id)

    async def _unless_held(self, session: Session, source: Source) -> None:
        """Give back what was pinned for nothing: the session ended, or somebody else switched it, maybe to the same."""
        for now in await self._store.many([session.id]):
            if now.is_active and now.source.same_file(source):
                return
        await self._holding.let_go(source, holder=session.id)

    async def _give_up(self, session: Session, failure: NotFound) -> None:
        told: JsonObject = {
            "reason": failure.reason,
            "message": str(failure),
            "domain": failure.domain,
            "metadata": dict(failure.metadata),
        }
        if await self._store.give_up(session, told):
            waited = waited_ms(session, self._clock.now())
            self._log.warning(SESSION_GIVEN_UP, **session_fields(session), reason=failure.reason, buffering_ms=waited)
            self._changed(session.id)

"""What happens while somebody watches, and when they stop."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from vod_playback.domain import (
    Alternative,
    Beat,
    EpisodeKey,
    Heard,
    How,
    JsonObject,
    NextHint,
    Reply,
    Session,
    Source,
    State,
    Switched,
)
from vod_playback.endings import Endings
from vod_playback.errors import NextMismatch, SessionEnded, SessionNotFound
from vod_playback.holding import Holding
from vod_playback.logged import session_fields
from vod_playback.ports import Beats, Events, Picks, Store
from vod_rpc import Failure, time_left
from vod_runtime import Clock

NEXT_NOT_PICKED = "next_not_picked"
SESSION_ENDED = "session_ended"
_RESERVE = timedelta(seconds=1)
"""Kept back of the caller's time, so that the answer without a next pick still arrives."""
_TOP = 2
_TOLD_FOR = timedelta(minutes=1)
"""A switch is told so long after it happened, unless the player says earlier that it knows."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What a viewer learns at the end: what would come next, if anything."""

    next_source: Source | None
    next_hint: NextHint | None


@dataclass(frozen=True, slots=True)
class Following:
    """The best candidates for the next episode."""

    alternatives: Sequence[Alternative]
    next_hint: NextHint | None


class Watching:
    """Sessions while they run, and their end."""

    def __init__(
        self,
        *,
        store: Store,
        beats: Beats,
        picks: Picks,
        holding: Holding,
        endings: Endings,
        events: Events,
        clock: Clock,
        log: FilteringBoundLogger,
        silence: timedelta,
        changed: Callable[[str], None],
    ) -> None:
        self._store = store
        self._beats = beats
        self._picks = picks
        self._endings = endings
        self._holding = holding
        self._events = events
        self._clock = clock
        self._log = log
        self._silence = silence
        self._changed = changed

    async def beat(self, beat: Beat) -> Reply:
        """Store a position, tell the others, and return what comes next and what became of the source.

        When this returns the position is on disk, or a newer one is. Whether the others could be told does not matter:
        the next beat is the retry.

        Raises:
            SessionNotFound, SessionEnded, HeartbeatInvalid, StoreUnavailable
        """
        written = await self._beats.write(Heard(beat.checked(), self._clock.now()))
        if written is None:
            await self._known(beat.session_id)
            raise SessionEnded(beat.session_id)
        if written.newer:
            await self._events.heartbeat(written.session)
        if beat.duration is not None and not written.ending_asked:
            self._endings.ask(written.session)
        session = written.session
        return Reply(session.next_hint, await self._switched(session, beat.playing_pick), session.failure)

    async def end(self, session_id: str) -> Ending:
        """End a session at its last reported position; ending it again gives the same answer.

        What was fetched of the next episode stays on disk, for the viewer may go on to it.
        """
        session = await self._close(session_id, How.SAID) or await self._known(session_id)
        return Ending(next_source=await self._next_source(session), next_hint=session.next_hint)

    async def end_silent(self) -> None:
        """End the sessions that have not been heard of for too long, as if their viewers had left."""
        since = self._clock.now() - self._silence
        # A hundred at a time: after an outage all of them may have fallen silent at once.
        while silent := await self._store.silent(since=since):
            for session_id in silent:
                await self._close(session_id, How.SILENT, unheard_since=since)

    async def following(self, session_id: str) -> Following:
        """Return what comes next, choosing it first if nobody has, and the best candidate beside it."""
        session = await self._known(session_id)
        if session.next is None:
            return Following((), None)
        chosen = await self._next_source(session)
        alternatives = await self._picks.alternatives(session.next, profile_hash=session.profile_hash)
        # What a race or the viewer chose need not be the one with the most points.
        first = [one for one in alternatives if chosen and one.infohash == chosen.infohash]
        others = [one for one in alternatives if one.playable and one not in first]
        return Following([*first, *others][:_TOP], session.next_hint)

    async def hint(self, session_id: str, hint: NextHint) -> State:
        """Remember whether the next episode is ready; return whether the session still runs.

        Ended sessions learn it too: autoplay comes after the end.
        """
        state = await self._store.hint(session_id, hint.key, ready=hint.ready)
        if state is None:
            await self._known(session_id)
            raise NextMismatch
        self._changed(session_id)
        return state

    async def progress(self, session_id: str) -> JsonObject:
        """Return how far the session's file has come, as the stream node tells it.

        Raises:
            SessionNotFound
            NotFound: nobody holds the file any more (PIN_UNKNOWN).
        """
        return await self._holding.progress((await self._known(session_id)).source)

    async def active(self) -> Sequence[Session]:
        """Return the sessions that run, newest first."""
        return await self._store.active()

    async def _switched(self, session: Session, playing_pick: int | None) -> Switched | None:
        at = session.switched_at
        if at is None or self._clock.now() - at > _TOLD_FOR or playing_pick == session.source.pick_id:
            return None
        return await self._holding.switched_to(session)

    async def _close(self, session_id: str, how: How, *, unheard_since: datetime | None = None) -> Session | None:
        session = await self._store.end(session_id, at=self._clock.now(), how=how, unheard_since=unheard_since)
        if session:
            self._log.info(SESSION_ENDED, **session_fields(session), reason=how.value)
            self._changed(session_id)
            await self._holding.session_is_over(session.id)
        return session

    async def _known(self, session_id: str) -> Session:
        session = await self._store.session(session_id)
        if session is None:
            raise SessionNotFound(session_id)
        return session

    async def _next_source(self, session: Session) -> Source | None:
        if session.next is None:
            return None
        left = time_left()
        try:
            async with asyncio.timeout((left - _RESERVE).total_seconds() if left is not None else None):
                return await self._ensure(session, session.next)
        except TimeoutError:
            self._log.info(NEXT_NOT_PICKED, session_id=session.id, reason="TIMEOUT")
        except Failure as failure:
            self._log.info(NEXT_NOT_PICKED, session_id=session.id, reason=failure.reason)
        return None

    async def _ensure(self, session: Session, key: EpisodeKey) -> Source:
        return await self._picks.ensure(key, profile=session.profile, profile_hash=session.profile_hash)

"""Starting a session, and everything else that decides which bytes it plays."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from vod_playback.choosing import Choosing, Chosen
from vod_playback.domain import Episode, Session, Source, State, Wish, profile_hash
from vod_playback.errors import RequestIdReused, SessionEnded, SessionNotFound
from vod_playback.films import kin
from vod_playback.holding import SILENT, Holding, says_silent
from vod_playback.logged import chosen_because, session_fields
from vod_playback.ports import Catalog, Picks, Store
from vod_playback.preparing import Preparing
from vod_rpc import DeadlineExceeded, NotFound, Unavailable
from vod_runtime import Clock

SESSION_STARTED = "session_started"
AFTER_THE_END = timedelta(minutes=2)
"""How long the file of an ended session is held for a player that does not know yet, and then reads nothing."""


@dataclass(frozen=True, slots=True)
class Started:
    """A session that plays, and where its bytes are."""

    session: Session
    stream_url: str


class StartCounter(Protocol):
    """What is counted of starts."""

    def resumed(self) -> None:
        """An unfinished episode goes on from the very source it was watched from."""

    def expected(self, *, warm: bool) -> None:
        """An episode that was to come next was started; *warm* if it was prepared: on disk, or found ahead."""


class Starting:
    """Sessions, from the wish to the bytes."""

    def __init__(
        self,
        *,
        store: Store,
        catalog: Catalog,
        choosing: Choosing,
        preparing: Preparing,
        picks: Picks,
        holding: Holding,
        clock: Clock,
        new_id: Callable[[], str],
        count: StartCounter,
        changed: Callable[[str], None],
        log: FilteringBoundLogger,
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._choosing = choosing
        self._preparing = preparing
        self._picks = picks
        self._holding = holding
        self._clock = clock
        self._new_id = new_id
        self._count = count
        self._changed = changed
        self._log = log

    async def start(self, wish: Wish) -> Started:
        """Find what to play, pin it and open a session; the same request id gives the same session.

        If anything fails, nothing is left behind. A pick whose swarm is silent is rejected, and what takes its place
        is played. A node that does not answer says nothing about the pick: another one may, so it is asked for again.

        Raises:
            NotFound: there is no such episode, or nothing that can be played (NO_PLAYABLE_RELEASE).
            RequestIdReused, SessionEnded: the request id belongs to another episode, or to a session that is over.
        """
        earlier = await self._requested(wish)
        if earlier and earlier.key == wish.key:
            return await self._again(earlier, wish)
        # Asked before everything else: progress and picks are kept under the one key that the catalog names.
        episode = await self._catalog.episode(wish.key)
        wish = replace(wish, key=episode.key)
        if earlier:
            return await self._again(earlier, wish)
        watched = await self._store.watched(wish, profile_hashes=kin(wish.profile))
        resumed = await self._choosing.again(wish, episode, watched)
        ahead = await self._preparing.prepared(wish, profile_hash=profile_hash(wish.profile))
        session = self._session(wish, resumed or await self._anew(wish, episode, ahead))
        async with AsyncExitStack() as held:
            try:
                pin = await held.enter_async_context(self._holding.held_soon(session.source, holder=session.id))
            except DeadlineExceeded as late:
                if not session.source.pick_id:
                    raise
                if says_silent(late):
                    await self._picks.reject(session.source.pick_id, explanation=SILENT)
                    resumed, session = None, self._session(wish, await self._choosing.choose(wish, episode))
                pin = await held.enter_async_context(self._holding.held(session.source, holder=session.id))
            opened = await self._store.open(session)
        if opened.session.id != session.id:
            # Another call with this request id was faster.
            await self._holding.let_go(session.source, holder=session.id)
            return await self._again(opened.session, wish)
        if resumed:
            self._count.resumed()
        if opened.expected_by:
            found_ahead = ahead is not None and ahead.same_file(session.source)
            self._count.expected(warm=pin.warm or found_ahead)
        for holder in opened.expected_by:
            # What was kept warm for the session before is held by this one now.
            await self._holding.let_go(session.source, holder=holder)
        self._log.info(SESSION_STARTED, **session_fields(session), reason=chosen_because(session.source))
        return Started(session, pin.stream_url)

    async def stream_url(self, session_id: str) -> str:
        """Return a fresh URL of the session's file; pins it again if the node forgot it.

        Asking is a sign of life: an ordinary player sends no heartbeats, but asks again with every jump. An ended
        session's file can still be asked for, because the player may not know yet that it ended.
        """
        session = await self._store.touch(session_id, at=self._clock.now()) or await self._store.session(session_id)
        if session is None:
            raise SessionNotFound(session_id)
        try:
            lasting = timedelta() if session.is_active else AFTER_THE_END
            return (await self._holding.hold(session.source, holder=session.id, lasting=lasting)).stream_url
        except (NotFound, Unavailable):
            if session.source.direct is None or session.state is State.ENDED:
                raise
        return await self._instead(session)

    async def override(self, session_id: str, *, infohash: str) -> Started:
        """Let the session play another of its episode's candidates.

        The new source is pinned before the old one is given up. Should pinning fail, picks keeps the viewer's choice
        for the next start, and this session goes on as it was.
        """
        session = await self._active(session_id)
        source = await self._picks.override(session, infohash=infohash)
        if source.same_file(session.source):
            pin = await self._holding.hold(source, holder=session.id)
            return Started(session, pin.stream_url)
        return await self._switch(session, source)

    async def _anew(self, wish: Wish, episode: Episode, ahead: Source | None) -> Chosen:
        """Choose what to play, unless a direct source was found ahead and is still well."""
        return await self._choosing.again(wish, episode, ahead) or await self._choosing.choose(wish, episode)

    async def _instead(self, session: Session) -> str:
        """Let a session whose direct source is gone for good play what a start would play now; return its URL."""
        wish = Wish(session.key, session.profile, device_id=session.device_id, subject_id=session.subject_id)
        chosen = await self._choosing.choose(wish, await self._catalog.episode(wish.key))
        return (await self._switch(session, chosen.source)).stream_url

    async def _switch(self, session: Session, source: Source) -> Started:
        async with self._holding.held(source, holder=session.id) as pin:
            switched = await self._store.switch(session.id, source)
            if switched is None:
                raise SessionEnded(session.id)
        self._changed(session.id)
        # A fallback may have been faster: given up is what was replaced, not what was played when this began.
        if not switched.before.same_file(source):
            await self._holding.let_go(switched.before, holder=session.id, successor=pin.stream_url)
        return Started(switched.session, pin.stream_url)

    async def _requested(self, wish: Wish) -> Session | None:
        if not wish.request_id:
            return None
        return await self._store.requested(device_id=wish.device_id, request_id=wish.request_id)

    async def _again(self, session: Session, wish: Wish) -> Started:
        if session.key != wish.key:
            raise RequestIdReused
        if session.state is State.ENDED:
            raise SessionEnded(session.id)
        pin = await self._holding.hold(session.source, holder=session.id)
        return Started(session, pin.stream_url)

    def _session(self, wish: Wish, chosen: Chosen) -> Session:
        now = self._clock.now()
        return Session(
            id=self._new_id(),
            device_id=wish.device_id,
            request_id=wish.request_id,
            subject_id=wish.subject_id,
            key=wish.key,
            profile=chosen.profile,
            profile_hash=chosen.profile_hash,
            source=chosen.source,
            next=chosen.episode.next,
            subtitle_languages=wish.subtitle_languages,
            duration=chosen.episode.runtime,
            started_at=now,
            heartbeat_at=now,
        )

    async def _active(self, session_id: str) -> Session:
        session = await self._store.session(session_id)
        if session is None:
            raise SessionNotFound(session_id)
        if session.state is State.ENDED:
            raise SessionEnded(session_id)
        return session

"""The viewer's choice for the next episode, before it begins."""

from collections.abc import Callable
from dataclasses import replace

from vod_playback.domain import Session, Source
from vod_playback.errors import NothingFollows, SessionNotFound
from vod_playback.holding import Holding
from vod_playback.ports import Events, Picks, Store
from vod_rpc import NotFound


class ChoosingNext:
    """Overrides of what comes next."""

    def __init__(
        self, *, store: Store, picks: Picks, holding: Holding, events: Events, changed: Callable[[str], None]
    ) -> None:
        self._store = store
        self._picks = picks
        self._holding = holding
        self._events = events
        self._changed = changed

    async def override(self, session_id: str, *, infohash: str) -> Source:
        """Replace the pick of the episode that follows, and have that one prepared instead.

        Sessions that ended may ask too: the countdown to the next episode runs after the end.

        Raises:
            SessionNotFound
            NothingFollows: it is the last episode, or another session plays the next one already.
            NotFound: the release is not among the candidates (CANDIDATE_UNKNOWN).
        """
        session = await self._store.session(session_id)
        if session is None:
            raise SessionNotFound(session_id)
        if session.next is None or session.next_taken:
            raise NothingFollows
        following = replace(session, key=session.next)
        before = await self._prepared(following)
        source = await self._picks.override(following, infohash=infohash)
        if before and before.same_file(source):
            return source
        await self._store.hint(session.id, session.next, ready=False)
        self._changed(session.id)
        # Prefetch hears at once that nothing is ready, not only with the next heartbeat.
        await self._events.heartbeat(replace(session, next_ready=False))
        if before:
            await self._holding.let_go(before, holder=session.id)
        return source

    async def _prepared(self, following: Session) -> Source | None:
        """Return what prefetch may have pinned; nothing can have been if nothing could be played."""
        try:
            return await self._picks.ensure(
                following.key, profile=following.profile, profile_hash=following.profile_hash
            )
        except NotFound:
            return None

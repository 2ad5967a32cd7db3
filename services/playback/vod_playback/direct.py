"""Direct play: a session on a torrent that its owner names, without catalog and picks.

Its key is made of the torrent: `direct:torrent:{infohash}`, season 1, and the number of the file as episode. So
heartbeats, progress and silence work as for any other session; nothing ever comes next.
"""

from collections.abc import Callable
from datetime import timedelta

from vod_playback.domain import DIRECT_SERIES, DirectWish, EpisodeKey, Session, Source, State, profile_hash
from vod_playback.errors import RequestIdReused, SessionEnded
from vod_playback.holding import Holding
from vod_playback.ports import Store
from vod_playback.starting import Started
from vod_runtime import Clock

_NOTHING_KNOWN = timedelta()


class DirectPlay:
    """Sessions without a pick."""

    def __init__(self, *, store: Store, holding: Holding, clock: Clock, new_id: Callable[[], str]) -> None:
        self._store = store
        self._holding = holding
        self._clock = clock
        self._new_id = new_id

    async def start(self, wish: DirectWish) -> Started:
        """Pin what was named and open a session; the same request id gives the same session.

        If anything fails, nothing is left behind.

        Raises:
            RequestIdReused, SessionEnded: the request id belongs to something else, or to a session that is over.
            What the stream node says of the torrent.
        """
        session_id = self._new_id()
        # The torrent first: until it is in the swarm, every millisecond counts.
        async with self._holding.held_directly(wish, holder=session_id) as (source, pin):
            opened = await self._store.open(self._session(session_id, wish, source))
        if opened.session.id == session_id:
            return Started(opened.session, pin.stream_url)
        await self._holding.let_go(source, holder=session_id)
        return await self._again(opened.session, source)

    async def _again(self, session: Session, source: Source) -> Started:
        if not session.source.same_file(source):
            raise RequestIdReused
        if session.state is State.ENDED:
            raise SessionEnded(session.id)
        pin = await self._holding.hold(session.source, holder=session.id)
        return Started(session, pin.stream_url)

    def _session(self, session_id: str, wish: DirectWish, source: Source) -> Session:
        now = self._clock.now()
        return Session(
            id=session_id,
            device_id=wish.device_id,
            request_id=wish.request_id,
            subject_id=wish.subject_id,
            key=EpisodeKey(f"{DIRECT_SERIES}{source.infohash}", season=1, episode=source.file_index),
            profile=wish.profile,
            profile_hash=profile_hash(wish.profile),
            source=source,
            next=None,
            subtitle_languages=wish.subtitle_languages,
            duration=_NOTHING_KNOWN,
            started_at=now,
            heartbeat_at=now,
        )

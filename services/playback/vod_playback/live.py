"""Sessions as they are now, for those who wait to hear of a change.

State, not a log: a listener says what it knows and gets what is different, from whichever replica it asks. That is a
digest of each part of the state, so nothing has to be kept for it.
"""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import asyncpg
from structlog.typing import FilteringBoundLogger

from vod_playback.domain import JsonObject, Session
from vod_playback.errors import SessionNotFound
from vod_rpc import Failure, deadline
from vod_runtime import Clock, background

LIVE_STALE = "live_stale"
_EVERY = timedelta(seconds=1)
_SWARMS_EVERY = timedelta(seconds=2)
_WITHIN = timedelta(seconds=5)
_STALL_LASTS = timedelta(seconds=20)
"""A stall that was not told again for so long is over."""
PARTS = ("switched", "given_up", "next_hint", "buffering", "swarm", "ended")


@dataclass(frozen=True, slots=True)
class Swarm:
    """How a file arrives."""

    state: int
    """A number of vod.stream.v1.PinState."""
    peers: int
    download_rate: int
    downloaded_bytes: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class View:
    """What a listener may know of a session."""

    session: Session
    waiting: bool = False
    """The viewer waits for bytes."""
    swarm: Swarm | None = None

    def digests(self) -> dict[str, str]:
        """Return a digest of each part; empty where there is nothing to tell."""
        session, hint = self.session, self.session.next_hint
        parts: JsonObject = {
            "switched": [session.switches, session.source.infohash, session.source.file_index],
            "given_up": session.failure,
            "next_hint": [str(hint.key), hint.ready] if hint else None,
            "buffering": [self.waiting, session.stall_reason if self.waiting else ""],
            "swarm": [self.swarm.state, self.swarm.peers, self.swarm.download_rate, self.swarm.downloaded_bytes]
            if self.swarm
            else None,
            "ended": None if session.is_active else True,
        }
        if not session.switches:
            parts["switched"] = None
        return {name: _digest(parts[name]) for name in PARTS}


def _digest(part: object) -> str:
    return "" if part is None else hashlib.sha256(json.dumps(part).encode()).hexdigest()[:8]


def known_parts(known: str) -> dict[str, str]:
    """Read what a listener says that it knows; whatever else was sent is nothing."""
    digests = known.split(".")
    return dict(zip(PARTS, digests, strict=True)) if len(digests) == len(PARTS) else dict.fromkeys(PARTS, "")


def knowledge(parts: Mapping[str, str]) -> str:
    """Write it."""
    return ".".join(parts[name] for name in PARTS)


class Sessions(Protocol):
    async def many(self, session_ids: Sequence[str]) -> Sequence[Session]: ...


class Swarms(Protocol):
    async def current(self) -> Mapping[tuple[str, str, int], Swarm]:
        """Return how the files arrive that are watched, by holder, infohash and file index."""
        ...


class Live:
    """Views of the sessions that somebody listens to; made by `live`, which keeps them fresh."""

    def __init__(self, sessions: Sessions, swarms: Swarms, *, clock: Clock, log: FilteringBoundLogger) -> None:
        self._sessions = sessions
        self._swarms = swarms
        self._clock = clock
        self._log = log
        self._listeners: Counter[str] = Counter()
        self._views: dict[str, View] = {}
        self._arrivals: Mapping[tuple[str, str, int], Swarm] = {}
        self._wake = asyncio.Event()
        self._round = asyncio.Event()

    def changed(self, session_id: str) -> None:
        """Look at once: something about this session is different."""
        if session_id in self._listeners:
            self._wake.set()

    async def wait(self, session_id: str, *, known: str, within: timedelta) -> View:
        """Return the session as soon as it differs from what is known or has ended, or when the time is over.

        Raises:
            SessionNotFound, StoreUnavailable
        """
        with self._listening(session_id):
            view = await self._look(session_id)
            try:
                async with asyncio.timeout(within.total_seconds()):
                    while view.session.is_active and view.digests() == known_parts(known):
                        await self._round.wait()
                        view = self._views.get(session_id, view)
            except TimeoutError:
                pass  # nothing changed, which is an answer too
            return view

    @contextmanager
    def _listening(self, session_id: str) -> Iterator[None]:
        self._listeners[session_id] += 1
        try:
            yield
        finally:
            self._listeners[session_id] -= 1
            if not self._listeners[session_id]:
                del self._listeners[session_id]
                self._views.pop(session_id, None)

    async def _look(self, session_id: str) -> View:
        found = await self._sessions.many([session_id])
        if not found:
            raise SessionNotFound(session_id)
        self._views[session_id] = self._view(found[0])
        return self._views[session_id]

    def _view(self, session: Session) -> View:
        stalled = session.stalled_at
        waiting = stalled is not None and self._clock.now() - stalled < _STALL_LASTS
        swarm = self._arrivals.get((session.id, session.source.infohash, session.source.file_index))
        return View(session, waiting=waiting and session.is_active, swarm=swarm)

    async def follow_sessions(self) -> None:
        """Look again and again at what somebody listens to, for ever."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_EVERY.total_seconds()):
                    await self._wake.wait()
            self._wake.clear()
            if not self._listeners:
                continue
            try:
                with deadline(_WITHIN):
                    await self._refresh()
            except (Failure, asyncpg.PostgresError) as error:
                self._log.info(LIVE_STALE, why=type(error).__name__)

    async def follow_swarms(self) -> None:
        """Ask again and again how files arrive, for ever: beside the sessions, which wait for no stream node."""
        while True:
            if self._listeners:
                try:
                    with deadline(_WITHIN):
                        self._arrivals = await self._swarms.current()
                except Failure as failure:
                    self._log.info(LIVE_STALE, why=failure.reason)
            await asyncio.sleep(_SWARMS_EVERY.total_seconds())

    async def _refresh(self) -> None:
        for session in await self._sessions.many(list(self._listeners)):
            if session.id in self._listeners:
                self._views[session.id] = self._view(session)
        self._round.set()
        self._round = asyncio.Event()


@asynccontextmanager
async def live(sessions: Sessions, swarms: Swarms, *, clock: Clock, log: FilteringBoundLogger) -> AsyncIterator[Live]:
    """Keep views fresh while the context is open."""
    views = Live(sessions, swarms, clock=clock, log=log)
    async with background(views.follow_sessions(), views.follow_swarms()):
        yield views

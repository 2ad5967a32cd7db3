"""Viewers who wait too long for bytes: noticed, counted, and told, once per stall and file and again while it lasts.

A read that waits for the swarm is a watch. The first watch of a file that is older than `after` begins a stall; it
lasts until no watch of that file is that old any more. A watch is older by what its viewer's buffer lost before: a
swarm that gives a second of film in seven seconds stalls as well as one that gives nothing.
"""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from structlog.typing import FilteringBoundLogger

from vod_rpc import Failure
from vod_runtime import Clock, background
from vod_stream_node.domain import PinKey, Stats, short
from vod_stream_node.metrics import Metrics

PIN_STALLED = "pin_stalled"
STALL_NOT_TOLD = "stall_not_told"

_TELL_SECONDS = 5.0
_STOOD_STILL = 1.0
"""Seconds by which a look is late that was not just waiting for its turn."""
_CROWD = 10_000


class Reason(Enum):
    """Why nothing comes."""

    NO_PEERS = "no_peers"
    NO_BYTES = "no_bytes"
    """Peers are there, and send nothing."""
    TOO_SLOW = "too_slow"
    """Bytes come, but not those that a viewer waits for."""


@dataclass(frozen=True, slots=True)
class Stall:
    """A viewer waits for bytes of a pinned file longer than the node allows."""

    key: PinKey
    reason: Reason
    stats: Stats
    holders: tuple[str, ...]
    """Who holds the file CURRENT."""
    at: datetime
    """When it began to be one."""
    told_at: datetime
    """When it still was."""
    waited: timedelta
    """How late the bytes were by then for which somebody waited longest."""
    telling: int
    """1 for the first time that it is told."""


@dataclass(slots=True)
class Lag:
    """How much later a viewer's bytes come than they are played: what his buffer has lost."""

    seconds: float = 0.0

    def waited(self, seconds: float) -> None:
        """Note how long nothing came."""
        self.seconds += seconds

    def came(self, size: int, *, rate: float | None) -> None:
        """Note what came; *rate*: bytes per second at which it plays, None if nobody knows."""
        self.seconds = max(0.0, self.seconds - size / rate) if rate else 0.0


Crowd = tuple[Stats, tuple[str, ...]]
"""A file's traffic, and who holds it CURRENT."""
Look = Callable[[PinKey], Awaitable[Crowd | None]]
"""Returns a file's crowd; None when nobody holds it CURRENT. Raises TorrentGone when its torrent leaves meanwhile."""
Tell = Callable[[Stall], Awaitable[None]]


class Stalls:
    """The stalls of a node. Made by `stall_watch()`."""

    def __init__(
        self, look: Look, tell: Tell, *, after: timedelta, clock: Clock, metrics: Metrics, log: FilteringBoundLogger
    ) -> None:
        self._look = look
        self._tell = tell
        self._after = after.total_seconds()
        self._clock = clock
        self._metrics = metrics
        self._log = log
        self._waiting: dict[PinKey, dict[object, float]] = {}
        self._left: dict[PinKey, tuple[float, float]] = {}
        """When the last read that ended without a byte began to wait, and when it ended."""
        self._told: dict[PinKey, tuple[datetime, int]] = {}
        self._counts: Counter[PinKey] = Counter()
        self._due = math.inf
        """When the next look should be."""
        self._lost = 0.0
        """Seconds in which this process stood still: no swarm is to blame for them."""

    @contextmanager
    def waiting(self, key: PinKey, lag: Lag) -> Iterator[None]:
        """Watch a read that waits for the swarm, and whose earlier bytes came with a *lag*."""
        watch, now = object(), self._awake()
        began, left = self._left.pop(key, (now, now))
        # A player that gives up and asks again at once still waits for its first byte.
        began = began if now - left < self._after else now
        self._waiting.setdefault(key, {})[watch] = min(began, now - lag.seconds)
        try:
            yield
        except BaseException:
            self._left[key] = began, self._awake()
            raise
        finally:
            lag.waited(self._awake() - now)
            watches = self._waiting[key]
            del watches[watch]
            if not watches:
                del self._waiting[key]

    def count(self, key: PinKey) -> int:
        """Return how often a file's viewers stalled."""
        return self._counts[key]

    async def run(self) -> None:
        """Look for stalls, for ever; a stall is told again after each time that makes one."""
        pause = min(1.0, self._after / 4)
        while True:
            self._due = self._clock.monotonic() + pause
            await asyncio.sleep(pause)
            self._awake()
            self._due = math.inf  # to tell may take a while
            await self.look_over()

    async def look_over(self) -> None:
        """Begin, tell and end the stalls that are due."""
        now = self._awake()
        self._left = {key: (began, at) for key, (began, at) in self._left.items() if now - at < self._after}
        late = {key for key, watches in self._waiting.items() if now - min(watches.values()) >= self._after}
        for key in [key for key in self._told if key not in late]:
            del self._told[key]
        for key in late:
            since, tellings = self._told.get(key, (self._clock.now(), 0))
            age = now - min(self._waiting[key].values(), default=now) if key in self._waiting else 0.0
            if age >= self._after * (tellings + 1):
                await self._tell_of(key, since, telling=tellings + 1, waited=timedelta(seconds=age))

    def _awake(self) -> float:
        """Return the time, in seconds in which this process ran: not while it, or its machine, was stopped."""
        now = self._clock.monotonic()
        if now - self._due > _STOOD_STILL:
            self._lost += now - self._due
            self._due = now
        return now - self._lost

    async def _tell_of(self, key: PinKey, since: datetime, *, telling: int, waited: timedelta) -> None:
        try:
            seen = await self._look(key)
        except Failure:
            return  # its torrent is away for a moment, to be tried again after its disk failed
        if seen is None:
            return
        stats, holders = seen
        if telling == 1:
            self._metrics.buffer_events.inc()
            self._counts[key] += 1
            if len(self._counts) > _CROWD:
                del self._counts[next(iter(self._counts))]
        self._told[key] = since, telling
        stall = Stall(
            key,
            _reason(stats),
            stats=stats,
            holders=holders,
            at=since,
            told_at=self._clock.now(),
            waited=waited,
            telling=telling,
        )
        self._log.warning(
            PIN_STALLED,
            infohash=short(key.infohash),
            file_index=key.file_index,
            reason=stall.reason.value,
            peers=stats.peers,
            download_rate=stats.download_rate,
            telling=telling,
        )
        try:
            async with asyncio.timeout(_TELL_SECONDS):
                await self._tell(stall)
        except (TimeoutError, OSError) as error:
            # Streams go on without; while the stall lasts it is told again.
            self._log.warning(STALL_NOT_TOLD, infohash=short(key.infohash), why=type(error).__name__)


def _reason(stats: Stats) -> Reason:
    if not stats.peers:
        return Reason.NO_PEERS
    return Reason.TOO_SLOW if stats.download_rate else Reason.NO_BYTES


@asynccontextmanager
async def stall_watch(stalls: Stalls) -> AsyncIterator[Stalls]:
    """Look for stalls meanwhile."""
    async with background(stalls.run()):
        yield stalls

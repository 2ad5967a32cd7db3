"""What is known of a peer's speed: how fast it sends, how long it takes to answer, how much to ask of it at a time.

The rate is measured while something is due from the peer, from the bytes as they come and not from whole blocks, and a
silence lowers it: a peer at 1 KB/s is known for what it is after a tenth of a second, not after the 16 s of a block.
A silence that comes of what was asked too late says nothing of the peer and does not count.

As much is asked at a time as the bandwidth-delay product needs, and one span more. More would only stand in the way of
what a viewer jumps to; less would leave the peer idle. Until something has queued on the way, the window grows by what
comes (as in TCP's slow start), so a far and fast peer is used in full after a few round trips; later by a span when all
of it was used and nothing queued, and it shrinks at once by what was too much. How far away a peer is shows
only when little is outstanding: at first and then every few seconds the window is made *lean* for as long as an answer
takes (as BBR does).

A slow peer is asked for less than a block at a time, as much as it sends in one or two hundredths of a second: so the
window is not a block too large, and the last peer to deliver its part of a piece is not a block later than the first.
"""

import math
from dataclasses import dataclass

from vod_stream_node.lane.wire import BLOCK

_MEMORY = 0.5
"""Seconds after which an observation of the rate counts for a third."""
_PRIOR_RATE = 200_000.0
_PRIOR_WEIGHT = 0.01
"""Seconds that the assumed rate counts for."""
_QUEUE = 0.015
"""Seconds of queue at the peer that are wanted, so that it is never idle."""
_PERIOD = 2.0
"""Seconds; a peer can do what it did in this or the last of them."""
_STANDING = 0.04
"""Seconds of queue that show that the peer is used in full."""
_PAUSE = 0.02
"""Seconds of silence that was not the peer's, from which on it does not count."""
_USED = 0.7
"""How much of the window must have been used when a span was asked for, so that it may grow, until the peer is full."""
_FASTEST = 3_000_000.0
"""Bytes/s a peer is trusted with before it has shown anything."""
_LEAST, _MOST = BLOCK, 250 * BLOCK
"""Bytes outstanding at a peer; libtorrent takes 250 requests, or 500."""
_LEAN = 0.025
"""Seconds by which an answer may have been late, as the first ones are: disks and kernels have to be woken."""
_LEAN_PAUSE = 5.0
_REMEMBERED = 10.0
"""Seconds after which the distance is measured anew: ways change."""
_SPAN_SECONDS = 1 / 60
_SPANS = (BLOCK, BLOCK // 2)
_SMALLEST = BLOCK // 4


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that waits for its answer."""

    at: float
    ahead: int
    """Bytes outstanding at the peer then, this request's included."""
    clear: bool
    """Whether nothing that was cancelled was still to come before it."""
    ruled: bool
    """Whether the peer's window was known then."""


class Pace:
    """The speed of one peer, as far as observed; all times are seconds of one monotonic clock."""

    __slots__ = (
        "_asked",
        "_before",
        "_bytes",
        "_ceiling",
        "_floor",
        "_full",
        "_latencies",
        "_lean_again",
        "_lean_until",
        "_mark",
        "_paused",
        "_peaks",
        "_seconds",
        "_since",
        "_timed",
        "_turned",
        "rtt",
    )

    def __init__(self, rtt: float) -> None:
        self.rtt = rtt
        """How long an answer takes at least, without the time to send it."""
        self._latencies: dict[int, float] = {}
        """The shortest time from request to answer, by the size of what was asked for."""
        self._bytes = _PRIOR_RATE * _PRIOR_WEIGHT
        self._seconds = _PRIOR_WEIGHT
        self._mark: float | None = None
        self._asked: float | None = None
        self._timed = False
        self._paused = False
        """Whether nothing was due for a while: the clock starts again with the next bytes."""
        self._floor = _LEAST
        self._ceiling = 0
        self._peaks = (0.0, 0.0)
        """The best rate of this period and of the one before."""
        self._full = False
        """Whether the peer has been used in full."""
        self._lean_until = math.inf
        self._lean_again = math.inf
        self._before = math.inf
        """The distance when the window was made lean last."""
        self._turned = 0.0
        """When this period began."""
        self._since = 0.0
        """When the distance was begun to be measured."""

    def asked(self, now: float) -> None:
        """Note that something is asked of a peer that had nothing to do."""
        self._mark, self._asked = now + self.rtt, now

    def idle(self, now: float) -> None:
        """Note that nothing is asked of the peer any more; what it did not send until then counts."""
        if self._mark is not None:
            self._forget(max(0.0, now - self._mark))
        self._mark = self._asked = None

    def came(self, size: int, now: float) -> None:
        """Note that bytes came."""
        if self._mark is None:
            return
        if self._asked is not None:
            answered, self._asked = now - self._asked, None
            self.rtt, self._timed = min(self.rtt, answered) if self._timed else answered, True
            self._mark = now  # the clock starts with the first bytes, so they do not count
            return
        self._forget(max(0.0, now - self._mark))
        if self._paused:
            self._mark, self._paused = now, False
            return
        self._bytes += size
        self._mark = max(self._mark, now)

    def waits(self, since: float) -> None:
        """Note when what comes next was asked for: a silence until it can be here is not the peer's."""
        due = since + (min(self.rtt, self._distance()) if self._latencies else self.rtt)
        if self._mark is not None and self._asked is None and due > self._mark + _PAUSE:
            self._mark, self._paused = due, True

    def measure(self, now: float) -> None:
        """Note the rate as it is when a span has come; the best one says how much the peer can do."""
        best, before = self._peaks
        if now - self._turned > _PERIOD:
            self._turned, best, before = now, 0.0, best
        self._peaks = (max(best, self.rate(now)), before)

    def answered(self, asked: Asked, size: int, now: float, *, outstanding: int) -> None:
        """Note that a span of so many bytes came, and how many are still to come; the rate must have been measured."""
        latency = now - asked.at
        self._ceiling = max(self._ceiling, asked.ahead, outstanding) + 2 * size
        if now - self._since > _REMEMBERED:
            self._since = now
            self._latencies.clear()
        self._latencies[size] = min(self._latencies.get(size, math.inf), latency)
        distance = self._distance()
        self._fit(asked.ahead, size, latency - size / self._peak - distance, now)
        if asked.ruled:
            self._be_lean(latency, distance, now)

    def _fit(self, ahead: int, size: int, queued: float, now: float) -> None:
        """Fit the window to how long a span had to queue that was asked for with so many bytes outstanding."""
        if queued > _QUEUE:
            self._full = self._full or queued > _STANDING
            self._floor = max(_LEAST, min(self._floor, ahead - int((queued - _QUEUE) * self._peak)))
        elif now >= self._lean_until and ahead >= self._floor * (1.0 if self._full else _USED):
            self._floor = min(_MOST, max(self._floor, ahead) + size)

    def _be_lean(self, latency: float, distance: float, now: float) -> None:
        """Make the window lean when it is time to; soon again if that showed that the peer is nearer than it seemed."""
        if self._lean_until == math.inf:
            self._lean_until, self._lean_again, self._before = now, now + 3 * latency, distance
        elif now >= self._lean_again:
            pause = 3 * latency if distance < 0.95 * self._before else _LEAN_PAUSE
            self._lean_until, self._lean_again, self._before = now + latency / 2, now + pause, distance

    def rate(self, now: float) -> float:
        """Return the bytes/s to expect."""
        silent = 0.0 if self._mark is None else max(0.0, now - self._mark)
        if silent < 0.02:
            return self._bytes / self._seconds
        kept = math.exp(-silent / _MEMORY)
        return self._bytes * kept / (self._seconds * kept + silent)

    @property
    def _peak(self) -> float:
        return max(self._peaks)

    @property
    def is_known(self) -> bool:
        """Whether anything has come."""
        return bool(self._latencies)

    @property
    def span(self) -> int:
        """How many bytes to ask for with one request."""
        if not self._latencies:
            return BLOCK
        return next((size for size in _SPANS if size <= _SPAN_SECONDS * self._peak), _SMALLEST)

    def window(self, now: float, *, share: int, spare: float = 0.0) -> int:
        """Return how many bytes to have outstanding.

        Until something is known of the peer, this is its *share* of what is waited for, as far as a fast one could
        deliver it at once. *spare* is a queue at the peer, in seconds, that may be there beside.
        """
        if not self._latencies:
            return max(BLOCK, min(share, 4 * BLOCK + int(_FASTEST * self.rtt)))
        needed = int(self._peak * (self._distance() + _QUEUE)) + self.span
        full = max(self._floor, min(self._ceiling, _MOST, needed))
        lean = _LEAN if now < self._lean_until and not spare else 0.0
        return max(_LEAST, full + int((spare - lean) * self._peak))

    def _distance(self) -> float:
        """Return how long it takes from a request to the first byte of its answer, at best."""
        return max(0.0, min(latency - size / self._peak for size, latency in self._latencies.items()))

    def _forget(self, elapsed: float) -> None:
        kept = math.exp(-elapsed / _MEMORY)
        self._bytes *= kept
        self._seconds = self._seconds * kept + elapsed

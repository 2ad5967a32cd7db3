"""What is known of a peer's speed: how fast it sends, how long it takes to answer, how much to ask of it at a time.

The rate is measured while something is asked of the peer, from the bytes as they come and not from whole blocks, and a
silence lowers it: a peer at 1 KB/s is known for what it is after a tenth of a second, not after the 16 s of a block.

As much is asked at a time as the bandwidth-delay product needs, and one block more. More would only stand in the way of
what a viewer jumps to; less would leave the peer idle. While nothing queues on the way, the depth grows by one with
each block (as in TCP's slow start), so a far and fast peer is used in full after a few round trips.
"""

import math

from vod_stream_node.lane.wire import BLOCK

_MEMORY = 0.5
"""Seconds after which an observation of the rate counts for a third."""
_PRIOR_RATE = 200_000.0
_PRIOR_WEIGHT = 0.02
"""Seconds that the assumed rate counts for."""
_QUEUE = 0.015
"""Seconds of queue at the peer that are wanted, so that it is never idle."""
_STANDING = 0.04
"""Seconds of queue from which on nothing is gained by asking for more."""
_USED = 0.7
"""How much of the depth must have been used when a block was asked for, so that its latency says something."""
_FASTEST = 3_000_000.0
"""Bytes/s a peer is trusted with before it has shown anything."""
_MIN_DEPTH, _MAX_DEPTH = 2, 250


class Pace:
    """The speed of one peer, as far as observed; all times are seconds of one monotonic clock."""

    __slots__ = (
        "_asked",
        "_base",
        "_bytes",
        "_ceiling",
        "_eased",
        "_floor",
        "_mark",
        "_peak",
        "_seconds",
        "_timed",
        "measured",
        "rtt",
    )

    def __init__(self, rtt: float) -> None:
        self.rtt = rtt
        """How long an answer takes at least, without the time to send it."""
        self.measured = False
        """Whether a block has come."""
        self._base = math.inf
        self._bytes = _PRIOR_RATE * _PRIOR_WEIGHT
        self._seconds = _PRIOR_WEIGHT
        self._mark: float | None = None
        self._asked: float | None = None
        self._timed = False
        self._floor = _MIN_DEPTH
        self._ceiling = 0
        self._peak = 0.0
        self._eased = 0.0

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
        self._bytes += size
        self._mark = max(self._mark, now)

    def block(self, latency: float, ahead: int, now: float) -> None:
        """Note that a block came *latency* after it was asked for, when *ahead* were outstanding, itself included."""
        self._ceiling = max(self._ceiling, ahead) + 2
        self._base = min(self._base, latency)
        queued = latency - self._base
        if queued < _QUEUE and ahead >= _USED * self._floor:
            self._floor = min(_MAX_DEPTH, max(self._floor, ahead) + 1)
        elif queued > _STANDING and now - self._eased > self._base:
            self._eased = now
            self._floor = max(_MIN_DEPTH, self._floor * 7 // 8)
            self._peak *= 7 / 8

    def measure(self, now: float) -> None:
        """Note the rate as it is when a block has come; the best one says how much the peer can do."""
        self.measured = True
        self._peak = max(self._peak, self.rate(now))

    def rate(self, now: float) -> float:
        """Return the bytes/s to expect."""
        silent = 0.0 if self._mark is None else max(0.0, now - self._mark)
        if silent < 0.02:
            return self._bytes / self._seconds
        kept = math.exp(-silent / _MEMORY)
        return self._bytes * kept / (self._seconds * kept + silent)

    def depth(self, now: float, *, share: int) -> int:
        """Return how many blocks to have outstanding.

        Until something is known of the peer, this is its *share* of what is waited for, as far as a fast one could
        deliver it at once.
        """
        if not self.measured or self._base == math.inf:
            return max(4, min(share, 4 + int(_FASTEST * self.rtt / BLOCK)))
        needed = math.ceil(self._peak * (self._base + _QUEUE) / BLOCK - 0.2)
        return max(self._floor, min(self._ceiling, _MAX_DEPTH, needed))

    def _forget(self, elapsed: float) -> None:
        kept = math.exp(-elapsed / _MEMORY)
        self._bytes *= kept
        self._seconds = self._seconds * kept + elapsed

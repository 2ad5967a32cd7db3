"""One peer as the dispatcher sees it: what it has, what was asked of it, and when it will have delivered that."""

from collections.abc import Callable
from dataclasses import dataclass, field

from vod_stream_node.lane.pace import Asked, Pace
from vod_stream_node.lane.spans import PeerKey, Span


@dataclass(slots=True)
class Uplink:
    """A peer. Peers answer in order."""

    key: PeerKey
    has: Callable[[int], bool]
    pace: Pace
    heard: float
    """When bytes came last."""
    open: bool = False
    """Whether it unchoked us."""
    silent: bool = False
    queue: dict[Span, Asked] = field(default_factory=dict)
    cancelled: dict[Span, float] = field(default_factory=dict)
    """What is not wanted any more but may still come, and when it was asked for."""
    progress: int = 0
    """Bytes of the span that is coming."""
    _queued: int = 0
    _cancelled: int = 0

    @property
    def serves(self) -> bool:
        """Whether it can be asked."""
        return self.open and not self.silent

    @property
    def outstanding(self) -> int:
        """Bytes asked of it and wanted."""
        return self._queued

    @property
    def coming(self) -> int:
        """Bytes that were asked for and may still come, also those that are not wanted any more."""
        return self._queued + self._cancelled

    def owed(self) -> int:
        """Return how many bytes it has still to send, wanted or not."""
        return max(0, self._queued + self._cancelled - self.progress)

    def ask(self, span: Span, now: float) -> None:
        """Note a request."""
        if not self.queue and not self.cancelled:
            self.pace.asked(now)
            self.progress = 0
        if span in self.queue:  # of a piece that was begun again
            self._queued -= span.length
        self._queued += span.length
        self.queue[span] = Asked(now, self._queued, clear=not self.cancelled, ruled=self.pace.is_known)

    def came(self, span: Span, now: float) -> bool:
        """Note that a span came; return whether it was asked for and not cancelled since."""
        self.progress = 0
        asked = self.queue.pop(span, None)
        if asked is not None:
            self._queued -= span.length
            # What was cancelled before this was asked for will not come any more.
            for other in [other for other, at in self.cancelled.items() if at < asked.at]:
                self._drop(other)
            self.pace.measure(now)
            if asked.clear:
                # Behind what was cancelled too late it took longer than the peer does.
                self.pace.answered(asked, span.length, now, outstanding=self._queued)
        self._drop(span)
        self.rest(now)
        if self.queue:
            self.pace.waits(next(iter(self.queue.values())).at)
        return asked is not None

    def cancel(self, span: Span) -> None:
        """Note that a span is not wanted any more; it may come all the same."""
        self._queued -= span.length
        self._cancelled += span.length
        self.cancelled[span] = self.queue.pop(span).at

    def reject(self, span: Span, now: float) -> bool:
        """Note that the peer will not send a span; return whether it was wanted."""
        self._drop(span)
        wanted = self.queue.pop(span, None) is not None
        if wanted:
            self._queued -= span.length
        self.rest(now)
        return wanted

    def forgive(self, now: float) -> None:
        """Note that nothing of what was asked for will come."""
        for span in list(self.cancelled):
            self._drop(span)
        self.rest(now)

    def sweep(self, now: float, *, patience: float) -> bool:
        """Give up what was cancelled long ago; return whether the peer has just been found silent."""
        for span in [span for span, at in self.cancelled.items() if now - max(at, self.heard) > patience]:
            self._drop(span)  # peers without the fast extension say nothing
        oldest = next(iter(self.queue.values()), None)
        if oldest is not None and now - max(self.heard, oldest.at) > patience:
            self.silent = True
            return True
        self.rest(now)
        return False

    def rest(self, now: float) -> None:
        """Note it when nothing more is asked of the peer."""
        if not self.queue and not self.cancelled:
            self.pace.idle(now)

    def expected(self, span: Span, now: float) -> float:
        """Return when the peer will have delivered a span that was asked of it."""
        asked = self.queue[span]
        owed = -self.progress
        for queued in self.queue:
            owed += queued.length
            if queued == span:
                break
        return max(now, asked.at + self.pace.rtt) + max(0, owed) / self.pace.rate(now)

    def through(self, now: float) -> float:
        """Return by when the peer will have delivered all that was asked of it, at the latest."""
        return now + self.pace.rtt + self._queued / self.pace.rate(now)

    def eta(self, size: int, now: float) -> float:
        """Return when the peer would have delivered so many bytes more."""
        rate = self.pace.rate(now)
        return now + max(self.pace.rtt, self.owed() / rate) + size / rate

    def _drop(self, span: Span) -> None:
        if self.cancelled.pop(span, None) is not None:
            self._cancelled -= span.length

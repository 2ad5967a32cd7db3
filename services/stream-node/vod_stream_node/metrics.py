"""What a stream node counts. Labels come from closed sets; never an infohash or a holder."""

from collections import Counter as Tally
from collections.abc import Callable
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from vod_stream_node.domain import PinKey, PinState

_MILLISECONDS = (50, 100, 200, 300, 500, 750, 1_000, 1_500, 2_000, 3_000, 5_000, 10_000, 20_000, 60_000)
_STARTS_AT_MOST = 10_000


class Metrics:
    """The meters of one node."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.first_byte = Histogram(
            "start_to_first_byte_ms",
            "From the first EnsurePin for a viewer to the first byte sent to him",
            buckets=_MILLISECONDS,
            registry=registry,
        )
        self.bytes_served = Counter(
            "vod_stream_bytes_served_total", "Bytes of files sent to clients", registry=registry
        )
        self.reads = Counter("vod_stream_reads_total", "Answers to stream requests", ["status"], registry=registry)
        self.reads_open = Gauge("vod_stream_reads_open", "Bodies being sent now", registry=registry)
        self.reads_stalled = Counter(
            "vod_stream_reads_stalled_total", "Bodies ended because the swarm gave nothing for long", registry=registry
        )
        self.buffer_events = Counter("buffer_events", "Times that a viewer waited too long", registry=registry)
        self.disk_bytes = Gauge(
            "vod_stream_disk_bytes", "Bytes of torrents on disk, at the last look", registry=registry
        )
        self.takeovers = Counter(
            "vod_stream_takeovers_total", "Torrents taken over because their node was gone", registry=registry
        )
        self.nodes = Gauge("vod_stream_nodes", "Living stream nodes that this one knows, itself too", registry=registry)
        self.nodes.set(1)
        self._pins = Gauge("vod_stream_pins", "Pinned files by state", ["state"], registry=registry)
        self._started: dict[tuple[PinKey, str], float] = {}

    def watch_pins(self, states: Callable[[], Tally[PinState]]) -> None:
        """Take the number of pins in each state from *states* whenever metrics are read."""
        for state in PinState:
            self._pins.labels(state.value).set_function(partial(_count, states, state))

    def starts(self, key: PinKey, holder: str, *, at: float) -> None:
        """Note that a viewer begins to wait, in seconds of the monotonic clock."""
        if len(self._started) >= _STARTS_AT_MOST:  # viewers who never read a byte
            del self._started[next(iter(self._started))]
        self._started.setdefault((key, holder), at)

    def first_byte_sent(self, key: PinKey, holder: str, *, at: float) -> None:
        """Note that a viewer got a byte; only the first one after the start counts."""
        began = self._started.pop((key, holder), None)
        if began is not None:
            self.first_byte.observe((at - began) * 1000)


def _count(states: Callable[[], Tally[PinState]], state: PinState) -> float:
    return states()[state]

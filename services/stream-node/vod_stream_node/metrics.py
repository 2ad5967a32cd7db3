"""What a stream node counts. Labels come from closed sets; never an infohash or a holder."""

from collections import Counter as Tally
from collections.abc import Callable, Sequence
from functools import partial
from math import nan

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from vod_stream_node.domain import PinKey, PinState, PinStatus

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
        self._peers = Gauge("vod_stream_peers", "Peers of the pinned torrents, at the last look", registry=registry)
        self._rates = Gauge(
            "vod_stream_swarm_bytes_per_second",
            "What the pinned torrents take and give, at the last look",
            ["direction"],
            registry=registry,
        )
        self._window = Gauge(
            "vod_stream_window_pieces", "Pieces wanted soon that are not here, at the last look", registry=registry
        )
        self._copies = Gauge(
            "vod_stream_distinct_copies_least",
            "Of the pinned torrent with the fewest, at the last look",
            registry=registry,
        )
        self._buffered = Gauge(
            "vod_stream_buffered_seconds_least",
            "What the viewer has ahead who has the least, at the last look; NaN: nobody watches a file of known rate",
            registry=registry,
        )
        self._pins = Gauge("vod_stream_pins", "Pinned files by state", ["state"], registry=registry)
        self._started: dict[tuple[PinKey, str], float] = {}

    def watch_pins(self, states: Callable[[], Tally[PinState]]) -> None:
        """Take the number of pins in each state from *states* whenever metrics are read."""
        for state in PinState:
            self._pins.labels(state.value).set_function(partial(_count, states, state))

    def swarms(self, pins: Sequence[PinStatus]) -> None:
        """Take in how the pins of the node are doing."""
        torrents = {pin.key.infohash: pin for pin in pins}.values()
        self._peers.set(sum(pin.stats.peers for pin in torrents))
        self._rates.labels("down").set(sum(pin.stats.download_rate for pin in torrents))
        self._rates.labels("up").set(sum(pin.stats.upload_rate for pin in torrents))
        self._window.set(sum(pin.viewing.window_pieces for pin in torrents))
        self._copies.set(min((pin.stats.distinct_copies for pin in torrents), default=nan))
        buffered = [pin.viewing.buffered for pin in pins if pin.viewing.readers]
        self._buffered.set(min((one.total_seconds() for one in buffered if one is not None), default=nan))

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

"""What playback counts."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class StartMetrics:
    """Counts of starts: how often the right thing was ready, and how often an episode was taken up again."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._hits = 0
        self._expected = 0
        self._resumed = Counter(
            "resume_success",
            "Unfinished episodes taken up from their own source",
            registry=registry,
        )
        self._prefetch = Counter(
            "vod_playback_prefetch", "Starts of an episode that was to come next", ["outcome"], registry=registry
        )
        self._ratio = Gauge(
            "prefetch_hit_ratio", "Share of them whose first and last bytes were on disk", registry=registry
        )

    def resumed(self) -> None:
        """Count a resume."""
        self._resumed.inc()

    def expected(self, *, warm: bool) -> None:
        """Count the start of an episode that was to come next."""
        self._expected += 1
        self._hits += warm
        self._prefetch.labels("hit" if warm else "miss").inc()
        self._ratio.set(self._hits / self._expected)


class FallbackMetrics:
    """Counts of sources that failed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._switches = Counter(
            "fallback_switch", "Sessions that went on from another source because theirs failed", registry=registry
        )

    def switched(self) -> None:
        """Count a switch."""
        self._switches.inc()

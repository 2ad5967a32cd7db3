"""What the pins of a node look like, told again and again: as a log line each, and as sums and extremes in metrics."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from structlog.typing import FilteringBoundLogger

from vod_rpc import Failure
from vod_stream_node.domain import PinState, PinStatus, short
from vod_stream_node.metrics import Metrics

PIN_STATS = "pin_stats"
REPORT_EVERY = timedelta(seconds=10)


class Reports:
    """Tells what viewers have of their swarms."""

    def __init__(
        self, look: Callable[[], Awaitable[Sequence[PinStatus]]], *, metrics: Metrics, log: FilteringBoundLogger
    ) -> None:
        self._look = look
        self._metrics = metrics
        self._log = log

    async def run(self) -> None:
        """Report for ever."""
        while True:
            await asyncio.sleep(REPORT_EVERY.total_seconds())
            try:
                await self.report()
            except Failure:
                continue  # a torrent left meanwhile

    async def report(self) -> None:
        """Tell how all pins are doing; in the log only of those that lack something or are read."""
        pins = await self._look()
        self._metrics.swarms(pins)
        for pin in pins:
            if pin.state is not PinState.COMPLETE or pin.viewing.readers:
                self._tell(pin)

    def _tell(self, pin: PinStatus) -> None:
        buffered = pin.viewing.buffered
        self._log.info(
            PIN_STATS,
            infohash=short(pin.key.infohash),
            file_index=pin.key.file_index,
            holders=",".join(sorted(pin.claims)),
            state=pin.state.value,
            readers=pin.viewing.readers,
            peers=pin.stats.peers,
            distinct_copies=round(pin.stats.distinct_copies, 2),
            download_rate=pin.stats.download_rate,
            upload_rate=pin.stats.upload_rate,
            window_pieces=pin.viewing.window_pieces,
            buffered_bytes=pin.viewing.buffered_bytes,
            buffered_seconds=None if buffered is None else round(buffered.total_seconds(), 1),
            stalls=pin.viewing.stalls,
        )

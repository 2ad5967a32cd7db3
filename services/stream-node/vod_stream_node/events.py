"""What a stream node tells: stalls, over NATS. It streams without NATS, too; then nobody hears of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pydantic import SecretStr
from vod.stream.v1 import events_pb2

from vod_events import Bus, event_bus
from vod_runtime import Runtime, background
from vod_stream_node.stalls import Reason, Stall

BUS_NOT_THERE = "bus_not_there"
_AGAIN_SECONDS = 2.0
_REASONS = {
    Reason.NO_PEERS: events_pb2.STALL_REASON_NO_PEERS,
    Reason.NO_BYTES: events_pb2.STALL_REASON_NO_BYTES,
    Reason.TOO_SLOW: events_pb2.STALL_REASON_TOO_SLOW,
}


def stalled_event(stall: Stall, *, node: str) -> events_pb2.PinStalled:
    """Return the event of a stall."""
    event = events_pb2.PinStalled(
        infohash=stall.key.infohash,
        file_index=stall.key.file_index,
        node=node,
        reason=_REASONS[stall.reason],
        peers=stall.stats.peers,
        download_rate=stall.stats.download_rate,
        holders=stall.holders,
    )
    event.stall_time.FromDatetime(stall.at)
    event.told_time.FromDatetime(stall.told_at)
    event.waited.FromTimedelta(stall.waited)
    return event


class StallEvents:
    """Stalls over NATS. Made by `stall_events()`."""

    def __init__(self, *, node: str) -> None:
        self._node = node
        self._bus: Bus | None = None

    async def tell(self, stall: Stall) -> None:
        """Publish a stall.

        Raises:
            ConnectionError: NATS is not there, or did not confirm.
        """
        if self._bus is None:
            raise ConnectionError("not connected to NATS")
        began = int(stall.at.timestamp() * 1000)
        await self._bus.publish(
            f"stream.v1.pin-stalled.{stall.key.infohash}",
            stalled_event(stall, node=self._node),
            message_id=f"{self._node}:{stall.key.infohash}:{stall.key.file_index}:{began}:{stall.telling}",
        )

    async def stay_connected(self, url: SecretStr, runtime: Runtime) -> None:
        """Connect as soon as NATS is there, and stay so, for ever."""
        while True:
            try:
                async with event_bus(url, runtime) as bus:
                    self._bus = bus
                    await asyncio.get_running_loop().create_future()
            except ConnectionError:
                runtime.log.warning(BUS_NOT_THERE)
            finally:
                self._bus = None
            await asyncio.sleep(_AGAIN_SECONDS)


@asynccontextmanager
async def stall_events(url: SecretStr | None, runtime: Runtime, *, node: str) -> AsyncIterator[StallEvents]:
    """Open the way to NATS without waiting for it; without an address there is none."""
    events = StallEvents(node=node)
    if url is None:
        yield events
        return
    async with background(events.stay_connected(url, runtime)):
        yield events

"""What picks hears: a viewer waits for bytes of a pinned file."""

from datetime import UTC, timedelta

from vod.stream.v1 import events_pb2

from vod_picks.rejecting import Rejecting
from vod_runtime import Clock

STALLS = "stream.v1.pin-stalled.*"
OLD_NEWS = timedelta(minutes=10)
"""Nobody waits any more for what was last told before this."""


class Listener:
    """The handler of the consumer."""

    def __init__(self, rejecting: Rejecting, *, clock: Clock) -> None:
        self._rejecting = rejecting
        self._clock = clock

    async def on_stall(self, event: events_pb2.PinStalled) -> None:
        """Replace every pick that is the stalled file; when that fails, the event comes again."""
        now = self._clock.now()
        at = event.stall_time.ToDatetime(tzinfo=UTC) if event.HasField("stall_time") else now
        # A viewer may have waited through an outage of ours: old is what nobody tells any more.
        told = event.told_time.ToDatetime(tzinfo=UTC) if event.HasField("told_time") else at
        if now - told <= OLD_NEWS:
            await self._rejecting.stalled(event.infohash, event.file_index, at=at, explanation=explanation(event))


def explanation(event: events_pb2.PinStalled) -> str:
    """Say for people what a stream node saw."""
    if event.reason == events_pb2.STALL_REASON_NO_PEERS:
        return "it stalled while it was watched: nobody of its swarm was connected"
    peers = f"{event.peers} peer{'s' if event.peers != 1 else ''}"
    if event.reason == events_pb2.STALL_REASON_NO_BYTES:
        return f"it stalled while it was watched: {peers} sent nothing that was needed"
    return f"it stalled while it was watched: {event.download_rate / 1e6:.2f} MB/s came from {peers}"

"""What playback tells (heartbeats at once, the end of an episode through the outbox) and what it hears."""

from datetime import UTC

from structlog.typing import FilteringBoundLogger
from vod.picks.v1 import events_pb2 as picks_events_pb2
from vod.playback.v1 import events_pb2
from vod.stream.v1 import events_pb2 as stream_events_pb2

from vod_events import Bus, Unconfirmed
from vod_playback.convert import device_to_proto, duration_to_proto, key_from_proto, key_to_proto
from vod_playback.domain import Session, Source
from vod_playback.falling_back import FallingBack, Rejection, Stall

PICK_REJECTED = "picks.v1.pick-rejected.*"
PIN_STALLED = "stream.v1.pin-stalled.*"
HEARTBEAT_NOT_TOLD = "heartbeat_not_told"


def ended_subject(session: Session) -> str:
    """Return the subject on which the end of a session is told."""
    return f"playback.v1.episode-ended.{session.id}"


def ended_event(session: Session) -> events_pb2.EpisodeEnded:
    """Return the event for the end of a session; without a next episode if another session plays that already."""
    event = events_pb2.EpisodeEnded(
        session_id=session.id,
        key=key_to_proto(session.key),
        position=duration_to_proto(session.position),
        duration=duration_to_proto(session.duration),
        device=device_to_proto(session.profile),
        profile_hash=session.profile_hash,
        subtitle_languages=session.subtitle_languages,
        next_ready=session.next_ready,
    )
    if session.next and not session.next_taken:
        event.next.CopyFrom(key_to_proto(session.next))
    return event


def heartbeat_event(session: Session) -> events_pb2.HeartbeatRecorded:
    """Return the event for a heartbeat."""
    event = events_pb2.HeartbeatRecorded(
        session_id=session.id,
        key=key_to_proto(session.key),
        position=duration_to_proto(session.position),
        duration=duration_to_proto(session.duration),
        device=device_to_proto(session.profile),
        profile_hash=session.profile_hash,
        subtitle_languages=session.subtitle_languages,
        next_ready=session.next_ready,
    )
    if session.next and not session.next_taken:
        event.next.CopyFrom(key_to_proto(session.next))
    return event


class Heartbeats:
    """Heartbeats over NATS."""

    def __init__(self, bus: Bus, *, log: FilteringBoundLogger) -> None:
        self._bus = bus
        self._log = log
        self._heard = True

    async def heartbeat(self, session: Session) -> None:
        """Hand a heartbeat to NATS, without waiting: the position is stored, and another beat follows."""
        try:
            await self._bus.tell(f"playback.v1.heartbeat.{session.id}", heartbeat_event(session))
        except Unconfirmed as error:
            if self._heard:  # one line per outage, not one per heartbeat
                self._log.warning(HEARTBEAT_NOT_TOLD, session_id=session.id, why=str(error))
            self._heard = False
        else:
            self._heard = True


class Listener:
    """The handlers of the consumers."""

    def __init__(self, falling_back: FallingBack) -> None:
        self._falling_back = falling_back

    async def on_rejected(self, event: picks_events_pb2.PickRejected) -> None:
        """Let those who watch a rejected pick go on from another."""
        await self._falling_back.rejected(
            Rejection(
                source=_file(event.infohash, event.file_index),
                key=key_from_proto(event.key),
                profile_hash=event.profile_hash,
                explanation=event.explanation,
            )
        )

    async def on_stalled(self, event: stream_events_pb2.PinStalled) -> None:
        """Tell those who wait for bytes that they do."""
        reason = stream_events_pb2.StallReason.Name(event.reason).removeprefix("STALL_REASON_")
        await self._falling_back.stalled(
            Stall(
                source=_file(event.infohash, event.file_index),
                holders=tuple(event.holders),
                told_at=(event.told_time if event.HasField("told_time") else event.stall_time).ToDatetime(UTC),
                waited=event.waited.ToTimedelta(),
                reason=reason,
            )
        )


def _file(infohash: str, file_index: int) -> Source:
    return Source(infohash=infohash, file_index=file_index, magnet_uri="", pick={})

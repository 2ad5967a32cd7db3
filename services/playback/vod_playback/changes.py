"""What a listener is told: the parts of a session's view that it does not know, as protos."""

from collections.abc import Awaitable, Callable, Sequence

from vod.playback.v1 import playback_pb2
from vod.playback.v1 import playback_service_pb2 as pb2

from vod_playback.convert import direct_to_proto, duration_to_proto, key_to_proto, pick_to_proto
from vod_playback.domain import JsonObject, NextHint, Session, Switched
from vod_playback.live import PARTS, Swarm, View, knowledge, known_parts

AddressOf = Callable[[Session], Awaitable[Switched | None]]


class Changes:
    """Makes messages of views."""

    def __init__(self, switched_to: AddressOf) -> None:
        self._switched_to = switched_to

    async def since(self, known: str, view: View) -> Sequence[pb2.SessionChange]:
        """Return what is different, each with what a listener knows after it."""
        before, now = known_parts(known), view.digests()
        changes = []
        for part in PARTS:
            if before[part] == now[part]:
                continue
            change = await self._change(part, view)
            if change is None:
                continue  # not known yet: the next one who asks learns it
            before[part] = now[part]
            change.known = knowledge(before)
            changes.append(change)
        return changes

    async def _change(self, part: str, view: View) -> pb2.SessionChange | None:
        if part == "switched":
            return await self._switch(view.session) if view.session.is_active else None
        return _plain_change(part, view)

    async def _switch(self, session: Session) -> pb2.SessionChange | None:
        switched = await self._switched_to(session)
        return pb2.SessionChange(switched=switched_to_proto(switched)) if switched else None


def _plain_change(part: str, view: View) -> pb2.SessionChange | None:
    """Return the change of a part that nobody has to be asked about."""
    session, change = view.session, pb2.SessionChange()
    match part:
        case "given_up" if session.failure is not None:
            change.given_up.CopyFrom(given_up_to_proto(session.failure))
        case "next_hint" if session.next_hint is not None:
            change.next_hint.CopyFrom(hint_to_proto(session.next_hint))
        case "buffering":
            change.buffering.waiting = view.waiting
            change.buffering.reason = session.stall_reason if view.waiting else ""
        case "swarm" if view.swarm is not None:
            change.swarm.CopyFrom(_swarm(view.swarm))
        case "ended" if not session.is_active:
            change.ended.SetInParent()
        case _:
            return None
    return change


def _swarm(swarm: Swarm) -> pb2.Swarm:
    return pb2.Swarm(
        state=swarm.state,  # type: ignore[arg-type]  # as the stream node told it
        peers=swarm.peers,
        download_rate=swarm.download_rate,
        downloaded_bytes=swarm.downloaded_bytes,
        size_bytes=swarm.size_bytes,
    )


def hint_to_proto(hint: NextHint) -> playback_pb2.NextHint:
    """Return the next episode as it is told."""
    return playback_pb2.NextHint(key=key_to_proto(hint.key), ready=hint.ready)


def switched_to_proto(switched: Switched) -> pb2.Switched:
    """Return a switch as it is told."""
    return pb2.Switched(
        pick=pick_to_proto(switched.source),
        direct=direct_to_proto(switched.source),
        stream_url=switched.stream_url,
        position=duration_to_proto(switched.position),
        reason=switched.reason,
    )


def given_up_to_proto(failure: JsonObject) -> pb2.GivenUp:
    """Return a stored failure as it is told."""
    return pb2.GivenUp(
        reason=failure["reason"],
        message=failure["message"],
        domain=failure["domain"],
        metadata=failure["metadata"],
    )

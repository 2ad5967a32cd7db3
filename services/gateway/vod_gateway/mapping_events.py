"""Proto -> Server-Sent Events (the WHATWG's HTML standard, section 9.2)."""

import json
from typing import Any

from vod.playback.v1 import playback_service_pb2 as playback
from vod.stream.v1 import stream_service_pb2 as stream

from vod_gateway import dto, dto_events, mapping

EXAMPLE = (
    'id: .9f2c3a10....\nevent: next-hint\ndata: {"seriesId":"tmdb:tv:9001","season":1,"episode":4,"ready":true}\n\n'
)


def event(change: playback.SessionChange) -> bytes:
    """Return one event; its id is what the player sends as `Last-Event-ID` when it comes again."""
    name = str(change.WhichOneof("change"))
    data = json.dumps(_data(change, name), separators=(",", ":"))
    return f"id: {change.known}\nevent: {name.replace('_', '-')}\ndata: {data}\n\n".encode()


def _data(change: playback.SessionChange, name: str) -> dict[str, Any]:
    match name:
        case "switched":
            return switched(change.switched).model_dump(mode="json", by_alias=True)
        case "given_up":
            return given_up(change.given_up).model_dump(mode="json", by_alias=True)
        case "next_hint":
            key, ready = change.next_hint.key, change.next_hint.ready
            hint = dto.NextHint(series_id=key.series_id, season=key.season, episode=key.episode, ready=ready)
            return hint.model_dump(mode="json", by_alias=True)
        case "buffering":
            return {"waiting": change.buffering.waiting, "reason": change.buffering.reason or None}
        case "swarm":
            return _swarm(change.swarm)
        case _:
            return {}


def heartbeat_answer(message: playback.RecordHeartbeatResponse) -> dto_events.HeartbeatAnswer:
    """Return the answer of a heartbeat, with the switch or the end of all sources, if there is one to tell."""
    switch = switched(message.switched) if message.HasField("switched") else None
    return dto_events.HeartbeatAnswer(
        next_hint=mapping.next_hint(message),
        stream_url=switch.stream_url if switch else None,
        position_s=switch.position_s if switch else None,
        pick=switch.pick if switch else None,
        source=switch.source if switch else None,
        switch_reason=switch.reason if switch else None,
        given_up=given_up(message.given_up) if message.HasField("given_up") else None,
    )


def _swarm(swarm: playback.Swarm) -> dict[str, Any]:
    return {
        "state": mapping.enum_name(stream.PinState, swarm.state),
        "peers": swarm.peers,
        "downloadRate": swarm.download_rate,
        "downloadedBytes": swarm.downloaded_bytes,
        "sizeBytes": swarm.size_bytes,
    }


def switched(message: playback.Switched) -> dto_events.Switch:
    """Return where a session goes on after its source was replaced."""
    return dto_events.Switch(
        pick=mapping.pick(message.pick) if message.pick.infohash else None,
        source=mapping.playing_source(message),
        stream_url=message.stream_url,
        position_s=mapping.seconds(message.position),
        reason=message.reason,
    )


def given_up(message: playback.GivenUp) -> dto_events.GivenUp:
    """Return why nothing is left to go on with; metadata that is JSON becomes a member of its own, as in problems."""
    metadata = dict(message.metadata)
    refused, unavailable = (_listed(metadata.pop(name, "[]")) for name in ("refused", "unavailable"))
    return dto_events.GivenUp(
        reason=message.reason,
        detail=message.message,
        domain=message.domain,
        metadata=metadata,
        refused=refused,
        unavailable=unavailable,
    )


def _listed(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return []
    return found if isinstance(found, list) else []

"""Proto -> JSON for a viewer's shelf."""

from datetime import UTC
from typing import Any

from google.protobuf.json_format import MessageToDict
from vod.playback.v1 import playback_service_pb2 as playback
from vod.scoring.v1 import scoring_pb2 as scoring

from vod_gateway import dto_shelf
from vod_gateway.mapping import enum_name, seconds


def shelf_answer(message: playback.ListContinuationsResponse) -> dto_shelf.ShelfAnswer:
    return dto_shelf.ShelfAnswer(entries=[_continuation(one) for one in message.continuations])


def _continuation(message: playback.Continuation) -> dto_shelf.Continuation:
    key = message.key
    return dto_shelf.Continuation(
        series_id=key.series_id,
        season=key.season,
        episode=key.episode,
        position_s=seconds(message.position),
        duration_s=seconds(message.duration) or None,
        why=enum_name(playback.ContinuationKind, message.kind),
        ready=message.ready,
        watched_at=message.watch_time.ToDatetime(tzinfo=UTC),
    )


def devices_answer(message: playback.ListDevicesResponse) -> dto_shelf.DevicesAnswer:
    return dto_shelf.DevicesAnswer(devices=[_device(one) for one in message.devices])


def _device(message: playback.Device) -> dto_shelf.WatchedDevice:
    return dto_shelf.WatchedDevice(
        name=message.name,
        self=message.self,
        profile_hash=message.profile_hash,
        device_caps=_caps(message.profile),
        seen_at=message.seen_time.ToDatetime(tzinfo=UTC),
    )


def _caps(profile: scoring.DeviceProfile) -> dict[str, Any]:
    """Return what `session/start` calls `deviceCaps`."""
    caps: dict[str, Any] = MessageToDict(profile)
    caps = {name: int(value) if name == "maxBitrate" else value for name, value in caps.items()}
    return {{"dolbyVision": "dv"}.get(name, name): value for name, value in caps.items()}

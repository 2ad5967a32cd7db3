"""Proto to domain and back, for the messages that clients, events and the servicer share."""

from datetime import datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from vod.catalog.v1 import catalog_pb2
from vod.picks.v1 import picks_service_pb2 as picks_pb2
from vod.playback.v1 import playback_pb2
from vod.scoring.v1 import scoring_pb2

from vod_playback.domain import DeviceProfile, EpisodeKey, JsonObject, Source


def to_json(message: Message) -> JsonObject:
    """Return a message in its JSON form, under the names of the proto."""
    document: JsonObject = MessageToDict(message, preserving_proto_field_name=True)
    return document


def key_from_proto(key: catalog_pb2.EpisodeKey) -> EpisodeKey:
    return EpisodeKey(series_id=key.series_id, season=key.season, episode=key.episode)


def key_to_proto(key: EpisodeKey) -> catalog_pb2.EpisodeKey:
    return catalog_pb2.EpisodeKey(series_id=key.series_id, season=key.season, episode=key.episode)


def device_from_proto(device: scoring_pb2.DeviceProfile) -> DeviceProfile:
    return DeviceProfile(
        h264=device.h264,
        hevc=device.hevc,
        av1=device.av1,
        hi10p=device.hi10p,
        hdr=device.hdr,
        dolby_vision=device.dolby_vision,
        max_height=device.max_height,
        max_bitrate=device.max_bitrate,
        audio_languages=tuple(device.audio_languages),
    )


def device_to_proto(profile: DeviceProfile) -> scoring_pb2.DeviceProfile:
    return scoring_pb2.DeviceProfile(**profile.stated())


def source_from_proto(pick: picks_pb2.Pick) -> Source:
    return Source(infohash=pick.infohash, file_index=pick.file_index, magnet_uri=pick.magnet_uri, pick=to_json(pick))


def direct_to_proto(source: Source) -> playback_pb2.DirectStream | None:
    """Return what is told of a direct source; None for a pick."""
    one = source.direct
    if one is None:
        return None
    return playback_pb2.DirectStream(
        type=one.type,
        provider=one.provider,
        quality=one.quality,
        bitrate=one.bitrate,
        collection=one.collection,
        reasons=one.reasons,
    )


def pick_to_proto(source: Source) -> picks_pb2.Pick | None:
    """Return the pick; None for a direct source."""
    if source.direct:
        return None
    # A pick stored by another release may have fields that this one does not know.
    return ParseDict(source.pick, picks_pb2.Pick(), ignore_unknown_fields=True)


def duration_to_proto(value: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(value)
    return duration


def timestamp_to_proto(value: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(value)
    return timestamp

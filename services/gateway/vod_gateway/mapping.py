"""JSON <-> proto for what is asked and answered about watching; nothing here decides anything."""

from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from vod.catalog.v1.catalog_pb2 import EpisodeKey
from vod.picks.v1 import picks_service_pb2 as picks
from vod.playback.v1 import playback_pb2, playback_service_pb2
from vod.scoring.v1 import scoring_pb2 as scoring
from vod.stream.v1 import stream_service_pb2 as stream

from vod_gateway import dto
from vod_gateway.device import DeviceId
from vod_gateway.dto_direct import DirectRequest, MagnetRequest, ProgressAnswer, TorrentRequest

_DIGITS = 6
_YEARS = (1971, 9999)


def start_request(
    body: dto.StartRequest, *, key: EpisodeKey, device: DeviceId, request_id: str, languages: list[str]
) -> playback_service_pb2.StartSessionRequest:
    """Return the RPC of `session/start`; *languages* are the browser's, used where the device names none."""
    wanted = body.device_caps.subtitle_languages
    return playback_service_pb2.StartSessionRequest(
        key=key,
        device=_profile(body.device_caps),
        device_id=device,
        subject_id=body.subject_id or "",
        request_id=request_id,
        subtitle_languages=languages if wanted is None else wanted,
    )


def direct_request(
    body: DirectRequest, *, device: DeviceId, request_id: str, languages: list[str]
) -> playback_service_pb2.StartSessionRequest:
    """Return the RPC of a `session/start` that names a torrent."""
    wanted = body.device_caps.subtitle_languages
    return playback_service_pb2.StartSessionRequest(
        direct=playback_service_pb2.DirectSource(
            magnet_uri=body.magnet if isinstance(body, MagnetRequest) else "",
            torrent=b64decode(body.torrent) if isinstance(body, TorrentRequest) else b"",
            file_index=body.file_index,
        ),
        device=_profile(body.device_caps),
        device_id=device,
        subject_id=body.subject_id or "",
        request_id=request_id,
        subtitle_languages=languages if wanted is None else wanted,
    )


def progress_answer(message: playback_service_pb2.GetProgressResponse) -> ProgressAnswer:
    pin, stats = message.pin, message.pin.stats
    return ProgressAnswer(
        state=enum_name(stream.PinState, pin.state),
        file_name=pin.file_name,
        size_bytes=pin.size_bytes,
        downloaded_bytes=pin.downloaded_bytes,
        buffered_bytes=stats.buffered_bytes,
        download_rate=pin.download_rate,
        upload_rate=stats.upload_rate,
        peers=pin.peers,
        distinct_copies=round(stats.distinct_copies, 2),
        stalls=stats.stalls,
    )


def _profile(caps: dto.DeviceCaps) -> scoring.DeviceProfile:
    return scoring.DeviceProfile(
        h264=caps.h264,
        hevc=caps.hevc,
        av1=caps.av1,
        hi10p=caps.hi10p,
        hdr=caps.hdr,
        dolby_vision=caps.dv,
        max_height=caps.max_height,
        max_bitrate=caps.max_bitrate,
        audio_languages=caps.audio_languages,
    )


def heartbeat_request(body: dto.HeartbeatRequest) -> playback_service_pb2.RecordHeartbeatRequest:
    """Return the RPC of `session/heartbeat`."""
    return playback_service_pb2.RecordHeartbeatRequest(
        session_id=body.session_id,
        position=duration(body.position_s),
        duration=None if body.duration_s is None else duration(body.duration_s),
        buffered=None if body.buffered_s is None else duration(body.buffered_s),
        bitrate_estimate=None if body.bitrate_estimate is None else round(body.bitrate_estimate),
        sequence=body.sequence,
        event_time=timestamp(body.event_time),
        playing_pick_id=body.playing_pick_id,
    )


def preferred_languages(accept_language: str) -> list[str]:
    """Return the ISO 639-1 codes of an Accept-Language header (RFC 9110 section 12.5.4), most wanted first."""
    weighed: dict[str, float] = {}
    for part in accept_language.split(","):
        tag, _, parameter = part.partition(";")
        code = tag.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        if len(code) == 2 and code.isascii() and code.isalpha() and weight > 0:
            weighed[code] = max(weight, weighed.get(code, 0))
    return sorted(weighed, key=lambda code: -weighed[code])[:10]


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def pick(message: picks.Pick) -> dto.Pick:
    """Return a pick as the seed writes it, and what people want to see of it."""
    return dto.Pick(**pick_fields(message))


def pick_fields(message: picks.Pick) -> dict[str, Any]:
    """Return the fields of `dto.Pick`."""
    return {
        "id": message.id,
        "infohash": message.infohash,
        "magnet": _shown(message.magnet_uri),
        "title": message.title,
        "release_group": message.release_group or None,
        "resolution": message.resolution or None,
        "codec": message.codec or None,
        "file_index": message.file_index,
        "file_path": message.file_path,
        "source_kind": enum_name(picks.SourceKind, message.source_kind),
        "score": _score(message.score),
        "reasons": _reasons(message.score),
        "replaces_pick_id": message.replaces_pick_id or None,
        "picked_at": moment(message.picked_at),
    }


def _shown(magnet: str) -> str:
    """Return a magnet as viewers may see it: trackers and sources may carry the operator's passkeys."""
    scheme, _, query = magnet.partition("?")
    return f"{scheme}?{'&'.join(part for part in query.split('&') if part.startswith(('xt=', 'dn=')))}"


def candidate(message: picks.RankedRelease) -> dto.Candidate:
    release = message.candidate
    height = release.traits.height
    return dto.Candidate(
        infohash=release.infohash,
        title=release.title,
        release_group=release.traits.group or None,
        resolution=f"{height}p" if height else None,
        codec=enum_name(scoring.Codec, release.traits.codec),
        size_bytes=release.size_bytes or None,
        seeders=release.seeders if release.HasField("seeders") else None,
        indexer=release.indexer or None,
        tier=enum_name(scoring.Tier, message.ranking.tier),
        score=_score(message.ranking),
        reasons=_reasons(message.ranking),
    )


def _score(ranked: scoring.RankedCandidate) -> dto.Score:
    values = {component.name: min(1.0, max(0.0, component.value)) for component in ranked.components}
    return dto.Score(**{name: round(values.get(name, 0.0), _DIGITS) for name in dto.Score.model_fields})


def _reasons(ranked: scoring.RankedCandidate) -> list[str]:
    parts = (part.reason for part in ranked.components)
    texts = [*ranked.observations, *parts, *(gate.reason for gate in ranked.gates)]
    return [text for text in texts if text]


def next_hint(
    message: playback_pb2.Session
    | playback_service_pb2.RecordHeartbeatResponse
    | playback_service_pb2.EndSessionResponse,
) -> dto.NextHint | None:
    """Return the hint inside a message, None where nothing follows."""
    if not message.HasField("next_hint"):
        return None
    key = message.next_hint.key
    return dto.NextHint(series_id=key.series_id, season=key.season, episode=key.episode, ready=message.next_hint.ready)


def start_answer(message: playback_service_pb2.StartSessionResponse) -> dto.StartAnswer:
    return dto.StartAnswer(
        session_id=message.session.id,
        pick=pick(message.pick) if message.HasField("pick") else None,
        source=playing_source(message),
        stream_url=message.stream_url,
        next_hint=next_hint(message.session),
    )


def ended_answer(message: playback_service_pb2.EndSessionResponse) -> dto.EndedAnswer:
    return dto.EndedAnswer(
        next_pick=pick(message.next_pick) if message.HasField("next_pick") else None,
        autoplay_in=message.autoplay_in.seconds,
        next_hint=next_hint(message),
    )


def next_answer(message: playback_service_pb2.GetNextResponse) -> dto.NextAnswer:
    return dto.NextAnswer(
        candidates=[candidate(one) for one in message.candidates],
        prepared=True if message.next_hint.ready else None,
    )


def resume_answer(message: playback_service_pb2.GetResumeResponse) -> dto.ResumeAnswer:
    return dto.ResumeAnswer(
        series_id=message.key.series_id,
        season=message.key.season,
        episode=message.key.episode,
        position_s=seconds(message.position),
        duration_s=seconds(message.duration),
        pick=pick(message.pick) if message.HasField("pick") else None,
        source=playing_source(message) if message.HasField("pick") or message.HasField("direct") else None,
    )


def playing_source(
    message: playback_service_pb2.StartSessionResponse
    | playback_service_pb2.GetResumeResponse
    | playback_service_pb2.Switched,
) -> dto.PlayingSource:
    """Return what plays, of either kind."""
    if not message.HasField("direct"):
        reasons = _reasons(message.pick.score)
        return dto.PlayingSource(
            type="torrent", quality=message.pick.resolution, provider="torrent", collection="", reasons=reasons
        )
    direct = message.direct
    return dto.PlayingSource(
        type="hls" if direct.type == "hls" else "mp4",
        quality=direct.quality,
        provider=direct.provider,
        collection=direct.collection,
        reasons=list(direct.reasons),
    )


def duration(length_s: float) -> Duration:
    """Return a length in seconds as a proto, to the microsecond."""
    message = Duration()
    message.FromTimedelta(timedelta(seconds=length_s))
    return message


def timestamp(at: datetime | None) -> Timestamp | None:
    """Return a time as a proto, None for what no clock shows that is anywhere near right."""
    if at is None or not _YEARS[0] <= at.year < _YEARS[1]:
        return None
    message = Timestamp()
    message.FromDatetime(at)
    return message


def seconds(message: Duration) -> float:
    return message.seconds + round(message.nanos / 1e9, _DIGITS)


def moment(message: Timestamp) -> datetime | None:
    """Return a time in UTC, None where the field was not set."""
    return message.ToDatetime(tzinfo=UTC) if message.seconds or message.nanos else None


def enum_name(enum: Any, number: int) -> Any:
    """Return the lower-case name of an enum's value without its prefix, None for `_UNSPECIFIED` and unknown ones.

    `SOURCE_KIND_SEASON_PACK` is `season_pack`. The answer's `Literal` checks the result.
    """
    names = cast("dict[int, str]", {value: name for name, value in enum.items()})
    if number == 0 or number not in names:
        return None
    return names[number].removeprefix(names[0].removesuffix("UNSPECIFIED")).lower()

"""The servicer: proto to domain and back."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any

from google.protobuf.json_format import ParseDict
from grpc import aio
from vod.catalog.v1 import catalog_pb2
from vod.picks.v1 import picks_service_pb2
from vod.playback.v1 import playback_pb2, playback_service_pb2_grpc
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.stream.v1 import stream_service_pb2

from vod_playback.changes import Changes, given_up_to_proto, hint_to_proto, switched_to_proto
from vod_playback.choosing_next import ChoosingNext
from vod_playback.continuing import MOST, Continuation, Continuing, Why
from vod_playback.convert import (
    device_from_proto,
    device_to_proto,
    direct_to_proto,
    duration_to_proto,
    key_from_proto,
    key_to_proto,
    pick_to_proto,
    timestamp_to_proto,
)
from vod_playback.direct import DirectPlay
from vod_playback.domain import (
    Alternative,
    Beat,
    Device,
    DeviceProfile,
    DirectWish,
    EpisodeKey,
    NextHint,
    Session,
    State,
    Wish,
)
from vod_playback.errors import RequestInvalid
from vod_playback.links import DeviceLinks
from vod_playback.live import Live
from vod_playback.popularity import Popularity
from vod_playback.preparing import Preparing
from vod_playback.reporting import Report, Reporting
from vod_playback.resuming import Resuming
from vod_playback.starting import Starting
from vod_playback.watching import Watching

AUTOPLAY_IN = timedelta(seconds=10)
_MAX_ID = 200
_MAX_BITRATE = 10**12
_MAX_LANGUAGES = 16
_PAGE = 20
_LONGEST_WAIT = timedelta(seconds=30)
_Context = aio.ServicerContext[Any, Any]
_KINDS = {
    Why.UNFINISHED: pb2.CONTINUATION_KIND_UNFINISHED,
    Why.NEXT: pb2.CONTINUATION_KIND_NEXT,
}
_STATES = {State.ACTIVE: playback_pb2.SESSION_STATE_ACTIVE, State.ENDED: playback_pb2.SESSION_STATE_ENDED}


class PlaybackServicer(playback_service_pb2_grpc.PlaybackServiceServicer):
    """vod.playback.v1.PlaybackService."""

    def __init__(
        self,
        *,
        starting: Starting,
        directing: DirectPlay,
        watching: Watching,
        resuming: Resuming,
        continuing: Continuing,
        links: DeviceLinks,
        live: Live,
        changes: Changes,
        choosing_next: ChoosingNext,
        preparing: Preparing,
        reporting: Reporting,
        popularity: Popularity,
    ) -> None:
        self._reporting = reporting
        self._popularity = popularity
        self._links = links
        self._starting = starting
        self._directing = directing
        self._watching = watching
        self._resuming = resuming
        self._continuing = continuing
        self._live = live
        self._changes = changes
        self._choosing_next = choosing_next
        self._preparing = preparing

    async def StartSession(self, request: pb2.StartSessionRequest, context: _Context) -> pb2.StartSessionResponse:
        if request.HasField("direct"):
            started = await self._directing.start(_direct_wish(request))
            return pb2.StartSessionResponse(session=_session(started.session), stream_url=started.stream_url)
        started = await self._starting.start(_wish(request))
        return pb2.StartSessionResponse(
            session=_session(started.session),
            pick=pick_to_proto(started.session.source),
            direct=direct_to_proto(started.session.source),
            stream_url=started.stream_url,
        )

    async def RecordHeartbeat(
        self, request: pb2.RecordHeartbeatRequest, context: _Context
    ) -> pb2.RecordHeartbeatResponse:
        duration = request.duration.ToTimedelta() if request.HasField("duration") else None
        beat = Beat(
            _id(request.session_id, "session_id"),
            request.position.ToTimedelta(),
            duration,
            sequence=request.sequence if request.HasField("sequence") else None,
            event_time=request.event_time.ToDatetime(UTC) if request.HasField("event_time") else None,
            playing_pick=request.playing_pick_id if request.HasField("playing_pick_id") else None,
        )
        reply = await self._watching.beat(beat)
        if 0 < request.bitrate_estimate < _MAX_BITRATE:
            await self._links.measured(beat.session_id, request.bitrate_estimate)
        return pb2.RecordHeartbeatResponse(
            next_hint=_hint(reply.next_hint),
            switched=switched_to_proto(reply.switched) if reply.switched else None,
            given_up=given_up_to_proto(reply.failure) if reply.failure else None,
        )

    async def AwaitChanges(self, request: pb2.AwaitChangesRequest, context: _Context) -> pb2.AwaitChangesResponse:
        session_id, within = _id(request.session_id, "session_id"), request.wait.ToTimedelta()
        if not timedelta() <= within <= _LONGEST_WAIT:
            raise RequestInvalid(f"Wait at most {_LONGEST_WAIT.seconds} s.", metadata={"field": "wait"})
        view = await self._live.wait(session_id, known=request.known, within=within)
        changes = await self._changes.since(request.known, view)
        return pb2.AwaitChangesResponse(changes=changes, ended=not view.session.is_active)

    async def EndSession(self, request: pb2.EndSessionRequest, context: _Context) -> pb2.EndSessionResponse:
        ending = await self._watching.end(_id(request.session_id, "session_id"))
        return pb2.EndSessionResponse(
            next_pick=pick_to_proto(ending.next_source) if ending.next_source else None,
            next_hint=_hint(ending.next_hint),
            autoplay_in=duration_to_proto(AUTOPLAY_IN),
        )

    async def GetNext(self, request: pb2.GetNextRequest, context: _Context) -> pb2.GetNextResponse:
        following = await self._watching.following(_id(request.session_id, "session_id"))
        return pb2.GetNextResponse(
            candidates=[_ranked_release(one) for one in following.alternatives], next_hint=_hint(following.next_hint)
        )

    async def OverridePick(self, request: pb2.OverridePickRequest, context: _Context) -> pb2.OverridePickResponse:
        session_id, infohash = _id(request.session_id, "session_id"), _id(request.infohash, "infohash")
        if request.target == pb2.OVERRIDE_TARGET_NEXT:
            source = await self._choosing_next.override(session_id, infohash=infohash.lower())
            return pb2.OverridePickResponse(pick=pick_to_proto(source))
        started = await self._starting.override(session_id, infohash=infohash.lower())
        return pb2.OverridePickResponse(pick=pick_to_proto(started.session.source), stream_url=started.stream_url)

    async def GetResume(self, request: pb2.GetResumeRequest, context: _Context) -> pb2.GetResumeResponse:
        if not request.subject_id and not request.device_id:
            raise RequestInvalid("A resume needs a subject or a device.")
        resume = await self._resuming.resume(
            subject_id=request.subject_id, device_id=request.device_id, series_id=request.series_id
        )
        return pb2.GetResumeResponse(
            key=key_to_proto(resume.key),
            position=duration_to_proto(resume.position),
            duration=duration_to_proto(resume.duration),
            pick=pick_to_proto(resume.source) if resume.source else None,
            direct=direct_to_proto(resume.source) if resume.source else None,
        )

    async def GetStream(self, request: pb2.GetStreamRequest, context: _Context) -> pb2.GetStreamResponse:
        return pb2.GetStreamResponse(stream_url=await self._starting.stream_url(_id(request.session_id, "session_id")))

    async def GetProgress(self, request: pb2.GetProgressRequest, context: _Context) -> pb2.GetProgressResponse:
        pin = await self._watching.progress(_id(request.session_id, "session_id"))
        return pb2.GetProgressResponse(pin=ParseDict(pin, stream_service_pb2.Pin(), ignore_unknown_fields=True))

    async def SetNextHint(self, request: pb2.SetNextHintRequest, context: _Context) -> pb2.SetNextHintResponse:
        session_id = _id(request.session_id, "session_id")
        hint = NextHint(_key(request.next_hint.key), request.next_hint.ready)
        if request.without_torrents:
            await self._preparing.prepare(session_id, hint.key)
            return pb2.SetNextHintResponse()
        state = await self._watching.hint(session_id, hint)
        return pb2.SetNextHintResponse(ended=state is State.ENDED)

    async def ListSessions(self, request: pb2.ListSessionsRequest, context: _Context) -> pb2.ListSessionsResponse:
        return pb2.ListSessionsResponse(sessions=[_session(one) for one in await self._watching.active()])

    async def RecordProgress(self, request: pb2.RecordProgressRequest, context: _Context) -> pb2.RecordProgressResponse:
        report = Report(
            _key(request.key),
            _id(request.device_id, "device_id"),
            request.position.ToTimedelta(),
            request.duration.ToTimedelta() or None,
            event_time=request.update_time.ToDatetime(UTC) if request.HasField("update_time") else None,
        )
        await self._reporting.report(report)
        return pb2.RecordProgressResponse()

    async def ListWatched(self, request: pb2.ListWatchedRequest, context: _Context) -> pb2.ListWatchedResponse:
        scores, viewers = await self._popularity.lately()
        series = [pb2.WatchedSeries(series_id=one, score=score) for one, score in scores.items()]
        return pb2.ListWatchedResponse(series=series, viewers=viewers)

    async def ListContinuations(
        self, request: pb2.ListContinuationsRequest, context: _Context
    ) -> pb2.ListContinuationsResponse:
        if not 0 <= request.page_size <= MOST:
            raise RequestInvalid(f"page_size is at most {MOST}.", metadata={"field": "page_size"})
        entries = await self._continuing.entries(**_whose(request), at_most=request.page_size or _PAGE)
        return pb2.ListContinuationsResponse(continuations=[_continuation(one) for one in entries])

    async def ListDevices(self, request: pb2.ListDevicesRequest, context: _Context) -> pb2.ListDevicesResponse:
        devices = await self._continuing.devices(**_whose(request))
        return pb2.ListDevicesResponse(devices=[_device(one, asking=request.device_id) for one in devices])


def _whose(request: pb2.ListContinuationsRequest | pb2.ListDevicesRequest) -> dict[str, str]:
    if not request.subject_id and not request.device_id:
        raise RequestInvalid("Say whose: a subject or a device.")
    return {"subject_id": request.subject_id, "device_id": request.device_id}


def _wish(request: pb2.StartSessionRequest) -> Wish:
    device_id = _id(request.device_id, "device_id")
    return Wish(
        key=_key(request.key),
        profile=_profile(request),
        device_id=device_id,
        subject_id=_id(request.subject_id or device_id, "subject_id"),
        request_id=_id(request.request_id, "request_id") if request.request_id else None,
        subtitle_languages=_languages(request.subtitle_languages),
    )


def _direct_wish(request: pb2.StartSessionRequest) -> DirectWish:
    device_id, direct = _id(request.device_id, "device_id"), request.direct
    if bool(direct.magnet_uri) is bool(direct.torrent):
        raise RequestInvalid("Direct play takes a magnet or a .torrent.", metadata={"field": "direct"})
    if direct.file_index < 0:
        raise RequestInvalid("A file's number can't be negative.", metadata={"field": "file_index"})
    return DirectWish(
        magnet_uri=direct.magnet_uri,
        torrent=direct.torrent,
        file_index=direct.file_index if direct.HasField("file_index") else None,
        profile=_profile(request),
        device_id=device_id,
        subject_id=_id(request.subject_id or device_id, "subject_id"),
        request_id=_id(request.request_id, "request_id") if request.request_id else None,
        subtitle_languages=_languages(request.subtitle_languages),
    )


def _profile(request: pb2.StartSessionRequest) -> DeviceProfile:
    profile = device_from_proto(request.device)
    if profile.max_height < 0 or profile.max_bitrate < 0:
        raise RequestInvalid("Limits of a device can't be negative.")
    _languages(profile.audio_languages)
    return profile


def _id(value: str, name: str) -> str:
    # Postgres can't store NUL.
    if not value or len(value) > _MAX_ID or "\0" in value:
        raise RequestInvalid(f"{name} must have 1 to {_MAX_ID} characters.", metadata={"field": name})
    return value


def _languages(values: Sequence[str]) -> tuple[str, ...]:
    codes = all(value.isascii() and value.isalpha() and len(value) <= 8 for value in values)
    if not codes or len(values) > _MAX_LANGUAGES:
        message = f"Languages are ISO 639-1 codes, at most {_MAX_LANGUAGES}."
        raise RequestInvalid(message, metadata={"field": "languages"})
    return tuple(values)


def _key(key: catalog_pb2.EpisodeKey) -> EpisodeKey:
    if key.season < 0 or key.episode < 0:
        raise RequestInvalid("Season and episode can't be negative.", metadata={"field": "key"})
    _id(key.series_id, "series_id")
    return key_from_proto(key)


def _hint(hint: NextHint | None) -> playback_pb2.NextHint | None:
    return hint_to_proto(hint) if hint else None


def _continuation(entry: Continuation) -> pb2.Continuation:
    return pb2.Continuation(
        key=key_to_proto(entry.key),
        position=duration_to_proto(entry.position),
        duration=duration_to_proto(entry.duration),
        kind=_KINDS[entry.why],
        watch_time=timestamp_to_proto(entry.watched_at),
        ready=entry.ready,
    )


def _device(device: Device, *, asking: str) -> pb2.Device:
    return pb2.Device(
        # The id itself is what a cookie carries.
        name=hashlib.sha256(device.id.encode()).hexdigest()[:12],
        self=device.id == asking,
        profile=device_to_proto(device.profile),
        profile_hash=device.profile_hash,
        seen_time=timestamp_to_proto(device.seen_at),
        link_bitrate=device.link,
    )


def _session(session: Session) -> playback_pb2.Session:
    return playback_pb2.Session(
        id=session.id,
        subject_id=session.subject_id,
        key=key_to_proto(session.key),
        state=_STATES[session.state],
        position=duration_to_proto(session.position),
        duration=duration_to_proto(session.duration),
        start_time=timestamp_to_proto(session.started_at),
        heartbeat_time=timestamp_to_proto(session.heartbeat_at),
        next_hint=_hint(session.next_hint),
    )


def _ranked_release(alternative: Alternative) -> picks_service_pb2.RankedRelease:
    return ParseDict(alternative.release, picks_service_pb2.RankedRelease(), ignore_unknown_fields=True)

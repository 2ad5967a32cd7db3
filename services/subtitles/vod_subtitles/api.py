"""The gRPC face of subtitles."""

from dataclasses import replace
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio
from vod.catalog.v1 import catalog_pb2
from vod.subtitles.v1 import subtitles_service_pb2 as pb2
from vod.subtitles.v1 import subtitles_service_pb2_grpc

from vod_subtitles.domain import EpisodeKey, Lang, Picked, Readable, StoredFile, Timing, Track, Trait, parse_language
from vod_subtitles.errors import InvalidSubtitleRequest
from vod_subtitles.files import as_readable, etag_of
from vod_subtitles.subtitles import Subtitles
from vod_subtitles.timing import retimed

_MOST_LANGUAGES = 10
_LONGEST_RELEASE_TITLE = 500
_Context = aio.ServicerContext[Any, Any]


class SubtitlesServicer(subtitles_service_pb2_grpc.SubtitlesServiceServicer):
    """vod.subtitles.v1.SubtitlesService."""

    def __init__(self, subtitles: Subtitles) -> None:
        self._subtitles = subtitles

    async def EnsureSubtitles(
        self, request: pb2.EnsureSubtitlesRequest, context: _Context
    ) -> pb2.EnsureSubtitlesResponse:
        tracks = await self._subtitles.ensure(
            _key(request.key),
            _languages(request.languages),
            release_title=request.release_title[:_LONGEST_RELEASE_TITLE],
            picked=_picked(request),
        )
        return pb2.EnsureSubtitlesResponse(tracks=[_track(track) for track in tracks])

    async def GetSubtitle(self, request: pb2.GetSubtitleRequest, context: _Context) -> pb2.GetSubtitleResponse:
        key, picked = _key(request.key), _picked(request)
        if request.track:
            found = await self._subtitles.track(key, request.track, picked=picked)
        else:
            lang = parse_language(request.lang) if request.lang else None
            found = await self._subtitles.get(key, lang, picked=picked)
        if request.encoding:
            found = await self._subtitles.read_as(found, request.encoding)
        timing = _timing(request.timing) if request.HasField("timing") else found.timing
        return _answer(found, retimed(found.webvtt, timing), picked)

    async def ListSubtitles(self, request: pb2.ListSubtitlesRequest, context: _Context) -> pb2.ListSubtitlesResponse:
        picked = _picked(request)
        tracks, resets_at = await self._subtitles.list_all(
            _key(request.key), _languages(request.languages), picked=picked
        )
        reset = Timestamp()
        if resets_at:
            reset.FromDatetime(resets_at)
        return pb2.ListSubtitlesResponse(
            tracks=[_track(track, file, picked=picked) for track, file in tracks],
            quota_reset_time=reset if resets_at else None,
        )

    async def SetTiming(self, request: pb2.SetTimingRequest, context: _Context) -> pb2.SetTimingResponse:
        timing = _timing(request.timing)
        track = await self._subtitles.set_timing(_key(request.key), request.track, timing)
        return pb2.SetTimingResponse(track=_track(track, StoredFile(timing=timing)))


def _key(key: catalog_pb2.EpisodeKey) -> EpisodeKey:
    return EpisodeKey(key.series_id, key.season, key.episode)


def _languages(asked: Any) -> list[Lang]:
    if len(asked) > _MOST_LANGUAGES:
        raise InvalidSubtitleRequest(f"At most {_MOST_LANGUAGES} languages can be asked for at once.")
    return [parse_language(lang) for lang in asked]


def _picked(
    request: pb2.EnsureSubtitlesRequest | pb2.GetSubtitleRequest | pb2.ListSubtitlesRequest,
) -> Picked | None:
    if not request.HasField("picked"):
        return None
    picked = request.picked
    return Picked(picked.infohash, picked.file_index, picked.release_title[:_LONGEST_RELEASE_TITLE])


def _timing(timing: pb2.Timing) -> Timing:
    return Timing(timing.offset.ToTimedelta(), timing.rate or 1.0)


def _answer(found: Readable, webvtt: str, picked: Picked | None) -> pb2.GetSubtitleResponse:
    etag = found.etag if webvtt == found.webvtt else etag_of(webvtt)
    file = StoredFile(webvtt=webvtt, script=found.script, timing=found.timing)
    return pb2.GetSubtitleResponse(
        track=_track(found.track, replace(file, etag=etag), picked=picked),
        webvtt=webvtt,
        etag=f'"{etag}"',
        script=found.script,
        partial=found.partial,
    )


def _track(track: Track, file: StoredFile | None = None, *, picked: Picked | None = None) -> pb2.SubtitleTrack:
    listed, file = track.listed, file or StoredFile()
    timing = pb2.Timing(rate=file.timing.rate)
    timing.offset.FromTimedelta(file.timing.offset)
    return pb2.SubtitleTrack(
        lang=listed.lang,
        label=track.label,
        id=str(track.id),
        source=listed.source,
        release_title=listed.release_title,
        forced=Trait.FORCED in listed.traits,
        hearing_impaired=Trait.HEARING_IMPAIRED in listed.traits,
        machine_translated=Trait.MACHINE_TRANSLATED in listed.traits,
        exact=picked is not None and listed.matches == picked.video,
        ready=as_readable(track, file) is not None,
        encoding=file.encoding or "",
        has_script=bool(file.script),
        timing=timing if file.timing != Timing() else None,
    )

"""The gRPC face of subtitles."""

from dataclasses import replace
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio
from vod.catalog.v1 import catalog_pb2
from vod.subtitles.v1 import subtitles_service_pb2 as pb2
from vod.subtitles.v1 import subtitles_service_pb2_grpc

from vod_subtitles.alignments import Alignment, Alignments, AlignmentState
from vod_subtitles.domain import (
    EpisodeKey,
    Font,
    Lang,
    Picked,
    Readable,
    StoredFile,
    Timing,
    Track,
    Trait,
    parse_language,
)
from vod_subtitles.errors import InvalidSubtitleRequest, SubtitleNotFound
from vod_subtitles.files import as_readable, etag_of
from vod_subtitles.job_store import Fonts
from vod_subtitles.subtitles import Subtitles
from vod_subtitles.timing import retimed

_MOST_LANGUAGES = 10
_LONGEST_RELEASE_TITLE = 500
_STATES = {
    AlignmentState.RUNNING: pb2.ALIGNMENT_STATE_RUNNING,
    AlignmentState.DONE: pb2.ALIGNMENT_STATE_DONE,
    AlignmentState.FAILED: pb2.ALIGNMENT_STATE_FAILED,
}
_Context = aio.ServicerContext[Any, Any]


class SubtitlesServicer(subtitles_service_pb2_grpc.SubtitlesServiceServicer):
    """vod.subtitles.v1.SubtitlesService."""

    def __init__(self, subtitles: Subtitles, *, alignments: Alignments, fonts: Fonts) -> None:
        self._subtitles = subtitles
        self._alignments = alignments
        self._fonts = fonts

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
        fonts = await self._fonts.fonts(picked.video) if picked else []
        reset = Timestamp()
        if resets_at:
            reset.FromDatetime(resets_at)
        return pb2.ListSubtitlesResponse(
            tracks=[_track(track, file, picked=picked) for track, file in tracks],
            quota_reset_time=reset if resets_at else None,
            fonts=[_font(font) for font in fonts],
        )

    async def SetTiming(self, request: pb2.SetTimingRequest, context: _Context) -> pb2.SetTimingResponse:
        timing = _timing(request.timing)
        track = await self._subtitles.set_timing(_key(request.key), request.track, timing)
        return pb2.SetTimingResponse(track=_track(track, StoredFile(timing=timing)))

    async def AlignTrack(self, request: pb2.AlignTrackRequest, context: _Context) -> pb2.AlignTrackResponse:
        begun = await self._alignments.begin(
            _key(request.key), request.track, reference_id=request.reference, picked=_picked(request)
        )
        return pb2.AlignTrackResponse(alignment=_alignment(begun))

    async def GetAlignment(self, request: pb2.GetAlignmentRequest, context: _Context) -> pb2.GetAlignmentResponse:
        found = await self._alignments.look(_key(request.key), request.track)
        return pb2.GetAlignmentResponse(alignment=_alignment(found))

    async def GetFont(self, request: pb2.GetFontRequest, context: _Context) -> pb2.GetFontResponse:
        found = await self._fonts.font(request.id)
        if found is None:
            raise SubtitleNotFound("No video brought such a font.", metadata={"font": request.id[:64]})
        font, content = found
        return pb2.GetFontResponse(font=_font(font), content=content)


def _key(key: catalog_pb2.EpisodeKey) -> EpisodeKey:
    return EpisodeKey(key.series_id, key.season, key.episode)


def _languages(asked: Any) -> list[Lang]:
    if len(asked) > _MOST_LANGUAGES:
        raise InvalidSubtitleRequest(f"At most {_MOST_LANGUAGES} languages can be asked for at once.")
    return [parse_language(lang) for lang in asked]


def _picked(
    request: pb2.EnsureSubtitlesRequest | pb2.GetSubtitleRequest | pb2.ListSubtitlesRequest | pb2.AlignTrackRequest,
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
        timing=_timing_message(file.timing) if file.timing != Timing() else None,
    )


def _timing_message(timing: Timing) -> pb2.Timing:
    message = pb2.Timing(rate=timing.rate)
    message.offset.FromTimedelta(timing.offset)
    return message


def _alignment(alignment: Alignment) -> pb2.Alignment:
    is_done = alignment.state is AlignmentState.DONE
    return pb2.Alignment(
        track=str(alignment.track_id),
        reference=str(alignment.reference_id),
        state=_STATES[alignment.state],
        progress=alignment.progress,
        timing=_timing_message(alignment.timing) if is_done else None,
        explanation=alignment.explanation,
    )


def _font(font: Font) -> pb2.Font:
    return pb2.Font(id=font.id, file_name=font.file_name, content_type=font.content_type, size_bytes=font.size)

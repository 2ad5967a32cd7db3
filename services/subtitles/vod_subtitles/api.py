"""The gRPC face of subtitles."""

from typing import Any

from grpc import aio
from vod.catalog.v1 import catalog_pb2
from vod.subtitles.v1 import subtitles_service_pb2, subtitles_service_pb2_grpc

from vod_subtitles.domain import EpisodeKey, Track, parse_language
from vod_subtitles.errors import InvalidSubtitleRequest
from vod_subtitles.subtitles import Subtitles

_MOST_LANGUAGES = 10
_LONGEST_RELEASE_TITLE = 500
_Context = aio.ServicerContext[Any, Any]


class SubtitlesServicer(subtitles_service_pb2_grpc.SubtitlesServiceServicer):
    """vod.subtitles.v1.SubtitlesService."""

    def __init__(self, subtitles: Subtitles) -> None:
        self._subtitles = subtitles

    async def EnsureSubtitles(
        self, request: subtitles_service_pb2.EnsureSubtitlesRequest, context: _Context
    ) -> subtitles_service_pb2.EnsureSubtitlesResponse:
        if len(request.languages) > _MOST_LANGUAGES:
            raise InvalidSubtitleRequest(f"At most {_MOST_LANGUAGES} languages can be asked for at once.")
        tracks = await self._subtitles.ensure(
            _key(request.key),
            [parse_language(lang) for lang in request.languages],
            release_title=request.release_title[:_LONGEST_RELEASE_TITLE],
        )
        return subtitles_service_pb2.EnsureSubtitlesResponse(tracks=[_track(track) for track in tracks])

    async def GetSubtitle(
        self, request: subtitles_service_pb2.GetSubtitleRequest, context: _Context
    ) -> subtitles_service_pb2.GetSubtitleResponse:
        lang = parse_language(request.lang) if request.lang else None
        found = await self._subtitles.get(_key(request.key), lang)
        return subtitles_service_pb2.GetSubtitleResponse(
            track=_track(found.track), webvtt=found.webvtt, etag=f'"{found.etag}"'
        )


def _key(key: catalog_pb2.EpisodeKey) -> EpisodeKey:
    return EpisodeKey(key.series_id, key.season, key.episode)


def _track(track: Track) -> subtitles_service_pb2.SubtitleTrack:
    return subtitles_service_pb2.SubtitleTrack(lang=track.listed.lang, label=track.label)

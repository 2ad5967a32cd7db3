"""The gRPC face of sources."""

from typing import Any

from grpc import aio
from vod.sources.v1 import sources_service_pb2 as pb2
from vod.sources.v1 import sources_service_pb2_grpc

from vod_sources.domain import Content, Kind, Name, Play, Scope, SourceType, Wanted
from vod_sources.errors import InvalidContent
from vod_sources.finding import Finding
from vod_sources.keeping import Keeping
from vod_sources.playing import Playing

_KINDS = {
    pb2.CONTENT_KIND_SERIES: Kind.SERIES,
    pb2.CONTENT_KIND_ANIME: Kind.ANIME,
    pb2.CONTENT_KIND_MOVIE: Kind.MOVIE,
}
_TYPES = {
    SourceType.HLS: (pb2.SOURCE_TYPE_HLS, "master.m3u8"),
    SourceType.MP4: (pb2.SOURCE_TYPE_MP4, "file.mp4"),
    SourceType.TORRENT: (pb2.SOURCE_TYPE_TORRENT, "file.torrent"),
}
_Context = aio.ServicerContext[Any, Any]


class SourcesServicer(sources_service_pb2_grpc.SourcesServiceServicer):
    """vod.sources.v1.SourcesService."""

    def __init__(self, *, finding: Finding, playing: Playing, keeping: Keeping) -> None:
        self._finding = finding
        self._playing = playing
        self._keeping = keeping

    async def ListSources(self, request: pb2.ListSourcesRequest, context: _Context) -> pb2.ListSourcesResponse:
        wanted = Wanted(
            max_bitrate=max(0, request.max_bitrate),
            max_height=max(0, request.max_height),
            device_bitrate=max(0, request.device_bitrate),
            codecs=tuple(request.codecs),
        )
        scope = Scope.EDITORIAL if request.scope == pb2.SCOPE_EDITORIAL else Scope.ALL
        offers = await self._finding.offers(_content(request.content), wanted=wanted, scope=scope)
        return pb2.ListSourcesResponse(sources=[_source(one.play, is_healthy=one.is_healthy) for one in offers])

    async def EnsurePlay(self, request: pb2.EnsurePlayRequest, context: _Context) -> pb2.EnsurePlayResponse:
        play = await self._keeping.ensure(request.play_id)
        return pb2.EnsurePlayResponse(source=_source(play, is_healthy=True))

    async def ReadPart(self, request: pb2.ReadPartRequest, context: _Context) -> pb2.ReadPartResponse:
        if request.offset < 0 or request.length < 0:
            raise InvalidContent("Offset and length can't be negative.")
        found = await self._playing.read(request.play_id, request.part, offset=request.offset, length=request.length)
        return pb2.ReadPartResponse(content_type=found.content_type, total_size=found.total, data=found.data)


def _content(asked: pb2.Content) -> Content:
    kind = _KINDS.get(asked.kind)
    if kind is None or not asked.series_id or min(asked.season, asked.episode) < 0:
        raise InvalidContent("Content needs an id, a kind, a season and an episode.")
    return Content(
        series_id=asked.series_id,
        season=asked.season,
        episode=asked.episode,
        kind=kind,
        title=asked.title,
        year=asked.year,
        external_ids=dict(asked.external_ids),
        runtime=asked.runtime.ToTimedelta(),
        other_names=tuple(
            Name(one.series_id, one.season, one.episode, dict(one.external_ids)) for one in asked.other_names
        ),
    )


def _source(play: Play, *, is_healthy: bool) -> pb2.Source:
    source = play.source
    kind, part = _TYPES[source.type]
    return pb2.Source(
        path=f"{play.id}/{part}",
        quality=source.quality,
        type=kind,
        provider=source.provider,
        play_id=play.id,
        bitrate=source.bitrate,
        collection=source.collection,
        fits=play.wanted.fits(source),
        codec=source.codec,
        undecodable=not play.wanted.decodes(source),
        is_healthy=is_healthy,
    )

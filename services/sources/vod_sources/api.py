"""The gRPC face of sources."""

from typing import Any

from grpc import aio
from vod.sources.v1 import sources_service_pb2 as pb2
from vod.sources.v1 import sources_service_pb2_grpc

from vod_sources.domain import Content, Kind, SourceType, Wanted
from vod_sources.errors import InvalidContent
from vod_sources.finding import Finding, Offer
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

    def __init__(self, finding: Finding, playing: Playing) -> None:
        self._finding = finding
        self._playing = playing

    async def ListSources(self, request: pb2.ListSourcesRequest, context: _Context) -> pb2.ListSourcesResponse:
        asked = request.content
        kind = _KINDS.get(asked.kind)
        if kind is None or not asked.series_id or min(asked.season, asked.episode) < 0:
            raise InvalidContent("Content needs an id, a kind, a season and an episode.")
        content = Content(
            series_id=asked.series_id,
            season=asked.season,
            episode=asked.episode,
            kind=kind,
            title=asked.title,
            year=asked.year,
            external_ids=dict(asked.external_ids),
        )
        wanted = Wanted(max(0, request.max_bitrate), max(0, request.max_height))
        offers = await self._finding.offers(content, wanted=wanted)
        return pb2.ListSourcesResponse(sources=[_source(one) for one in offers])

    async def ReadPart(self, request: pb2.ReadPartRequest, context: _Context) -> pb2.ReadPartResponse:
        if request.offset < 0 or request.length < 0:
            raise InvalidContent("Offset and length can't be negative.")
        found = await self._playing.read(request.play_id, request.part, offset=request.offset, length=request.length)
        return pb2.ReadPartResponse(content_type=found.content_type, total_size=found.total, data=found.data)


def _source(offer: Offer) -> pb2.Source:
    source = offer.play.source
    kind, part = _TYPES[source.type]
    return pb2.Source(
        path=f"{offer.play.id}/{part}",
        quality=source.quality,
        type=kind,
        provider=source.provider,
        is_healthy=offer.is_healthy,
    )

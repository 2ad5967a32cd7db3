"""The gRPC face of catalog."""

from typing import Any

from google.protobuf.duration_pb2 import Duration
from grpc import aio
from vod.catalog.v1 import catalog_pb2, catalog_service_pb2, catalog_service_pb2_grpc

from vod_catalog.aniskip import Skipping
from vod_catalog.api_numbering import mappings_to_proto, resolved_to_proto, skip_to_proto
from vod_catalog.domain import Episode, EpisodeKey, Kind, Numbers, Series, SeriesId, numbers_of, parse_series_id
from vod_catalog.errors import InvalidQuery
from vod_catalog.images import ImageKind, Images
from vod_catalog.listings import Listings
from vod_catalog.naming import Naming
from vod_catalog.numbering import Numbering
from vod_catalog.other_names import OtherNames
from vod_catalog.overrides import Overrides
from vod_catalog.titles import Titles
from vod_catalog.trending import Trending

_DEFAULT_PAGE = 20
_LARGEST_PAGE = 50
_KINDS = {
    Kind.SERIES: catalog_pb2.KIND_SERIES,
    Kind.ANIME: catalog_pb2.KIND_ANIME,
    Kind.MOVIE: catalog_pb2.KIND_MOVIE,
}
_Context = aio.ServicerContext[Any, Any]


class CatalogServicer(catalog_service_pb2_grpc.CatalogServiceServicer):
    """vod.catalog.v1.CatalogService."""

    def __init__(
        self,
        titles: Titles,
        listings: Listings,
        *,
        naming: Naming,
        other_names: OtherNames,
        numbering: Numbering,
        overrides: Overrides,
        skipping: Skipping | None,
        trending: Trending,
        images: Images,
    ) -> None:
        self._titles = titles
        self._listings = listings
        self._naming = naming
        self._other_names = other_names
        self._numbering = numbering
        self._overrides = overrides
        self._skipping = skipping
        self._trending = trending
        self._images = images

    async def SearchTitles(
        self, request: catalog_service_pb2.SearchTitlesRequest, context: _Context
    ) -> catalog_service_pb2.SearchTitlesResponse:
        if request.page_size < 0:
            raise InvalidQuery("page_size is 1 to 50.")
        limit = min(request.page_size or _DEFAULT_PAGE, _LARGEST_PAGE)
        found = await self._listings.search(request.query, limit=limit)
        return catalog_service_pb2.SearchTitlesResponse(titles=[_series(series) for series in found])

    async def GetEpisode(
        self, request: catalog_service_pb2.GetEpisodeRequest, context: _Context
    ) -> catalog_service_pb2.GetEpisodeResponse:
        asked = await self._naming.key_of(request.ref) if request.ref else _asked(request.key)
        named = await self._naming.episode(asked)
        others = await self._other_names.of(named.found.series, named.key)
        return catalog_service_pb2.GetEpisodeResponse(
            series=_series(named.found.series),
            episode=_episode(named.found.episode, key=named.key),
            next=_key(named.next) if named.next else None,
            previous=_key(named.previous) if named.previous else None,
            season_episode_count=named.found.season_size,
            other_names=[
                catalog_service_pb2.OtherName(key=_key(one.key), external_ids=one.external_ids) for one in others
            ],
        )

    async def GetSeries(
        self, request: catalog_service_pb2.GetSeriesRequest, context: _Context
    ) -> catalog_service_pb2.GetSeriesResponse:
        return catalog_service_pb2.GetSeriesResponse(series=_series(await self._naming.title(request.series_id)))

    async def ListEpisodes(
        self, request: catalog_service_pb2.ListEpisodesRequest, context: _Context
    ) -> catalog_service_pb2.ListEpisodesResponse:
        title = await self._titles.with_episodes(request.series_id)
        series_id = title.series.id
        numbers, kept = numbers_of(title.episodes), await self._naming.in_title(series_id)
        listed = [(EpisodeKey(series_id, one.season, one.episode), one) for one in title.episodes]
        return catalog_service_pb2.ListEpisodesResponse(
            series=_series(title.series),
            episodes=[
                _episode(one, key=kept.get(key, key), numbers=numbers[one.season, one.episode]) for key, one in listed
            ],
        )

    async def ResolveEpisode(
        self, request: catalog_service_pb2.ResolveEpisodeRequest, context: _Context
    ) -> catalog_service_pb2.ResolveEpisodeResponse:
        resolved = await self._numbering.resolve(request.ref)
        return resolved_to_proto(resolved, key=await self._naming.kept_of(resolved))

    async def SetMapping(
        self, request: catalog_service_pb2.SetMappingRequest, context: _Context
    ) -> catalog_service_pb2.SetMappingResponse:
        key = _asked(request.key)
        parse_series_id(key.series_id)
        await self._naming.forget(await self._overrides.say(request.ref, key))
        return catalog_service_pb2.SetMappingResponse()

    async def ListMappings(
        self, request: catalog_service_pb2.ListMappingsRequest, context: _Context
    ) -> catalog_service_pb2.ListMappingsResponse:
        return mappings_to_proto(await self._overrides.all())

    async def DeleteMapping(
        self, request: catalog_service_pb2.DeleteMappingRequest, context: _Context
    ) -> catalog_service_pb2.DeleteMappingResponse:
        await self._naming.forget(await self._overrides.take_back(request.ref))
        return catalog_service_pb2.DeleteMappingResponse()

    async def GetSkipRanges(
        self, request: catalog_service_pb2.GetSkipRangesRequest, context: _Context
    ) -> catalog_service_pb2.GetSkipRangesResponse:
        if self._skipping is None:
            return catalog_service_pb2.GetSkipRangesResponse()
        key = await self._naming.kept(_asked(request.key))
        found = await self._skipping.ranges(key, duration=request.duration.ToTimedelta())
        return catalog_service_pb2.GetSkipRangesResponse(ranges=[skip_to_proto(one) for one in found])

    async def ListTrending(
        self, request: catalog_service_pb2.ListTrendingRequest, context: _Context
    ) -> catalog_service_pb2.ListTrendingResponse:
        if request.page_size < 0:
            raise InvalidQuery("page_size is 1 to 50.")
        limit = min(request.page_size or _DEFAULT_PAGE, _LARGEST_PAGE)
        here = {one.series_id: one.score for one in request.here}
        found = await self._trending.list(here, viewers=request.viewers, limit=limit)
        return catalog_service_pb2.ListTrendingResponse(titles=[_series(series) for series in found])

    async def GetImage(
        self, request: catalog_service_pb2.GetImageRequest, context: _Context
    ) -> catalog_service_pb2.GetImageResponse:
        is_backdrop = request.kind == catalog_service_pb2.IMAGE_KIND_BACKDROP
        image = await self._images.get(request.series_id, ImageKind.BACKDROP if is_backdrop else ImageKind.POSTER)
        return catalog_service_pb2.GetImageResponse(content_type=image.content_type, data=image.data)


def _series(series: Series) -> catalog_pb2.Series:
    return catalog_pb2.Series(
        id=series.id,
        title=series.title,
        kind=_KINDS[series.kind],
        year=series.year or 0,
        aliases=series.aliases,
        external_ids=series.external_ids,
        overview=series.overview,
        poster_url=series.poster_url,
        backdrop_url=series.backdrop_url,
        genres=series.genres,
        season_count=series.season_count or 0,
    )


def _episode(episode: Episode, *, key: EpisodeKey, numbers: Numbers | None = None) -> catalog_pb2.Episode:
    runtime = Duration()
    if episode.runtime:
        runtime.FromTimedelta(episode.runtime)
    return catalog_pb2.Episode(
        key=_key(key),
        absolute=episode.absolute or 0,
        name=episode.name,
        runtime=runtime if episode.runtime else None,
        air_date=episode.air_date.isoformat() if episode.air_date else "",
        position=numbers.position if numbers else 0,
        running_number=(numbers.absolute or 0) if numbers else 0,
    )


def _asked(key: catalog_pb2.EpisodeKey) -> EpisodeKey:
    return EpisodeKey(SeriesId(key.series_id), key.season, key.episode)


def _key(key: EpisodeKey) -> catalog_pb2.EpisodeKey:
    return catalog_pb2.EpisodeKey(series_id=key.series_id, season=key.season, episode=key.episode)

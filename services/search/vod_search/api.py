"""The gRPC face of search."""

from datetime import date
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio
from vod.catalog.v1 import catalog_pb2
from vod.scoring.v1 import scoring_pb2
from vod.search.v1 import search_service_pb2, search_service_pb2_grpc

from vod_search.domain import Codec, Hashes, Kind, Release, ReleaseTraits, SearchResult, Source, Wanted
from vod_search.errors import InvalidSearch
from vod_search.magnets import build_magnet
from vod_search.search import Searches

LONGEST_TITLE = 300
MOST_TITLES = 50
LONGEST_ID = 100
LARGEST_NUMBER = 100_000
_KINDS = {
    catalog_pb2.KIND_SERIES: Kind.SERIES,
    catalog_pb2.KIND_ANIME: Kind.ANIME,
    catalog_pb2.KIND_MOVIE: Kind.MOVIE,
}
_Context = aio.ServicerContext[Any, Any]


class SearchServicer(search_service_pb2_grpc.SearchServiceServicer):
    """vod.search.v1.SearchService."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches

    async def SearchReleases(
        self, request: search_service_pb2.SearchReleasesRequest, context: _Context
    ) -> search_service_pb2.SearchReleasesResponse:
        result = await self._searches.search(_wanted(request))
        return _response(result)


def _wanted(request: search_service_pb2.SearchReleasesRequest) -> Wanted:
    titles = tuple(title[:LONGEST_TITLE] for title in request.titles if title.strip())[:MOST_TITLES]
    kind = _KINDS.get(request.kind)
    key = request.key
    if not key.series_id or kind is None or not titles:
        raise InvalidSearch("A search needs key.series_id, a kind and at least one title.")
    numbers = (key.season, key.episode, request.absolute, request.year)
    if not all(0 <= number <= LARGEST_NUMBER for number in numbers):
        raise InvalidSearch(f"season, episode, absolute and year are 0 to {LARGEST_NUMBER}.")
    return Wanted(
        series_id=key.series_id,
        season=key.season,
        episode=key.episode,
        kind=kind,
        titles=titles,
        year=request.year,
        absolute=request.absolute,
        profile_hash=request.profile_hash,
        air_date=_date(request.air_date),
        external_ids={where: one for where, one in request.external_ids.items() if len(one) <= LONGEST_ID},
    )


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidSearch("air_date is an ISO 8601 date.") from None


def _response(result: SearchResult) -> search_service_pb2.SearchReleasesResponse:
    fetched_at = Timestamp()
    fetched_at.FromDatetime(result.fetched_at)
    return search_service_pb2.SearchReleasesResponse(
        releases=[_release(release) for release in result.releases],
        unavailable=[
            search_service_pb2.UnavailableIndexer(indexer=one.indexer, reason=one.reason) for one in result.unavailable
        ],
        fetched_at=fetched_at,
    )


def _release(release: Release) -> search_service_pb2.Release:
    candidate = scoring_pb2.Candidate(
        infohash=release.infohash,
        title=release.title,
        traits=_traits(release.traits),
        size_bytes=release.size_bytes,
        seeders=release.seeders,
        leechers=release.leechers,
        indexer=", ".join(release.indexers),
        published_at=release.published_at,
        web_seeded=release.web_seeded,
    )
    magnet = build_magnet(
        Hashes(release.infohash, release.v2),
        release.title,
        release.trackers,
        web_seeds=release.web_seeds,
        exact_source=release.exact_source,
    )
    return search_service_pb2.Release(candidate=candidate, magnet_uri=magnet)


def _traits(traits: ReleaseTraits) -> scoring_pb2.ReleaseTraits:
    return scoring_pb2.ReleaseTraits(
        titles=traits.titles,
        year=traits.year,
        seasons=traits.seasons,
        episodes=traits.episodes,
        absolutes=traits.absolutes,
        season_pack=traits.season_pack,
        height=traits.height,
        source=_SOURCES[traits.source],
        codec=_CODECS[traits.codec],
        bit_depth=traits.bit_depth,
        hi10p=traits.hi10p,
        hdr=traits.hdr,
        dolby_vision=traits.dolby_vision,
        dolby_vision_fallback=traits.dolby_vision_fallback,
        languages=traits.languages,
        multi_audio=traits.multi_audio,
        group=traits.group,
        version=traits.version,
        extra=traits.extra,
        air_date=traits.air_date.isoformat() if traits.air_date else "",
    )


_SOURCES = {source: scoring_pb2.Source.Value(f"SOURCE_{source.name}") for source in Source}
_CODECS = {codec: scoring_pb2.Codec.Value(f"CODEC_{codec.name}") for codec in Codec}

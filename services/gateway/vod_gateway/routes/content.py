"""NovaStream's own routes, under `/api` as its document names them and under `/v1` like all others."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Header, Path, Query
from google.protobuf.duration_pb2 import Duration
from vod.catalog.v1 import catalog_pb2
from vod.catalog.v1 import catalog_service_pb2 as catalog
from vod.playback.v1 import playback_service_pb2 as playback
from vod.sources.v1 import sources_service_pb2 as sources

from vod_gateway import carried, dto, dto_content, mapping, mapping_content, naming, openapi
from vod_gateway.depends import BackendsDep, DeviceDep, Limit, SeriesIdQuery, limit_search, limit_titles
from vod_gateway.openapi import DOWNSTREAM, INVALID, INVALID_PARAMETER, POST, TOO_MANY, problems
from vod_rpc import DeadlineExceeded, Unavailable

router = APIRouter(tags=["content"])
ContentId = Annotated[dto.SeriesId, Path(examples=["tmdb:tv:9001"])]
SeasonQuery = Annotated[dto.Season, Query(examples=[1])]
EpisodeQuery = Annotated[dto.Episode, Query(examples=[2])]
Seconds = Annotated[
    float, Query(ge=0, le=1_000_000, description="True length of the file that plays.", examples=[1420])
]
Bitrate = Annotated[int | None, Query(alias="maxBitrate", ge=0, le=10**12, examples=[20_000_000])]
Height = Annotated[int | None, Query(alias="maxHeight", ge=0, le=10_000, examples=[1080])]
_TRENDING = problems(INVALID_PARAMETER, TOO_MANY, *DOWNSTREAM)
_WATCH = problems(INVALID_PARAMETER, TOO_MANY, openapi.NO_SERIES, openapi.NO_EPISODE, *DOWNSTREAM)
_PROGRESS = problems(INVALID, *POST, openapi.NO_SERIES, openapi.NO_EPISODE, *DOWNSTREAM)
_Route = TypeVar("_Route", bound=Callable[..., Any])


def _get(
    *paths: str, summary: str, limit: Callable[..., Any], responses: openapi.Responses
) -> Callable[[_Route], _Route]:
    """Serve a GET under several paths; what that document calls optional is left out where it is not, never null."""

    def serve(route: _Route) -> _Route:
        for path in paths:
            router.get(
                path,
                summary=summary,
                dependencies=[Depends(limit)],
                responses=responses,
                response_model_exclude_none=True,
            )(route)
        return route

    return serve


@_get("/api/content/trending", "/v1/trending", summary="What is popular", limit=limit_titles, responses=_TRENDING)
async def list_trending(backends: BackendsDep, limit: Limit = 20) -> list[dto_content.Content]:
    """Return what is popular outside and here, blended: the more people watch here, the more that counts."""
    watched = await backends.playback.ListWatched(playback.ListWatchedRequest())
    here = [catalog.Watched(series_id=one.series_id, score=one.score) for one in watched.series]
    request = catalog.ListTrendingRequest(here=here, viewers=watched.viewers, page_size=limit)
    answer = await backends.catalog.ListTrending(request)
    return [mapping_content.content(one) for one in answer.titles]


@_get(
    "/api/content/{id}/watch",
    "/v1/content/{id}/watch",
    summary="All for a watch page",
    limit=limit_search,
    responses=_WATCH,
)
async def get_watch(
    id: ContentId,  # noqa: A002  the document's name
    *,
    backends: BackendsDep,
    device: DeviceDep,
    season: SeasonQuery = 1,
    episode: EpisodeQuery = 1,
    duration: Seconds = 0.0,
    accept_language: Annotated[str, Header(max_length=1_000, examples=["en-GB,en;q=0.9,de;q=0.5"])] = "",
) -> dto_content.WatchAnswer:
    """Return metadata, direct sources (best first), subtitles in the viewer's languages, and skip ranges.

    Skip ranges are marked on files of one length: they need `duration`, as the player knows it. The viewer is who the
    device's cookie says; a new device gets one. While sources can't be asked there are none, and the rest is here.
    """
    key = catalog_pb2.EpisodeKey(series_id=id, season=season, episode=episode)
    found = await backends.catalog.GetEpisode(catalog.GetEpisodeRequest(key=key))
    key = found.episode.key
    length = Duration()
    length.FromTimedelta(timedelta(seconds=duration))
    skips = await backends.catalog.GetSkipRanges(catalog.GetSkipRangesRequest(key=key, duration=length))
    try:
        listed = await carried.sources_of(backends, found, await carried.by_device(backends, device))
    except (Unavailable, DeadlineExceeded):
        # Direct sources are one way to watch among others: a session plays without them.
        listed = sources.ListSourcesResponse()
    languages = mapping.preferred_languages(accept_language)
    return mapping_content.watch(found, key=key, sources=listed, skips=skips, languages=languages)


@_get("/api/sources", "/v1/sources", summary="Direct sources", limit=limit_search, responses=_WATCH)
async def list_sources(
    series_id: SeriesIdQuery,
    *,
    backends: BackendsDep,
    season: SeasonQuery = 1,
    episode: EpisodeQuery = 1,
    device: DeviceDep,
    max_bitrate: Bitrate = None,
    max_height: Height = None,
) -> list[dto_content.StreamSource]:
    """Return sources, best first: well, fitting device and link, high bitrates first; files before their torrents.

    What device and link carry is what `session/start` and the heartbeats of this device told last; `maxBitrate` (of the
    link) and `maxHeight` say it anew.
    """
    key = catalog_pb2.EpisodeKey(series_id=series_id, season=season, episode=episode)
    found = await backends.catalog.GetEpisode(catalog.GetEpisodeRequest(key=key))
    limits = await carried.by_device(backends, device)
    answer = await carried.sources_of(backends, found, limits.instead(max_bitrate=max_bitrate, max_height=max_height))
    return [mapping_content.source(one) for one in answer.sources]


@router.post("/api/user/progress", summary="Keep a position", status_code=204, responses=_PROGRESS)
@router.post("/v1/progress", summary="Keep a position", status_code=204, responses=_PROGRESS)
async def record_progress(body: dto_content.ProgressRequest, backends: BackendsDep, device: DeviceDep) -> None:
    """Keep how far something was watched that no session of ours played: offline, or elsewhere.

    What was watched later counts, not what was reported later: a report of yesterday changes nothing that was watched
    today, but is kept if nothing was.
    """
    key = await naming.reported_key(backends, body.content_id, episode=body.episode_id)
    request = playback.RecordProgressRequest(
        key=key,
        device_id=device,
        position=mapping.duration(body.position),
        duration=mapping.duration(body.duration),
        update_time=mapping_content.reported_at(body.updated_at),
    )
    await backends.playback.RecordProgress(request)

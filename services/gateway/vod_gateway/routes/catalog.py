"""What there is to watch."""

from fastapi import APIRouter, Depends
from vod.catalog.v1 import catalog_service_pb2 as catalog

from vod_gateway import dto_library, mapping_library, openapi
from vod_gateway.depends import BackendsDep, Limit, SeriesIdQuery, TitleQuery, limit_titles
from vod_gateway.openapi import DOWNSTREAM, INVALID_PARAMETER, TOO_MANY, problems

router = APIRouter(prefix="/v1", tags=["catalog"])


@router.get(
    "/titles",
    summary="Find titles",
    dependencies=[Depends(limit_titles)],
    responses=problems(INVALID_PARAMETER, TOO_MANY, *DOWNSTREAM),
)
async def search_titles(backends: BackendsDep, query: TitleQuery = "", limit: Limit = 20) -> dto_library.TitlesAnswer:
    """Find series, anime and films by name; without a name, those that are popular now."""
    answer = await backends.catalog.SearchTitles(catalog.SearchTitlesRequest(query=query.strip(), page_size=limit))
    return dto_library.TitlesAnswer(titles=[mapping_library.title(one) for one in answer.titles])


@router.get(
    "/episodes",
    summary="All episodes of a title",
    responses=problems(INVALID_PARAMETER, openapi.NO_SERIES, *DOWNSTREAM),
)
async def list_episodes(series_id: SeriesIdQuery, backends: BackendsDep) -> list[dto_library.EpisodeAnswer]:
    """Return the episodes in viewing order; those of an anime with their absolute numbers."""
    answer = await backends.catalog.ListEpisodes(catalog.ListEpisodesRequest(series_id=series_id))
    return [mapping_library.episode(one) for one in answer.episodes]

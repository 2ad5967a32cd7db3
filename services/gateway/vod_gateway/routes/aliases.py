"""What an episode is called elsewhere."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from vod.catalog.v1 import catalog_pb2
from vod.catalog.v1 import catalog_service_pb2 as catalog

from vod_gateway import dto_content, mapping_content, openapi
from vod_gateway.depends import BackendsDep, limit_titles, require_admin
from vod_gateway.openapi import DOWNSTREAM, INVALID, INVALID_PARAMETER, NO_ADMIN, NO_KEY, POST, TOO_MANY, problems

router = APIRouter(prefix="/v1", tags=["catalog"])
RefPath = Annotated[
    str,
    Path(
        pattern=r"^[a-z]{1,16}:[a-z]{1,16}:[0-9A-Za-z_:-]{1,80}$",
        description="`mal:anime:48583:1`, `anidb:anime:8357:2`, `tmdb:tv:1429:S04E17`, `tmdb:tv:1429:abs76`, "
        "`tmdb:movie:129`.",
        examples=["mal:anime:48583:1"],
    ),
]


@router.get(
    "/aliases/{ref}",
    summary="What an episode is called elsewhere",
    dependencies=[Depends(limit_titles)],
    responses=problems(INVALID_PARAMETER, TOO_MANY, *DOWNSTREAM),
)
async def resolve_alias(ref: RefPath, backends: BackendsDep) -> dto_content.AliasAnswer:
    """Return the episode's place at TMDb with all its numbers, and how sure that is.

    Below the bound there is no `place`, only the `candidates`: nothing is guessed.
    """
    return mapping_content.alias(await backends.catalog.ResolveEpisode(catalog.ResolveEpisodeRequest(ref=ref)))


@router.put(
    "/aliases/{ref}",
    summary="Say where an episode belongs",
    status_code=204,
    tags=["admin"],
    dependencies=[Depends(require_admin)],
    responses=problems(INVALID, *POST, NO_KEY, NO_ADMIN, openapi.NO_SERIES, openapi.NO_EPISODE, *DOWNSTREAM),
)
async def set_alias(ref: RefPath, body: dto_content.AliasRequest, backends: BackendsDep) -> None:
    """Map an episode of MyAnimeList by hand; it comes before all data, and nobody's progress moves.

    Both episodes must exist.
    """
    key = catalog_pb2.EpisodeKey(series_id=body.series_id, season=body.season, episode=body.episode)
    await backends.catalog.SetMapping(catalog.SetMappingRequest(ref=ref, key=key))


@router.get(
    "/aliases",
    summary="What was mapped by hand",
    tags=["admin"],
    dependencies=[Depends(require_admin)],
    responses=problems(NO_KEY, NO_ADMIN, TOO_MANY, *DOWNSTREAM),
)
async def list_aliases(backends: BackendsDep) -> dto_content.MappingsAnswer:
    """Return where episodes were put by hand, the latest first."""
    return mapping_content.mappings(await backends.catalog.ListMappings(catalog.ListMappingsRequest()))


@router.delete(
    "/aliases/{ref}",
    summary="Take back where an episode belongs",
    status_code=204,
    tags=["admin"],
    dependencies=[Depends(require_admin)],
    responses=problems(INVALID_PARAMETER, NO_KEY, NO_ADMIN, TOO_MANY, openapi.NO_MAPPING, *DOWNSTREAM),
)
async def delete_alias(ref: RefPath, backends: BackendsDep) -> None:
    """Let the data say again where an episode of MyAnimeList belongs."""
    await backends.catalog.DeleteMapping(catalog.DeleteMappingRequest(ref=ref))

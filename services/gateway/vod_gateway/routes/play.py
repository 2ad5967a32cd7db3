"""The bytes of direct sources and pictures, under our own addresses."""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Response
from fastapi.responses import StreamingResponse
from vod.catalog.v1 import catalog_service_pb2 as catalog
from vod.sources.v1 import sources_service_pb2 as sources

from vod_gateway import openapi
from vod_gateway.clients import Backends
from vod_gateway.depends import BackendsDep, SeriesIdPath
from vod_gateway.openapi import DOWNSTREAM, INVALID_PARAMETER, Responses, problems
from vod_gateway.ranges import Unsatisfiable, read_range

router = APIRouter(prefix="/v1", tags=["watch"])
_SLICE = 1024 * 1024
_PLAYLIST = "application/vnd.apple.mpegurl"
_KINDS = {"poster": catalog.IMAGE_KIND_POSTER, "backdrop": catalog.IMAGE_KIND_BACKDROP}
_BINARY = {"schema": {"type": "string", "format": "binary"}, "example": ""}
_TYPES = (
    _PLAYLIST,
    "video/mp4",
    "video/x-matroska",
    "video/webm",
    "video/mp2t",
    "application/x-bittorrent",
    "application/octet-stream",
)
_BYTES: Responses = {
    200: {"description": "The bytes.", "content": dict.fromkeys(_TYPES, _BINARY)},
    206: {"description": "The bytes asked for.", "content": dict.fromkeys(_TYPES, _BINARY)},
    416: {"description": "There are no such bytes."},
}
_PICTURES = ("image/jpeg", "image/png", "image/webp", "image/avif")
_PICTURE: Responses = {200: {"description": "The picture.", "content": dict.fromkeys(_PICTURES, _BINARY)}}
PlayIdPath = Annotated[
    str, Path(alias="playId", pattern=r"^[0-9a-f]{32}$", examples=["5d1ce7a9b0f34e2c8a6d7b9e0f1a2b3c"])
]
PartPath = Annotated[str, Path(pattern=r"^[0-9a-z/.]{1,40}$", examples=["master.m3u8"])]


@router.get(
    "/play/{playId}/{part:path}",
    summary="The bytes of a direct source",
    response_class=Response,
    responses=_BYTES | problems(INVALID_PARAMETER, openapi.NO_PLAY, openapi.NO_SOURCE, *DOWNSTREAM),
)
async def read_part(
    play_id: PlayIdPath,
    part: PartPath,
    backends: BackendsDep,
    range_: Annotated[str, Header(alias="Range", max_length=200, examples=["bytes=0-1023"])] = "",
) -> Response:
    """Return a playlist, a segment or a file; where the source expired or died, another goes on in its place."""
    wanted = read_range(range_)
    first = await _slice(backends, play_id, part, offset=wanted.first if wanted else 0)
    headers = {"Accept-Ranges": "bytes", "Cache-Control": "no-store"}
    if first.content_type == _PLAYLIST:
        return Response(first.data, headers=headers, media_type=_PLAYLIST)
    total = first.total_size
    try:
        begin, end = wanted.within(total) if wanted else (0, total)
    except Unsatisfiable:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{total}"})
    if wanted and begin != wanted.first:
        first = await _slice(backends, play_id, part, offset=begin)
    headers["Content-Length"] = str(end - begin)
    if wanted:
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{total}"
    body = _rest(backends, play_id, part, first=first.data, begin=begin, end=end)
    return StreamingResponse(body, status_code=206 if wanted else 200, headers=headers, media_type=first.content_type)


@router.get(
    "/images/{seriesId}/{kind}",
    summary="A poster or backdrop",
    response_class=Response,
    responses=_PICTURE | problems(INVALID_PARAMETER, openapi.NO_SERIES, openapi.NO_IMAGE, *DOWNSTREAM),
)
async def get_image(
    series_id: SeriesIdPath,
    kind: Annotated[Literal["poster", "backdrop"], Path(examples=["poster"])],
    backends: BackendsDep,
) -> Response:
    """Return the picture; it is the same for everybody, so that a CDN may keep it. Nothing else of ours may be kept."""
    image = await backends.catalog.GetImage(catalog.GetImageRequest(series_id=series_id, kind=_KINDS[kind]))
    headers = {"Cache-Control": "public, max-age=86400, stale-while-revalidate=604800"}
    return Response(image.data, headers=headers, media_type=image.content_type)


async def _slice(backends: Backends, play_id: str, part: str, *, offset: int) -> sources.ReadPartResponse:
    request = sources.ReadPartRequest(play_id=play_id, part=part, offset=offset, length=_SLICE)
    return await backends.sources.ReadPart(request)


async def _rest(
    backends: Backends, play_id: str, part: str, *, first: bytes, begin: int, end: int
) -> AsyncIterator[bytes]:
    data, at = first[: end - begin], begin
    while data:
        yield data
        at += len(data)
        if at >= end:
            return
        data = (await _slice(backends, play_id, part, offset=at)).data[: end - at]

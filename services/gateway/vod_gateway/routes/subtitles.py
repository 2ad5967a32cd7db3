"""Subtitles: which there are, their text, and by how much one is off."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response
from vod.catalog.v1.catalog_pb2 import EpisodeKey
from vod.picks.v1 import picks_service_pb2 as picks
from vod.subtitles.v1 import subtitles_service_pb2 as subtitles

from vod_gateway import dto, dto_subtitles, mapping_subtitles, naming, openapi
from vod_gateway.clients import Backends
from vod_gateway.depends import BackendsDep, EpisodeKeyPath, OptionalLanguage
from vod_gateway.openapi import DOWNSTREAM, INVALID, INVALID_PARAMETER, POST, Responses, problems
from vod_rpc import Failure

router = APIRouter(prefix="/v1/subtitles", tags=["watch"])
_EXAMPLE = "WEBVTT\n\n00:01.000 --> 00:02.000\nWho keeps the light?\n"


_BINARY = {"schema": {"type": "string", "format": "binary"}, "example": ""}
_FONT_TYPES = ("font/ttf", "font/otf", "font/collection")
_FONT: Responses = {200: {"description": "The font's file.", "content": dict.fromkeys(_FONT_TYPES, _BINARY)}}


def _text(media_type: str, example: str, description: str) -> Responses:
    content = {media_type: {"schema": {"type": "string"}, "example": example}}
    return {
        200: {"description": description, "content": content},
        304: {"description": "What the client has is still right."},
    }


_HEADERS = {"Cache-Control": "private, no-cache", "Content-Security-Policy": "sandbox"}
_PROBLEMS = problems(INVALID_PARAMETER, openapi.NO_SUBTITLE, openapi.NO_EPISODE, openapi.NO_DOWNLOADS, *DOWNSTREAM)
IfNoneMatch = Annotated[str, Header(max_length=2_000, examples=['"5d1ce7a9"'])]
PickQuery = Annotated[
    int | None, Query(alias="pick", ge=1, description="Id of the pick that is watched; else the newest.", examples=[42])
]
TrackQuery = Annotated[dto_subtitles.TrackId | None, Query(description="Instead of the best.", examples=["17"])]


@router.get(
    "/{episodeKey}.vtt",
    summary="Subtitles of an episode",
    response_class=Response,
    responses=_text("text/vtt", _EXAMPLE, "WebVTT in UTF-8.") | _PROBLEMS,
)
async def get_subtitles(
    backends: BackendsDep,
    episode_key: EpisodeKeyPath,
    *,
    lang: OptionalLanguage = None,
    track: TrackQuery = None,
    pick_id: PickQuery = None,
    offset: Annotated[dto_subtitles.Offset | None, Query(examples=[-1.5])] = None,
    rate: Annotated[dto_subtitles.Rate | None, Query(examples=[1.0427])] = None,
    encoding: Annotated[dto_subtitles.Encoding | None, Query(examples=["cp1250"])] = None,
    if_none_match: IfNoneMatch = "",
) -> Response:
    """Return a track: the one named, or the best for the picked file in a language, or in the first that there is.

    `offset`, `rate` and `encoding` hold for this answer; what `…/timing` remembered holds where neither of the first
    two is given. `Cache-Control: no-store` means that the rest comes when more of the video is here.
    """
    key = await naming.kept_key_of(backends, episode_key)
    answer = await backends.subtitles.GetSubtitle(
        subtitles.GetSubtitleRequest(
            key=key,
            lang=lang or "",
            track=track or "",
            timing=mapping_subtitles.timing(offset, rate),
            encoding=encoding or "",
            picked=await _picked(backends, key, pick_id),
        )
    )
    return _answer(answer, answer.webvtt, media_type="text/vtt", if_none_match=if_none_match)


@router.get(
    "/{episodeKey}.ass",
    summary="Subtitles as SubStation",
    response_class=Response,
    responses=_text("text/x-ssa", "[Script Info]\n", "SubStation (ASS) in UTF-8, as it came.") | _PROBLEMS,
)
async def get_script(
    backends: BackendsDep,
    episode_key: EpisodeKeyPath,
    *,
    track: TrackQuery = None,
    pick_id: PickQuery = None,
    if_none_match: IfNoneMatch = "",
) -> Response:
    """Return a track's original, for players that can show more of it than WebVTT can say; `hasScript` says which."""
    key = await naming.kept_key_of(backends, episode_key)
    answer = await backends.subtitles.GetSubtitle(
        subtitles.GetSubtitleRequest(key=key, track=track or "", picked=await _picked(backends, key, pick_id))
    )
    if not answer.script:
        raise openapi.NO_SUBTITLE
    return _answer(answer, answer.script, media_type="text/x-ssa", if_none_match=if_none_match)


@router.get(
    "/fonts/{id}",
    summary="A font for SubStation subtitles",
    response_class=Response,
    responses=_FONT | problems(INVALID_PARAMETER, openapi.NO_SUBTITLE, *DOWNSTREAM),
)
async def get_font(
    backends: BackendsDep, font: Annotated[str, Path(alias="id", pattern=r"^[0-9a-f]{64}$", examples=["9f" * 32])]
) -> Response:
    """Return a font that a video brings along; its name is a hash of its bytes, so it never changes."""
    answer = await backends.subtitles.GetFont(subtitles.GetFontRequest(id=font))
    headers = {"Cache-Control": "private, max-age=31536000, immutable", "Content-Security-Policy": "sandbox"}
    return Response(answer.content, media_type=answer.font.content_type, headers=headers)


@router.get("/{episodeKey}", summary="Which subtitles there are", responses=problems(INVALID_PARAMETER, *DOWNSTREAM))
async def list_subtitles(
    backends: BackendsDep,
    episode_key: EpisodeKeyPath,
    *,
    lang: Annotated[list[dto.Language], Query(max_length=10, description="Most wanted first.")] = [],  # noqa: B006
    pick_id: PickQuery = None,
) -> dto_subtitles.SubtitlesAnswer:
    """Return the tracks of all sources, each once: the wanted languages first, in each the best for the picked file."""
    key = await naming.kept_key_of(backends, episode_key)
    answer = await backends.subtitles.ListSubtitles(
        subtitles.ListSubtitlesRequest(key=key, languages=lang, picked=await _picked(backends, key, pick_id))
    )
    return mapping_subtitles.subtitles_answer(episode_key, answer, pick_id=pick_id)


@router.post(
    "/{episodeKey}/timing",
    summary="Remember by how much a track is off",
    responses=problems(INVALID, *POST, openapi.NO_SUBTITLE, *DOWNSTREAM),
)
async def set_timing(
    backends: BackendsDep, episode_key: EpisodeKeyPath, body: dto_subtitles.TimingRequest
) -> dto_subtitles.SubtitleTrack:
    """Remember a file's offset and rate, for all who watch with it from now on."""
    key = await naming.kept_key_of(backends, episode_key)
    answer = await backends.subtitles.SetTiming(
        subtitles.SetTimingRequest(key=key, track=body.track, timing=mapping_subtitles.timing(body.offset_s, body.rate))
    )
    return mapping_subtitles.track(episode_key, answer.track)


@router.post(
    "/{episodeKey}/alignment",
    status_code=202,
    summary="Find out by how much a track is off",
    responses=problems(INVALID, *POST, openapi.NO_SUBTITLE, openapi.NO_REFERENCE, *DOWNSTREAM),
)
async def begin_alignment(
    backends: BackendsDep, episode_key: EpisodeKeyPath, body: dto_subtitles.AlignmentRequest, pick_id: PickQuery = None
) -> dto_subtitles.Alignment:
    """Begin to compare a track with one that fits the picked file: inside of it, beside it, or listed for its hash.

    Takes some seconds; `GET …/alignment` says how far it is. What is found is remembered as by `…/timing`.
    """
    key = await naming.kept_key_of(backends, episode_key)
    answer = await backends.subtitles.AlignTrack(
        subtitles.AlignTrackRequest(
            key=key, track=body.track, reference=body.reference or "", picked=await _picked(backends, key, pick_id)
        )
    )
    return mapping_subtitles.alignment(answer.alignment)


@router.get(
    "/{episodeKey}/alignment",
    summary="How far the search for a timing is",
    responses=problems(INVALID_PARAMETER, openapi.NO_SUBTITLE, *DOWNSTREAM),
)
async def get_alignment(
    backends: BackendsDep,
    episode_key: EpisodeKeyPath,
    track: Annotated[dto_subtitles.TrackId, Query(examples=["17"])],
) -> dto_subtitles.Alignment:
    """Return the last search for a track's timing."""
    answer = await backends.subtitles.GetAlignment(
        subtitles.GetAlignmentRequest(key=await naming.kept_key_of(backends, episode_key), track=track)
    )
    return mapping_subtitles.alignment(answer.alignment)


async def _picked(backends: Backends, key: EpisodeKey, pick_id: int | None) -> subtitles.PickedFile | None:
    """Return the file that is watched; None where nothing was picked, or picks can't say: there are other sources."""
    try:
        answer = await backends.picks.ListPicks(picks.ListPicksRequest(key=key))
    except Failure:
        return None
    meant = (pick for pick in answer.picks if (pick.id == pick_id if pick_id else not pick.replaced))
    pick = next(meant, None)
    if pick is None or pick.file_index < 0:
        return None
    return subtitles.PickedFile(infohash=pick.infohash, file_index=pick.file_index, release_title=pick.title)


def _answer(answer: subtitles.GetSubtitleResponse, text: str, *, media_type: str, if_none_match: str) -> Response:
    headers = {**_HEADERS, "ETag": f'"{answer.etag.strip(chr(34))}"', "Content-Language": answer.track.lang}
    if answer.partial:
        headers["Cache-Control"] = "no-store"
    if _matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(text, headers=headers, media_type=f"{media_type}; charset=utf-8")


def _matches(if_none_match: str, etag: str) -> bool:
    """Compare weakly, as If-None-Match asks for (RFC 9110 section 13.1.2)."""
    given = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in given or etag in given

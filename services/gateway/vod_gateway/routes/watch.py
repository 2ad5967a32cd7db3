"""What a player fetches: where it was, the stream, the subtitles."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import RedirectResponse
from vod.playback.v1 import playback_service_pb2 as playback
from vod.subtitles.v1 import subtitles_service_pb2 as subtitles

from vod_gateway import dto, mapping, mapping_library, openapi
from vod_gateway.depends import (
    BackendsDep,
    DeviceDep,
    EpisodeKeyPath,
    OptionalLanguage,
    OptionalSeriesId,
    SessionIdPath,
)
from vod_gateway.openapi import DOWNSTREAM, INVALID_PARAMETER, NO_SESSION, Responses, problems

router = APIRouter(prefix="/v1", tags=["watch"])
_REDIRECT: Responses = {
    307: {"description": "`Location` is the signed address on a stream node; it answers ranges. HEAD works too."}
}
_VTT: Responses = {
    200: {
        "description": "WebVTT in UTF-8.",
        "content": {
            "text/vtt": {
                "schema": {"type": "string"},
                "example": "WEBVTT\n\n00:01.000 --> 00:02.000\nWho keeps the light?\n",
            }
        },
    },
    304: {"description": "What the client has is still right."},
}
_VTT_HEADERS = {"Cache-Control": "private, no-cache", "Content-Security-Policy": "sandbox"}


@router.get(
    "/resume",
    summary="Where the viewer stopped",
    responses=problems(INVALID_PARAMETER, openapi.NOTHING_TO_RESUME, *DOWNSTREAM),
)
async def get_resume(
    backends: BackendsDep,
    device: DeviceDep,
    series_id: OptionalSeriesId = None,
) -> dto.ResumeAnswer:
    """Return the last unfinished episode (of a series, or of all) and the exact pick it was watched from.

    Whose it is, the device's cookie says: that of the subject who last started something there.
    """
    rpc = playback.GetResumeRequest(device_id=device, series_id=series_id or "")
    return mapping.resume_answer(await backends.playback.GetResume(rpc))


@router.get(
    "/stream/{sessionId}",
    summary="The session's stream",
    status_code=307,
    response_class=RedirectResponse,
    responses=_REDIRECT | problems(INVALID_PARAMETER, NO_SESSION, *DOWNSTREAM),
)
async def get_stream(request: Request, session_id: SessionIdPath, backends: BackendsDep) -> RedirectResponse:
    """Redirect to the bytes; the file is pinned again if the node forgot it."""
    request.state.session_id = session_id
    answer = await backends.playback.GetStream(playback.GetStreamRequest(session_id=session_id))
    return RedirectResponse(answer.stream_url, status_code=307)


@router.get(
    "/subtitles/{episodeKey}.vtt",
    summary="Subtitles of an episode",
    response_class=Response,
    responses=_VTT | problems(INVALID_PARAMETER, openapi.NO_SUBTITLE, openapi.NO_EPISODE, *DOWNSTREAM),
)
async def get_subtitles(
    backends: BackendsDep,
    episode_key: EpisodeKeyPath,
    lang: OptionalLanguage = None,
    if_none_match: Annotated[str, Header(max_length=2_000, examples=['"5d1ce7a9"'])] = "",
) -> Response:
    """Return the track in a language, or the first that there is."""
    key = mapping_library.parse_episode_key(episode_key)
    answer = await backends.subtitles.GetSubtitle(subtitles.GetSubtitleRequest(key=key, lang=lang or ""))
    headers = {**_VTT_HEADERS, "ETag": f'"{answer.etag.strip(chr(34))}"', "Content-Language": answer.track.lang}
    if _matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(answer.webvtt, headers=headers, media_type="text/vtt; charset=utf-8")


def _matches(if_none_match: str, etag: str) -> bool:
    """Compare weakly, as If-None-Match asks for (RFC 9110 section 13.1.2)."""
    given = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return "*" in given or etag in given

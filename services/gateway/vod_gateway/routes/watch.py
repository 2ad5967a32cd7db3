"""What a player fetches: where it was, and the stream."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from vod.playback.v1 import playback_service_pb2 as playback

from vod_gateway import dto, mapping, openapi
from vod_gateway.depends import (
    BackendsDep,
    DeviceDep,
    OptionalSeriesId,
    OptionalSubjectId,
    SessionIdPath,
)
from vod_gateway.openapi import DOWNSTREAM, INVALID_PARAMETER, NO_SESSION, Responses, problems

router = APIRouter(prefix="/v1", tags=["watch"])
_REDIRECT: Responses = {
    307: {"description": "`Location` is the signed address on a stream node; it answers ranges. HEAD works too."}
}


@router.get(
    "/resume",
    summary="Where the viewer stopped",
    responses=problems(INVALID_PARAMETER, openapi.NOTHING_TO_RESUME, *DOWNSTREAM),
)
async def get_resume(
    backends: BackendsDep,
    device: DeviceDep,
    series_id: OptionalSeriesId = None,
    subject_id: OptionalSubjectId = None,
) -> dto.ResumeAnswer:
    """Return the last unfinished episode (of a series, or of all) and the exact pick it was watched from.

    Without a subject it is that of whoever last started something on this device, as its cookie says.
    """
    rpc = playback.GetResumeRequest(subject_id=subject_id or "", device_id=device, series_id=series_id or "")
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

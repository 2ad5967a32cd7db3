"""Watching: a session is opened, beats, ends, and may switch to another release."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from vod.catalog.v1.catalog_pb2 import EpisodeKey
from vod.playback.v1 import playback_service_pb2 as playback

from vod_gateway import dto, dto_events, mapping, mapping_events, naming, openapi
from vod_gateway.clients import Backends
from vod_gateway.depends import (
    BackendsDep,
    DeviceDep,
    RequestIdDep,
    SessionIdPath,
    SessionIdQuery,
    limit_search,
    require_owner,
)
from vod_gateway.dto_direct import ProgressAnswer, StartBody
from vod_gateway.openapi import DOWNSTREAM, INVALID, INVALID_PARAMETER, NO_SESSION, POST, TOO_MANY, problems

router = APIRouter(prefix="/v1/session", tags=["session"])
START = "/v1/session/start"
_TARGETS = {"current": playback.OVERRIDE_TARGET_CURRENT, "next": playback.OVERRIDE_TARGET_NEXT}
DEADLINES = {
    START: timedelta(seconds=20),  # a cold start asks indexers and a swarm
    "/v1/session/heartbeat": timedelta(seconds=2),  # the next beat is the retry
}


@router.post(
    "/start",
    summary="Start watching an episode, or a torrent",
    dependencies=[Depends(limit_search)],
    responses=problems(
        INVALID,
        *POST,
        openapi.NO_RELEASE,
        openapi.NO_EPISODE,
        openapi.NO_SERIES,
        openapi.KEY_REUSED,
        openapi.DIRECT_OFF,
        openapi.SILENT,
        TOO_MANY,
        *DOWNSTREAM,
    ),
)
async def start_session(
    request: Request,
    *,
    body: StartBody,
    backends: BackendsDep,
    device: DeviceDep,
    request_id: RequestIdDep,
    accept_language: Annotated[str, Header(max_length=1_000, examples=["en-GB,en;q=0.9,de;q=0.5"])] = "",
) -> dto.StartAnswer:
    """Choose a release (if there is no pick yet), pin its file, and return an address that a player can open.

    Any name of the episode will do: a later part of an anime by its own id, or `absoluteEp` instead of season and
    episode. The owner may name a torrent instead, by magnet or as a .torrent: it is played as it is.
    """
    languages = mapping.preferred_languages(accept_language)
    if isinstance(body, dto.StartRequest):
        key = await _key(backends, body)
        rpc = mapping.start_request(body, key=key, device=device, request_id=request_id, languages=languages)
    else:
        require_owner(request)
        rpc = mapping.direct_request(body, device=device, request_id=request_id, languages=languages)
    answer = mapping.start_answer(await backends.playback.StartSession(rpc))
    request.state.session_id = answer.session_id
    return answer


async def _key(backends: Backends, body: dto.StartRequest) -> EpisodeKey:
    if body.absolute_ep is not None:
        return await naming.key_of(backends, f"{body.series_id}:abs{body.absolute_ep}")
    return EpisodeKey(series_id=body.series_id, season=body.season, episode=body.episode)


@router.post(
    "/heartbeat",
    summary="Report the position",
    response_model_exclude_none=True,
    responses=problems(INVALID, *POST, NO_SESSION, openapi.ENDED, *DOWNSTREAM),
)
async def record_heartbeat(
    request: Request, body: dto.HeartbeatRequest, backends: BackendsDep
) -> dto_events.HeartbeatAnswer:
    """Keep the position, to resume from; send it every 10 s. The answer says when the next episode is ready.

    When the source failed it also says where to go on (`streamUrl`, `position_s`, `pick`), or that nothing is left
    (`givenUp`).
    """
    request.state.session_id = body.session_id
    answer = await backends.playback.RecordHeartbeat(mapping.heartbeat_request(body))
    return mapping_events.heartbeat_answer(answer)


@router.post("/ended", summary="End the session", responses=problems(INVALID, *POST, NO_SESSION, *DOWNSTREAM))
async def end_session(request: Request, body: dto.EndedRequest, backends: BackendsDep) -> dto.EndedAnswer:
    """Close the session and tell what plays next, and after how many seconds."""
    request.state.session_id = body.session_id
    return mapping.ended_answer(
        await backends.playback.EndSession(playback.EndSessionRequest(session_id=body.session_id))
    )


@router.get(
    "/next",
    summary="The candidates for the next episode",
    response_model_exclude_none=True,
    dependencies=[Depends(limit_search)],
    responses=problems(INVALID_PARAMETER, NO_SESSION, TOO_MANY, *DOWNSTREAM),
)
async def get_next(request: Request, session_id: SessionIdQuery, backends: BackendsDep) -> dto.NextAnswer:
    """Return the two best releases of the next episode, and whether it would start at once."""
    request.state.session_id = session_id
    return mapping.next_answer(await backends.playback.GetNext(playback.GetNextRequest(session_id=session_id)))


@router.get(
    "/{sessionId}/progress",
    summary="How far the file has come",
    responses=problems(INVALID_PARAMETER, NO_SESSION, openapi.NOT_HELD, openapi.NOT_DOWNLOADED, *DOWNSTREAM),
)
async def get_progress(request: Request, session_id: SessionIdPath, backends: BackendsDep) -> ProgressAnswer:
    """Return what is here of the session's file, and what its swarm gives."""
    request.state.session_id = session_id
    return mapping.progress_answer(
        await backends.playback.GetProgress(playback.GetProgressRequest(session_id=session_id))
    )


@router.post(
    "/override-pick",
    summary="Switch to another release",
    responses=problems(
        INVALID,
        *POST,
        NO_SESSION,
        openapi.ENDED,
        openapi.NOTHING_FOLLOWS,
        openapi.NO_CANDIDATE,
        openapi.REFUSED_CANDIDATE,
        *DOWNSTREAM,
    ),
)
async def override_pick(request: Request, body: dto.OverrideRequest, backends: BackendsDep) -> dto.OverrideAnswer:
    """Replace the session's pick by one of its candidates; the old one stays in the audit trail.

    With `target: "next"` it is the pick of the episode that follows, any time before that begins.
    """
    request.state.session_id = body.session_id
    answer = await backends.playback.OverridePick(
        playback.OverridePickRequest(
            session_id=body.session_id, infohash=body.infohash.lower(), target=_TARGETS[body.target]
        )
    )
    return dto.OverrideAnswer(pick=mapping.pick(answer.pick), stream_url=answer.stream_url or None)

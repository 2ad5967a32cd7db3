"""What happens to a session, as it happens: Server-Sent Events."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import StreamingResponse
from vod.playback.v1 import playback_service_pb2 as playback

from vod_gateway import mapping_events, openapi
from vod_gateway.depends import Gateway, GatewayDep, SessionIdPath
from vod_gateway.mapping import duration
from vod_gateway.openapi import DOWNSTREAM, INVALID_PARAMETER, NO_SESSION, Responses, problems
from vod_rpc import Failure, deadline, no_deadline

router = APIRouter(prefix="/v1/session", tags=["session"])
_WAIT_SECONDS = 5.0
_PATIENCE = timedelta(seconds=_WAIT_SECONDS + 10)
_KEEP_ALIVE = b": still there\n\n"
_BEGIN = b"retry: 2000\n\n"
_EVENTS: Responses = {
    200: {
        "description": "`switched`, `given-up`, `next-hint`, `buffering`, `swarm`, and at last `ended`; comments in "
        "between keep the connection alive.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": mapping_events.EXAMPLE}},
    },
    204: {"description": "The session has ended and all of it was told: do not connect again."},
}


@router.get(
    "/{sessionId}/events",
    summary="What happens to the session",
    response_class=StreamingResponse,
    responses=_EVENTS | problems(INVALID_PARAMETER, NO_SESSION, openapi.TOO_MANY, *DOWNSTREAM),
)
async def stream_events(
    request: Request,
    session_id: SessionIdPath,
    gateway: GatewayDep,
    last_event_id: Annotated[str, Header(max_length=200, pattern=r"^[0-9a-f.]*$", examples=[""])] = "",
) -> Response:
    """Tell what changes: another source, the next episode getting ready, bytes that do not come, the end.

    An event's id says all that was told so far, so that a player that connects again (`Last-Event-ID`) hears only what
    is new, whichever gateway it reaches. Events may come again: each says how things are, not what was done.
    """
    request.state.session_id = session_id
    gateway.limits.listeners.check(session_id)
    # Here, so that an unknown session is a problem and not an empty stream.
    first = await _changes(gateway, session_id, last_event_id, wait=0.0)
    if first.ended and not first.changes:
        return Response(status_code=204)
    body = _stream(gateway, session_id, known=last_event_id, answer=first)
    return StreamingResponse(body, headers={"X-Accel-Buffering": "no"}, media_type="text/event-stream")


async def _changes(
    gateway: Gateway, session_id: str, known: str, *, wait: float = _WAIT_SECONDS
) -> playback.AwaitChangesResponse:
    request = playback.AwaitChangesRequest(session_id=session_id, known=known, wait=duration(wait))
    return await gateway.backends.playback.AwaitChanges(request)


async def _stream(
    gateway: Gateway, session_id: str, *, known: str, answer: playback.AwaitChangesResponse
) -> AsyncIterator[bytes]:
    """Yield events until the session ends, the gateway stops, or the services are away: then the player comes again."""
    with gateway.limits.listeners.listening(session_id):
        yield _BEGIN
        while True:
            for change in answer.changes:
                known = change.known
                yield mapping_events.event(change)
            if answer.ended or gateway.readiness.draining:
                return
            if not answer.changes:
                yield _KEEP_ALIVE
            try:
                # The route's deadline is for its first answer; from here on each question has its own.
                with no_deadline(), deadline(_PATIENCE):
                    answer = await _changes(gateway, session_id, known)
            except Failure:
                return

"""What only the holder of the admin key sees."""

from datetime import timedelta

from fastapi import APIRouter, Depends
from vod.catalog.v1.catalog_pb2 import EpisodeKey
from vod.picks.v1.picks_service_pb2 import DiffCandidatesRequest, ListCandidatesRequest, ListPicksRequest
from vod.playback.v1.playback_service_pb2 import ListSessionsRequest
from vod.stream.v1.stream_service_pb2 import ListPinsRequest

from vod_gateway import dto_library, mapping_library, naming, openapi
from vod_gateway.depends import BackendsDep, EpisodePath, InfohashQuery, SeasonPath, SeriesIdPath, require_admin
from vod_gateway.openapi import DOWNSTREAM, INVALID, INVALID_PARAMETER, NO_ADMIN, NO_KEY, POST, TOO_MANY, problems

router = APIRouter(prefix="/v1", tags=["admin"], dependencies=[Depends(require_admin)])
DEADLINES = {"/v1/picks/reject": timedelta(seconds=20)}  # other swarms are tried


@router.get(
    "/picks/{seriesId}/{season}/{episode}",
    summary="All picks of an episode",
    responses=problems(INVALID_PARAMETER, NO_KEY, NO_ADMIN, TOO_MANY, *DOWNSTREAM),
)
async def list_picks(
    series_id: SeriesIdPath, season: SeasonPath, episode: EpisodePath, backends: BackendsDep
) -> dto_library.PicksAnswer:
    """Return every pick ever made for an episode, newest first, and what the newest was chosen from, with reasons."""
    key = await naming.kept_key(backends, EpisodeKey(series_id=series_id, season=season, episode=episode))
    made = await backends.picks.ListPicks(ListPicksRequest(key=key))
    newest = made.picks[0].profile_hash if made.picks else ""
    behind = await backends.picks.ListCandidates(ListCandidatesRequest(key=key, profile_hash=newest))
    return mapping_library.picks_answer(key, made, behind)


@router.get(
    "/picks/{seriesId}/{season}/{episode}/diff",
    summary="Why one candidate goes before another",
    responses=problems(INVALID_PARAMETER, NO_KEY, NO_ADMIN, openapi.NO_CANDIDATE, TOO_MANY, *DOWNSTREAM),
)
async def diff_candidates(
    *,
    series_id: SeriesIdPath,
    season: SeasonPath,
    episode: EpisodePath,
    first: InfohashQuery,
    second: InfohashQuery,
    backends: BackendsDep,
) -> dto_library.DiffAnswer:
    """Say in a sentence which of two candidates goes first, and list what the first has more of, or less."""
    key = await naming.kept_key(backends, EpisodeKey(series_id=series_id, season=season, episode=episode))
    made = await backends.picks.ListPicks(ListPicksRequest(key=key))
    newest = made.picks[0].profile_hash if made.picks else ""
    asked = DiffCandidatesRequest(key=key, profile_hash=newest, first_infohash=first, second_infohash=second)
    return mapping_library.diff_answer(await backends.picks.DiffCandidates(asked))


@router.post(
    "/picks/reject",
    summary="Reject a pick",
    responses=problems(INVALID, *POST, NO_KEY, NO_ADMIN, openapi.NO_PICK, TOO_MANY, *DOWNSTREAM),
)
async def reject_pick(body: dto_library.RejectRequest, backends: BackendsDep) -> dto_library.RejectAnswer:
    """Say that a pick is bad: it is not chosen for a while, and the next candidate that plays takes its place.

    Sessions that play it move on to the replacement. Rejecting it again changes nothing; choosing it by hand takes
    the rejection back.
    """
    answer = await backends.picks.RejectPick(mapping_library.reject_request(body))
    return dto_library.RejectAnswer(
        rejected=mapping_library.pick_record(answer.rejected),
        replacement=mapping_library.pick_record(answer.replacement) if answer.HasField("replacement") else None,
    )


@router.get("/status", summary="What runs now", responses=problems(NO_KEY, NO_ADMIN, TOO_MANY, *DOWNSTREAM))
async def get_status(backends: BackendsDep) -> dto_library.StatusAnswer:
    """Return the active sessions and what the stream node holds."""
    sessions = await backends.playback.ListSessions(ListSessionsRequest())
    pins = await backends.stream.ListPins(ListPinsRequest())
    return dto_library.StatusAnswer(
        sessions=[mapping_library.session_status(one) for one in sessions.sessions],
        node=pins.node,
        pins=[mapping_library.pin_status(one) for one in pins.pins],
    )

"""The servicer: proto to domain and back."""

from typing import Any

from google.protobuf.json_format import ParseDict
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio
from vod.catalog.v1 import catalog_pb2
from vod.picks.v1 import events_pb2
from vod.picks.v1 import picks_service_pb2 as pb2
from vod.picks.v1 import picks_service_pb2_grpc as pb2_grpc
from vod.scoring.v1 import scoring_pb2, scoring_service_pb2

from vod_picks.clients import key_from_proto, key_to_proto, to_json
from vod_picks.domain import Candidate, EpisodeKey, Pick, Profile, SourceKind
from vod_picks.events import REASONS
from vod_picks.picks import Picks
from vod_picks.rejecting import Rejecting
from vod_picks.rejections import USUAL_WORDS, RejectionReason, RejectionScope
from vod_rpc import InvalidArgument

_Context = aio.ServicerContext[Any, Any]
_SOURCE_KINDS = {
    SourceKind.SINGLE: pb2.SOURCE_KIND_SINGLE,
    SourceKind.SEASON_PACK: pb2.SOURCE_KIND_SEASON_PACK,
}
_REASONS = {number: reason for reason, number in REASONS.items()}
_SCOPES = {
    events_pb2.REJECTION_SCOPE_TORRENT: RejectionScope.TORRENT,
    events_pb2.REJECTION_SCOPE_FILE: RejectionScope.FILE,
    events_pb2.REJECTION_SCOPE_GROUP: RejectionScope.GROUP,
}
_LONGEST_EXPLANATION = 300


class PicksServicer(pb2_grpc.PicksServiceServicer):
    """vod.picks.v1.PicksService."""

    def __init__(self, picks: Picks, rejecting: Rejecting) -> None:
        self._picks = picks
        self._rejecting = rejecting

    async def EnsurePick(self, request: pb2.EnsurePickRequest, context: _Context) -> pb2.EnsurePickResponse:
        pick = await self._picks.ensure(_key(request.key), profile=_profile(request.device, request.profile_hash))
        return pb2.EnsurePickResponse(pick=_pick(pick))

    async def OverridePick(self, request: pb2.OverridePickRequest, context: _Context) -> pb2.OverridePickResponse:
        pick = await self._picks.override(
            _key(request.key),
            profile=_profile(request.device, request.profile_hash),
            infohash=request.infohash.lower(),
        )
        return pb2.OverridePickResponse(pick=_pick(pick))

    async def ListCandidates(self, request: pb2.ListCandidatesRequest, context: _Context) -> pb2.ListCandidatesResponse:
        candidates = await self._picks.candidates(_key(request.key), profile_hash=request.profile_hash)
        return pb2.ListCandidatesResponse(candidates=[_ranked_release(one) for one in candidates])

    async def DiffCandidates(self, request: pb2.DiffCandidatesRequest, context: _Context) -> pb2.DiffCandidatesResponse:
        compared = await self._picks.diff(
            _key(request.key),
            profile_hash=request.profile_hash,
            first=request.first_infohash.lower(),
            second=request.second_infohash.lower(),
        )
        return pb2.DiffCandidatesResponse(
            summary=compared.summary,
            differences=[
                scoring_service_pb2.Difference(name=name, micro_points=points, reason=reason)
                for name, points, reason in compared.gaps
            ],
        )

    async def RejectPick(self, request: pb2.RejectPickRequest, context: _Context) -> pb2.RejectPickResponse:
        reason = _REASONS.get(request.reason, RejectionReason.UNWANTED)
        rejected, replacement = await self._rejecting.reject(
            request.pick_id,
            reason=reason,
            scope=_SCOPES.get(request.scope, RejectionScope.TORRENT),
            explanation=request.explanation.replace("\0", "").strip()[:_LONGEST_EXPLANATION] or USUAL_WORDS[reason],
        )
        return pb2.RejectPickResponse(rejected=_pick(rejected), replacement=_pick(replacement) if replacement else None)

    async def NoteWatched(self, request: pb2.NoteWatchedRequest, context: _Context) -> pb2.NoteWatchedResponse:
        await self._picks.watched(_key(request.key), profile_hash=request.profile_hash)
        return pb2.NoteWatchedResponse()

    async def ListPicks(self, request: pb2.ListPicksRequest, context: _Context) -> pb2.ListPicksResponse:
        return pb2.ListPicksResponse(picks=[_pick(one) for one in await self._picks.history(_key(request.key))])


def _key(key: catalog_pb2.EpisodeKey) -> EpisodeKey:
    if not key.series_id or "\0" in key.series_id or key.season < 0 or key.episode < 0:
        raise InvalidArgument("an episode key needs a series, a season and an episode", reason="KEY_INVALID")
    return key_from_proto(key)


def _profile(device: scoring_pb2.DeviceProfile, profile_hash: str) -> Profile:
    if not profile_hash:
        raise InvalidArgument("a pick is made for a profile: its hash is missing", reason="PROFILE_HASH_MISSING")
    return Profile(hash=profile_hash, capabilities=to_json(device))


def _pick(pick: Pick) -> pb2.Pick:
    picked_at = Timestamp()
    picked_at.FromDatetime(pick.picked_at)
    return pb2.Pick(
        id=pick.id,
        key=key_to_proto(pick.key),
        profile_hash=pick.profile_hash,
        infohash=pick.infohash,
        magnet_uri=pick.magnet_uri,
        title=pick.title,
        release_group=pick.group,
        resolution=pick.resolution,
        codec=pick.codec,
        file_index=pick.file_index,
        file_path=pick.file_path,
        source_kind=_SOURCE_KINDS[pick.source_kind],
        # What an older release of scoring said may have fields that this one does not know.
        score=ParseDict(pick.score, scoring_pb2.RankedCandidate(), ignore_unknown_fields=True),
        picked_at=picked_at,
        replaces_pick_id=pick.replaces_pick_id or 0,
        replaced=pick.replaced,
        size_bytes=pick.size_bytes,
        replaced_because=pick.replaced_because,
    )


def _ranked_release(candidate: Candidate) -> pb2.RankedRelease:
    return pb2.RankedRelease(
        candidate=ParseDict(candidate.release.announced, scoring_pb2.Candidate(), ignore_unknown_fields=True),
        ranking=ParseDict(candidate.ranking.explanation, scoring_pb2.RankedCandidate(), ignore_unknown_fields=True),
    )

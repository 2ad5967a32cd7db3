"""The neighbours over gRPC: picks, the stream node, subtitles and playback."""

from collections.abc import Collection
from datetime import timedelta

from grpc import aio
from vod.catalog.v1 import catalog_pb2
from vod.picks.v1 import picks_service_pb2, picks_service_pb2_grpc
from vod.playback.v1 import playback_pb2, playback_service_pb2, playback_service_pb2_grpc
from vod.scoring.v1 import scoring_pb2
from vod.stream.v1 import stream_service_pb2, stream_service_pb2_grpc
from vod.subtitles.v1 import subtitles_service_pb2, subtitles_service_pb2_grpc

from vod_prefetch.domain import EpisodeKey, Following, Outcome, Pick, SessionId
from vod_prefetch.errors import NothingPlayable
from vod_rpc import NotFound

_NO_RELEASE = "NO_PLAYABLE_RELEASE"
_AT_ONCE = timedelta(seconds=5)
"""More than a fleet needs that has just lost a node: the others' leases are shorter."""
_READY_STATES = {stream_service_pb2.PIN_STATE_READY, stream_service_pb2.PIN_STATE_COMPLETE}


def key_to_proto(key: EpisodeKey) -> catalog_pb2.EpisodeKey:
    return catalog_pb2.EpisodeKey(series_id=key.series_id, season=key.season, episode=key.episode)


class PicksClient:
    def __init__(self, channel: aio.Channel) -> None:
        self._stub = picks_service_pb2_grpc.PicksServiceStub(channel)

    async def ensure(self, following: Following) -> Pick:
        request = picks_service_pb2.EnsurePickRequest(
            key=key_to_proto(following.key),
            device=scoring_pb2.DeviceProfile.FromString(following.profile),
            profile_hash=following.profile_hash,
        )
        try:
            response = await self._stub.EnsurePick(request, timeout=_FOLLOWS_DEADLINE)
        except NotFound as failure:
            if failure.reason == _NO_RELEASE:
                raise NothingPlayable(str(following.key)) from failure
            raise
        pick = response.pick
        return Pick(infohash=pick.infohash, magnet_uri=pick.magnet_uri, file_index=pick.file_index, title=pick.title)

    async def note_watched(self, key: EpisodeKey, *, profile_hash: str) -> None:
        request = picks_service_pb2.NoteWatchedRequest(key=key_to_proto(key), profile_hash=profile_hash)
        await self._stub.NoteWatched(request)


class StreamNodeClient:
    def __init__(self, channel: aio.Channel) -> None:
        self._stub = stream_service_pb2_grpc.StreamServiceStub(channel)

    async def pin_next(self, following: Following, pick: Pick, *, within: timedelta) -> bool:
        return await self._pin(following, pick, wait_for=stream_service_pb2.WAIT_FOR_ENDS, within=within)

    async def is_pinned(self, following: Following, pick: Pick) -> bool:
        nothing = stream_service_pb2.WAIT_FOR_UNSPECIFIED
        return await self._pin(following, pick, wait_for=nothing, within=_AT_ONCE)

    async def ready_for(self) -> Collection[SessionId]:
        answer = await self._stub.ListPins(stream_service_pb2.ListPinsRequest(), timeout=_AT_ONCE.total_seconds())
        return [
            SessionId(holder.name)
            for pin in answer.pins
            if pin.state in _READY_STATES
            for holder in pin.holders
            if holder.purpose == stream_service_pb2.PURPOSE_NEXT
        ]

    async def _pin(
        self, following: Following, pick: Pick, *, wait_for: "stream_service_pb2.WaitFor.ValueType", within: timedelta
    ) -> bool:
        request = stream_service_pb2.EnsurePinRequest(
            infohash=pick.infohash,
            magnet_uri=pick.magnet_uri,
            file_index=pick.file_index,
            purpose=stream_service_pb2.PURPOSE_NEXT,
            holder=following.session,
            wait_for=wait_for,
        )
        response = await self._stub.EnsurePin(request, timeout=within.total_seconds())
        return response.pin.state in _READY_STATES

    async def let_go(self, following: Following, pick: Pick) -> None:
        request = stream_service_pb2.ReleasePinRequest(
            infohash=pick.infohash, file_index=pick.file_index, holder=following.session
        )
        await self._stub.ReleasePin(request)

    async def session_is_over(self, following: Following) -> None:
        await self._stub.ReleasePin(stream_service_pb2.ReleasePinRequest(holder=following.session))


class SubtitlesClient:
    def __init__(self, channel: aio.Channel) -> None:
        self._stub = subtitles_service_pb2_grpc.SubtitlesServiceStub(channel)

    async def ensure(self, following: Following, pick: Pick) -> None:
        request = subtitles_service_pb2.EnsureSubtitlesRequest(
            key=key_to_proto(following.key),
            languages=following.subtitle_languages,
            release_title=pick.title,
            picked=subtitles_service_pb2.PickedFile(
                infohash=pick.infohash, file_index=pick.file_index, release_title=pick.title
            ),
        )
        await self._stub.EnsureSubtitles(request)


class PlaybackClient:
    def __init__(self, channel: aio.Channel) -> None:
        self._stub = playback_service_pb2_grpc.PlaybackServiceStub(channel)

    async def tell(self, following: Following, outcome: Outcome) -> bool:
        """Tell how preparing went; return whether the session still runs."""
        hint = playback_pb2.NextHint(key=key_to_proto(following.key), ready=outcome is Outcome.READY)
        request = playback_service_pb2.SetNextHintRequest(
            session_id=following.session, next_hint=hint, without_torrents=outcome is Outcome.NOTHING_PLAYABLE
        )
        answer = await self._stub.SetNextHint(request)
        return not answer.ended


_FOLLOWS_DEADLINE = 60.0
"""Longer than any deadline around the call, so that it is the deadline that ends it."""

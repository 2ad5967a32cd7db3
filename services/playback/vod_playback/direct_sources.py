"""Direct sources over gRPC."""

from collections.abc import Sequence

from google.protobuf.json_format import ParseDict
from grpc import aio
from vod.sources.v1 import sources_service_pb2 as pb2
from vod.sources.v1 import sources_service_pb2_grpc

from vod_playback.domain import DeviceProfile, Direct, Episode, Pin
from vod_playback.films import Link
from vod_rpc import NotFound, Unavailable

_TYPES = {pb2.SOURCE_TYPE_HLS: "hls", pb2.SOURCE_TYPE_MP4: "mp4"}


class SourcesClient:
    """What sources finds, as far as a session can play it."""

    def __init__(self, channel: aio.Channel) -> None:
        self._stub = sources_service_pb2_grpc.SourcesServiceStub(channel)

    async def curated(self, episode: Episode, *, profile: DeviceProfile, link: Link) -> Sequence[Direct]:
        """Return those of curated collections that are well, best first."""
        return await self._list(episode, profile, link, pb2.SCOPE_EDITORIAL)

    async def all(self, episode: Episode, *, profile: DeviceProfile, link: Link) -> Sequence[Direct]:
        """Return all that are well, best first."""
        return await self._list(episode, profile, link, pb2.SCOPE_UNSPECIFIED)

    async def is_alive(self, direct: Direct) -> bool:
        """Tell whether what was watched before can be played again."""
        try:
            await self.ensure(direct)
        except (NotFound, Unavailable):
            return False
        return True

    async def ensure(self, direct: Direct) -> str:
        """Return where the gateway serves the source, below `/v1/play/`. Fails with NotFound, Unavailable."""
        answer = await self._stub.EnsurePlay(pb2.EnsurePlayRequest(play_id=direct.play_id))
        return answer.source.path

    async def _list(
        self, episode: Episode, profile: DeviceProfile, link: Link, scope: pb2.Scope.ValueType
    ) -> Sequence[Direct]:
        request = pb2.ListSourcesRequest(
            content=ParseDict(episode.title, pb2.Content()),
            max_height=profile.max_height,
            max_bitrate=link.bitrate,
            device_bitrate=profile.max_bitrate,
            codecs=profile.codecs,
            scope=scope,
        )
        answer = await self._stub.ListSources(request)
        return [_direct(one) for one in answer.sources if _is_playable(one)]


class GatewayStreams:
    """Where viewers get the bytes of direct sources: from the gateway."""

    def __init__(self, sources: SourcesClient, *, public_base: str) -> None:
        self._sources = sources
        self._public_base = public_base.rstrip("/")

    async def hold(self, direct: Direct) -> Pin:
        """Make sure that a session can play the source. Fails with NotFound, Unavailable."""
        return Pin(stream_url=f"{self._public_base}/v1/play/{await self._sources.ensure(direct)}")


def _is_playable(one: pb2.Source) -> bool:
    return one.is_healthy and one.type in _TYPES and not one.undecodable


def _direct(one: pb2.Source) -> Direct:
    return Direct(
        play_id=one.play_id,
        path=one.path,
        type=_TYPES[one.type],
        provider=one.provider,
        quality=one.quality,
        bitrate=one.bitrate,
        collection=one.collection,
        fits=one.fits,
    )

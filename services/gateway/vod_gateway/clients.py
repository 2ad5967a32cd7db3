"""The services that the gateway asks; it calls nobody else."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from grpc import aio
from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from vod.picks.v1.picks_service_pb2_grpc import PicksServiceStub
from vod.playback.v1.playback_service_pb2_grpc import PlaybackServiceStub
from vod.sources.v1.sources_service_pb2_grpc import SourcesServiceStub
from vod.stream.v1.stream_service_pb2_grpc import StreamServiceStub
from vod.subtitles.v1.subtitles_service_pb2_grpc import SubtitlesServiceStub

from vod_gateway.settings import Settings
from vod_rpc import channel
from vod_runtime import Runtime

if TYPE_CHECKING:
    from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub
    from vod.picks.v1.picks_service_pb2_grpc import PicksServiceAsyncStub
    from vod.playback.v1.playback_service_pb2_grpc import PlaybackServiceAsyncStub
    from vod.sources.v1.sources_service_pb2_grpc import SourcesServiceAsyncStub
    from vod.stream.v1.stream_service_pb2_grpc import StreamServiceAsyncStub
    from vod.subtitles.v1.subtitles_service_pb2_grpc import SubtitlesServiceAsyncStub


_LONGEST = timedelta(seconds=20)
"""No call lasts longer; each route sets a deadline of its own at the edge."""

_UNTRACED = ("RecordHeartbeat",)


@dataclass(frozen=True, slots=True)
class Backends:
    """One stub per service."""

    playback: "PlaybackServiceAsyncStub"
    catalog: "CatalogServiceAsyncStub"
    subtitles: "SubtitlesServiceAsyncStub"
    picks: "PicksServiceAsyncStub"
    stream: "StreamServiceAsyncStub"
    sources: "SourcesServiceAsyncStub"


@asynccontextmanager
async def backends(settings: Settings, runtime: Runtime) -> AsyncIterator[Backends]:
    """Open a channel to every service; none of them has to be there yet."""
    async with AsyncExitStack() as stack:

        async def to(target: str, *, retry: tuple[str, ...] = (), untraced: tuple[str, ...] = ()) -> aio.Channel:
            opened = channel(target, runtime, retry=retry, untraced=untraced, timeout=_LONGEST)
            return await stack.enter_async_context(opened)

        yield Backends(
            playback=PlaybackServiceStub(await to(settings.playback_target, untraced=_UNTRACED)),
            # A leaf of reads only: others ask further services or change something, and tries would multiply.
            catalog=CatalogServiceStub(await to(settings.catalog_target, retry=("vod.catalog.v1.CatalogService",))),
            subtitles=SubtitlesServiceStub(await to(settings.subtitles_target)),
            picks=PicksServiceStub(await to(settings.picks_target)),
            stream=StreamServiceStub(await to(settings.stream_node_target, retry=("vod.stream.v1.StreamService",))),
            sources=SourcesServiceStub(await to(settings.sources_target)),
        )

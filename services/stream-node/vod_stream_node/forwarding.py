"""The servicer of a node among others: calls go to the node that owns the torrent, or are done here."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from grpc.aio import ServicerContext
from vod.stream.v1 import stream_service_pb2 as pb2
from vod.stream.v1.stream_service_pb2_grpc import StreamServiceServicer

from vod_rpc import deadline
from vod_stream_node.api import StreamServicer
from vod_stream_node.domain import Infohash, parse_infohash
from vod_stream_node.fleet import FORWARDED, Call, Fleet
from vod_stream_node.handover import Handover
from vod_stream_node.magnets import Reach, origin
from vod_stream_node.recipes import Recipes

_METADATA = (FORWARDED,)
_GATHER_WITHIN = timedelta(seconds=2)
_RELEASE_WITHIN = timedelta(seconds=2)
_Context = ServicerContext[Any, Any]
T = TypeVar("T")


class ForwardingServicer(StreamServiceServicer):
    """`vod.stream.v1.StreamService` of a node that knows others."""

    def __init__(self, own: StreamServicer, *, fleet: Fleet, handover: Handover, recipes: Recipes) -> None:
        self._own = own
        self._fleet = fleet
        self._handover = handover
        self._recipes = recipes

    async def EnsurePin(self, request: pb2.EnsurePinRequest, context: _Context) -> pb2.EnsurePinResponse:
        infohash = await _named(request)

        async def here() -> pb2.EnsurePinResponse:
            answer = await self._own.EnsurePin(request, context)
            await self._recipes.leave(infohash, request.magnet_uri or (answer.magnet_uri if request.torrent else ""))
            return answer

        if _was_forwarded(context):
            return await here()
        return await self._fleet.anywhere(
            infohash, own=here, call=lambda node: node.EnsurePin(request, metadata=_METADATA)
        )

    async def ReleasePin(self, request: pb2.ReleasePinRequest, context: _Context) -> pb2.ReleasePinResponse:
        answer = await self._own.ReleasePin(request, context)
        if not _was_forwarded(context):
            # A torrent may have had two owners for a while, and each would keep the claim for hours.
            with deadline(_RELEASE_WITHIN):
                await self._fleet.everywhere(lambda node: node.ReleasePin(request, metadata=_METADATA))
        return answer

    async def ProbeSwarm(self, request: pb2.ProbeSwarmRequest, context: _Context) -> pb2.ProbeSwarmResponse:
        async def here() -> pb2.ProbeSwarmResponse:
            return await self._own.ProbeSwarm(request, context)

        if _was_forwarded(context):
            return await here()
        # Where it would be pinned, so that what came is there already; a probe alone makes nobody its owner.
        return await self._fleet.where_it_would_be(
            parse_infohash(request.infohash),
            own=here,
            call=lambda node: node.ProbeSwarm(request, metadata=_METADATA),
        )

    async def GetPin(self, request: pb2.GetPinRequest, context: _Context) -> pb2.GetPinResponse:
        return await self._where_it_is(
            context,
            request.infohash,
            own=lambda: self._own.GetPin(request, context),
            call=lambda node: node.GetPin(request, metadata=_METADATA),
        )

    async def DescribeTorrent(
        self, request: pb2.DescribeTorrentRequest, context: _Context
    ) -> pb2.DescribeTorrentResponse:
        return await self._where_it_is(
            context,
            request.infohash,
            own=lambda: self._own.DescribeTorrent(request, context),
            call=lambda node: node.DescribeTorrent(request, metadata=_METADATA),
        )

    async def ReadPresent(self, request: pb2.ReadPresentRequest, context: _Context) -> pb2.ReadPresentResponse:
        return await self._where_it_is(
            context,
            request.infohash,
            own=lambda: self._own.ReadPresent(request, context),
            call=lambda node: node.ReadPresent(request, metadata=_METADATA),
        )

    async def ListPins(self, request: pb2.ListPinsRequest, context: _Context) -> pb2.ListPinsResponse:
        answer = await self._own.ListPins(request, context)
        if not _was_forwarded(context):
            with deadline(_GATHER_WITHIN):
                others = await self._fleet.everywhere(lambda node: node.ListPins(request, metadata=_METADATA))
            for other in others:
                answer.pins.extend(other.pins)
        return answer

    async def AdoptTorrent(self, request: pb2.AdoptTorrentRequest, context: _Context) -> pb2.AdoptTorrentResponse:
        await self._handover.adopt(request)
        return pb2.AdoptTorrentResponse()

    async def _where_it_is(
        self, context: _Context, infohash: str, *, own: Callable[[], Awaitable[T]], call: Call[T]
    ) -> T:
        if _was_forwarded(context):
            return await own()
        return await self._fleet.where_it_is(parse_infohash(infohash), own=own, call=call)


async def _named(request: pb2.EnsurePinRequest) -> Infohash:
    """Return which torrent is meant, and let the request say so, too: the owner of a torrent is found by that."""
    if not request.infohash:
        read = partial(origin, "", request.magnet_uri, request.torrent, reach=Reach.ANYWHERE)
        named = await asyncio.to_thread(read) if request.torrent else read()
        request.infohash = named.infohash
    return parse_infohash(request.infohash)


def _was_forwarded(context: _Context) -> bool:
    return FORWARDED in (context.invocation_metadata() or ())

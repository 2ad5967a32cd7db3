"""The servicer: proto to domain and back, nothing else."""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from grpc.aio import ServicerContext
from vod.stream.v1 import stream_service_pb2 as pb2
from vod.stream.v1.stream_service_pb2_grpc import StreamServiceServicer

from vod_rpc import time_left
from vod_runtime import Clock
from vod_stream_node.domain import Layout, PinKey, PinRequest, PinState, PinStatus, Purpose, WaitFor, parse_infohash
from vod_stream_node.errors import NodeAlone, PurposeMissing
from vod_stream_node.exact_sources import ExactSources
from vod_stream_node.magnets import Origin, Reach, origin
from vod_stream_node.pins import Pins
from vod_stream_node.present import Present
from vod_stream_node.sampling import Wish
from vod_stream_node.successors import Successors
from vod_stream_node.tokens import Grant, TokenSigner

_PURPOSES = {pb2.PURPOSE_CURRENT: Purpose.CURRENT, pb2.PURPOSE_NEXT: Purpose.NEXT}
_WAITS = {pb2.WAIT_FOR_METADATA: WaitFor.METADATA, pb2.WAIT_FOR_ENDS: WaitFor.ENDS}
_STATES = {
    PinState.CONNECTING: pb2.PIN_STATE_CONNECTING,
    PinState.BUFFERING: pb2.PIN_STATE_BUFFERING,
    PinState.READY: pb2.PIN_STATE_READY,
    PinState.COMPLETE: pb2.PIN_STATE_COMPLETE,
}
_MARGIN = timedelta(milliseconds=250)
"""What is kept of a caller's deadline for the way back, so that he gets our reason and not gRPC's."""
_WITHOUT_DEADLINE = timedelta(seconds=20)
_NO_NAME_YET = "video"
_LARGEST_SAMPLE = 8 << 20


class StreamServicer(StreamServiceServicer):
    """`vod.stream.v1.StreamService`."""

    def __init__(
        self,
        pins: Pins,
        *,
        present: Present,
        exact_sources: ExactSources,
        successors: Successors,
        signer: TokenSigner,
        clock: Clock,
        node: str,
        public_base: str,
        reach: Reach,
        pin_ttl: timedelta,
        next_pin_ttl: timedelta,
        token_ttl: timedelta,
    ) -> None:
        self._pins = pins
        self._present = present
        self._exact_sources = exact_sources
        self._successors = successors
        self._signer = signer
        self._clock = clock
        self._node = node
        self._public_base = public_base.rstrip("/")
        self._reach = reach
        self._pin_ttl = pin_ttl
        self._next_pin_ttl = next_pin_ttl
        self._token_ttl = token_ttl

    async def EnsurePin(
        self, request: pb2.EnsurePinRequest, context: ServicerContext[pb2.EnsurePinRequest, pb2.EnsurePinResponse]
    ) -> pb2.EnsurePinResponse:
        purpose = _PURPOSES.get(request.purpose)
        if purpose is None:
            raise PurposeMissing("A pin has a purpose: CURRENT or NEXT.")
        wanted = await self._exact_sources.complete(await self._origin(request), within=_budget())
        if request.choose_file:
            key = await self._pins.main_file(wanted, within=_budget())
        else:
            key = PinKey(wanted.infohash, request.file_index)
        # Signed first: a holder whose name fits in no token must not leave a pin behind.
        token = self._token(key, request.holder)
        self._successors.forget((key, request.holder))
        status = await self._pins.ensure(
            PinRequest(
                key=key,
                magnet=wanted.magnet,
                torrent=wanted.torrent,
                holder=request.holder,
                purpose=purpose,
                wait_for=_WAITS.get(request.wait_for, WaitFor.NOTHING),
                ttl=request.ttl.ToTimedelta() or self._pin_ttl,
            ),
            within=_budget(),
        )
        pin = self._pin(status)
        if own := status.claims.get(request.holder):  # None: released meanwhile
            pin.expire_time.CopyFrom(_timestamp(own.expires_at))
        pin.stream_url = self._url(token, status)
        return pb2.EnsurePinResponse(pin=pin, magnet_uri=wanted.magnet)

    async def _origin(self, request: pb2.EnsurePinRequest) -> Origin:
        read = partial(origin, request.infohash, request.magnet_uri, request.torrent, reach=self._reach)
        return await asyncio.to_thread(read) if request.torrent else read()

    async def ReleasePin(
        self, request: pb2.ReleasePinRequest, context: ServicerContext[pb2.ReleasePinRequest, pb2.ReleasePinResponse]
    ) -> pb2.ReleasePinResponse:
        if not request.infohash:
            self._pins.retire(request.holder, next_lasting=self._next_pin_ttl)
            return pb2.ReleasePinResponse()
        key = PinKey(parse_infohash(request.infohash), request.file_index)
        self._pins.release(key, request.holder)
        if request.successor_stream_url:
            self._successors.replace((key, request.holder), request.successor_stream_url)
        return pb2.ReleasePinResponse()

    async def ProbeSwarm(
        self, request: pb2.ProbeSwarmRequest, context: ServicerContext[pb2.ProbeSwarmRequest, pb2.ProbeSwarmResponse]
    ) -> pb2.ProbeSwarmResponse:
        asked = origin(parse_infohash(request.infohash), request.magnet_uri, b"", reach=self._reach)
        wanted = await self._exact_sources.complete(asked, within=_budget())
        if request.sample_bytes > 0:
            return await self._sample(wanted, request)
        layout, stats = await self._pins.probe(wanted, within=_budget())
        return pb2.ProbeSwarmResponse(files=_files(layout), peers=stats.peers)

    async def _sample(self, wanted: Origin, request: pb2.ProbeSwarmRequest) -> pb2.ProbeSwarmResponse:
        wish = Wish(request.file_index, min(request.sample_bytes, _LARGEST_SAMPLE), enough_rate=request.enough_rate)
        layout, stats, taken = await self._pins.sample(wanted, wish, within=_budget())
        answer = pb2.ProbeSwarmResponse(
            files=_files(layout),
            peers=stats.peers,
            received_bytes=taken.received,
            held_bytes=taken.held,
            sampled=taken.complete,
            download_rate=stats.download_rate,
        )
        answer.elapsed.FromTimedelta(taken.elapsed)
        return answer

    async def DescribeTorrent(
        self,
        request: pb2.DescribeTorrentRequest,
        context: ServicerContext[pb2.DescribeTorrentRequest, pb2.DescribeTorrentResponse],
    ) -> pb2.DescribeTorrentResponse:
        here = self._present.describe(parse_infohash(request.infohash), request.file_index)
        return pb2.DescribeTorrentResponse(
            files=_files(here.layout),
            present=[pb2.ByteRange(begin=begin, end=end) for begin, end in here.ranges],
        )

    async def ReadPresent(
        self,
        request: pb2.ReadPresentRequest,
        context: ServicerContext[pb2.ReadPresentRequest, pb2.ReadPresentResponse],
    ) -> pb2.ReadPresentResponse:
        data = await self._present.read(
            parse_infohash(request.infohash), request.file_index, offset=request.offset, size=request.size
        )
        return pb2.ReadPresentResponse(data=data)

    async def GetPin(
        self, request: pb2.GetPinRequest, context: ServicerContext[pb2.GetPinRequest, pb2.GetPinResponse]
    ) -> pb2.GetPinResponse:
        key = PinKey(parse_infohash(request.infohash), request.file_index)
        return pb2.GetPinResponse(pin=self._pin(await self._pins.status(key)))

    async def ListPins(
        self, request: pb2.ListPinsRequest, context: ServicerContext[pb2.ListPinsRequest, pb2.ListPinsResponse]
    ) -> pb2.ListPinsResponse:
        statuses = await self._pins.statuses()
        # No URLs here: each is for one holder alone.
        return pb2.ListPinsResponse(node=self._node, pins=[self._pin(status) for status in statuses])

    async def AdoptTorrent(
        self,
        request: pb2.AdoptTorrentRequest,
        context: ServicerContext[pb2.AdoptTorrentRequest, pb2.AdoptTorrentResponse],
    ) -> pb2.AdoptTorrentResponse:
        raise NodeAlone("This node knows no others.")

    def _token(self, key: PinKey, holder: str) -> str:
        if key.file_index < 0:
            return ""
        return self._signer.sign(Grant(key, holder=holder, expires_at=self._clock.now() + self._token_ttl))

    def _url(self, token: str, status: PinStatus) -> str:
        name = quote(status.file.name if status.file else _NO_NAME_YET, safe="")
        return f"{self._public_base}/stream/{quote(self._node, safe='')}/{token}/{name}"

    def _pin(self, status: PinStatus) -> pb2.Pin:
        file = status.file
        expires_at = max((claim.expires_at for claim in status.claims.values()), default=self._clock.now())
        return pb2.Pin(
            node=self._node,
            infohash=status.key.infohash,
            file_index=status.key.file_index,
            file_name=file.name if file else "",
            size_bytes=file.size if file else 0,
            content_type=(file.content_type or "") if file else "",
            state=_STATES[status.state],
            expire_time=_timestamp(expires_at),
            downloaded_bytes=status.downloaded_bytes,
            peers=status.stats.peers,
            download_rate=status.stats.download_rate,
            holders=[
                pb2.Holder(
                    name=name,
                    purpose=pb2.PURPOSE_CURRENT if claim.purpose is Purpose.CURRENT else pb2.PURPOSE_NEXT,
                )
                for name, claim in sorted(status.claims.items())
            ],
            stats=pb2.PinStats(
                distinct_copies=status.stats.distinct_copies,
                upload_rate=status.stats.upload_rate,
                buffered_bytes=status.viewing.buffered_bytes,
                window_pieces=status.viewing.window_pieces,
                readers=status.viewing.readers,
                stalls=status.viewing.stalls,
                buffered=_duration(status.viewing.buffered),
                media_rate=round(status.viewing.media_rate or 0),
            ),
        )


def _files(layout: Layout) -> list[pb2.TorrentFile]:
    return [
        pb2.TorrentFile(index=file.index, path=file.path, size_bytes=file.size) for file in layout.files if file.regular
    ]


def _duration(time: timedelta | None) -> Duration | None:
    if time is None:
        return None
    duration = Duration()
    duration.FromTimedelta(time)
    return duration


def _budget() -> timedelta:
    left = time_left()
    return max(timedelta(0), (_WITHOUT_DEADLINE if left is None else left) - _MARGIN)


def _timestamp(at: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(at)
    return timestamp

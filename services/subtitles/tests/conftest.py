"""Subtitles as they really run: a real PostgreSQL, a fake of OpenSubtitles over HTTP, a fake catalog over gRPC."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from vod.catalog.v1 import catalog_pb2, catalog_service_pb2, catalog_service_pb2_grpc
from vod.stream.v1 import stream_service_pb2 as stream
from vod.stream.v1 import stream_service_pb2_grpc
from vod.subtitles.v1.subtitles_service_pb2_grpc import SubtitlesServiceStub

from vod_fakes.library import LIBRARY
from vod_fakes.opensubtitles import OpenSubtitles
from vod_fakes.serving import Site, bind, http_servers
from vod_rpc import NotFound, Serving, channel, rpc_server
from vod_runtime import Runtime
from vod_subtitles.service import serve
from vod_subtitles.settings import Settings
from vod_testing import MovableClock, migrate_schema

if TYPE_CHECKING:
    from vod.subtitles.v1.subtitles_service_pb2_grpc import SubtitlesServiceAsyncStub

KEY = "an-api-key"
RunSubtitles = Callable[..., AbstractAsyncContextManager["SubtitlesServiceAsyncStub"]]


@dataclass
class FakeCatalog(catalog_service_pb2_grpc.CatalogServiceServicer):
    """Knows every anime as "Harbor Lights", and what it was asked."""

    asked: list[str] = field(default_factory=list)

    async def GetEpisode(
        self, request: catalog_service_pb2.GetEpisodeRequest, context: object
    ) -> catalog_service_pb2.GetEpisodeResponse:
        self.asked.append(request.key.series_id)
        return catalog_service_pb2.GetEpisodeResponse(
            series=catalog_pb2.Series(
                id=request.key.series_id, title="Harbor Lights", external_ids={"imdb": "tt0009001"}
            ),
            episode=catalog_pb2.Episode(key=request.key),
        )


class TorrentUnknown(NotFound):
    reason = "TORRENT_UNKNOWN"


TAIL = 65_536


@dataclass
class FakeStreamNode(stream_service_pb2_grpc.StreamServiceServicer):
    """Has one torrent: its files by path, and how many bytes of each are here from its begin; its end always is."""

    files: dict[str, bytes] = field(default_factory=dict)
    here: dict[str, int] = field(default_factory=dict)
    pinned: list[int] = field(default_factory=list)
    released: list[int] = field(default_factory=list)

    async def DescribeTorrent(
        self, request: stream.DescribeTorrentRequest, context: object
    ) -> stream.DescribeTorrentResponse:
        if not self.files:
            raise TorrentUnknown("This node does not have the torrent.")
        path, content = list(self.files.items())[request.file_index]
        begin, size = self.here.get(path, len(content)), len(content)
        ranges = [(0, begin), (size - TAIL, size)] if begin < size - TAIL else [(0, size)]
        return stream.DescribeTorrentResponse(
            files=[
                stream.TorrentFile(index=index, path=name, size_bytes=len(data))
                for index, (name, data) in enumerate(self.files.items())
            ],
            present=[stream.ByteRange(begin=one, end=end) for one, end in ranges if end > one],
        )

    async def ReadPresent(self, request: stream.ReadPresentRequest, context: object) -> stream.ReadPresentResponse:
        path, content = list(self.files.items())[request.file_index]
        begin = self.here.get(path, len(content))
        end = len(content) if request.offset >= len(content) - TAIL else begin
        size = min(request.size, 1 << 20)
        return stream.ReadPresentResponse(data=content[request.offset : min(end, request.offset + size)])

    async def EnsurePin(self, request: stream.EnsurePinRequest, context: object) -> stream.EnsurePinResponse:
        self.pinned.append(request.file_index)
        size = len(list(self.files.values())[request.file_index])
        return stream.EnsurePinResponse(pin=stream.Pin(infohash=request.infohash, size_bytes=size))

    async def ReleasePin(self, request: stream.ReleasePinRequest, context: object) -> stream.ReleasePinResponse:
        self.released.append(request.file_index)
        return stream.ReleasePinResponse()


@pytest.fixture
def stream_node() -> FakeStreamNode:
    return FakeStreamNode()  # type: ignore[abstract]  # subtitles calls nothing else


@pytest.fixture
async def stream_node_target(make_runtime: Callable[[str], Runtime], stream_node: FakeStreamNode) -> AsyncIterator[str]:
    serving = Serving(stream.DESCRIPTOR, stream_service_pb2_grpc.add_StreamServiceServicer_to_server, stream_node)
    async with rpc_server("127.0.0.1:0", make_runtime("stream-node"), serving, checks={}) as endpoint:
        yield endpoint.address


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def catalog() -> FakeCatalog:
    return FakeCatalog()  # type: ignore[abstract]  # subtitles calls nothing else


@pytest.fixture
async def opensubtitles() -> AsyncIterator[OpenSubtitles]:
    fake = OpenSubtitles(LIBRARY, key=KEY)
    site = Site(fake.app(), fake.control, bind())
    fake.url = f"{site.url}/api/v1"
    async with http_servers([site]):
        yield fake


@pytest.fixture
async def catalog_target(make_runtime: Callable[[str], Runtime], catalog: FakeCatalog) -> AsyncIterator[str]:
    serving = Serving(
        catalog_service_pb2.DESCRIPTOR, catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server, catalog
    )
    async with rpc_server("127.0.0.1:0", make_runtime("catalog"), serving, checks={}) as endpoint:
        yield endpoint.address


@pytest.fixture
def run_subtitles(  # noqa: PLR0917  fixtures have no other form
    pg_dsn: str,
    make_runtime: Callable[[str], Runtime],
    opensubtitles: OpenSubtitles,
    catalog_target: str,
    stream_node_target: str,
    clock: MovableClock,
) -> RunSubtitles:
    """Start subtitles on the test's database; keyword arguments change its settings."""

    @asynccontextmanager
    async def run(**changes: Any) -> AsyncIterator[SubtitlesServiceAsyncStub]:
        await migrate_schema(pg_dsn, "subtitles")
        settings: dict[str, Any] = {
            "listen": "127.0.0.1:0",
            "pg_dsn": pg_dsn,
            "catalog_target": catalog_target,
            "stream_node_target": stream_node_target,
            "os_key": KEY,
            "os_base": opensubtitles.url,
            **changes,
        }
        runtime = replace(make_runtime("subtitles"), clock=clock)
        async with (
            serve(Settings(**settings), runtime) as endpoint,
            channel(endpoint.address, runtime, timeout=timedelta(seconds=30)) as to_subtitles,
        ):
            yield SubtitlesServiceStub(to_subtitles)

    return run


@pytest.fixture
async def subtitles(run_subtitles: RunSubtitles) -> AsyncIterator[SubtitlesServiceAsyncStub]:
    async with run_subtitles() as stub:
        yield stub

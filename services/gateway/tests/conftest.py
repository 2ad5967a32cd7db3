"""A real gateway whose neighbours are fakes over real gRPC."""

from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc import aio
from vod.catalog.v1 import catalog_pb2, catalog_service_pb2
from vod.picks.v1 import picks_service_pb2 as picks
from vod.playback.v1 import playback_pb2, playback_service_pb2
from vod.scoring.v1 import scoring_pb2 as scoring
from vod.sources.v1 import sources_service_pb2
from vod.stream.v1 import stream_service_pb2
from vod.subtitles.v1 import subtitles_service_pb2

from vod_gateway.service import serve
from vod_gateway.settings import Settings
from vod_rpc import Failure, Serving, rpc_server
from vod_runtime import Endpoint, Runtime

ADMIN_KEY = "an-admin-key-of-the-tests"
INFOHASH = "5d1ce7a9b0f34e2c8a6d7b9e0f1a2b3c4d5e6f70"
_FILES = (
    playback_service_pb2,
    catalog_service_pb2,
    subtitles_service_pb2,
    picks,
    stream_service_pb2,
    sources_service_pb2,
)


@dataclass(slots=True)
class Neighbours:
    """All services behind the gateway: answers what a test lays down, keeps what it was asked."""

    answers: dict[str, Message | Failure | Callable[[Any], Awaitable[Message]]] = field(default_factory=dict)
    asked: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    seconds_left: dict[str, float] = field(default_factory=dict)

    def add_to_server(self, server: aio.Server) -> None:
        for file in _FILES:
            for service in file.DESCRIPTOR.services_by_name.values():
                handlers = {method.name: self._handler(method) for method in service.methods}
                server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service.full_name, handlers),))

    def _handler(self, method: MethodDescriptor) -> "grpc.RpcMethodHandler[Any, Any]":
        async def answer(request: Any, context: aio.ServicerContext[Any, Any]) -> Message:
            self.asked[method.name].append(request)
            self.seconds_left[method.name] = context.time_remaining()
            laid_down = self.answers[method.name]
            if isinstance(laid_down, Failure):
                raise laid_down
            return laid_down if isinstance(laid_down, Message) else await laid_down(request)

        return grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=GetMessageClass(method.input_type).FromString,
            response_serializer=GetMessageClass(method.output_type).SerializeToString,
        )


@pytest.fixture
async def neighbours(make_runtime: Callable[[str], Runtime], tmp_path: Path) -> AsyncIterator[tuple[Neighbours, str]]:
    """The fakes and their address."""
    fakes = Neighbours()
    serving = Serving(playback_service_pb2.DESCRIPTOR, lambda fake, server: fake.add_to_server(server), fakes)
    async with rpc_server(f"unix:{tmp_path}/rpc.sock", make_runtime("neighbours"), serving, checks={}) as endpoint:
        yield fakes, endpoint.address


@pytest.fixture
def fakes(neighbours: tuple[Neighbours, str]) -> Neighbours:
    return neighbours[0]


@pytest.fixture
def settings(neighbours: tuple[Neighbours, str]) -> Settings:
    address = neighbours[1]
    return Settings(
        http_listen="127.0.0.1:0",
        secret_key="a-secret-key-of-the-tests",
        admin_key=ADMIN_KEY,
        cors_origins="https://ui.example",
        playback_target=address,
        catalog_target=address,
        subtitles_target=address,
        picks_target=address,
        stream_node_target=address,
        sources_target=address,
    )


Client = httpx.AsyncClient
RunGateway = Callable[..., AbstractAsyncContextManager[tuple[Client, Endpoint]]]


@pytest.fixture
def run_gateway(make_runtime: Callable[[str], Runtime], settings: Settings) -> RunGateway:
    """Run a gateway with some settings changed; yields a client and the endpoint."""

    @asynccontextmanager
    async def run(*, runtime: Runtime | None = None, **changed: Any) -> AsyncIterator[tuple[Client, Endpoint]]:
        # Through the constructor, so that the values are validated as those of the environment are.
        changed_settings = Settings(**{**dict(settings), **changed})
        async with (
            serve(changed_settings, runtime or make_runtime("gateway")) as endpoint,
            Client(base_url=f"http://{endpoint.address}", trust_env=False, timeout=60) as client,
        ):
            yield client, endpoint

    return run


@pytest.fixture
async def http(run_gateway: RunGateway) -> AsyncIterator[Client]:
    """A client of a gateway."""
    async with run_gateway() as (client, _):
        yield client


@dataclass(slots=True)
class StillClock:
    """A clock that moves only when it is told to."""

    seconds: float = 1_000.0

    def now(self) -> datetime:
        return datetime(2026, 11, 20, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def still_runtime(make_runtime: Callable[[str], Runtime], clock: StillClock) -> Runtime:
    """A runtime whose clock stands still."""
    return replace(make_runtime("gateway"), clock=clock)


KEY = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=3)
NEXT_KEY = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=4)
RANKING = scoring.RankedCandidate(
    infohash=INFOHASH,
    tier=scoring.TIER_OK,
    score_micro=689_000,
    components=[
        scoring.Component(name="health", value=0.82, weight=0.45, micro_points=369_000, reason="12 seeders"),
        scoring.Component(name="quality", value=0.7, weight=0.35, micro_points=245_000, reason="1080p WEB-DL"),
        scoring.Component(name="size", value=0.5, weight=0.15, micro_points=75_000, reason="17 MB/min"),
        scoring.Component(name="consistency", value=0.0, weight=0.05),
    ],
)
PICK = picks.Pick(
    id=17,
    key=KEY,
    profile_hash="p1",
    infohash=INFOHASH,
    magnet_uri=f"magnet:?xt=urn:btih:{INFOHASH}&dn=Harbor.Lights.S01",
    title="Harbor.Lights.S01.1080p.WEB-DL.H264-NOVA",
    release_group="NOVA",
    resolution="1080p",
    codec="h264",
    file_index=3,
    file_path="Harbor.Lights.S01/c.S01E03.mkv",
    source_kind=picks.SOURCE_KIND_SEASON_PACK,
    score=RANKING,
    picked_at={"seconds": 1_795_000_000},
)
PICK_JSON: dict[str, Any] = {
    "id": 17,
    "infohash": INFOHASH,
    "magnet": f"magnet:?xt=urn:btih:{INFOHASH}&dn=Harbor.Lights.S01",
    "title": "Harbor.Lights.S01.1080p.WEB-DL.H264-NOVA",
    "releaseGroup": "NOVA",
    "resolution": "1080p",
    "codec": "h264",
    "fileIndex": 3,
    "filePath": "Harbor.Lights.S01/c.S01E03.mkv",
    "sourceKind": "season_pack",
    "score": {"health": 0.82, "quality": 0.7, "size": 0.5, "consistency": 0.0},
    "reasons": ["12 seeders", "1080p WEB-DL", "17 MB/min"],
    "replacesPickId": None,
    "pickedAt": "2026-11-18T11:06:40Z",
}
HINT = playback_pb2.NextHint(key=NEXT_KEY, ready=True)
HINT_JSON: dict[str, Any] = {"seriesId": "tmdb:tv:9001", "season": 1, "episode": 4, "ready": True}
STREAM_URL = "http://127.0.0.1:8081/stream/node-1/a-token/c.S01E03.mkv"
SESSION = playback_pb2.Session(
    id="session-1",
    subject_id="anna",
    key=KEY,
    state=playback_pb2.SESSION_STATE_ACTIVE,
    position={"seconds": 612},
    duration={"seconds": 1260},
    start_time={"seconds": 1_795_000_000},
    next_hint=HINT,
)
STARTED = playback_service_pb2.StartSessionResponse(session=SESSION, pick=PICK, stream_url=STREAM_URL)
START: dict[str, Any] = {"seriesId": "tmdb:tv:9001", "season": 1, "episode": 3, "deviceCaps": {}}


class Samples:
    """What the tests of several files lay down and expect."""

    admin_key = ADMIN_KEY
    infohash = INFOHASH
    key = KEY
    ranking = RANKING
    pick = PICK
    pick_json = PICK_JSON
    hint = HINT
    hint_json = HINT_JSON
    session = SESSION
    started = STARTED
    stream_url = STREAM_URL
    start = START


@pytest.fixture
def samples() -> Samples:
    return Samples()

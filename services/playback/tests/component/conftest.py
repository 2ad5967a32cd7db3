"""playback as it is served: real Postgres and NATS, neighbours that are fakes over real gRPC."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from vod.catalog.v1 import catalog_pb2, catalog_service_pb2, catalog_service_pb2_grpc
from vod.picks.v1 import picks_service_pb2, picks_service_pb2_grpc
from vod.playback.v1 import playback_service_pb2_grpc
from vod.scoring.v1 import scoring_pb2
from vod.sources.v1 import sources_service_pb2 as sources_pb2
from vod.sources.v1 import sources_service_pb2_grpc
from vod.stream.v1 import stream_service_pb2 as stream_pb2
from vod.stream.v1 import stream_service_pb2_grpc

from vod_playback.service import serve
from vod_playback.settings import Settings
from vod_rpc import DeadlineExceeded, NotFound, Serving, Unavailable, channel, rpc_server
from vod_runtime import Runtime
from vod_testing import eventually, migrate_schema

SERIES = ("tmdb:tv:9001", "tmdb:tv:9002")
FILM = "tmdb:movie:9101"
ELSEWHERE = "mal:anime:77"
"""Another name of the first series, whose season 1 begins with its second episode."""
Pinned = tuple[str, int, str]


class Catalog(catalog_service_pb2_grpc.CatalogServiceServicer):
    """Knows two series of four episodes of 40 minutes, the first by two names, and a film of 100."""

    def __init__(self) -> None:
        self.asked = 0
        self.episodes = 4
        self.endings: dict[int, int] = {}
        """Where the ending of an episode begins, in seconds."""
        self.lengths: list[int] = []
        """Of the files whose ranges were asked for, in seconds."""

    async def GetSkipRanges(self, request: Any, context: Any) -> catalog_service_pb2.GetSkipRangesResponse:
        self.lengths.append(request.duration.seconds)
        answer = catalog_service_pb2.GetSkipRangesResponse()
        if at := self.endings.get(request.key.episode):
            found = answer.ranges.add(kind=catalog_service_pb2.SKIP_KIND_ENDING)
            found.start.FromSeconds(at)
            found.end.FromSeconds(at + 90)
        return answer

    async def GetEpisode(self, request: Any, context: Any) -> catalog_service_pb2.GetEpisodeResponse:
        self.asked += 1
        if request.key.series_id == FILM:
            film = catalog_pb2.Series(id=FILM, title="The Glass Orchard", kind=catalog_pb2.KIND_MOVIE, year=2023)
            film.external_ids["imdb"] = "tt9000101"
            answer = catalog_service_pb2.GetEpisodeResponse(series=film, episode=catalog_pb2.Episode(key=request.key))
            answer.episode.runtime.FromTimedelta(timedelta(minutes=100))
            return answer
        series_id, number = request.key.series_id, request.key.episode
        if series_id == ELSEWHERE:
            series_id, number = SERIES[0], number + 1
        if series_id not in SERIES or not 1 <= number <= self.episodes:
            raise NotFound("No such episode.", reason="EPISODE_NOT_FOUND")
        answer = catalog_service_pb2.GetEpisodeResponse(
            series=catalog_pb2.Series(id=series_id, title="Harbor Lights"),
            episode=catalog_pb2.Episode(key=catalog_pb2.EpisodeKey(series_id=series_id, season=1, episode=number)),
        )
        answer.episode.runtime.FromTimedelta(timedelta(minutes=40))
        if number < self.episodes:
            answer.next.CopyFrom(catalog_pb2.EpisodeKey(series_id=series_id, season=1, episode=number + 1))
        return answer

    async def GetSeries(self, request: Any, context: Any) -> catalog_service_pb2.GetSeriesResponse:
        series_id = SERIES[0] if request.series_id == ELSEWHERE else request.series_id
        if series_id not in SERIES:
            raise NotFound("No such title.", reason="SERIES_NOT_FOUND")
        return catalog_service_pb2.GetSeriesResponse(series=catalog_pb2.Series(id=series_id))


class Picks(picks_service_pb2_grpc.PicksServiceServicer):
    """Picks the season pack for everything; overrides are for all viewers of a profile, as in the real one."""

    def __init__(self) -> None:
        self.ensured: list[int] = []
        self.asked: list[tuple[int, str]] = []
        self.unplayable: set[int] = set()
        self.overridden: dict[tuple[int, str], str] = {}
        self.chosen: set[int] = set()
        self.rejected: list[tuple[int, int]] = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.may_override = asyncio.Event()
        self.may_override.set()
        self.limits: list[int] = []
        self.size = 10**12

    async def EnsurePick(self, request: Any, context: Any) -> picks_service_pb2.EnsurePickResponse:
        self.ensured.append(request.key.episode)
        self.asked.append((request.key.episode, request.profile_hash))
        self.limits.append(request.device.max_bitrate)
        await self.go_on.wait()
        if request.key.episode in self.unplayable:
            raise NotFound("Nothing can be played.", reason="NO_PLAYABLE_RELEASE", metadata={"refused": "[]"})
        self.chosen.add(request.key.episode)
        digit = self.overridden.get((request.key.episode, request.profile_hash), "a")
        pick = _pick(request.key, digit)
        pick.size_bytes = self.size
        return picks_service_pb2.EnsurePickResponse(pick=pick)

    async def OverridePick(self, request: Any, context: Any) -> picks_service_pb2.OverridePickResponse:
        if request.infohash == "f" * 40:
            raise NotFound("No such candidate.", reason="CANDIDATE_UNKNOWN")
        self.overridden[request.key.episode, request.profile_hash] = request.infohash[0]
        await self.may_override.wait()
        return picks_service_pb2.OverridePickResponse(pick=_pick(request.key, request.infohash[0]))

    async def RejectPick(self, request: Any, context: Any) -> picks_service_pb2.RejectPickResponse:
        """The pick of episode 1 is the only one that anybody rejects."""
        self.rejected.append((request.pick_id, request.reason))
        self.overridden[1, self.asked[-1][1]] = "c"
        return picks_service_pb2.RejectPickResponse()

    async def ListCandidates(self, request: Any, context: Any) -> picks_service_pb2.ListCandidatesResponse:
        if request.key.episode not in self.chosen:
            return picks_service_pb2.ListCandidatesResponse()
        tiers = {"a": "OK", "b": "REFUSED", "c": "LAST_RESORT", "d": "LAST_RESORT"}
        return picks_service_pb2.ListCandidatesResponse(
            candidates=[
                picks_service_pb2.RankedRelease(
                    candidate=scoring_pb2.Candidate(infohash=digit * 40, title=f"release {digit}"),
                    ranking=scoring_pb2.RankedCandidate(infohash=digit * 40, tier=f"TIER_{tier}"),
                )
                for digit, tier in tiers.items()
            ]
        )


def _pick(key: catalog_pb2.EpisodeKey, digit: str) -> picks_service_pb2.Pick:
    return picks_service_pb2.Pick(
        id=key.episode,
        key=key,
        infohash=digit * 40,
        magnet_uri=f"magnet:?xt=urn:btih:{digit * 40}",
        title="Harbor.Lights.S01.1080p.WEB-DL.H264-NOVA",
        file_index=key.episode - 1,
        size_bytes=10**12,
    )


class StreamNode(stream_service_pb2_grpc.StreamServiceServicer):
    """Remembers who holds what."""

    def __init__(self) -> None:
        self.pins: dict[Pinned, int] = {}
        self.urls = 0
        self.peers = 1
        self.successors: dict[Pinned, str] = {}
        """Where readers of a released pin are sent."""
        self.warm: set[int] = set()
        self.silent = False
        self.silent_swarms: set[str] = set()
        self.frozen = 0
        """So many calls are not answered in time."""

    async def EnsurePin(self, request: Any, context: Any) -> stream_pb2.EnsurePinResponse:
        if not request.infohash:
            return await self._direct(request, context)
        # A node that is asked has the pin, even if its answer never arrives.
        self.pins[request.infohash[0], request.file_index, request.holder] = request.purpose
        if self.frozen:
            self.frozen -= 1
            raise DeadlineExceeded("stream did not answer in time", domain="grpc")
        if self.silent or request.infohash[0] in self.silent_swarms:
            raise DeadlineExceeded("The swarm is silent.", reason="SWARM_SILENT")
        self.urls += 1
        is_warm = request.infohash[0] == "a" and request.file_index in self.warm
        state = stream_pb2.PIN_STATE_READY if is_warm else stream_pb2.PIN_STATE_BUFFERING
        url = f"http://node/stream/n1/token-{self.urls}/x.mkv"
        return stream_pb2.EnsurePinResponse(pin=stream_pb2.Pin(infohash=request.infohash, state=state, stream_url=url))

    async def _direct(self, request: Any, context: Any) -> stream_pb2.EnsurePinResponse:
        request.infohash, magnet = "d" * 40, request.magnet_uri or f"magnet:?xt=urn:btih:{'d' * 40}"
        request.file_index = 7 if request.choose_file else request.file_index
        answer = await self.EnsurePin(request, context)
        answer.pin.file_index, answer.magnet_uri = request.file_index, magnet
        return answer

    async def GetPin(self, request: Any, context: Any) -> stream_pb2.GetPinResponse:
        stats = stream_pb2.PinStats(distinct_copies=2.5)
        return stream_pb2.GetPinResponse(pin=stream_pb2.Pin(downloaded_bytes=300, stats=stats))

    async def ListPins(self, request: Any, context: Any) -> stream_pb2.ListPinsResponse:
        pins = [
            stream_pb2.Pin(
                infohash=digit * 40,
                file_index=index,
                state=stream_pb2.PIN_STATE_BUFFERING,
                peers=self.peers,
                size_bytes=1000,
                holders=[stream_pb2.Holder(name=holder, purpose=stream_pb2.Purpose.Name(purpose))],
            )
            for (digit, index, holder), purpose in self.pins.items()
        ]
        return stream_pb2.ListPinsResponse(node="n1", pins=pins)

    async def ReleasePin(self, request: Any, context: Any) -> stream_pb2.ReleasePinResponse:
        if not request.infohash:
            self.pins = {
                held: purpose
                for held, purpose in self.pins.items()
                if held[2] != request.holder or purpose == stream_pb2.PURPOSE_NEXT
            }
            return stream_pb2.ReleasePinResponse()
        held = (request.infohash[0], request.file_index, request.holder)
        self.pins.pop(held, None)
        if request.successor_stream_url:
            self.successors[held] = request.successor_stream_url
        return stream_pb2.ReleasePinResponse()

    def prepare(self, episode: int, *, holder: str) -> None:
        """Do what prefetch does: pin an episode of the pack as the one that comes next."""
        self.pins["a", episode - 1, holder] = stream_pb2.PURPOSE_NEXT
        self.warm.add(episode - 1)


class Sources(sources_service_pb2_grpc.SourcesServiceServicer):
    """Has what a test says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.found: list[sources_pb2.Source] = []
        self.asked: list[sources_pb2.ListSourcesRequest] = []
        self.ensured: list[str] = []
        self.gone: set[str] = set()
        self.down = False

    def have(self, name: str, **more: Any) -> None:
        """Have a healthy HLS stream of this name, after those before."""
        told = {"type": sources_pb2.SOURCE_TYPE_HLS, "provider": "mirror", "quality": "1080p", "fits": True, **more}
        self.found.append(sources_pb2.Source(path=f"{name}/master.m3u8", play_id=name, is_healthy=True, **told))

    async def ListSources(self, request: Any, context: Any) -> sources_pb2.ListSourcesResponse:
        self.asked.append(request)
        if self.down:
            raise Unavailable("No database.", reason="DOWN")
        curated = request.scope == sources_pb2.SCOPE_EDITORIAL
        found = [one for one in self.found if one.play_id not in self.gone and (one.collection or not curated)]
        return sources_pb2.ListSourcesResponse(sources=found)

    async def EnsurePlay(self, request: Any, context: Any) -> sources_pb2.EnsurePlayResponse:
        self.ensured.append(request.play_id)
        if request.play_id in self.gone:
            raise Unavailable("It died.", reason="SOURCE_GONE")
        return sources_pb2.EnsurePlayResponse(source=next(one for one in self.found if one.play_id == request.play_id))


@dataclass
class Neighbours:
    """The services below playback."""

    catalog: Catalog = field(default_factory=Catalog)
    picks: Picks = field(default_factory=Picks)
    stream_node: StreamNode = field(default_factory=StreamNode)
    sources: Sources = field(default_factory=Sources)


@pytest.fixture
def neighbours() -> Neighbours:
    return Neighbours()


@pytest.fixture
async def settings(
    neighbours: Neighbours, pg_dsn: str, nats_url: str, make_runtime: Callable[[str], Runtime]
) -> AsyncIterator[Settings]:
    """Settings of a playback whose neighbours are up."""
    await migrate_schema(pg_dsn, "playback")
    servings = {
        "catalog_target": Serving(
            catalog_service_pb2.DESCRIPTOR,
            catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server,
            neighbours.catalog,
        ),
        "picks_target": Serving(
            picks_service_pb2.DESCRIPTOR, picks_service_pb2_grpc.add_PicksServiceServicer_to_server, neighbours.picks
        ),
        "stream_node_target": Serving(
            stream_pb2.DESCRIPTOR,
            stream_service_pb2_grpc.add_StreamServiceServicer_to_server,
            neighbours.stream_node,
        ),
        "sources_target": Serving(
            sources_pb2.DESCRIPTOR, sources_service_pb2_grpc.add_SourcesServiceServicer_to_server, neighbours.sources
        ),
    }
    async with AsyncExitStack() as stack:
        targets = {}
        for name, serving in servings.items():
            server = rpc_server("127.0.0.1:0", make_runtime(name.removesuffix("_target")), serving, checks={})
            targets[name] = (await stack.enter_async_context(server)).address
        yield Settings(
            listen="127.0.0.1:0",
            pg_dsn=SecretStr(pg_dsn),
            nats_url=SecretStr(nats_url),
            public_base="http://vod.example",
            **targets,
        )


@dataclass(frozen=True)
class Running:
    """A playback that runs, and what it runs on."""

    stub: "playback_service_pb2_grpc.PlaybackServiceAsyncStub"
    runtime: Runtime

    def metric(self, name: str, **labels: str) -> float:
        return self.runtime.metrics.get_sample_value(name, labels) or 0.0


Open = Callable[[Settings], Any]


@pytest.fixture
def open_playback(make_runtime: Callable[[str], Runtime]) -> Open:
    """Start playback."""

    @asynccontextmanager
    async def open_playback(settings: Settings) -> AsyncIterator[Running]:
        runtime = make_runtime("playback")
        async with (
            serve(settings, runtime) as endpoint,
            channel(endpoint.address, make_runtime("test"), timeout=timedelta(seconds=20)) as opened,
        ):
            yield Running(playback_service_pb2_grpc.PlaybackServiceStub(opened), runtime)

    return open_playback


@pytest.fixture
async def running(settings: Settings, open_playback: Open) -> AsyncIterator[Running]:
    async with open_playback(settings) as running:
        yield running


@pytest.fixture
def playback(running: Running) -> "playback_service_pb2_grpc.PlaybackServiceAsyncStub":
    return running.stub


async def told_of_the_switch(playback: Any, request: Any) -> Any:
    """Say a heartbeat until its answer tells of a switch: it leaves that out when the node takes longer than 1 s."""
    answers: list[Any] = []

    async def why_not_told() -> str | None:
        answers.append(await playback.RecordHeartbeat(request))
        return None if answers[-1].HasField("switched") else "nothing is said of a switch"

    await eventually(why_not_told, within=30)
    return answers[-1]


async def heard_with_the_switch(playback: Any, request: Any) -> Any:
    """Ask for changes until a switch is among them: it is left out when the node takes longer than 1 s."""
    heard: list[Any] = []

    async def why_not_heard() -> str | None:
        heard[:] = (await playback.AwaitChanges(request)).changes
        return None if any(one.HasField("switched") for one in heard) else "nothing is heard of a switch"

    await eventually(why_not_heard, within=30)
    return heard

"""picks as it is served, with neighbours that are fakes over real gRPC."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from vod.catalog.v1 import catalog_pb2, catalog_service_pb2, catalog_service_pb2_grpc
from vod.picks.v1 import picks_service_pb2_grpc
from vod.scoring.v1 import scoring_pb2, scoring_service_pb2, scoring_service_pb2_grpc
from vod.search.v1 import search_service_pb2, search_service_pb2_grpc
from vod.stream.v1 import stream_service_pb2, stream_service_pb2_grpc

from vod_picks.service import serve
from vod_picks.settings import Settings
from vod_rpc import DeadlineExceeded, NotFound, Serving, Unavailable, channel, rpc_server
from vod_runtime import Runtime
from vod_testing import migrate_schema

SERIES = "tmdb:tv:9001"
FAST = 50_000_000


def key(episode: int, *, season: int = 1) -> catalog_pb2.EpisodeKey:
    return catalog_pb2.EpisodeKey(series_id=SERIES, season=season, episode=episode)


def infohash(digit: str) -> str:
    return digit * 40


class Catalog(catalog_service_pb2_grpc.CatalogServiceServicer):
    """Knows one series of four episodes."""

    def __init__(self) -> None:
        self.calls = 0

    async def GetEpisode(self, request: Any, context: Any) -> catalog_service_pb2.GetEpisodeResponse:
        self.calls += 1
        if request.key.series_id != SERIES or not 1 <= request.key.episode <= 4:
            raise NotFound("No such episode.", reason="EPISODE_NOT_FOUND")
        answer = catalog_service_pb2.GetEpisodeResponse(
            series=catalog_pb2.Series(id=SERIES, title="Harbor Lights", kind=catalog_pb2.KIND_SERIES, year=2024),
            episode=catalog_pb2.Episode(key=request.key, name="The Long Fog"),
        )
        if request.key.episode > 1:
            answer.previous.CopyFrom(key(request.key.episode - 1))
        return answer


class Search(search_service_pb2_grpc.SearchServiceServicer):
    """Answers what it was given; can be held back."""

    def __init__(self) -> None:
        self.calls = 0
        self.releases: list[search_service_pb2.Release] = []
        self.unavailable: list[search_service_pb2.UnavailableIndexer] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    def offer(self, digit: str, title: str, *, group: str = "NOVA") -> None:
        candidate = scoring_pb2.Candidate(
            infohash=infohash(digit),
            title=title,
            traits=scoring_pb2.ReleaseTraits(group=group, height=1080, codec=scoring_pb2.CODEC_H264),
            seeders=20,
        )
        magnet = f"magnet:?xt=urn:btih:{infohash(digit)}&dn={title}"
        self.releases.append(search_service_pb2.Release(candidate=candidate, magnet_uri=magnet))

    def is_down(self, indexer: str, reason: str) -> None:
        self.unavailable.append(search_service_pb2.UnavailableIndexer(indexer=indexer, reason=reason))

    async def SearchReleases(self, request: Any, context: Any) -> search_service_pb2.SearchReleasesResponse:
        self.calls += 1
        await self.go_on.wait()
        return search_service_pb2.SearchReleasesResponse(releases=self.releases, unavailable=self.unavailable)


class Scoring(scoring_service_pb2_grpc.ScoringServiceServicer):
    """Ranks in the order given; refuses what it is told to refuse, and what is blocked."""

    def __init__(self) -> None:
        self.refused: dict[str, str] = {}
        self.points: dict[str, int] = {}
        self.requests: list[scoring_service_pb2.RankReleasesRequest] = []

    async def RankReleases(self, request: Any, context: Any) -> scoring_service_pb2.RankReleasesResponse:
        self.requests.append(request)
        good = [one for one in request.candidates if one.infohash not in self.refused and not one.blocked]
        blocked = [one for one in request.candidates if one.infohash not in self.refused and one.blocked]
        bad = [one for one in request.candidates if one.infohash in self.refused]
        ranked = [
            scoring_pb2.RankedCandidate(
                infohash=one.infohash,
                tier=scoring_pb2.TIER_OK,
                score_micro=self.points.get(one.infohash, 800_000 - place),
            )
            for place, one in enumerate(good)
        ]
        ranked.sort(key=lambda one: -one.score_micro)
        ranked += [
            scoring_pb2.RankedCandidate(
                infohash=one.infohash,
                tier=scoring_pb2.TIER_REFUSED,
                gates=[scoring_pb2.GateFailure(code="BAD_SOURCE", reason=self.refused[one.infohash])],
            )
            for one in bad
        ]
        ranked += [
            scoring_pb2.RankedCandidate(
                infohash=one.infohash,
                tier=scoring_pb2.TIER_REFUSED,
                gates=[scoring_pb2.GateFailure(code="BLOCKLISTED", reason=one.blocked)],
            )
            for one in blocked
        ]
        return scoring_service_pb2.RankReleasesResponse(ranked=ranked, policy_version="test")

    async def DiffReleases(self, request: Any, context: Any) -> scoring_service_pb2.DiffReleasesResponse:
        first, second = request.first, request.second
        return scoring_service_pb2.DiffReleasesResponse(
            summary=f"{first.candidate.title} against {second.candidate.title}",
            differences=[scoring_service_pb2.Difference(name="health", micro_points=first.ranked.score_micro)],
        )


class StreamNode(stream_service_pb2_grpc.StreamServiceServicer):
    """Swarms that tell their files, or stay silent."""

    def __init__(self) -> None:
        self.torrents: dict[str, list[str]] = {}
        self.probed: list[str] = []
        self.sampled: list[str] = []
        self.rates: dict[str, int] = {}
        self.hesitant: set[str] = set()
        """Torrents whose bytes do not come before the caller's patience ends."""
        self.first = ""
        """The torrent whose bytes come before those of the others, if one is named."""
        self.first_came = asyncio.Event()
        self.pins: list[str] = []
        self.budgets: list[float] = []
        self.down = False
        self.late: set[str] = set()
        """Torrents on a node that is frozen."""
        self.fails_with: set[tuple[str, str]] = set()

    async def ProbeSwarm(self, request: Any, context: Any) -> stream_service_pb2.ProbeSwarmResponse:
        (self.sampled if request.sample_bytes else self.probed).append(request.infohash)
        self.budgets.append(context.time_remaining())
        if request.infohash in self.late:
            raise DeadlineExceeded("stream did not answer in time", domain="grpc")
        if self.down:
            raise Unavailable("The node is being restarted.")
        if (request.infohash, "sampled" if request.sample_bytes else "probed") in self.fails_with:
            raise RuntimeError("something that nobody foresaw")
        if request.infohash not in self.torrents:
            raise DeadlineExceeded("nobody told", reason="SWARM_SILENT")
        files = [
            stream_service_pb2.TorrentFile(index=i, path=path, size_bytes=1_000_000)
            for i, path in enumerate(self.torrents[request.infohash])
        ]
        answer = stream_service_pb2.ProbeSwarmResponse(files=files, peers=3)
        if request.sample_bytes:
            rate = self.rates.get(request.infohash, FAST)
            if request.infohash in self.hesitant:
                await asyncio.Event().wait()
            if self.first not in ("", request.infohash):
                await self.first_came.wait()
            self.first_came.set()
            answer.received_bytes = rate
            answer.elapsed.FromSeconds(1)
            answer.sampled = rate >= request.sample_bytes
        return answer

    async def ListPins(self, request: Any, context: Any) -> stream_service_pb2.ListPinsResponse:
        pins = [stream_service_pb2.Pin(infohash=one, downloaded_bytes=1) for one in self.pins]
        return stream_service_pb2.ListPinsResponse(node="node-a", pins=pins)


@dataclass
class Neighbours:
    """The services below picks."""

    catalog: Catalog = field(default_factory=Catalog)
    search: Search = field(default_factory=Search)
    scoring: Scoring = field(default_factory=Scoring)
    stream_node: StreamNode = field(default_factory=StreamNode)

    def offer_single(self, digit: str, episode: int, *, group: str = "NOVA") -> None:
        """Offer a release of one episode whose swarm is well."""
        title = f"Harbor.Lights.S01E{episode:02}.1080p.WEB-DL.H264-{group}"
        self.search.offer(digit, title, group=group)
        self.stream_node.torrents[infohash(digit)] = [f"{title}.mkv"]


@pytest.fixture
def neighbours() -> Neighbours:
    return Neighbours()


@pytest.fixture
async def settings(
    neighbours: Neighbours, pg_dsn: str, nats_url: str, make_runtime: Callable[[str], Runtime]
) -> AsyncIterator[Settings]:
    """Settings of a picks whose neighbours are up; it tries swarms one by one, so that the first good one wins."""
    await migrate_schema(pg_dsn, "picks")
    servings = {
        "catalog": (
            catalog_service_pb2,
            catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server,
            neighbours.catalog,
        ),
        "search": (search_service_pb2, search_service_pb2_grpc.add_SearchServiceServicer_to_server, neighbours.search),
        "scoring": (
            scoring_service_pb2,
            scoring_service_pb2_grpc.add_ScoringServiceServicer_to_server,
            neighbours.scoring,
        ),
        "stream_node": (
            stream_service_pb2,
            stream_service_pb2_grpc.add_StreamServiceServicer_to_server,
            neighbours.stream_node,
        ),
    }
    async with AsyncExitStack() as stack:
        targets = {}
        for name, (module, add, servicer) in servings.items():
            serving = Serving(module.DESCRIPTOR, add, servicer)
            endpoint = await stack.enter_async_context(
                rpc_server("127.0.0.1:0", make_runtime(name), serving, checks={})
            )
            targets[f"{name}_target"] = endpoint.address
        yield Settings(
            listen="127.0.0.1:0",
            pg_dsn=SecretStr(pg_dsn),
            nats_url=SecretStr(nats_url),
            probe_seconds=10.0,
            race_runners=1,
            **targets,
        )


Open = Callable[[Settings], Any]


@pytest.fixture
def open_picks(make_runtime: Callable[[str], Runtime]) -> Open:
    """Start picks; yields a stub on it."""

    @asynccontextmanager
    async def open_picks(settings: Settings) -> AsyncIterator["picks_service_pb2_grpc.PicksServiceAsyncStub"]:
        async with (
            serve(settings, make_runtime("picks")) as endpoint,
            channel(endpoint.address, make_runtime("test"), timeout=timedelta(seconds=20)) as opened,
        ):
            yield picks_service_pb2_grpc.PicksServiceStub(opened)

    return open_picks


@pytest.fixture
async def picks(settings: Settings, open_picks: Open) -> AsyncIterator["picks_service_pb2_grpc.PicksServiceAsyncStub"]:
    async with open_picks(settings) as stub:
        yield stub

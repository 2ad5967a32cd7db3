"""Scoring as it really runs, over gRPC."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from google.protobuf.duration_pb2 import Duration
from prometheus_client import generate_latest
from vod.scoring.v1 import scoring_pb2
from vod.scoring.v1.scoring_service_pb2 import RankReleasesRequest
from vod.scoring.v1.scoring_service_pb2_grpc import ScoringServiceStub

from vod_rpc import InvalidArgument, channel
from vod_runtime import Runtime
from vod_scoring.service import serve
from vod_scoring.settings import Settings

if TYPE_CHECKING:
    from vod.scoring.v1.scoring_service_pb2_grpc import ScoringServiceAsyncStub

WANTED = scoring_pb2.Wanted(titles=["Harbor Lights"], year=2024, season=1, episode=1, runtime=Duration(seconds=60))
DEVICE = scoring_pb2.DeviceProfile(h264=True, hevc=True, max_height=1080)


@pytest.fixture
async def scoring(runtime: Runtime) -> AsyncIterator["ScoringServiceAsyncStub"]:
    async with (
        serve(Settings(listen="127.0.0.1:0"), runtime) as endpoint,
        channel(endpoint.address, runtime) as connection,
    ):
        yield ScoringServiceStub(connection)


def candidate(
    infohash: str, *, title: str, height: int, source: "scoring_pb2.Source.ValueType"
) -> scoring_pb2.Candidate:
    traits = scoring_pb2.ReleaseTraits(
        titles=[title],
        seasons=[1],
        episodes=[1],
        height=height,
        source=source,
        codec=scoring_pb2.CODEC_H264,
    )
    return scoring_pb2.Candidate(infohash=infohash, title="a name", traits=traits, size_bytes=25_000_000, seeders=40)


async def test_candidates_come_back_in_order_with_reasons(scoring: "ScoringServiceAsyncStub", runtime: Runtime) -> None:
    request = RankReleasesRequest(
        wanted=WANTED,
        device=DEVICE,
        candidates=[
            candidate("c" * 40, title="Harbor Light", height=1080, source=scoring_pb2.SOURCE_WEB_DL),
            candidate("d" * 40, title="Harbor Lights", height=1080, source=scoring_pb2.SOURCE_CAM),
            candidate("b" * 40, title="Harbor Lights", height=480, source=scoring_pb2.SOURCE_HDTV),
            candidate("a" * 40, title="Harbor Lights", height=1080, source=scoring_pb2.SOURCE_WEB_DL),
        ],
    )

    answer = await scoring.RankReleases(request)

    assert [(one.infohash[0], one.tier) for one in answer.ranked] == [
        ("a", scoring_pb2.TIER_OK),
        ("b", scoring_pb2.TIER_OK),
        ("c", scoring_pb2.TIER_REFUSED),
        ("d", scoring_pb2.TIER_REFUSED),
    ]
    assert [[gate.code for gate in one.gates] for one in answer.ranked] == [[], [], ["TITLE_MISMATCH"], ["BAD_SOURCE"]]
    assert [component.name for component in answer.ranked[0].components] == ["health", "quality", "size", "consistency"]
    assert answer.policy_version
    assert b"score_latency_ms_count 1.0" in generate_latest(runtime.metrics)


async def test_the_same_request_gives_the_same_bytes(scoring: "ScoringServiceAsyncStub") -> None:
    some = [
        candidate(f"{n:040x}", title="Harbor Lights", height=1080, source=scoring_pb2.SOURCE_WEB_DL) for n in range(30)
    ]

    answers = [
        await scoring.RankReleases(RankReleasesRequest(wanted=WANTED, device=DEVICE, candidates=order))
        for order in (some, some[::-1])
    ]

    assert answers[0].SerializeToString(deterministic=True) == answers[1].SerializeToString(deterministic=True)


@pytest.mark.parametrize(
    "request_",
    [
        RankReleasesRequest(device=DEVICE),
        RankReleasesRequest(wanted=WANTED),
        RankReleasesRequest(wanted=WANTED, device=DEVICE, candidates=[scoring_pb2.Candidate()] * 2001),
    ],
    ids=["no title", "no device", "too many candidates"],
)
async def test_a_request_that_cannot_be_ranked_is_invalid(
    scoring: "ScoringServiceAsyncStub", request_: RankReleasesRequest
) -> None:
    with pytest.raises(InvalidArgument) as failure:
        await scoring.RankReleases(request_)

    assert failure.value.reason == "INVALID_RANKING"


async def test_hostile_numbers_do_no_harm(scoring: "ScoringServiceAsyncStub") -> None:
    odd = candidate("e" * 40, title="Harbor Lights", height=-5, source=scoring_pb2.SOURCE_WEB_DL)
    odd.seeders, odd.leechers, odd.size_bytes, odd.published_at = -1, -5, 2**62, -(2**62)

    answer = await scoring.RankReleases(RankReleasesRequest(wanted=WANTED, device=DEVICE, candidates=[odd]))

    assert {gate.code for gate in answer.ranked[0].gates} == {"SIZE_IMPLAUSIBLE", "DEAD_SWARM"}

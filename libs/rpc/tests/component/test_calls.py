"""Real calls over real sockets, with grpc's own health protocol as the example service."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from vod.scoring.v1 import scoring_service_pb2 as pb
from vod.scoring.v1 import scoring_service_pb2_grpc as pb_grpc

from vod_rpc import (
    DeadlineExceeded,
    Internal,
    InvalidArgument,
    NotFound,
    Serving,
    Unavailable,
    channel,
    deadline,
    rpc_server,
    time_left,
)
from vod_runtime import Endpoint, Runtime
from vod_testing import eventually

Answer = Callable[[], Awaitable[None]]
METHOD = "vod.scoring.v1.ScoringService"


class Servicer(pb_grpc.ScoringServiceServicer):
    """Does what the test says, and counts."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.calls = 0

    async def RankReleases(self, request: pb.RankReleasesRequest, context: object) -> pb.RankReleasesResponse:
        self.calls += 1
        await self.answer()
        return pb.RankReleasesResponse(policy_version="1")


@asynccontextmanager
async def served(runtime: Runtime, servicer: Servicer, healthy: asyncio.Event | None = None) -> AsyncIterator[Endpoint]:
    async def check() -> None:
        if healthy is not None and not healthy.is_set():
            raise ConnectionError("gone")

    serving = Serving(pb.DESCRIPTOR, pb_grpc.add_ScoringServiceServicer_to_server, servicer)
    async with rpc_server("127.0.0.1:0", runtime, serving, checks={"thing": check}, away=is_gone) as endpoint:
        yield endpoint


def is_gone(error: Exception) -> bool:
    return isinstance(error, ConnectionError)


@asynccontextmanager
async def calling(
    runtime: Runtime, answer: Answer, *, retry: tuple[str, ...] = ()
) -> AsyncIterator[tuple["pb_grpc.ScoringServiceAsyncStub", Servicer]]:
    servicer = Servicer(answer)
    async with served(runtime, servicer) as endpoint, channel(endpoint.address, runtime, retry=retry) as opened:
        yield pb_grpc.ScoringServiceStub(opened), servicer


async def give_up(stub: "pb_grpc.ScoringServiceAsyncStub", servicer: Servicer) -> None:
    """Call, and lose patience while the call is served; one for which the time was up before has to be made again."""

    async def why_not_served() -> str | None:
        with deadline(timedelta(milliseconds=200)), pytest.raises(DeadlineExceeded):
            await stub.RankReleases(pb.RankReleasesRequest())
        return None if servicer.calls else "the time was up before the call was served"

    await eventually(why_not_served, within=30)


async def test_the_callers_deadline_reaches_the_handler(runtime: Runtime) -> None:
    seen: list[timedelta | None] = []

    async def answer() -> None:
        seen.append(time_left())

    async with calling(runtime, answer) as (stub, _):
        with deadline(timedelta(seconds=30)):  # a call without one has 10 s
            await stub.RankReleases(pb.RankReleasesRequest())

    assert seen[0] is not None
    assert timedelta(seconds=15) < seen[0] <= timedelta(seconds=30)


async def test_a_call_whose_time_is_up_ends_and_its_handler_is_cancelled(runtime: Runtime) -> None:
    cancelled = asyncio.Event()

    async def answer() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with calling(runtime, answer) as (stub, servicer):
        await give_up(stub, servicer)
        await eventually(lambda: None if cancelled.is_set() else "the handler still runs", within=30)


async def test_a_call_that_was_given_up_is_not_counted_as_well_served(runtime: Runtime) -> None:
    async def answer() -> None:
        await asyncio.Event().wait()

    def counted(code: str) -> float:
        labels = {"method": f"/{METHOD}/RankReleases", "code": code}
        return runtime.metrics.get_sample_value("vod_rpc_served_seconds_count", labels) or 0.0

    async with calling(runtime, answer) as (stub, servicer):
        await give_up(stub, servicer)
        await eventually(lambda: None if counted("CANCELLED") else "not counted", within=30)

    assert counted("OK") == 0


async def test_no_call_is_made_when_no_time_is_left(runtime: Runtime) -> None:
    async def answer() -> None:
        return None

    async with calling(runtime, answer) as (stub, servicer):
        with deadline(timedelta(0)), pytest.raises(DeadlineExceeded):
            await stub.RankReleases(pb.RankReleasesRequest())

    assert servicer.calls == 0


async def test_a_failure_arrives_with_the_servers_domain(runtime: Runtime) -> None:
    async def answer() -> None:
        raise NotFound("no such thing", reason="THING_NOT_FOUND", metadata={"thing": "7"})

    async with calling(runtime, answer) as (stub, _):
        with pytest.raises(NotFound) as caught:
            await stub.RankReleases(pb.RankReleasesRequest())

    assert (
        caught.value.reason,
        caught.value.domain,
        caught.value.metadata,
    ) == ("THING_NOT_FOUND", "test.vod", {"thing": "7"})


async def test_an_unexpected_exception_keeps_its_text_to_itself(
    runtime: Runtime, capsys: pytest.CaptureFixture[str]
) -> None:
    async def answer() -> None:
        raise ValueError("postgres://user:hunter2@db")

    async with calling(runtime, answer) as (stub, _):
        with pytest.raises(Internal) as caught:
            await stub.RankReleases(pb.RankReleasesRequest())

    assert str(caught.value) == "internal error"


async def test_when_a_resource_is_away_the_caller_learns_that_it_may_try_again(runtime: Runtime) -> None:
    async def answer() -> None:
        raise ConnectionRefusedError("postgres://user:hunter2@db")

    async with calling(runtime, answer) as (stub, _):
        with pytest.raises(Unavailable) as caught:
            await stub.RankReleases(pb.RankReleasesRequest())

    assert caught.value.retry_after == timedelta(seconds=1)
    assert "hunter2" not in str(caught.value)


async def test_only_leaf_reads_are_retried(make_runtime: Callable[[str], Runtime]) -> None:
    async def answer() -> None:
        raise Unavailable("not now")

    async with calling(make_runtime("leaf"), answer, retry=(METHOD,)) as (stub, servicer):
        with pytest.raises(Unavailable):
            await stub.RankReleases(pb.RankReleasesRequest())
        retried = servicer.calls
    async with calling(make_runtime("other"), answer) as (stub, servicer):
        with pytest.raises(Unavailable):
            await stub.RankReleases(pb.RankReleasesRequest())

    assert (retried, servicer.calls) == (3, 1)


async def test_a_call_without_a_deadline_is_refused(runtime: Runtime) -> None:
    async def answer() -> None:
        return None

    async with served(runtime, Servicer(answer)) as endpoint, aio.insecure_channel(endpoint.address) as raw:
        with pytest.raises(aio.AioRpcError) as caught:
            await pb_grpc.ScoringServiceStub(raw).RankReleases(pb.RankReleasesRequest())

    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


async def test_a_call_without_a_deadline_of_its_own_gets_the_channels(runtime: Runtime) -> None:
    async def answer() -> None:
        if time_left() is None:
            raise InvalidArgument("no deadline")

    async with calling(runtime, answer) as (stub, _):
        response = await stub.RankReleases(pb.RankReleasesRequest())

    assert response.policy_version == "1"


async def test_health_tells_whether_the_services_own_resources_work(runtime: Runtime) -> None:
    async def answer() -> None:
        return None

    healthy = asyncio.Event()
    async with served(runtime, Servicer(answer), healthy) as endpoint, aio.insecure_channel(endpoint.address) as raw:
        stub: Any = health_pb2_grpc.HealthStub(raw)  # its stubs leave the methods out

        async def why_not() -> str | None:
            told = await stub.Check(health_pb2.HealthCheckRequest(service=METHOD), timeout=20)
            state = health_pb2.HealthCheckResponse.ServingStatus.Name(told.status)
            return None if state == "NOT_SERVING" else state

        await eventually(why_not, within=30)
        healthy.set()

        async def why_not_well() -> str | None:
            told = await stub.Check(health_pb2.HealthCheckRequest(service=METHOD), timeout=20)
            state = health_pb2.HealthCheckResponse.ServingStatus.Name(told.status)
            return None if state == "SERVING" else state

        await eventually(why_not_well, within=30)

"""A failure keeps its identity on the wire and in HTTP."""

from datetime import timedelta

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc import aio

from vod_rpc import NotFound, problem
from vod_rpc.errors import FAMILIES, Failure, from_rpc_error, to_status


class LampNotFound(NotFound):
    reason = "LAMP_NOT_FOUND"


class LampsSold(NotFound):
    reason = "LAMPS_SOLD"
    http_status = 410


def as_rpc_error(failure: Failure) -> aio.AioRpcError:
    status = to_status(failure, domain="lamps.vod")
    trailing = aio.Metadata(("grpc-status-details-bin", status.SerializeToString()))
    return aio.AioRpcError(failure.code, aio.Metadata(), trailing, details=status.message)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_failure_comes_back_as_the_same_family_with_everything_it_carried(family: type[Failure]) -> None:
    sent = family("no lamp 7", reason="LAMP", metadata={"lamp": "7"}, retry_after=timedelta(seconds=3))

    got = from_rpc_error(as_rpc_error(sent))

    assert (family, "no lamp 7", "LAMP", "lamps.vod", {"lamp": "7"}, timedelta(seconds=3)) == (
        type(got), str(got), got.reason, got.domain, got.metadata, got.retry_after,
    )  # fmt: skip


def test_an_http_status_of_its_own_goes_any_number_of_hops_and_is_no_metadata() -> None:
    once = from_rpc_error(as_rpc_error(LampsSold("none left", metadata={"lamp": "7"})))
    twice = from_rpc_error(as_rpc_error(once))

    assert (once.http_status, twice.http_status, twice.metadata) == (410, 410, {"lamp": "7"})
    assert from_rpc_error(as_rpc_error(LampNotFound("gone"))).http_status == 404


def test_a_failure_from_further_down_keeps_its_domain() -> None:
    status = to_status(LampNotFound("gone", domain="cellar.vod"), domain="lamps.vod")
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)

    assert info.domain == "cellar.vod"


def test_what_grpc_itself_says_does_not_tell_addresses() -> None:
    error = aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE, aio.Metadata(), aio.Metadata(), details="failed to connect to ipv4:10.0.0.7:7012"
    )

    failure = from_rpc_error(error, method="/vod.picks.v1.PicksService/EnsurePick")

    assert (str(failure), failure.metadata) == ("picks does not answer", {"service": "picks"})


def test_the_problem_names_service_and_reason() -> None:
    failure = LampNotFound("There is no lamp 7.", metadata={"lamp": "7"}, domain="lamps.vod")

    status, body = problem(failure, instance="/v1/lamps/7")

    assert status == 404
    assert body == {
        "type": "/problems/lamps/lamp-not-found",
        "title": "Lamp not found",
        "status": 404,
        "detail": "There is no lamp 7.",
        "instance": "/v1/lamps/7",
        "reason": "LAMP_NOT_FOUND",
        "domain": "lamps.vod",
        "metadata": {"lamp": "7"},
    }


def test_every_grpc_code_has_one_family() -> None:
    codes = [family.code for family in FAMILIES]

    assert len(codes) == len(set(codes))

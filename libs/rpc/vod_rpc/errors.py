"""Failures: exceptions that keep their identity across any number of hops.

    Failure                      code                  HTTP
    ├── InvalidArgument          INVALID_ARGUMENT      400
    ├── Unauthenticated          UNAUTHENTICATED       401
    ├── PermissionDenied         PERMISSION_DENIED     403
    ├── NotFound                 NOT_FOUND             404
    ├── AlreadyExists            ALREADY_EXISTS        409
    ├── Aborted                  ABORTED               409
    ├── FailedPrecondition       FAILED_PRECONDITION   409
    ├── ResourceExhausted        RESOURCE_EXHAUSTED    429
    ├── Unavailable              UNAVAILABLE           503
    ├── DeadlineExceeded         DEADLINE_EXCEEDED     504
    └── Internal                 INTERNAL              500

A service subclasses these in its `errors.py`, one class per reason (AIP-193); on the wire they are a
google.rpc.Status with an ErrorInfo, and a RetryInfo where waiting helps.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, cast

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc import aio
from grpc_status import rpc_status


class Failure(Exception):  # noqa: N818  it is the root of expected failures, not of errors
    """An expected failure.

    `reason` is UPPER_SNAKE and unique within `domain` (`picks.vod`), which stays that of the service that failed.
    Every dynamic part of the message is in `metadata` too; neither may hold a secret.
    """

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN
    http_status: int = 500
    reason: str = "UNKNOWN"

    def __init__(
        self,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        retry_after: timedelta | None = None,
        reason: str | None = None,
        domain: str = "",
    ) -> None:
        super().__init__(message)
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after
        self.domain = domain
        if reason is not None:
            self.reason = reason


class InvalidArgument(Failure):
    code, http_status, reason = grpc.StatusCode.INVALID_ARGUMENT, 400, "INVALID_ARGUMENT"


class Unauthenticated(Failure):
    code, http_status, reason = grpc.StatusCode.UNAUTHENTICATED, 401, "UNAUTHENTICATED"


class PermissionDenied(Failure):
    code, http_status, reason = grpc.StatusCode.PERMISSION_DENIED, 403, "PERMISSION_DENIED"


class NotFound(Failure):
    code, http_status, reason = grpc.StatusCode.NOT_FOUND, 404, "NOT_FOUND"


class AlreadyExists(Failure):
    code, http_status, reason = grpc.StatusCode.ALREADY_EXISTS, 409, "ALREADY_EXISTS"


class Aborted(Failure):
    code, http_status, reason = grpc.StatusCode.ABORTED, 409, "ABORTED"


class FailedPrecondition(Failure):
    code, http_status, reason = grpc.StatusCode.FAILED_PRECONDITION, 409, "FAILED_PRECONDITION"


class ResourceExhausted(Failure):
    code, http_status, reason = grpc.StatusCode.RESOURCE_EXHAUSTED, 429, "RESOURCE_EXHAUSTED"


class Unavailable(Failure):
    code, http_status, reason = grpc.StatusCode.UNAVAILABLE, 503, "UNAVAILABLE"


class DeadlineExceeded(Failure):
    code, http_status, reason = grpc.StatusCode.DEADLINE_EXCEEDED, 504, "DEADLINE_EXCEEDED"


class Internal(Failure):
    code, http_status, reason = grpc.StatusCode.INTERNAL, 500, "INTERNAL"


FAMILIES: tuple[type[Failure], ...] = tuple(Failure.__subclasses__())
_BY_CODE = {family.code: family for family in FAMILIES}
_HTTP_STATUS = "http_status"
"""In the metadata on the wire, where the status is not the family's."""


def neighbour_away(error: Exception) -> bool:
    """Tell whether a service is away: it says that it can't just now, or nobody answered in time."""
    return isinstance(error, Unavailable) or (isinstance(error, DeadlineExceeded) and "service" in error.metadata)


def to_status(failure: Failure, *, domain: str) -> status_pb2.Status:
    """Return the google.rpc.Status of a failure; *domain* is used unless the failure came from further down."""
    info = error_details_pb2.ErrorInfo(
        reason=failure.reason, domain=failure.domain or domain, metadata=failure.metadata
    )
    if failure.http_status != _BY_CODE.get(failure.code, Failure).http_status:
        info.metadata[_HTTP_STATUS] = str(failure.http_status)
    details: list[Message] = [info]
    if failure.retry_after is not None:
        delay = duration_pb2.Duration()
        delay.FromTimedelta(failure.retry_after)
        details.append(error_details_pb2.RetryInfo(retry_delay=delay))
    status = status_pb2.Status(code=failure.code.value[0], message=str(failure))
    for detail in details:
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def from_rpc_error(error: aio.AioRpcError, *, method: str = "") -> Failure:
    """Return the failure that the other side raised, of the same family, reason, domain and metadata.

    Where gRPC itself speaks (nobody there, no time left), its details may name addresses, so they stay here; the
    failure says which service was meant, from *method* (`/vod.picks.v1.PicksService/EnsurePick`).
    """
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    retry_after = None
    # An AioRpcError carries all that `from_call` reads of a call; only its type says otherwise.
    status = rpc_status.from_call(cast("grpc.Call", error))
    for detail in status.details if status else ():
        if not detail.Unpack(info) and detail.Unpack(retry):
            retry_after = retry.retry_delay.ToTimedelta()
    family = _BY_CODE.get(error.code(), Internal)
    if not info.reason:
        return _failure_of_transport(family, method)
    metadata = dict(info.metadata)
    http_status = int(metadata.pop(_HTTP_STATUS, family.http_status))
    text = error.details() or family.reason
    failure = family(text, reason=info.reason, domain=info.domain, metadata=metadata, retry_after=retry_after)
    failure.http_status = http_status
    return failure


def _failure_of_transport(family: type[Failure], method: str) -> Failure:
    service = method.lstrip("/").split(".v1.")[0].split(".")[-1] or "a service"
    what = {Unavailable: "does not answer", DeadlineExceeded: "did not answer in time"}.get(family, "failed")
    return family(f"{service} {what}", domain="grpc", metadata={"service": service})

"""gRPC as every service of ours speaks it: deadlines travel, failures keep their identity, health is measured."""

from vod_rpc.channel import channel
from vod_rpc.deadlines import deadline, no_deadline, time_left
from vod_rpc.errors import (
    Aborted,
    AlreadyExists,
    DeadlineExceeded,
    FailedPrecondition,
    Failure,
    Internal,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
    neighbour_away,
)
from vod_rpc.flights import Flights, take_off
from vod_rpc.problem import problem
from vod_rpc.server import Serving, rpc_server

__all__ = [
    "Aborted",
    "AlreadyExists",
    "DeadlineExceeded",
    "FailedPrecondition",
    "Failure",
    "Flights",
    "Internal",
    "InvalidArgument",
    "NotFound",
    "PermissionDenied",
    "ResourceExhausted",
    "Serving",
    "Unauthenticated",
    "Unavailable",
    "channel",
    "deadline",
    "neighbour_away",
    "no_deadline",
    "problem",
    "rpc_server",
    "take_off",
    "time_left",
]

"""Deadlines that travel: what the caller has left bounds all that is done for it.

gRPC in Python does not pass a deadline on by itself, and a `timeout` in a service config misfires by up to a second
(grpc/grpc#34547); so the server interceptor puts the caller's deadline here, and the client interceptor takes it up.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def time_left() -> timedelta | None:
    """Return what is left until the deadline (negative when it has passed), None where there is none."""
    at = _deadline.get()
    return None if at is None else timedelta(seconds=at - asyncio.get_running_loop().time())


@contextmanager
def deadline(within: timedelta) -> Iterator[None]:
    """Give all RPCs made inside at most *within*; a caller's earlier deadline stays in force."""
    at = asyncio.get_running_loop().time() + within.total_seconds()
    outer = _deadline.get()
    token = _deadline.set(at if outer is None else min(at, outer))
    try:
        yield
    finally:
        _deadline.reset(token)


@contextmanager
def no_deadline() -> Iterator[None]:
    """Forget the caller's deadline, for work that outlives the call; open a `deadline` of its own inside."""
    token = _deadline.set(None)
    try:
        yield
    finally:
        _deadline.reset(token)

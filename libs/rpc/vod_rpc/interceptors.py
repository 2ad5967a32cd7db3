"""What happens around every call: deadlines, failures, and one log line and one measurement per call served."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from typing import Any

import grpc
from grpc import aio
from grpc_status import rpc_status
from prometheus_client import Histogram

from vod_rpc.deadlines import deadline, time_left
from vod_rpc.errors import DeadlineExceeded, Failure, Internal, InvalidArgument, Unavailable, from_rpc_error, to_status
from vod_runtime import Runtime

RPC_SERVED = "rpc_served"
RPC_CRASHED = "rpc_crashed"
RPC_RESOURCE_AWAY = "rpc_resource_away"
_SOON = timedelta(seconds=1)
_DAY_SECONDS = 86_400.0
_Context = aio.ServicerContext[Any, Any]
_MIN_TIME_LEFT = timedelta(milliseconds=1)


class ServerInterceptor(aio.ServerInterceptor):
    """Publish the caller's deadline, turn failures into statuses, hide everything else."""

    def __init__(self, runtime: Runtime, *, quiet: Collection[str], away: Callable[[Exception], bool]) -> None:
        self._runtime = runtime
        self._away = away
        self._quiet = quiet
        self._domain = f"{runtime.service}.vod"
        self._seconds = Histogram(
            "vod_rpc_served_seconds",
            "Time to serve an RPC",
            ["method", "code"],
            registry=runtime.metrics,
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
        )

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        # Health and reflection are gRPC's own: they have no deadline to pass on and nothing to say in our logs.
        if handler is None or handler.unary_unary is None or method.startswith("/grpc."):
            return handler

        async def serve(request: Any, context: _Context) -> Any:
            started = time.monotonic()
            code = "CANCELLED"  # unless one of the other ends comes first
            try:
                response = await self._within_deadline(handler.unary_unary, request, context)
                code = "OK"
                return response
            except Failure as failure:
                code = failure.code.name
                status = to_status(failure, domain=self._domain)
                await context.abort_with_status(rpc_status.to_status(status))
            finally:
                self._served(method, code, time.monotonic() - started)

        return grpc.unary_unary_rpc_method_handler(serve, handler.request_deserializer, handler.response_serializer)

    async def _within_deadline(
        self, handle: Callable[[Any, _Context], Awaitable[Any]], request: Any, context: _Context
    ) -> Any:
        remaining = context.time_remaining()
        if remaining is None:
            raise InvalidArgument("a call without a deadline is refused", reason="DEADLINE_MISSING")
        try:
            # A day stands for "no end": timedelta can't hold what gRPC gives for an infinite deadline.
            with deadline(timedelta(seconds=min(remaining, _DAY_SECONDS))):
                return await handle(request, context)
        except (Failure, asyncio.CancelledError):
            raise
        except Exception as error:
            if self._away(error):
                self._runtime.log.warning(RPC_RESOURCE_AWAY, why=type(error).__name__)
                raise Unavailable("something this service needs is away; try again", retry_after=_SOON) from error
            # The text of an unexpected exception may hold anything; the caller learns only that there was one.
            self._runtime.log.exception(RPC_CRASHED)
            raise Internal("internal error") from error

    def _served(self, method: str, code: str, seconds: float) -> None:
        self._seconds.labels(method, code).observe(seconds)
        is_quiet = code == "OK" and method.rpartition("/")[2] in self._quiet
        log = self._runtime.log.debug if is_quiet else self._runtime.log.info
        log(RPC_SERVED, method=method, code=code, ms=round(seconds * 1000, 1))


class ClientInterceptor(aio.UnaryUnaryClientInterceptor):
    """Give every call a deadline (its own, what the caller has left, or the default), and raise failures."""

    def __init__(self, default_timeout: timedelta) -> None:
        self._default = default_timeout

    async def intercept_unary_unary(
        self,
        continuation: Callable[[aio.ClientCallDetails, Any], Awaitable[aio.UnaryUnaryCall[Any, Any]]],
        client_call_details: Any,
        request: Any,
    ) -> Any:
        asked, left = client_call_details.timeout, time_left()
        timeout = timedelta(seconds=asked) if asked is not None else left or self._default
        if left is not None:
            timeout = min(timeout, left)
        if timeout < _MIN_TIME_LEFT:
            raise DeadlineExceeded("no time left for the call", domain="grpc")
        details = client_call_details._replace(timeout=timeout.total_seconds())
        call = await continuation(details, request)
        try:
            return await call
        except aio.AioRpcError as error:
            raise from_rpc_error(error, method=_text(client_call_details.method)) from error


def _text(method: str | bytes) -> str:
    return method.decode() if isinstance(method, bytes) else method

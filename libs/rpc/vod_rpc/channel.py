"""Channels to other services."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from grpc import aio
from opentelemetry.instrumentation.grpc import aio_client_interceptors
from opentelemetry.instrumentation.grpc.filters import any_of, method_name, negate

from vod_rpc.interceptors import ClientInterceptor
from vod_runtime import Runtime

_OPTIONS: list[tuple[str, Any]] = [
    # A frozen peer keeps half of the calls unless a ping may fail: keepalive alone does not evict it.
    ("grpc.keepalive_time_ms", 5_000),
    ("grpc.keepalive_timeout_ms", 3_000),
    ("grpc.http2.ping_timeout_ms", 3_000),
    ("grpc.enable_http_proxy", 0),
    # By default the back-off goes up to two minutes; a restarted neighbour is back in a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
]


@asynccontextmanager
async def channel(
    target: str,
    runtime: Runtime,
    *,
    retry: Sequence[str] = (),
    untraced: Sequence[str] = (),
    timeout: timedelta = timedelta(seconds=10),
) -> AsyncIterator[aio.Channel]:
    """Open a channel to *target* (`dns:///catalog:7016`, `unix:/path`).

    Args:
        retry: full names of services all of whose methods are leaf reads. Only those are retried here, on UNAVAILABLE;
            calls that orchestrate others are retried by the client at the edge, else tries multiply at every hop.
        untraced: names of methods whose span would cost more than the call.
        timeout: deadline of a call that brings none; a caller's deadline bounds it further.

    Calls raise `Failure`s.
    """
    config = {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{"service": name} for name in retry],
                "retryPolicy": {
                    "maxAttempts": 3,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "0.5s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
        if retry
        else [],
        "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
    }
    traced = negate(any_of(*(method_name(name) for name in untraced))) if untraced else None
    tracing = aio_client_interceptors(tracer_provider=runtime.tracer_provider, filter_=traced)
    interceptors = [*tracing, ClientInterceptor(timeout)]
    options = [*_OPTIONS, ("grpc.service_config", json.dumps(config))]
    async with aio.insecure_channel(target, options=options, interceptors=interceptors) as opened:
        yield opened

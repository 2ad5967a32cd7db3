"""Scoring, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vod.scoring.v1 import scoring_service_pb2, scoring_service_pb2_grpc

from vod_rpc import Serving, rpc_server
from vod_runtime import Endpoint, Runtime
from vod_scoring.api import ScoringServicer
from vod_scoring.policy import load_policy
from vod_scoring.rules_file import load_rules
from vod_scoring.settings import Settings

RULE_REFUSED = "rule_refused"


@asynccontextmanager
async def serve(settings: Settings, runtime: Runtime) -> AsyncIterator[Endpoint]:
    """Run scoring until the caller leaves the context."""
    rules = load_rules(settings.rules)
    for sentence in rules.refused:
        runtime.log.warning(RULE_REFUSED, why=sentence)
    serving = Serving(
        scoring_service_pb2.DESCRIPTOR,
        scoring_service_pb2_grpc.add_ScoringServiceServicer_to_server,
        ScoringServicer(load_policy(), rules, metrics=runtime.metrics, clock=runtime.clock),
    )
    async with rpc_server(settings.listen, runtime, serving, checks={}) as endpoint:
        yield endpoint

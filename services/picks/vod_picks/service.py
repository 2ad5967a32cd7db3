"""The composition root of picks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from prometheus_client import Counter
from vod.picks.v1 import picks_service_pb2, picks_service_pb2_grpc

from vod_picks.api import PicksServicer
from vod_picks.choosing import Chooser, Patience
from vod_picks.clients import CatalogClient, ScoringClient, SearchClient, SwarmClient, with_evidence
from vod_picks.memory import SwarmMemory
from vod_picks.picks import Picks
from vod_picks.settings import Settings
from vod_picks.store import PickStore
from vod_rpc import Serving, channel, rpc_server, take_off
from vod_runtime import Endpoint, Runtime
from vod_storage import postgres


@asynccontextmanager
async def serve(settings: Settings, runtime: Runtime) -> AsyncIterator[Endpoint]:
    """Run picks until the caller leaves the context."""
    probes = Counter("vod_picks_probes", "Swarms that were tried", ["outcome"], registry=runtime.metrics)
    ensured = Counter("vod_picks_ensured", "Picks asked for", ["outcome"], registry=runtime.metrics)
    async with (
        postgres(settings.pg_dsn, schema="picks") as database,
        channel(settings.catalog_target, runtime, retry=["vod.catalog.v1.CatalogService"]) as catalog,
        channel(settings.search_target, runtime) as search,
        channel(settings.scoring_target, runtime, retry=["vod.scoring.v1.ScoringService"]) as scoring,
        channel(settings.stream_node_target, runtime, retry=["vod.stream.v1.StreamService"]) as stream_node,
        take_off() as searches,
    ):
        store = PickStore(database, clock=runtime.clock)
        chooser = Chooser(
            catalog=CatalogClient(catalog),
            search=SearchClient(search),
            scoring=ScoringClient(scoring),
            nodes=SwarmClient(stream_node),
            history=store,
            memory=SwarmMemory(database, clock=runtime.clock),
            enrich=with_evidence,
            count_probe=lambda outcome: probes.labels(outcome).inc(),
            patience=Patience(
                total=timedelta(seconds=settings.choose_seconds),
                per_race=timedelta(seconds=settings.probe_seconds),
                runners=settings.race_runners,
                swarms=settings.probe_candidates,
            ),
        )
        picks = Picks(
            store=store, chooser=chooser, searches=searches, count=lambda outcome: ensured.labels(outcome).inc()
        )
        serving = Serving(
            picks_service_pb2.DESCRIPTOR,
            picks_service_pb2_grpc.add_PicksServiceServicer_to_server,
            PicksServicer(picks),
        )
        async with rpc_server(settings.listen, runtime, serving, checks={"postgres": database.check}) as endpoint:
            yield endpoint

"""The composition root of picks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from prometheus_client import Counter
from vod.picks.v1 import picks_service_pb2, picks_service_pb2_grpc
from vod.stream.v1.events_pb2 import PinStalled

from vod_events import consumer, event_bus, relay
from vod_picks.api import PicksServicer
from vod_picks.blocklist import Blocklist
from vod_picks.choosing import Chooser, Patience
from vod_picks.clients import CatalogClient, ScoringClient, SearchClient, SwarmClient, with_evidence
from vod_picks.memory import SwarmMemory
from vod_picks.picks import Picks
from vod_picks.rejecting import Rejecting
from vod_picks.settings import Settings
from vod_picks.stalls import STALLS, Listener
from vod_picks.store import PickStore
from vod_rpc import Serving, channel, rpc_server, take_off
from vod_runtime import Endpoint, Runtime
from vod_storage import database_away, postgres

_HANDLING_LOSES = timedelta(seconds=5)


@asynccontextmanager
async def serve(settings: Settings, runtime: Runtime) -> AsyncIterator[Endpoint]:
    """Run picks until the caller leaves the context."""
    probes = Counter("vod_picks_probes", "Swarms that were tried", ["outcome"], registry=runtime.metrics)
    ensured = Counter("vod_picks_ensured", "Picks asked for", ["outcome"], registry=runtime.metrics)
    rejections = Counter("vod_picks_rejections", "Picks that were rejected", ["reason"], registry=runtime.metrics)
    async with (
        postgres(settings.pg_dsn, schema="picks") as database,
        event_bus(settings.nats_url, runtime) as bus,
        channel(settings.catalog_target, runtime, retry=["vod.catalog.v1.CatalogService"]) as catalog,
        channel(settings.search_target, runtime) as search,
        channel(settings.scoring_target, runtime, retry=["vod.scoring.v1.ScoringService"]) as scoring,
        channel(settings.stream_node_target, runtime, retry=["vod.stream.v1.StreamService"]) as stream_node,
        take_off() as searches,
    ):
        store, blocklist = PickStore(database, clock=runtime.clock), Blocklist(database, clock=runtime.clock)
        chooser = Chooser(
            catalog=CatalogClient(catalog),
            search=SearchClient(search),
            scoring=ScoringClient(scoring),
            nodes=SwarmClient(stream_node),
            history=store,
            memory=SwarmMemory(database, clock=runtime.clock, log=runtime.log),
            blocklist=blocklist,
            enrich=with_evidence,
            count_probe=lambda outcome: probes.labels(outcome).inc(),
            patience=Patience(
                total=timedelta(seconds=settings.choose_seconds),
                per_race=timedelta(seconds=settings.probe_seconds),
                runners=settings.race_runners,
                swarms=settings.probe_candidates,
            ),
        )
        picks = Picks(store=store, chooser=chooser, searches=searches, count=lambda one: ensured.labels(one).inc())
        rejecting = Rejecting(
            picks=picks, store=store, blocklist=blocklist, count=lambda reason: rejections.labels(reason).inc()
        )
        serving = Serving(
            picks_service_pb2.DESCRIPTOR,
            picks_service_pb2_grpc.add_PicksServiceServicer_to_server,
            PicksServicer(picks, rejecting),
        )
        async with (
            relay(database, bus, runtime),
            consumer(
                bus,
                runtime,
                subject=STALLS,
                durable="picks-pin-stalled",
                message=PinStalled,
                handle=Listener(rejecting, clock=runtime.clock).on_stall,
                timeout=timedelta(seconds=settings.choose_seconds) + _HANDLING_LOSES,
            ),
            # NATS is no part of our health: without it picks are still made, and events wait in the outbox.
            rpc_server(
                settings.listen, runtime, serving, checks={"postgres": database.check}, away=database_away
            ) as endpoint,
        ):
            yield endpoint

"""The composition root of playback."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from vod.picks.v1.events_pb2 import PickRejected
from vod.playback.v1 import playback_service_pb2, playback_service_pb2_grpc
from vod.stream.v1.events_pb2 import PinStalled

from vod_events import consumer, event_bus, relay
from vod_playback.api import PlaybackServicer
from vod_playback.beat_store import BeatStore
from vod_playback.changes import Changes
from vod_playback.choosing import Choosing
from vod_playback.choosing_next import ChoosingNext
from vod_playback.clients import CatalogClient, PicksClient, PinClient
from vod_playback.continuing import Continuing
from vod_playback.direct import DirectPlay
from vod_playback.direct_sources import GatewayStreams, SourcesClient
from vod_playback.endings import endings
from vod_playback.events import PICK_REJECTED, PIN_STALLED, Heartbeats, Listener
from vod_playback.fallback_store import FallbackStore
from vod_playback.falling_back import FallingBack
from vod_playback.grouping import group_commit
from vod_playback.holding import Holding
from vod_playback.keeping import keeping
from vod_playback.links import DeviceLinks
from vod_playback.live import live
from vod_playback.metrics import FallbackMetrics, StartMetrics
from vod_playback.popularity import Popularity
from vod_playback.preparing import Preparing
from vod_playback.progress_store import ProgressStore
from vod_playback.reporting import Reporting
from vod_playback.resuming import Resuming
from vod_playback.settings import Settings
from vod_playback.starting import Starting
from vod_playback.store import PlaybackStore
from vod_playback.sweeper import sweeper
from vod_playback.watching import Watching
from vod_rpc import Serving, channel, rpc_server
from vod_runtime import Endpoint, Runtime
from vod_storage import database_away, postgres

_PATIENCE = timedelta(seconds=20)
"""Of calls that may wait for a swarm; the caller's own deadline is usually nearer."""

_HANDLED_WITHIN = timedelta(seconds=60)
"""An event: a choice among candidates, and a swarm that has to answer."""

_UNTRACED = ("RecordHeartbeat",)
"""Many, all alike, and each cheaper than its span."""


@asynccontextmanager
async def serve(settings: Settings, runtime: Runtime) -> AsyncIterator[Endpoint]:
    """Run playback until the caller leaves the context."""
    silence = timedelta(seconds=settings.session_timeout)
    async with (
        postgres(settings.pg_dsn, schema="playback") as database,
        event_bus(settings.nats_url, runtime) as bus,
        channel(settings.catalog_target, runtime, retry=["vod.catalog.v1.CatalogService"]) as catalog_channel,
        channel(settings.picks_target, runtime, timeout=_PATIENCE) as picks_channel,
        channel(
            settings.stream_node_target, runtime, retry=["vod.stream.v1.StreamService"], timeout=_PATIENCE
        ) as stream_node,
        channel(settings.sources_target, runtime, timeout=_PATIENCE) as sources_channel,
        AsyncExitStack() as running,
    ):
        store, progress, beat_store = PlaybackStore(database), ProgressStore(database), BeatStore(database)
        catalog = CatalogClient(catalog_channel)
        picks = PicksClient(picks_channel)
        direct, links = SourcesClient(sources_channel), DeviceLinks(database)
        streams = GatewayStreams(direct, public_base=settings.public_base)
        pins, fallbacks = PinClient(stream_node), FallbackStore(database)
        holding = Holding(pins, streams=streams, log=runtime.log)
        choosing = Choosing(
            picks=picks,
            direct=direct,
            links=links,
            policy=settings.direct_sources,
            log=runtime.log,
        )
        views = await running.enter_async_context(live(fallbacks, pins, clock=runtime.clock, log=runtime.log))
        preparing = Preparing(
            store=store, catalog=catalog, last_resort=choosing, clock=runtime.clock, changed=views.changed
        )
        starting = Starting(
            store=store,
            catalog=catalog,
            choosing=choosing,
            preparing=preparing,
            picks=picks,
            holding=holding,
            clock=runtime.clock,
            new_id=_new_id,
            count=StartMetrics(runtime.metrics),
            changed=views.changed,
            log=runtime.log,
        )
        directing = DirectPlay(store=store, holding=holding, clock=runtime.clock, new_id=_new_id)
        beats = await running.enter_async_context(group_commit(beat_store))
        heartbeats = Heartbeats(bus, log=runtime.log)
        watching = Watching(
            store=store,
            beats=beats,
            picks=picks,
            holding=holding,
            endings=await running.enter_async_context(endings(beat_store, catalog, log=runtime.log)),
            events=heartbeats,
            clock=runtime.clock,
            log=runtime.log,
            silence=silence,
            changed=views.changed,
        )
        listener = Listener(
            FallingBack(
                store=fallbacks,
                catalog=catalog,
                picks=picks,
                last_resort=choosing,
                holding=holding,
                clock=runtime.clock,
                log=runtime.log,
                switched=FallbackMetrics(runtime.metrics).switched,
                changed=views.changed,
            )
        )
        serving = Serving(
            playback_service_pb2.DESCRIPTOR,
            playback_service_pb2_grpc.add_PlaybackServiceServicer_to_server,
            PlaybackServicer(
                starting=starting,
                directing=directing,
                watching=watching,
                resuming=Resuming(progress, catalog=catalog),
                continuing=Continuing(progress, catalog),
                links=links,
                live=views,
                choosing_next=ChoosingNext(
                    store=store, picks=picks, holding=holding, events=heartbeats, changed=views.changed
                ),
                changes=Changes(holding.switched_to),
                preparing=preparing,
                reporting=Reporting(progress, catalog=catalog, clock=runtime.clock),
                popularity=Popularity(database, clock=runtime.clock),
            ),
            untraced=_UNTRACED,
        )
        async with (
            relay(database, bus, runtime),
            consumer(
                bus,
                runtime,
                subject=PICK_REJECTED,
                durable="playback-pick-rejected",
                message=PickRejected,
                handle=listener.on_rejected,
                timeout=_HANDLED_WITHIN,
            ),
            consumer(
                bus,
                runtime,
                subject=PIN_STALLED,
                durable="playback-pin-stalled",
                message=PinStalled,
                handle=listener.on_stalled,
                timeout=_HANDLED_WITHIN,
            ),
            sweeper(watching.end_silent, database.check, runtime, every=silence / 4),
            keeping(
                store, pins, holding=holding, log=runtime.log, every=timedelta(seconds=settings.pins_looked_at_every)
            ),
            # NATS is no part of our health: without it positions are still stored, and events wait in the outbox.
            rpc_server(
                settings.listen, runtime, serving, checks={"postgres": database.check}, away=database_away
            ) as endpoint,
        ):
            yield endpoint


def _new_id() -> str:
    """Return a session's id: 128 random bits, fit for URLs and NATS subjects."""
    return secrets.token_hex(16)

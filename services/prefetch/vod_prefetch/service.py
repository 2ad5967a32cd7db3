"""The composition root of prefetch."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from prometheus_client import Counter
from vod.playback.v1.events_pb2 import EpisodeEnded, HeartbeatRecorded

from vod_events import consumer, event_bus
from vod_prefetch.clients import PicksClient, PlaybackClient, StreamNodeClient, SubtitlesClient
from vod_prefetch.events import ENDED, HEARTBEATS, Listener
from vod_prefetch.held import Held
from vod_prefetch.marks import RedisMarks
from vod_prefetch.prefetch import Prefetch
from vod_prefetch.settings import Settings
from vod_rpc import channel
from vod_runtime import Endpoint, Runtime
from vod_storage import redis_client

_HANDLING_LOSES = timedelta(seconds=10)


@asynccontextmanager
async def serve(settings: Settings, runtime: Runtime) -> AsyncIterator[Endpoint]:
    """Run prefetch until the caller leaves the context."""
    prepared = Counter("vod_prefetch_prepared", "Next episodes prepared", ["outcome"], registry=runtime.metrics)
    within = timedelta(seconds=settings.prepare_seconds)
    async with (
        event_bus(settings.nats_url, runtime) as bus,
        redis_client(settings.redis_url) as redis,
        channel(settings.picks_target, runtime) as picks,
        channel(settings.stream_node_target, runtime, retry=["vod.stream.v1.StreamService"]) as stream_node,
        channel(settings.subtitles_target, runtime) as subtitles,
        channel(settings.playback_target, runtime) as playback,
    ):
        nodes = StreamNodeClient(stream_node)
        listener = Listener(
            Prefetch(
                picks=PicksClient(picks),
                stream_node=nodes,
                subtitles=SubtitlesClient(subtitles),
                playback=PlaybackClient(playback),
                marks=RedisMarks(redis, runtime),
                held=Held(nodes, clock=runtime.clock),
                runtime=runtime,
                within=within,
                count=lambda outcome: prepared.labels(outcome).inc(),
            )
        )
        async with (
            consumer(
                bus,
                runtime,
                subject=HEARTBEATS,
                durable="prefetch-heartbeat",
                message=HeartbeatRecorded,
                handle=listener.on_heartbeat,
                timeout=within + _HANDLING_LOSES,
            ),
            consumer(
                bus,
                runtime,
                subject=ENDED,
                durable="prefetch-episode-ended",
                message=EpisodeEnded,
                handle=listener.on_ended,
                timeout=within + _HANDLING_LOSES,
            ),
        ):
            # Redis is not among the checks: without it prefetch does its work, only more often than needed.
            yield Endpoint(address="events", checks={"nats": bus.check})

"""The composition root of a stream node: everything is made here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from vod.stream.v1 import stream_service_pb2, stream_service_pb2_grpc

from vod_rpc import Serving, rpc_server
from vod_runtime import Endpoint, Runtime, background
from vod_stream_node.api import StreamServicer
from vod_stream_node.bitrates import Bitrates
from vod_stream_node.company import company
from vod_stream_node.domain import Infohash, PinKey
from vod_stream_node.engine import engine
from vod_stream_node.events import stall_events
from vod_stream_node.exact_sources import exact_sources
from vod_stream_node.headers import Origins, hosts
from vod_stream_node.http_server import http_server
from vod_stream_node.janitor import Janitor, Keeping
from vod_stream_node.magnets import Reach
from vod_stream_node.metrics import Metrics
from vod_stream_node.pins import Pins
from vod_stream_node.present import Present
from vod_stream_node.reader import PieceCache
from vod_stream_node.reports import Reports
from vod_stream_node.seeding import SeedPolicy
from vod_stream_node.session import SessionConfig
from vod_stream_node.settings import Settings
from vod_stream_node.sharing import Sharing
from vod_stream_node.stalls import Crowd, Stalls, stall_watch
from vod_stream_node.store import TorrentStore
from vod_stream_node.successors import Successors
from vod_stream_node.tokens import TokenSigner
from vod_stream_node.upkeep import Upkeep
from vod_stream_node.web import Limits, StreamApp

STREAMS_LISTENING = "streams_listening"
_RENEWED_AT_LEAST = timedelta(seconds=2)
"""How often a node makes its part of the register true: how long a flush goes unnoticed."""


@asynccontextmanager
async def serve(settings: Settings, runtime: Runtime) -> AsyncIterator[Endpoint]:
    """Run a stream node until the caller leaves the context."""
    reach = Reach.ANYWHERE if settings.allow_private_peers else Reach.PUBLIC
    store = TorrentStore(settings.data_dir / "stream")
    metrics = Metrics(runtime.metrics)
    signer = TokenSigner([key.get_secret_value().encode() for key in settings.secret_keys])
    network = await asyncio.to_thread(lambda: settings.network)
    session = SessionConfig(
        listen=settings.peer_interfaces,
        reach=reach,
        network=network,
        express=network.allows_own_connections,
    )
    limits = Limits(stall=settings.stall_timeout, idle=settings.idle_timeout, reads_per_token=settings.reads_per_token)
    async with AsyncExitStack() as stack:
        running = await stack.enter_async_context(
            engine(session, store=store, cache=PieceCache(settings.piece_cache_bytes), log=runtime.log)
        )
        janitor = Janitor(
            running,
            store=store,
            clock=runtime.clock,
            metrics=metrics,
            log=runtime.log,
            keeping=Keeping(ttl=settings.janitor_ttl, budget=settings.cache_bytes, reserve=settings.disk_reserve),
        )
        told = await stack.enter_async_context(stall_events(settings.nats_url, runtime, node=settings.node_name))

        async def crowd(key: PinKey) -> Crowd | None:
            if together and await together.fleet.is_elsewhere(key.infohash):
                return None  # its viewers went there while nobody reached this node, and here only their reads are left
            return await pins.crowd(key)

        # They need each other: pins say who waits, and tell how often that happened.
        stalls = Stalls(
            crowd,
            told.tell,
            after=settings.stall_after,
            clock=runtime.clock,
            metrics=metrics,
            log=runtime.log,
        )
        sharing = Sharing(running.torrents, short_of_room=lambda: janitor.short_of_room)
        pins = Pins(
            running,
            store=store,
            clock=runtime.clock,
            metrics=metrics,
            log=runtime.log,
            janitor=janitor,
            idle=settings.idle_unload,
            seeding=SeedPolicy(time=settings.seed_time, ratio=settings.seed_ratio),
            sharing=sharing,
            stalled=stalls.count,
        )
        together = None
        if settings.redis_url is not None:
            together = await stack.enter_async_context(
                company(
                    settings.redis_url,
                    settings,
                    runtime,
                    engine=running,
                    store=store,
                    pins=pins,
                    reach=reach,
                    metrics=metrics,
                )
            )

        async def known(infohash: Infohash) -> bool:
            return infohash in running.torrents or await asyncio.to_thread(store.knows, infohash)

        exact = await stack.enter_async_context(exact_sources(network, reach=reach, known=known, log=runtime.log))
        present = Present(running)
        bitrates = Bitrates(running.torrents, present)
        upkeep = Upkeep(running, pins=pins, janitor=janitor, log=runtime.log)
        reports = Reports(pins.statuses, metrics=metrics, log=runtime.log)
        successors = Successors()
        app = StreamApp(
            pins,
            stalls=stalls,
            successors=successors,
            signer=signer,
            limits=limits,
            origins=Origins(settings.origins),
            hosts=hosts(settings.public_base, settings.further_hosts),
            clock=runtime.clock,
            metrics=metrics,
            log=runtime.log,
            takeover=together.takeover if together else None,
        )
        own = StreamServicer(
            pins,
            present=present,
            exact_sources=exact,
            successors=successors,
            signer=signer,
            clock=runtime.clock,
            node=settings.node_name,
            public_base=settings.public_base,
            reach=reach,
            pin_ttl=settings.pin_ttl,
            next_pin_ttl=settings.next_pin_ttl,
            token_ttl=settings.token_ttl,
        )
        await stack.enter_async_context(stall_watch(stalls))
        await stack.enter_async_context(
            background(upkeep.run(settings.sweep_interval), sharing.run(), bitrates.run(), reports.run())
        )
        address = await stack.enter_async_context(http_server(settings.http_listen, app))
        runtime.log.info(STREAMS_LISTENING, address=address)
        serving = Serving(
            stream_service_pb2.DESCRIPTOR,
            stream_service_pb2_grpc.add_StreamServiceServicer_to_server,
            together.servicer(own) if together else own,
        )
        rpc = await stack.enter_async_context(
            rpc_server(settings.listen, runtime, serving, checks={"engine": running.check, "disk": store.check})
        )

        if together:
            await stack.enter_async_context(together.renewal.running(min(settings.lease / 3, _RENEWED_AT_LEAST)))

        async def drain() -> None:
            await pins.drain()
            await rpc.drain()
            if together:
                await together.handover.give_all(within=settings.drain_timeout)

        yield Endpoint(address=rpc.address, checks=rpc.checks, drain=drain)

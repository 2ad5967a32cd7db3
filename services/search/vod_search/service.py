"""Search, put together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from vod.search.v1 import search_service_pb2, search_service_pb2_grpc

from vod_rpc import Serving, rpc_server, take_off
from vod_runtime import Endpoint, Runtime, background
from vod_search.api import SearchServicer
from vod_search.providers import open_providers
from vod_search.search import STALE_FACTOR, Latency, Limits, Searches
from vod_search.settings import Settings
from vod_search.store import HotCache, RestTable, Table
from vod_search.sweeper import sweep_forever
from vod_storage import database_away, postgres, redis_client


@asynccontextmanager
async def serve(settings: Settings, runtime: Runtime) -> AsyncIterator[Endpoint]:
    """Run search until the caller leaves the context."""
    clock, log = runtime.clock, runtime.log
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(postgres(settings.pg_dsn, schema="search"))
        redis = await stack.enter_async_context(redis_client(settings.redis_url))
        providers = await open_providers(settings, stack, clock=clock)
        flights = await stack.enter_async_context(take_off())
        table = Table(db.pool)
        searches = Searches(
            providers=providers,
            rests=RestTable(db.pool, clock),
            table=table,
            hot=HotCache(redis, log),
            flights=flights,
            limits=Limits(cache_ttl=settings.cache_ttl, indexer_deadline=settings.indexer_deadline),
            clock=clock,
            log=log,
            latency=Latency(runtime.metrics),
        )
        serving = Serving(
            search_service_pb2.DESCRIPTOR,
            search_service_pb2_grpc.add_SearchServiceServicer_to_server,
            SearchServicer(searches),
        )
        async with (
            background(sweep_forever(table, ttl=STALE_FACTOR * settings.cache_ttl, clock=clock, log=log)),
            # Redis is not among the checks: without it search is slower, and still right.
            rpc_server(
                settings.listen, runtime, serving, checks={"postgres": db.check}, away=database_away
            ) as endpoint,
        ):
            yield endpoint

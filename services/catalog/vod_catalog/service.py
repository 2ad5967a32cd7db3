"""Catalog, put together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from vod.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc

from vod_catalog.api import CatalogServicer
from vod_catalog.jikan import Jikan, jikan_http
from vod_catalog.listings import Listings
from vod_catalog.refresh import refresh_forever
from vod_catalog.settings import Settings
from vod_catalog.store import Store
from vod_catalog.titles import Provider, Titles
from vod_catalog.tmdb import Tmdb, tmdb_http
from vod_catalog.upstream import Limits
from vod_rpc import Serving, rpc_server, take_off
from vod_runtime import Endpoint, Runtime
from vod_storage import postgres


@asynccontextmanager
async def serve(settings: Settings, runtime: Runtime) -> AsyncIterator[Endpoint]:
    """Run catalog until the caller leaves the context."""
    clock, log = runtime.clock, runtime.log
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(postgres(settings.pg_dsn, schema="catalog"))
        providers = await _providers(settings, runtime, stack)
        flights = await stack.enter_async_context(take_off())
        store = Store(db.pool)
        by_namespace = {namespace: provider for provider in providers for namespace in provider.namespaces}
        titles = Titles(store, providers=by_namespace, flights=flights, clock=clock, log=log, ttl=settings.ttl)
        listings = Listings(store, providers=providers, flights=flights, clock=clock, log=log)
        flights.launch("refresh", lambda: refresh_forever(titles, listings, every=settings.refresh_every, log=log))
        serving = Serving(
            catalog_service_pb2.DESCRIPTOR,
            catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server,
            CatalogServicer(titles, listings),
        )
        async with rpc_server(settings.listen, runtime, serving, checks={"postgres": db.check}) as endpoint:
            yield endpoint


async def _providers(settings: Settings, runtime: Runtime, stack: AsyncExitStack) -> list[Provider]:
    providers: list[Provider] = []
    if settings.tmdb_key is not None:
        key = settings.tmdb_key.get_secret_value()
        http = await stack.enter_async_context(tmdb_http(settings.tmdb_base, key=key))
        limits = Limits(settings.tmdb_per_second, burst=20, deadline=settings.upstream_deadline)
        providers.append(Tmdb(http, image_base=settings.tmdb_image_base, limits=limits, clock=runtime.clock))
    http = await stack.enter_async_context(jikan_http(settings.jikan_base))
    limits = Limits(settings.jikan_per_second, burst=3, deadline=settings.upstream_deadline)
    providers.append(Jikan(http, limits=limits, clock=runtime.clock))
    return providers

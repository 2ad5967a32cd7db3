"""Catalog, put together."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

import httpx
from vod.catalog.v1 import catalog_service_pb2, catalog_service_pb2_grpc

from vod_catalog.aniskip import AniSkip, Skipping
from vod_catalog.api import CatalogServicer
from vod_catalog.archive import InternetArchive, shipped_items
from vod_catalog.domain import ANIME
from vod_catalog.hosts import Host, HostStore
from vod_catalog.images import Images, image_http
from vod_catalog.jikan import Jikan
from vod_catalog.leases import Leases
from vod_catalog.listings import Listings
from vod_catalog.mal import Mal, mal_http
from vod_catalog.mapping_data import MappingData
from vod_catalog.naming import Naming, StoredOnly
from vod_catalog.numbering import Numbering
from vod_catalog.other_names import OtherNames
from vod_catalog.overrides import Overrides
from vod_catalog.refresh import Refreshing
from vod_catalog.relations import shipped_relations
from vod_catalog.settings import Settings
from vod_catalog.store import Store
from vod_catalog.store_names import NameStore
from vod_catalog.store_numbering import NumberingStore
from vod_catalog.titles import Provider, Titles
from vod_catalog.tmdb import Tmdb, tmdb_http
from vod_catalog.trending import Trending
from vod_catalog.upstream import Access, Limits, Upstream, json_http
from vod_rpc import Flights, Serving, rpc_server, take_off
from vod_runtime import Endpoint, Runtime
from vod_storage import database_away, postgres
from vod_web.public import PublicTransport, host_and_port

_ARCHIVE_PER_SECOND = 1.0
_MAL_PER_SECOND = 1.0
_ANISKIP_PER_SECOND = 2.0


@asynccontextmanager
async def serve(settings: Settings, runtime: Runtime) -> AsyncIterator[Endpoint]:
    """Run catalog until the caller leaves the context."""
    clock, log = runtime.clock, runtime.log
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(postgres(settings.pg_dsn, schema="catalog"))
        hosts = _hosts(runtime, HostStore(db.pool))
        providers = await _providers(settings, runtime, stack, hosts=hosts)
        flights = await stack.enter_async_context(take_off())
        store = Store(db.pool)
        by_namespace = {namespace: provider for provider in providers for namespace in provider.namespaces}
        second = await _second(settings, stack, hosts=hosts)
        titles = Titles(
            store, providers=by_namespace, second=second, flights=flights, clock=clock, log=log, ttl=settings.ttl
        )
        listings = Listings(store, providers=providers, second=second, flights=flights, clock=clock, log=log)
        numbering_store, relations = NumberingStore(db.pool), shipped_relations()
        mapping = await _mapping(settings, runtime, stack, numbering_store, flights)
        with_library = partial(Numbering, stored=store, shelf=numbering_store, lists=mapping, relations=relations)
        numbering, settled = with_library(library=titles), with_library(library=StoredOnly(store))
        naming = Naming(titles=titles, names=NameStore(db.pool), numbering=numbering, settled=settled)
        skipping = await _skipping(
            settings,
            runtime,
            stack,
            hosts=hosts,
            shelf=numbering_store,
            titles=titles,
            numbering=numbering,
            flights=flights,
        )
        image_client = await stack.enter_async_context(image_http(_public(settings)))
        refreshing = Refreshing(
            titles,
            listings,
            providers=providers,
            leases=Leases(db.pool, clock=clock),
            changing=[provider for provider in providers if isinstance(provider, Tmdb)],
            clock=clock,
            log=log,
        )
        flights.launch("refresh", lambda: refreshing.go_on(every=settings.refresh_every))
        serving = Serving(
            catalog_service_pb2.DESCRIPTOR,
            catalog_service_pb2_grpc.add_CatalogServiceServicer_to_server,
            CatalogServicer(
                titles,
                listings,
                naming=naming,
                other_names=OtherNames(stored=store, fetching=titles, numbering=settled),
                numbering=numbering,
                overrides=Overrides(
                    library=titles, seasons=store, shelf=numbering_store, lists=mapping, relations=relations
                ),
                skipping=skipping,
                trending=Trending(listings, stored=store, lists=mapping),
                images=Images(titles, image_client, hosts=_image_hosts(settings)),
            ),
        )
        async with rpc_server(
            settings.listen, runtime, serving, checks={"postgres": db.check}, away=database_away
        ) as endpoint:
            yield endpoint


Hosts = Callable[..., Upstream]


def _hosts(runtime: Runtime, states: HostStore) -> Hosts:
    """Return what makes an upstream of a client, its name and its limits."""

    def make(http: httpx.AsyncClient, *, name: str, limits: Limits, access: Access = Access.OPEN) -> Upstream:
        host = Host(name, states=states, clock=runtime.clock, log=runtime.log)
        return Upstream(http, name=name, limits=limits, host=host, clock=runtime.clock, access=access)

    return make


async def _providers(settings: Settings, runtime: Runtime, stack: AsyncExitStack, *, hosts: Hosts) -> list[Provider]:
    providers: list[Provider] = []
    if settings.tmdb_key is not None:
        key = settings.tmdb_key.get_secret_value()
        http = await stack.enter_async_context(tmdb_http(settings.tmdb_base, key=key))
        limits = Limits(settings.tmdb_per_second, burst=20, deadline=settings.upstream_deadline)
        upstream = hosts(http, name="TMDb", limits=limits, access=Access.WITH_KEY)
        providers.append(Tmdb(upstream, image_base=settings.tmdb_image_base))
    http = await stack.enter_async_context(json_http(settings.jikan_base))
    limits = Limits(settings.jikan_per_second, burst=3, deadline=settings.upstream_deadline)
    providers.append(Jikan(hosts(http, name="Jikan", limits=limits), clock=runtime.clock))
    if settings.archive_base:
        http = await stack.enter_async_context(json_http(settings.archive_base))
        limits = Limits(_ARCHIVE_PER_SECOND, burst=4, deadline=settings.upstream_deadline)
        items = [*shipped_items(), *(item.strip() for item in settings.archive_items.split(",") if item.strip())]
        upstream = hosts(http, name="Internet Archive", limits=limits)
        providers.append(InternetArchive(upstream, base=settings.archive_base, items=items, log=runtime.log))
    return providers


async def _second(settings: Settings, stack: AsyncExitStack, *, hosts: Hosts) -> dict[str, Provider]:
    """Return who answers where a provider does not, by the namespaces."""
    if settings.mal_client_id is None:
        return {}
    client_id = settings.mal_client_id.get_secret_value()
    http = await stack.enter_async_context(mal_http(settings.mal_base, client_id=client_id))
    limits = Limits(_MAL_PER_SECOND, burst=5, deadline=settings.upstream_deadline)
    return {ANIME: Mal(hosts(http, name="MyAnimeList", limits=limits, access=Access.WITH_KEY))}


async def _mapping(
    settings: Settings, runtime: Runtime, stack: AsyncExitStack, files: NumberingStore, flights: Flights
) -> MappingData:
    http = await stack.enter_async_context(httpx.AsyncClient(transport=_public(settings), timeout=30.0))
    urls = (settings.anime_lists_url, settings.anime_ids_url)
    data = MappingData(files, http, lists_url=urls[0], ids_url=urls[1], clock=runtime.clock, log=runtime.log)
    if all(urls):
        flights.launch("mapping", data.keep_fresh)
    return data


async def _skipping(
    settings: Settings,
    runtime: Runtime,
    stack: AsyncExitStack,
    *,
    hosts: Hosts,
    shelf: NumberingStore,
    titles: Titles,
    numbering: Numbering,
    flights: Flights,
) -> Skipping | None:
    if not settings.aniskip_base:
        return None
    http = await stack.enter_async_context(json_http(settings.aniskip_base))
    limits = Limits(_ANISKIP_PER_SECOND, burst=10, deadline=settings.upstream_deadline)
    aniskip = AniSkip(hosts(http, name="AniSkip", limits=limits))
    return Skipping(aniskip, shelf=shelf, titles=titles, numbering=numbering, flights=flights, clock=runtime.clock)


def _public(settings: Settings) -> PublicTransport:
    """Return what leads to public addresses only, and to those that the operator has set."""
    names = {"tmdb_image_base", "archive_base", "anime_lists_url", "anime_ids_url"} & settings.model_fields_set
    named = {host_and_port(httpx.URL(url)) for name in names if (url := getattr(settings, name))}
    return PublicTransport(httpx.AsyncHTTPTransport(), allowed=named)


def _image_hosts(settings: Settings) -> frozenset[str]:
    bases = (settings.tmdb_image_base, settings.archive_base, "https://cdn.myanimelist.net")
    return frozenset(urlsplit(base).netloc for base in bases if base)

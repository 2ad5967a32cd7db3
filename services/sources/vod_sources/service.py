"""Sources, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
from vod.sources.v1 import sources_service_pb2, sources_service_pb2_grpc

from vod_rpc import Serving, rpc_server
from vod_runtime import Endpoint, Runtime
from vod_sources.api import SourcesServicer
from vod_sources.finding import Finding
from vod_sources.guard import Guard, Resolve, system_resolve
from vod_sources.playing import Playing
from vod_sources.providers import Consumet, InternetArchive, Mirrors, Provider, StremioAddon, Vidlink
from vod_sources.settings import Settings
from vod_sources.store import Store
from vod_storage import postgres


@asynccontextmanager
async def serve(settings: Settings, runtime: Runtime, resolve: Resolve = system_resolve) -> AsyncIterator[Endpoint]:
    """Run sources until the caller leaves the context."""
    async with (
        postgres(settings.pg_dsn, schema="sources") as db,
        # No proxy of the environment: what is fetched is what was checked.
        httpx.AsyncClient(trust_env=False, timeout=10.0, headers={"user-agent": "NovaStream/0.1"}) as http,
    ):
        store = Store(db.pool)
        private = frozenset(one.strip() for one in settings.private_hosts.split(",") if one.strip())
        guard = Guard(http, resolve=resolve, allowed=private)
        providers = _providers(settings, http, resolve)
        finding = Finding(providers, guard, store=store, log=runtime.log)
        playing = Playing(guard, finding=finding, store=store, clock=runtime.clock, log=runtime.log)
        serving = Serving(
            sources_service_pb2.DESCRIPTOR,
            sources_service_pb2_grpc.add_SourcesServiceServicer_to_server,
            SourcesServicer(finding, playing),
        )
        async with rpc_server(settings.listen, runtime, serving, checks={"postgres": db.check}) as endpoint:
            yield endpoint


def _providers(settings: Settings, http: httpx.AsyncClient, resolve: Resolve) -> list[Provider]:
    """Make those that are configured; each may lie on a private address, because the operator wrote it down."""

    def guard(base: str) -> Guard:
        return Guard(http, resolve=resolve, allowed=frozenset({_host_and_port(base)}))

    providers: list[Provider] = []
    if settings.mirrors:
        providers.append(Mirrors(settings.mirrors))
    if settings.consumet_base:
        providers.append(Consumet(settings.consumet_base, guard(settings.consumet_base)))
    if settings.vidlink_base:
        providers.append(Vidlink(settings.vidlink_base, guard(settings.vidlink_base)))
    if settings.stremio_addon:
        providers.append(StremioAddon(settings.stremio_addon, guard(settings.stremio_addon)))
    if settings.archive_base:
        providers.append(InternetArchive(settings.archive_base, guard(settings.archive_base)))
    return providers


def _host_and_port(base: str) -> str:
    parts = urlsplit(base)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"

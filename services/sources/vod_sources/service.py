"""Sources, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
from vod.sources.v1 import sources_service_pb2, sources_service_pb2_grpc

from vod_rpc import Serving, rpc_server
from vod_runtime import Endpoint, Runtime
from vod_sources.api import SourcesServicer
from vod_sources.archive import InternetArchive
from vod_sources.editorial import SHIPPED, Editorial
from vod_sources.finding import Finding
from vod_sources.guard import Guard
from vod_sources.keeping import Keeping
from vod_sources.mirrors import Mirrors
from vod_sources.playing import Playing
from vod_sources.probing import Probe
from vod_sources.providers import Consumet, Provider, StremioAddon, Vidlink
from vod_sources.replacing import replacing
from vod_sources.settings import Settings
from vod_sources.store import Store
from vod_storage import database_away, postgres
from vod_web.public import Resolve, system_resolve


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
        asked = _providers(settings, http, resolve)
        finding = Finding(
            asked.others,
            Probe(guard),
            editorial=asked.editorial,
            patience=timedelta(seconds=settings.provider_seconds),
            patience_with_hosts=timedelta(seconds=settings.probe_seconds),
            store=store,
            clock=runtime.clock,
            log=runtime.log,
        )
        async with replacing(finding, store=store, clock=runtime.clock, log=runtime.log) as alive:
            servicer = SourcesServicer(
                finding=finding,
                playing=Playing(guard, replacing=alive, store=store, clock=runtime.clock),
                keeping=Keeping(finding, replacing=alive, store=store, clock=runtime.clock),
            )
            serving = Serving(
                sources_service_pb2.DESCRIPTOR,
                sources_service_pb2_grpc.add_SourcesServiceServicer_to_server,
                servicer,
            )
            async with rpc_server(
                settings.listen, runtime, serving, checks={"postgres": db.check}, away=database_away
            ) as endpoint:
                yield endpoint


@dataclass(frozen=True, slots=True)
class _Asked:
    editorial: list[Provider]
    others: list[Provider]


def _providers(settings: Settings, http: httpx.AsyncClient, resolve: Resolve) -> _Asked:
    """Make those that are configured; each may lie on a private address, because the operator wrote it down."""

    def guard(base: str) -> Guard:
        return Guard(http, resolve=resolve, allowed=frozenset({_host_and_port(base)}))

    archive = InternetArchive(settings.archive_base, guard(settings.archive_base)) if settings.archive_base else None
    others: list[Provider] = []
    if settings.mirrors:
        others.append(Mirrors(settings.mirrors))
    if settings.consumet_base:
        others.append(Consumet(settings.consumet_base, guard(settings.consumet_base)))
    if settings.vidlink_base:
        others.append(Vidlink(settings.vidlink_base, guard(settings.vidlink_base)))
    if settings.stremio_addon:
        others.append(StremioAddon(settings.stremio_addon, guard(settings.stremio_addon)))
    editorial: list[Provider] = [Editorial(settings.editorial or SHIPPED, archive)]
    if archive:
        editorial.append(archive)
    return _Asked(editorial=editorial, others=others)


def _host_and_port(base: str) -> str:
    parts = urlsplit(base)
    return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"

"""Subtitles, put together."""

import re
from collections.abc import AsyncIterator, Set
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

import httpx
from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub
from vod.stream.v1.stream_service_pb2_grpc import StreamServiceStub
from vod.subtitles.v1 import subtitles_service_pb2, subtitles_service_pb2_grpc

from vod_rpc import Serving, channel, rpc_server, take_off
from vod_runtime import Endpoint, Runtime
from vod_storage import database_away, postgres
from vod_subtitles.alignments import Alignments
from vod_subtitles.api import SubtitlesServicer
from vod_subtitles.clients import CatalogClient, StreamNodeClient
from vod_subtitles.configured import Addon, Folder, Template
from vod_subtitles.feeds import Feed
from vod_subtitles.files import Downloader, Files
from vod_subtitles.job_store import Fonts, Jobs
from vod_subtitles.opensubtitles import Account, opensubtitles
from vod_subtitles.ports import Source
from vod_subtitles.settings import Settings
from vod_subtitles.store import Store
from vod_subtitles.subtitles import Subtitles
from vod_subtitles.torrents import Torrents
from vod_subtitles.workers import workers
from vod_web.public import PublicTransport, host_and_port

_CONVERSIONS_AT_ONCE = 2
_VIDEOS_AT_ONCE = 1
_ALIGNMENTS_AT_ONCE = 1
_FETCH_DEADLINE = timedelta(seconds=10)
_MOST_REDIRECTS = 3


@asynccontextmanager
async def serve(settings: Settings, runtime: Runtime) -> AsyncIterator[Endpoint]:
    """Run subtitles until the caller leaves the context."""
    clock, log = runtime.clock, runtime.log
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(postgres(settings.pg_dsn, schema="subtitles"))
        sources = await _sources(settings, runtime, stack)
        to_catalog = await stack.enter_async_context(
            channel(settings.catalog_target, runtime, retry=["vod.catalog.v1.CatalogService"])
        )
        to_stream_node = await stack.enter_async_context(
            channel(settings.stream_node_target, runtime, retry=["vod.stream.v1.StreamService"])
        )
        converting = await stack.enter_async_context(workers(_CONVERSIONS_AT_ONCE))
        reading = await stack.enter_async_context(workers(_VIDEOS_AT_ONCE))
        flights = await stack.enter_async_context(take_off())
        store = Store(db.pool)
        aligning = await stack.enter_async_context(workers(_ALIGNMENTS_AT_ONCE))
        fonts = Fonts(db.pool)
        torrents = Torrents(
            store,
            fonts=fonts,
            node=StreamNodeClient(StreamServiceStub(to_stream_node)),
            workers=reading,
            flights=flights,
            log=log,
        )
        downloaders: dict[str, Downloader] = {source.name: source for source in sources}
        downloaders[torrents.name] = torrents
        files = Files(store, sources=downloaders, workers=converting, flights=flights, clock=clock, log=log)
        alignments = Alignments(
            store, jobs=Jobs(db.pool), files=files, workers=aligning, flights=flights, clock=clock, log=log
        )
        subtitles = Subtitles(
            store,
            files=files,
            sources=sources,
            videos=torrents,
            catalog=CatalogClient(CatalogServiceStub(to_catalog)),
            flights=flights,
            clock=clock,
            log=log,
            languages=settings.languages,
        )
        serving = Serving(
            subtitles_service_pb2.DESCRIPTOR,
            subtitles_service_pb2_grpc.add_SubtitlesServiceServicer_to_server,
            SubtitlesServicer(subtitles, alignments=alignments, fonts=fonts),
        )
        async with rpc_server(
            settings.listen, runtime, serving, checks={"postgres": db.check}, away=database_away
        ) as endpoint:
            yield endpoint


async def _sources(settings: Settings, runtime: Runtime, stack: AsyncExitStack) -> list[Source]:
    sources: list[Source] = []
    if settings.os_key is not None:
        key, account = settings.os_key.get_secret_value(), None
        if settings.os_username and settings.os_password:
            account = Account(settings.os_username, settings.os_password.get_secret_value())
        client = opensubtitles(settings.os_base, key=key, clock=runtime.clock, account=account)
        sources.append(await stack.enter_async_context(client))
    if settings.folder is not None:
        sources.append(Folder(settings.folder))
    if settings.addresses:
        named = {host_and_port(httpx.URL(re.sub(r"[{}]", "", address))) for address in settings.addresses}
        http = await stack.enter_async_context(_public_http(named))
        sources += [Addon(http, address) for address in settings.addon_list]
        sources += [Template(http, template) for template in settings.endpoint_list]
        sources += [Feed(http, address, language=lang) for address, lang in settings.feed_list]
    return sources


def _public_http(named: Set[str]) -> httpx.AsyncClient:
    """Return a client that reaches public addresses, and the `host:port`s that the operator named."""
    return httpx.AsyncClient(
        transport=PublicTransport(httpx.AsyncHTTPTransport(), allowed=named),
        timeout=_FETCH_DEADLINE.total_seconds(),
        follow_redirects=True,
        max_redirects=_MOST_REDIRECTS,
        trust_env=False,
    )

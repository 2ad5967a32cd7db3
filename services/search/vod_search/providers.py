"""Who is asked: what the operator has configured, and the Internet Archive unless that is switched off."""

from contextlib import AsyncExitStack

import httpx

from vod_runtime import Clock
from vod_search import archive
from vod_search.archive import InternetArchive
from vod_search.asking import LATEST
from vod_search.indexers import Indexer, Misconfigured, Provider
from vod_search.magnets import TrackerHosts
from vod_search.mirrors import NAME as MIRRORS
from vod_search.mirrors import Mirrors
from vod_search.prowlarr import NAME as PROWLARR
from vod_search.prowlarr import prowlarr
from vod_search.settings import Settings
from vod_search.stremio import Stremio
from vod_search.torznab import Torznab
from vod_search.upstream import MOST_HOPS, Upstream, upstream
from vod_web.public import PublicTransport

NOT_CONFIGURED = "no indexer is configured: set PROWLARR_URL and PROWLARR_KEY, VOD_TORZNAB_URLS or VOD_STREMIO_ADDONS"


class NotConfigured:
    """Stands where the operator's own indexers would; says what to do in each answer."""

    name = PROWLARR

    async def indexers(self) -> list[Indexer]:
        """Say that there are none."""
        raise Misconfigured(NOT_CONFIGURED)


def _public_http(settings: Settings) -> httpx.AsyncClient:
    """Return what fetches .torrents from public addresses, and from those inside that the operator named."""
    named = frozenset(one.strip() for one in settings.private_hosts.split(",") if one.strip())
    return httpx.AsyncClient(
        transport=PublicTransport(httpx.AsyncHTTPTransport(), allowed=named),
        timeout=LATEST.total_seconds(),
        follow_redirects=True,
        max_redirects=MOST_HOPS,
        trust_env=False,
    )


async def open_providers(settings: Settings, stack: AsyncExitStack, *, clock: Clock) -> list[Provider]:
    """Open a client for each provider; they are closed with *stack*."""
    hosts = TrackerHosts.ANY if settings.allow_private_peers else TrackerHosts.PUBLIC
    providers: list[Provider] = []

    async def client(base: str) -> Upstream:
        return await stack.enter_async_context(upstream(base, deadline=LATEST, hosts=hosts))

    providers += [Torznab(one, upstream=await client(one.url), hosts=hosts, clock=clock) for one in settings.torznab]
    providers += [Stremio(one, upstream=await client(one.url), hosts=hosts, clock=clock) for one in settings.stremio]
    if settings.prowlarr_url is not None:
        taken = {archive.NAME, MIRRORS, *(one.name for one in providers)}
        key = settings.prowlarr_key
        opened = prowlarr(settings.prowlarr_url, key=key, deadline=LATEST, hosts=hosts, taken=taken, clock=clock)
        providers.append(await stack.enter_async_context(opened))
    if not providers:
        providers.append(NotConfigured())
    if settings.mirrors is not None:
        http = await stack.enter_async_context(_public_http(settings))
        providers.append(Mirrors(settings.mirrors, http=http, hosts=hosts))
    if settings.archive:
        items = (*archive.shipped_items(), *(one.strip() for one in settings.archive_items.split(",")))
        base = settings.archive_base
        providers.append(InternetArchive(await client(base), base=base, items=items, hosts=hosts, clock=clock))
    return providers

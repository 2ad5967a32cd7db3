"""The composition root of the gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from vod_gateway.app import gateway_app
from vod_gateway.clients import backends
from vod_gateway.depends import Gateway, Readiness
from vod_gateway.limits import Limits, Listeners, Rate, SearchLimit, TokenBuckets
from vod_gateway.server import http_server
from vod_gateway.settings import Settings
from vod_runtime import Endpoint, Runtime

_LISTENERS_PER_SESSION = 4
_ADMIN_FAILURES = Rate(per_minute=5, burst=5)


@asynccontextmanager
async def serve(settings: Settings, runtime: Runtime) -> AsyncIterator[Endpoint]:
    """Serve the public API until the caller leaves the context; the port is bound when it yields.

    The endpoint has no checks: the gateway owns no resource, and its neighbours' health is theirs.
    """
    readiness = Readiness()

    async def drain() -> None:
        readiness.draining = True

    async with backends(settings, runtime) as stubs:
        gateway = Gateway(
            backends=stubs,
            limits=_limits(settings, runtime),
            readiness=readiness,
            admin_key=settings.admin_key.get_secret_value() if settings.admin_key else None,
            direct_play=settings.direct_play,
            trusted_proxies=settings.trusted_proxies,
            version=version("vod-gateway"),
        )
        app = gateway_app(settings, runtime, gateway)
        async with http_server(app, listen=settings.http_listen) as address:
            yield Endpoint(address=address, drain=drain)


def _limits(settings: Settings, runtime: Runtime) -> Limits:
    search = Rate(per_minute=settings.search_per_minute, burst=settings.search_burst)
    titles = Rate(per_minute=settings.titles_per_minute, burst=settings.titles_burst)
    return Limits(
        search=SearchLimit(search, runtime.clock),
        titles=SearchLimit(titles, runtime.clock),
        admin_failures=TokenBuckets(_ADMIN_FAILURES, runtime.clock),
        listeners=Listeners(most=settings.max_listeners, per_session=_LISTENERS_PER_SESSION),
    )

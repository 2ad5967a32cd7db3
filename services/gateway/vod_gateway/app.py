"""The application: routes, guards from the outside in, and one way for errors to leave."""

from datetime import timedelta
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.types import Scope

from vod_gateway import guards, problems
from vod_gateway.depends import Gateway, given_key, same_key
from vod_gateway.device import DeviceCookie, KeyRing
from vod_gateway.routes import about, admin, aliases, catalog, content, events, play, session, shelf, subtitles, watch
from vod_gateway.settings import Settings
from vod_gateway.telemetry import Telemetry
from vod_rpc import Failure
from vod_runtime import Runtime

_DEADLINE = timedelta(seconds=10)
_BODY_WITHIN = timedelta(seconds=10)
_TORRENT_BODY = (4 << 20) + (64 << 10)
"""A .torrent of 3 MiB in base64, and what stands around it."""


def gateway_app(settings: Settings, runtime: Runtime, gateway: Gateway) -> FastAPI:
    """Return the application; its description and docs come without scripts from elsewhere."""
    app = FastAPI(
        title="NovaStream",
        version=gateway.version,
        summary="Streams from the swarm while it downloads; the only public API.",
        openapi_url=None,
        redirect_slashes=False,
        middleware=_guards(settings, runtime, gateway),
        # The framework's own would use the process-wide providers; each service has its own (telemetry.py).
        telemetry={"tracing": False, "metrics": False, "logs": False},
        exception_handlers={
            Failure: problems.on_failure,
            HTTPException: problems.on_http_exception,
            RequestValidationError: problems.on_invalid,
        },
    )
    app.state.gateway = gateway
    for router in (
        session.router,
        events.router,
        watch.router,
        shelf.router,
        subtitles.router,
        catalog.router,
        aliases.router,
        content.router,
        play.router,
        admin.router,
        about.router,
    ):
        app.include_router(router)
    return app


def _guards(settings: Settings, runtime: Runtime, gateway: Gateway) -> list[Middleware]:
    """List what a request passes, outermost first.

    What decorates every answer (headers, CORS) stands outside of `Problems`, so that refusals are decorated too.
    """
    base = urlsplit(settings.public_base)
    origins = guards.Origins(configured=settings.cors_origins, public_base=settings.public_base)
    hosts = {*settings.allowed_hosts, *([base.hostname] if base.hostname else [])}
    previous = [settings.secret_key_previous] if settings.secret_key_previous else []

    def larger(scope: Scope) -> int:
        """A .torrent needs room; strangers get none."""
        if scope["path"] != session.START:
            return 0
        key = given_key(Headers(scope=scope))
        is_owner = gateway.admin_key is not None and key is not None and same_key(key, gateway.admin_key)
        return _TORRENT_BODY if is_owner or gateway.direct_play else 0

    keys = KeyRing([secret.get_secret_value() for secret in [settings.secret_key, *previous]])
    return [
        Middleware(guards.HeadAsGet),
        Middleware(Telemetry, runtime=runtime),
        Middleware(guards.SecurityHeaders),
        Middleware(guards.CorsHeaders, origins=origins),
        Middleware(problems.Problems, runtime=runtime),
        Middleware(guards.HostGuard, hosts=hosts),
        Middleware(guards.CrossSiteGuard, origins=origins),
        Middleware(guards.BodyGuard, within=_BODY_WITHIN, larger=larger),
        Middleware(DeviceCookie, keys=keys, secure="; Secure" if base.scheme == "https" else ""),
        Middleware(guards.EdgeDeadline, default=_DEADLINE, by_path=session.DEADLINES | admin.DEADLINES),
    ]

"""What routes ask for by type: the services, the viewer's device, limits, the admin."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import Headers

from vod_gateway import dto
from vod_gateway.clients import Backends
from vod_gateway.device import Device, DeviceId
from vod_gateway.errors import AdminKeyRequired, AdminRoutesOff, DirectPlayOff, RateLimited
from vod_gateway.limits import Limits, SearchLimit, client_address
from vod_gateway.settings import Network


@dataclass(slots=True)
class Readiness:
    """Whether the gateway takes new work."""

    draining: bool = False


@dataclass(frozen=True, slots=True)
class Gateway:
    """What the routes live on; `app.state.gateway`."""

    backends: Backends
    limits: Limits
    readiness: Readiness
    admin_key: str | None
    direct_play: bool
    """Everybody may play torrents directly."""
    trusted_proxies: Sequence[Network]
    version: str


def _gateway(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


async def _backends(request: Request) -> Backends:
    return _gateway(request).backends


async def _readiness(request: Request) -> Readiness:
    return _gateway(request).readiness


async def _device(request: Request) -> DeviceId:
    device: Device = request.state.device
    return device.identify()


async def _request_id(
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            pattern=r"^[\x21-\x7e]{1,255}$",
            description="Chosen by the client; the same key of the same device gets the same session.",
            examples=["3f1c6f1e-8a55-4a63-9d1f-5b1b2a0c7f10"],
        ),
    ] = None,
) -> str:
    return key or ""


def _count(request: Request, limit: SearchLimit) -> None:
    gateway = _gateway(request)
    limit.check(request.state.device, client_address(request.scope, trusted=gateway.trusted_proxies))


async def limit_search(request: Request) -> None:
    """Count a request that may search for releases."""
    _count(request, _gateway(request).limits.search)


async def limit_titles(request: Request) -> None:
    """Count a search for titles."""
    _count(request, _gateway(request).limits.titles)


_api_key = APIKeyHeader(name="X-Api-Key", auto_error=False, description="The admin key (VOD_ADMIN_KEY).")
_bearer = HTTPBearer(auto_error=False, description="The admin key (VOD_ADMIN_KEY).")


async def require_admin(
    request: Request,
    api_key: Annotated[str | None, Security(_api_key)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> None:
    """Let only the holder of the admin key pass; after some wrong keys an address has to wait."""
    gateway = _gateway(request)
    if gateway.admin_key is None:
        raise AdminRoutesOff("The admin routes are off: the gateway was started without VOD_ADMIN_KEY.")
    given = api_key if api_key is not None else bearer.credentials if bearer else None
    if not _opens(request, given, gateway.admin_key):
        raise AdminKeyRequired("Send the admin key as X-Api-Key or as a Bearer token.")


def require_owner(request: Request) -> None:
    """Let only those pass who may play torrents directly."""
    gateway = _gateway(request)
    if gateway.direct_play:
        return
    if gateway.admin_key is None or not _opens(request, given_key(request.headers), gateway.admin_key):
        raise DirectPlayOff("Only the owner may play torrents directly: with the admin key, or VOD_DIRECT_PLAY.")


def given_key(headers: Headers) -> str | None:
    """Return the admin key that a request carries."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else None)


def _opens(request: Request, given: str | None, key: str) -> bool:
    """Compare with the admin key; after some wrong ones an address has to wait."""
    gateway = _gateway(request)
    address = client_address(request.scope, trusted=gateway.trusted_proxies)
    if (wait := gateway.limits.admin_failures.wait(address)) is not None:
        raise RateLimited("Too many wrong admin keys; please wait a little.", retry_after=wait)
    if given is None or same_key(given, key):
        return given is not None
    gateway.limits.admin_failures.take(address)
    return False


def same_key(given: str, key: str) -> bool:
    """Compare keys without telling anything by the time it takes."""
    # Hashed first, so that the time tells nothing about the length either.
    digests = (hashlib.sha256(text.encode()).digest() for text in (given, key))
    return hmac.compare_digest(*digests)


BackendsDep = Annotated[Backends, Depends(_backends)]
ReadinessDep = Annotated[Readiness, Depends(_readiness)]
DeviceDep = Annotated[DeviceId, Depends(_device)]
RequestIdDep = Annotated[str, Depends(_request_id)]
GatewayDep = Annotated[Gateway, Depends(_gateway)]

SeriesIdQuery = Annotated[dto.SeriesId, Query(alias="seriesId", examples=["tmdb:tv:9001"])]
OptionalSeriesId = Annotated[dto.SeriesId | None, Query(alias="seriesId", examples=["tmdb:tv:9001"])]
OptionalSubjectId = Annotated[dto.SubjectId | None, Query(alias="subjectId", examples=["anna"])]
InfohashQuery = Annotated[dto.Infohash, Query(examples=["5d1ce7a9b0f34e2c8a6d7b9e0f1a2b3c4d5e6f70"])]
SessionIdQuery = Annotated[dto.SessionId, Query(alias="sessionId", examples=["01J9ZQ6M3T7B5D2XW8VN4KC0RA"])]
SeriesIdPath = Annotated[dto.SeriesId, Path(alias="seriesId", examples=["tmdb:tv:9001"])]
SessionIdPath = Annotated[dto.SessionId, Path(alias="sessionId", examples=["01J9ZQ6M3T7B5D2XW8VN4KC0RA"])]
EpisodeKeyPath = Annotated[
    str, Path(alias="episodeKey", pattern=dto.EPISODE_KEY_PATTERN, examples=["tmdb:tv:9001:S01E02"])
]
SeasonPath = Annotated[dto.Season, Path(examples=[1])]
EpisodePath = Annotated[dto.Episode, Path(examples=[3])]
OptionalLanguage = Annotated[dto.Language | None, Query(examples=["en"])]
TitleQuery = Annotated[str, Query(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", examples=["harbor"])]
Limit = Annotated[int, Query(ge=1, le=50)]

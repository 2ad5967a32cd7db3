"""The gateway's own failures; those of the services pass through it unchanged.

Failure
├── InvalidArgument
│   ├── InvalidRequest          400  a field is missing, unknown, of the wrong type or out of range
│   ├── InvalidJson             400  the body is not JSON
│   ├── BodyTooLarge            413
│   ├── UnsupportedMediaType    415
│   └── HostNotAllowed          421  against DNS rebinding
├── Unauthenticated
│   └── AdminKeyRequired        401
├── PermissionDenied
│   ├── OriginNotAllowed        403  against cross-site request forgery
│   └── DirectPlayOff           403  torrents are for the owner
├── NotFound
│   ├── RouteNotFound           404
│   └── AdminRoutesOff          404  there is no VOD_ADMIN_KEY
├── FailedPrecondition
│   └── MethodNotAllowed        405
├── DeadlineExceeded
│   └── BodyTooSlow             408
├── ResourceExhausted
│   └── RateLimited             429
└── Unavailable
    └── Draining                503
"""

from vod_rpc import (
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
)


class InvalidRequest(InvalidArgument):
    """A field is missing, unknown, of the wrong type or out of range; `errors` names each."""

    reason = "INVALID_REQUEST"


class InvalidJson(InvalidArgument):
    """The body is not JSON."""

    reason = "INVALID_JSON"


class BodyTooLarge(InvalidArgument):
    """The body is longer than any request of this API."""

    reason = "BODY_TOO_LARGE"
    http_status = 413


class UnsupportedMediaType(InvalidArgument):
    """Bodies are `application/json`, nothing else: a web page of another site can't send that without asking."""

    reason = "UNSUPPORTED_MEDIA_TYPE"
    http_status = 415


class HostNotAllowed(InvalidArgument):
    """The request was made for a host name that is not this gateway's."""

    reason = "HOST_NOT_ALLOWED"
    http_status = 421


class AdminKeyRequired(Unauthenticated):
    """The admin key is missing or wrong."""

    reason = "ADMIN_KEY_REQUIRED"


class OriginNotAllowed(PermissionDenied):
    """A web page of another site tried to change something."""

    reason = "ORIGIN_NOT_ALLOWED"


class DirectPlayOff(PermissionDenied):
    """Only the owner may name a torrent to play: with the admin key, or where VOD_DIRECT_PLAY lets everybody."""

    reason = "DIRECT_PLAY_OFF"


class RouteNotFound(NotFound):
    """The API has no such path."""

    reason = "ROUTE_NOT_FOUND"


class AdminRoutesOff(NotFound):
    """No admin key is configured, so nobody is an admin."""

    reason = "ADMIN_ROUTES_OFF"


class MethodNotAllowed(FailedPrecondition):
    """The path exists, for other methods; `Allow` lists them."""

    reason = "METHOD_NOT_ALLOWED"
    http_status = 405


class BodyTooSlow(DeadlineExceeded):
    """The body did not arrive in time."""

    reason = "BODY_TOO_SLOW"
    http_status = 408


class RateLimited(ResourceExhausted):
    """Too many searches from one device or address; `Retry-After` says when to come back."""

    reason = "RATE_LIMITED"


class Draining(Unavailable):
    """The gateway is stopping and takes no new work."""

    reason = "DRAINING"

"""One HTTP host that answers JSON: asked within its limits, never waited for too long, never trusted.

A host that asks us to wait (429, `Retry-After`) or fails several times in a row is left alone for a while (`hosts.py`):
every request in that time fails at once, so that nobody waits for an outage twice.
"""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import Enum

import httpx

from vod_catalog.errors import CatalogNotConfigured, UpstreamUnavailable
from vod_catalog.fields import Fields
from vod_catalog.hosts import Host
from vod_runtime import Clock

Params = Mapping[str, str | Sequence[str]]
"""Of a query; a sequence repeats its name."""
_KEY_STATUSES = frozenset({401, 403})
_RETRY_STATUSES = frozenset({500, 502, 503, 504})
_RETRY_SECONDS = (0.1, 0.4)
_AGAIN_AFTER = timedelta(seconds=5)
_CLIENT_SECONDS = 10.0


def json_http(
    base: str, *, headers: Mapping[str, str] | None = None, params: Mapping[str, str] | None = None
) -> httpx.AsyncClient:
    """Return a client of one host; the caller closes it. How long a request may take, `Limits` say."""
    said = {"user-agent": "NovaStream/0.1 (self-hosted)", "accept": "application/json", **(headers or {})}
    return httpx.AsyncClient(base_url=base, headers=said, params=params or {}, timeout=_CLIENT_SECONDS)


class Access(Enum):
    """Whom a host answers."""

    OPEN = "everybody"
    WITH_KEY = "those who have a key"


class NotThereError(Exception):
    """The host answers 404: it has no such thing."""


class HostRests(UpstreamUnavailable):
    """The host was not asked, or asks us to wait: whatever was wanted of it is not to blame."""


class _TryAgainError(Exception):
    """The host could not be reached or failed in a way that a second try may mend."""


class _FailedError(Exception):
    """The host failed in a way that a second try will not mend."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What we allow ourselves with a host."""

    per_second: float
    burst: int
    deadline: timedelta = timedelta(seconds=8)
    """For one request with its second try."""
    longest_queue: timedelta = timedelta(seconds=20)
    """A request that would wait longer than this for its turn fails at once."""
    max_bytes: int = 4 * 1024 * 1024


class TokenBucket:
    """Turns: *burst* at once, then *per_second*, in the order in which they are asked for."""

    def __init__(self, *, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._tokens = float(burst)
        self._at = 0.0

    def wait_at(self, now: float) -> float:
        """Return how many seconds a turn asked for at *now* would wait."""
        return max(0.0, (1 - self._tokens_at(now)) / self._per_second)

    def take(self, now: float) -> float:
        """Take a turn at *now* and return how many seconds to wait for it."""
        wait = self.wait_at(now)
        self._tokens = self._tokens_at(now) - 1
        self._at = now
        return wait

    def _tokens_at(self, now: float) -> float:
        return min(self._burst, self._tokens + max(0.0, now - self._at) * self._per_second)


class Upstream:
    """A host, and what it told us about its state."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        name: str,
        limits: Limits,
        host: Host,
        clock: Clock,
        access: Access = Access.OPEN,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = http
        self._sleep = sleep
        self._name = name
        self._limits = limits
        self._host = host
        self._clock = clock
        self._access = access
        self._turns = TokenBucket(per_second=limits.per_second, burst=limits.burst)

    async def get(
        self, path: str, *, params: Params | None = None, says: Callable[[Fields], bool] = lambda _: True
    ) -> Fields:
        """Return the JSON object at *path*, which is relative to the host's base address.

        An answer that does not hold what it should, as *says* tells, is a failure like any other: hosts are known to
        send 200 with an error inside.

        Raises:
            NotThereError: 404.
            CatalogNotConfigured: 401 or 403 where there is a key: it is wrong.
            HostRests: it was not asked, or asks us to wait; `retry_after` says for how long.
            UpstreamUnavailable: anything else that is no JSON object in time.
        """
        # Stays outside: only who was let in may say that it dropped its request.
        await self._enter()
        try:
            await self._take_turn()
            async with asyncio.timeout(self._limits.deadline.total_seconds()):
                answer = await self._with_second_try(path, params or {})
            if not says(answer):
                raise _FailedError
        except (_TryAgainError, _FailedError, TimeoutError) as error:
            await self._host.failed()
            raise UpstreamUnavailable(
                f"{self._name} did not answer as it should.", metadata=self._metadata, retry_after=_AGAIN_AFTER
            ) from error
        except (NotThereError, CatalogNotConfigured):
            await self._host.answered()
            raise
        except UpstreamUnavailable:
            raise
        except BaseException:
            self._host.dropped()
            raise
        await self._host.answered()
        return answer

    async def _enter(self) -> None:
        if (rest := await self._host.wait()) is not None:
            raise self._rests("is left alone for a while", wait=rest)

    async def _take_turn(self) -> None:
        now = self._clock.monotonic()
        wait = self._turns.wait_at(now)
        if wait > self._limits.longest_queue.total_seconds():
            self._host.dropped()
            raise self._rests("has too many requests waiting", wait=timedelta(seconds=wait))
        await self._sleep(self._turns.take(now))

    async def _with_second_try(self, path: str, params: Params) -> Fields:
        try:
            return await self._request(path, params)
        except _TryAgainError:
            # Spread out, or all who failed together come back together.
            await asyncio.sleep(random.uniform(*_RETRY_SECONDS))  # noqa: S311  no secret depends on it
            await self._take_turn()
            return await self._request(path, params)

    async def _request(self, path: str, params: Params) -> Fields:
        try:
            async with self._http.stream("GET", path, params=params) as response:
                await self._check_status(response)
                return _json_object(await self._body(response))
        except httpx.TransportError as error:
            raise _TryAgainError from error
        except httpx.HTTPError as error:
            raise _FailedError from error

    async def _check_status(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == httpx.codes.NOT_FOUND:
            raise NotThereError
        if status in _KEY_STATUSES and self._access is Access.WITH_KEY:
            raise CatalogNotConfigured(f"{self._name} refuses the configured key.", metadata=self._metadata)
        if status == httpx.codes.TOO_MANY_REQUESTS:
            asked = retry_after(response.headers.get("retry-after", ""), now=self._clock.now())
            await self._host.asked_to_wait(asked or _AGAIN_AFTER)
            raise self._rests("asks us to wait", wait=asked or _AGAIN_AFTER)
        if status in _RETRY_STATUSES:
            raise _TryAgainError
        if status != httpx.codes.OK:
            raise _FailedError

    async def _body(self, response: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > self._limits.max_bytes:
                raise _FailedError
        return bytes(body)

    def _rests(self, what: str, *, wait: timedelta) -> HostRests:
        wait = max(wait, timedelta(seconds=1))
        return HostRests(f"{self._name} {what}.", metadata=self._metadata, retry_after=wait)

    @property
    def _metadata(self) -> Mapping[str, str]:
        return {"upstream": self._name}


def retry_after(header: str, *, now: datetime) -> timedelta | None:
    """Return how long a `Retry-After` header (RFC 9110, 10.2.3: seconds or a date) asks to wait, None if unreadable."""
    if header.strip().isdecimal():
        return timedelta(seconds=min(int(header), 10**6))
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(timedelta(0), at.replace(tzinfo=at.tzinfo or UTC) - now)


def _json_object(body: bytes) -> Fields:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _FailedError from error
    if not isinstance(value, dict):
        raise _FailedError
    return value

"""One HTTP host that answers JSON: asked within its limits, never waited for too long, never trusted.

A host that asks us to wait (429, `Retry-After`) or fails several times in a row is left alone for a while: every
request in that time fails at once, so that nobody waits for an outage twice.
"""

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from vod_catalog.errors import CatalogNotConfigured, UpstreamUnavailable
from vod_catalog.fields import Fields
from vod_runtime import Clock

Params = Mapping[str, str | Sequence[str]]
"""Of a query; a sequence repeats its name."""
_RETRY_STATUSES = frozenset({500, 502, 503, 504})
_RETRY_SECONDS = (0.1, 0.4)
_FAILURES_IN_A_ROW = 3
_REST_AFTER_FAILURES = timedelta(seconds=30)
_REST_AFTER_429 = timedelta(seconds=5)
_LONGEST_REST = timedelta(hours=1)


class NotThereError(Exception):
    """The host answers 404: it has no such thing."""


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

    def __init__(self, http: httpx.AsyncClient, *, name: str, limits: Limits, clock: Clock) -> None:
        self._http = http
        self._name = name
        self._limits = limits
        self._clock = clock
        self._turns = TokenBucket(per_second=limits.per_second, burst=limits.burst)
        self._resting_until = 0.0
        self._failures = 0

    async def get(self, path: str, *, params: Params | None = None) -> Fields:
        """Return the JSON object at *path*, which is relative to the host's base address.

        Raises:
            NotThereError: 404.
            CatalogNotConfigured: 401 or 403: the key is missing or wrong.
            UpstreamUnavailable: anything else that is no JSON object in time; `retry_after` says when to ask again.
        """
        await self._turn()
        try:
            async with asyncio.timeout(self._limits.deadline.total_seconds()):
                answer = await self._with_second_try(path, params or {})
        except (_TryAgainError, _FailedError, TimeoutError) as error:
            self._count_failure()
            raise self._unavailable("did not answer as it should") from error
        self._failures = 0
        return answer

    def broken_answer(self) -> UpstreamUnavailable:
        """Count an answer that came well formed but says nothing (200 with an error inside); return what to raise."""
        self._count_failure()
        return self._unavailable("answered without the data")

    async def _turn(self) -> None:
        now = self._clock.monotonic()
        if now < self._resting_until:
            raise self._unavailable("is left alone for a while")
        wait = self._turns.wait_at(now)
        if wait > self._limits.longest_queue.total_seconds():
            raise self._unavailable("has too many requests waiting", retry_after=timedelta(seconds=wait))
        await asyncio.sleep(self._turns.take(now))

    async def _with_second_try(self, path: str, params: Params) -> Fields:
        try:
            return await self._request(path, params)
        except _TryAgainError:
            # Spread out, or all who failed together come back together.
            await asyncio.sleep(random.uniform(*_RETRY_SECONDS))  # noqa: S311  no secret depends on it
            await self._turn()
            return await self._request(path, params)

    async def _request(self, path: str, params: Params) -> Fields:
        try:
            async with self._http.stream("GET", path, params=params) as response:
                self._check_status(response)
                return _json_object(await self._body(response))
        except httpx.TransportError as error:
            raise _TryAgainError from error
        except httpx.HTTPError as error:
            raise _FailedError from error

    def _check_status(self, response: httpx.Response) -> None:
        status = response.status_code
        if status == httpx.codes.NOT_FOUND:
            raise NotThereError
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise CatalogNotConfigured(f"{self._name} refuses the configured key.", metadata={"upstream": self._name})
        if status == httpx.codes.TOO_MANY_REQUESTS:
            self._rest(retry_after(response.headers.get("retry-after", ""), now=self._clock.now()) or _REST_AFTER_429)
            raise self._unavailable("asks us to wait")
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

    def _count_failure(self) -> None:
        self._failures += 1
        if self._failures >= _FAILURES_IN_A_ROW:
            self._rest(_REST_AFTER_FAILURES)

    def _rest(self, time: timedelta) -> None:
        self._resting_until = self._clock.monotonic() + min(time, _LONGEST_REST).total_seconds()

    def _unavailable(self, what: str, *, retry_after: timedelta | None = None) -> UpstreamUnavailable:
        rest = timedelta(seconds=max(1.0, self._resting_until - self._clock.monotonic()))
        return UpstreamUnavailable(
            f"{self._name} {what}.", metadata={"upstream": self._name}, retry_after=retry_after or rest
        )


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

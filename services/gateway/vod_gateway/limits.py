"""How often one viewer may search: token buckets in this process, and whose bucket it is.

Each search fans out to several indexers, so it is what an attacker would repeat. A request takes a token from the
bucket of its device *and* from that of its address: devices are free to be had, addresses less so.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from starlette.datastructures import Headers
from starlette.types import Scope

from vod_gateway.device import Device
from vod_gateway.errors import RateLimited
from vod_gateway.settings import Network
from vod_runtime import Clock

_MAX_BUCKETS = 10_000
_LISTEN_LATER = timedelta(seconds=10)
_DEVICES_PER_ADDRESS = 4
"""So many devices behind one address get their full share."""


@dataclass(frozen=True, slots=True)
class Rate:
    """So many per minute on average, and so many at once after a rest."""

    per_minute: int
    burst: int

    def times(self, factor: int) -> "Rate":
        return Rate(per_minute=self.per_minute * factor, burst=self.burst * factor)


class TokenBuckets:
    """One bucket per key; the least recently used are forgotten (they are nearly always full again)."""

    def __init__(self, rate: Rate, clock: Clock, *, max_buckets: int = _MAX_BUCKETS) -> None:
        self._rate = rate
        self._clock = clock
        self._max_buckets = max_buckets
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, key: str) -> timedelta | None:
        """Return how long until there is a token, None if there is one now; takes nothing."""
        missing = 1 - self._tokens(key)
        return None if missing <= 0 else timedelta(minutes=missing / self._rate.per_minute)

    def take(self, key: str) -> timedelta | None:
        """Take a token; return how long until there is one if there is none."""
        if (wait := self.wait(key)) is not None:
            return wait
        self._buckets[key] = (self._tokens(key) - 1, self._clock.monotonic())
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._max_buckets:
            self._buckets.popitem(last=False)
        return None

    def _tokens(self, key: str) -> float:
        now = self._clock.monotonic()
        tokens, at = self._buckets.get(key, (float(self._rate.burst), now))
        return min(self._rate.burst, tokens + (now - at) / 60 * self._rate.per_minute)


class SearchLimit:
    """The limit of one kind of search, per device and per address."""

    def __init__(self, rate: Rate, clock: Clock) -> None:
        self._devices = TokenBuckets(rate, clock)
        self._addresses = TokenBuckets(rate.times(_DEVICES_PER_ADDRESS), clock)

    def check(self, device: Device, address: str) -> None:
        """Count one search.

        Raises:
            RateLimited: there were too many; says how long to wait.
        """
        wait = self._devices.take(f"{address} {device.known or ''}") or self._addresses.take(address)
        if wait is not None:
            raise RateLimited("Too many searches; please wait a little.", retry_after=wait)


class Listeners:
    """How many listen to events in this process, in all and to one session."""

    def __init__(self, *, most: int, per_session: int) -> None:
        self._most = most
        self._per_session = per_session
        self._sessions: Counter[str] = Counter()

    def check(self, session_id: str) -> None:
        """Raise RateLimited if no more may listen."""
        if self._sessions.total() >= self._most or self._sessions[session_id] >= self._per_session:
            raise RateLimited("Too many listen to events already.", retry_after=_LISTEN_LATER)

    @contextmanager
    def listening(self, session_id: str) -> Iterator[None]:
        """Count a listener while it listens."""
        self._sessions[session_id] += 1
        try:
            yield
        finally:
            self._sessions[session_id] -= 1
            self._sessions += Counter()  # drops those that nobody listens to any more


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits of the gateway."""

    search: SearchLimit
    titles: SearchLimit
    admin_failures: TokenBuckets
    listeners: Listeners


def client_address(scope: Scope, *, trusted: Sequence[Network]) -> str:
    """Return the address that a request comes from.

    X-Forwarded-For is believed as far as trusted proxies wrote it: read from the right, the first address that is
    not a trusted proxy is the client's; whatever stands left of it, the client may have invented.
    An IPv6 client is its /64 network, since one subscriber has at least that many addresses.
    """
    peer = scope["client"][0] if scope.get("client") else "local"
    forwarded = [hop.strip() for line in Headers(scope=scope).getlist("x-forwarded-for") for hop in line.split(",")]
    address = peer
    for hop in reversed(forwarded):
        if not _is_trusted(address, trusted) or not _is_address(hop):
            break
        address = hop
    return _subscriber(address)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in trusted)


def _subscriber(address: str) -> str:
    if not _is_address(address):
        return address
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)

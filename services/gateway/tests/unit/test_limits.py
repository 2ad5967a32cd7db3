"""Token buckets, and whose bucket a request takes from."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_gateway.device import Device, DeviceId
from vod_gateway.errors import RateLimited
from vod_gateway.limits import Rate, SearchLimit, TokenBuckets, client_address

RATE = Rate(per_minute=30, burst=3)


@dataclass(slots=True)
class Clock:
    seconds: float = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 20, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds


def test_a_rested_bucket_gives_its_burst_and_then_says_how_long_to_wait() -> None:
    buckets = TokenBuckets(RATE, Clock())

    assert [buckets.take("a") for _ in range(4)] == [None, None, None, timedelta(seconds=2)]
    assert buckets.take("b") is None


def test_a_token_is_there_after_the_wait() -> None:
    clock = Clock()
    buckets = TokenBuckets(RATE, clock)
    while (wait := buckets.take("a")) is None:
        pass
    clock.seconds += wait.total_seconds()

    assert buckets.take("a") is None
    assert buckets.take("a") is not None


@given(steps=st.lists(st.floats(0, 100), max_size=60))
def test_no_pattern_of_requests_gets_more_than_the_rate_and_the_burst(steps: list[float]) -> None:
    clock = Clock()
    buckets = TokenBuckets(RATE, clock)
    taken = 0
    for step in steps:
        clock.seconds += step
        taken += buckets.take("a") is None

    assert taken <= RATE.burst + clock.seconds / 60 * RATE.per_minute + 1e-6


def test_only_so_many_buckets_are_remembered() -> None:
    buckets = TokenBuckets(Rate(per_minute=1, burst=1), Clock(), max_buckets=2)
    for key in ("a", "b", "c"):
        buckets.take(key)

    assert buckets.take("c") is not None
    assert buckets.take("a") is None


def test_a_device_is_stopped_before_its_address_is() -> None:
    limit = SearchLimit(RATE, Clock())
    one, other = Device(known=DeviceId("1" * 32)), Device(known=DeviceId("2" * 32))
    for _ in range(3):
        limit.check(one, "192.0.2.1")
    with pytest.raises(RateLimited) as caught:
        limit.check(one, "192.0.2.1")
    limit.check(other, "192.0.2.1")

    assert caught.value.retry_after == timedelta(seconds=2)


def test_new_devices_without_end_are_stopped_at_their_address() -> None:
    limit = SearchLimit(RATE, Clock())
    devices = [Device(known=DeviceId(f"{number:032x}")) for number in range(RATE.burst * 4 + 1)]
    for device in devices[:-1]:
        limit.check(device, "192.0.2.1")

    with pytest.raises(RateLimited):
        limit.check(devices[-1], "192.0.2.1")


TRUSTED = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9", "198.51.100.7, 10.0.0.2"], "198.51.100.7"),
        ("10.0.0.1", ["invented, 10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("fd00::1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", [], "192.0.2.1"),
        (None, [], "local"),
    ],
)
def test_forwarded_addresses_are_believed_as_far_as_trusted_proxies_wrote_them(
    peer: str | None, forwarded: list[str], expected: str
) -> None:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    scope = {"type": "http", "client": (peer, 1) if peer else None, "headers": headers}

    assert client_address(scope, trusted=TRUSTED) == expected

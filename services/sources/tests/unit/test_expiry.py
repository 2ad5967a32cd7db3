"""When signed addresses end."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from vod_sources.expiry import expiry_of, renew_at

END = 1_790_000_000
JWT = "eyJhbGciOiJub25lIn0." + base64.urlsafe_b64encode(json.dumps({"exp": END}).encode()).decode().rstrip("=") + ".x"


@pytest.mark.parametrize(
    "url",
    [
        f"https://cdn.example/a.m3u8?exp={END}",
        f"https://cdn.example/a.m3u8?Expires={END}&Signature=x",
        f"https://cdn.example/a.m3u8?e={END}000",
        f"https://cdn.example/a.m3u8?hdnea=st=1~exp={END}~acl=/*~hmac=x",
        f"https://cdn.example/a.m3u8?token={JWT}",
        "https://cdn.example/a?X-Amz-Date=20260921T131320Z&X-Amz-Expires=3600",
    ],
)
def test_an_end_is_read_in_every_common_form(url: str) -> None:
    assert datetime.fromtimestamp(END, UTC) == expiry_of(url)


@pytest.mark.parametrize("url", ["https://cdn.example/a.m3u8", "https://cdn.example/a?exp=5", "https://c.example/?e=x"])
def test_what_is_no_moment_is_no_end(url: str) -> None:
    assert expiry_of(url) is None


@pytest.mark.parametrize(
    ("life", "left"),
    [
        (timedelta(hours=10), timedelta(hours=1)),
        (timedelta(minutes=5), timedelta(minutes=1)),
        (timedelta(seconds=40), timedelta(seconds=20)),
    ],
)
def test_it_is_renewed_a_tenth_or_a_minute_before_but_not_in_the_first_half(life: timedelta, left: timedelta) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    assert now + life - left == renew_at(now + life, found_at=now)

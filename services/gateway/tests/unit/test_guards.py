"""Which hosts and origins are ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from vod_gateway.errors import HostNotAllowed
from vod_gateway.guards import HostGuard, Origins


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    scope["reached"] = True


async def _reaches(host: str) -> bool:
    guard = HostGuard(_app, hosts=["Vod.Example", "192.0.2.7"])
    scope: Scope = {"type": "http", "headers": [(b"host", host.encode("latin-1"))]}
    try:
        await guard(scope, None, None)  # type: ignore[arg-type] # neither is touched
    except HostNotAllowed:
        return False
    return "reached" in scope


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8080",
        "127.0.0.1:8080",
        "127.9.9.9",
        "[::1]:80",
        "vod.example",
        "vod.example:443",
        "192.0.2.7",
    ],
)
async def test_our_names_are_served(host: str) -> None:
    assert await _reaches(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:8080",
        "vod.example.evil.example",
        "xvod.example",
        "vod.example@evil.example",
        "evil.example@vod.example",
        "vod.example/",
        "vod.example?",
        "192.0.2.8",
        "2130706433",
        "[::1",
        "vod.example:x",
        "",
        ":80",
        " vod.example",
    ],
)
async def test_other_names_are_refused(host: str) -> None:
    assert not await _reaches(host)


@given(st.text(st.characters(max_codepoint=255), max_size=60))
async def test_no_text_gets_through_that_does_not_begin_with_our_names(host: str) -> None:
    if await _reaches(host):
        name = host.lower().strip("[]")

        assert name.startswith(("localhost", "127.", "::1", "vod.example", "192.0.2.7"))


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://ui.example", True),
        ("https://vod.example", True),
        ("http://vod.example:8080", True),
        ("http://ui.example", False),
        ("https://ui.example:8443", False),
        ("https://ui.example.evil.example", False),
        ("https://evil-ui.example", False),
        ("https://sub.ui.example", False),
        ("http://localhost:3000", False),
        ("null", False),
        ("", False),
        ("*", False),
    ],
)
def test_only_exact_origins_are_allowed(origin: str, allowed: bool) -> None:
    origins = Origins(configured=["https://ui.example"], public_base="https://vod.example/some/path")
    scope = {"type": "http", "scheme": "http", "headers": [(b"host", b"vod.example:8080")]}

    assert origins.allows(origin, scope) is allowed

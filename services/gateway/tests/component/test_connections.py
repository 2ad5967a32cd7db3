"""Connections that ask slowly, endlessly or wrongly."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from starlette.responses import PlainTextResponse

from vod_gateway.server import http_server
from vod_testing import eventually


@pytest.fixture
async def address() -> AsyncIterator[str]:
    async with http_server(PlainTextResponse("hello"), listen="127.0.0.1:0", head_within=timedelta(minutes=1)) as bound:
        yield bound


@pytest.fixture
async def impatient() -> AsyncIterator[str]:
    """The address of a server that waits for a head so shortly that a slow machine may be late with one, too."""
    async with http_server(PlainTextResponse("hello"), listen="127.0.0.1:0", head_within=timedelta(seconds=0.2)) as at:
        yield at


@asynccontextmanager
async def _connection(address: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()
        await writer.wait_closed()


async def _answer(address: str, *parts: bytes) -> bytes:
    """Return all that the server sends until it closes the connection."""
    async with _connection(address) as (reader, writer), asyncio.timeout(50):
        for part in parts:
            writer.write(part)
        return await reader.read()


def _problem(answer: bytes):
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    return json.loads(body)


async def test_a_head_that_never_ends_is_cut_off(impatient) -> None:
    answer = await _answer(impatient, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")

    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert _problem(answer)["reason"] == "REQUEST_TIMEOUT"


async def test_a_second_head_that_never_ends_is_cut_off_too(impatient) -> None:
    answers: list[bytes] = []

    async def why_no_second_head() -> str | None:
        answers.append(await _answer(impatient, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET / HT"))
        return None if answers[-1].startswith(b"HTTP/1.1 200 OK\r\n") else f"the first one was late: {answers[-1]!r}"

    await eventually(why_no_second_head, within=30)

    assert b"HTTP/1.1 408 Request Timeout\r\n" in answers[-1]


async def test_a_connection_that_asks_nothing_is_closed(impatient) -> None:
    assert await _answer(impatient) == b""


async def test_a_head_that_is_too_large_is_refused(address) -> None:
    lines = b"".join(b"X-Line-%d: %s\r\n" % (number, b"x" * 1000) for number in range(40))
    answer = await _answer(address, b"GET / HTTP/1.1\r\nHost: localhost\r\n", lines)

    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")
    assert _problem(answer)["status"] == 431


@pytest.mark.parametrize(
    "rubbish", [b"\x16\x03\x01\x02\x00\x01", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n"]
)
async def test_what_is_not_http_gets_a_problem(address, rubbish) -> None:
    answer = await _answer(address, rubbish)

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert _problem(answer)["status"] == 400


async def test_a_body_that_nobody_reads_is_thrown_away_but_not_for_ever(impatient) -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"

    async def why_not_answered() -> str | None:
        answer = await _answer(impatient, head, b"x" * 50_000)
        return None if answer.startswith(b"HTTP/1.1 200 OK\r\n") else f"{answer!r}"

    await eventually(why_not_answered, within=30)


async def test_a_connection_may_ask_many_times(address) -> None:
    ask = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Fill: %s\r\n\r\n" % (b"x" * 5000)
    last = ask.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    answer = await _answer(address, *[ask] * 20, last)

    assert answer.count(b"HTTP/1.1 200 OK") == 21


@pytest.mark.parametrize("hosts", [[], ["localhost", "localhost"], ["localhost", "evil.example"]], ids=str)
async def test_a_request_has_exactly_one_host(run_gateway, hosts) -> None:
    lines = "".join(f"Host: {host}\r\n" for host in hosts)
    async with run_gateway() as (_, endpoint):
        answer = await _answer(endpoint.address, f"GET / HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(run_gateway) -> None:
    head = b"POST /v1/session/ended HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    async with run_gateway() as (_, endpoint), _connection(endpoint.address) as (reader, writer), asyncio.timeout(50):
        writer.write(head + b"Content-Length: 10000000\r\n\r\n")
        answer = await reader.readline()

    assert answer == b"HTTP/1.1 413 Request Entity Too Large\r\n"


async def test_dots_in_a_path_lead_nowhere(run_gateway) -> None:
    ask = b"GET /v1/subtitles/../../../etc/passwd.vtt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    async with run_gateway() as (_, endpoint):
        answer = await _answer(endpoint.address, ask)

    assert answer.startswith(b"HTTP/1.1 404 Not Found\r\n")


async def test_a_port_that_is_taken_is_an_error_at_the_start(address) -> None:
    with pytest.raises(OSError, match="in use"):
        await _start(address)


async def _start(address: str) -> None:
    async with http_server(PlainTextResponse("hello"), listen=address):
        raise AssertionError("it started")

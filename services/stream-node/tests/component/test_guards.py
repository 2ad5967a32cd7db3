"""What a stream node refuses, and how clearly."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_rpc import Failure
from vod_stream_node.domain import Infohash, PinKey
from vod_stream_node.http_server import http_server
from vod_stream_node.tokens import Grant, TokenSigner
from vod_testing import eventually

from .conftest import SECRET, Node, NodeFactory, Swarm, near_the_deadline, noise

MIB = 1 << 20
FILM = noise(MIB, seed=1)
SLOW_HEAD = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: "


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Close a connection and wait until it is, so that no transport outlives the test."""
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@pytest.fixture
async def url(swarm: Swarm, node: Node) -> str:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    return (await node.pin(torrent, swarm)).stream_url


def problem(answer: httpx.Response) -> tuple[int, str]:
    """The status and reason of an RFC 9457 answer, which says the same status inside."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    return answer.status_code, answer.json()["reason"]


async def test_a_tampered_token_is_403(node: Node, url: str) -> None:
    head, token, name = url.rsplit("/", 2)
    tampered = f"{token[:40]}{'A' if token[40] != 'A' else 'B'}{token[41:]}"

    answer = await node.http.get(f"{head}/{tampered}/{name}")

    assert problem(answer) == (403, "TOKEN_INVALID")
    assert tampered not in answer.text


async def test_an_expired_token_is_403_and_says_so(node: Node, url: str) -> None:
    now = node.runtime.clock.now()
    grant = Grant(PinKey(Infohash("ab" * 20), 0), holder="a", expires_at=now - timedelta(seconds=1))
    token = TokenSigner([SECRET.encode()]).sign(grant)

    answer = await node.http.get(f"{node.settings.public_base}/stream/node-a/{token}/Film.mkv")

    assert problem(answer) == (403, "TOKEN_EXPIRED")


async def test_a_good_token_of_a_torrent_that_is_not_here_is_404(node: Node) -> None:
    soon = node.runtime.clock.now() + timedelta(hours=1)
    token = TokenSigner([SECRET.encode()]).sign(Grant(PinKey(Infohash("ab" * 20), 0), holder="a", expires_at=soon))

    answer = await node.http.get(f"{node.settings.public_base}/stream/node-a/{token}/Film.mkv")

    assert problem(answer) == (404, "TORRENT_UNKNOWN")
    assert not (node.stored / ("ab" * 20)).exists()


async def test_any_other_path_is_404(node: Node, url: str) -> None:
    token = url.rsplit("/", 2)[1]
    paths = [
        "/",
        "/stream",
        f"/stream/node-a/{token}",
        f"/stream/node-a/{token}/",
        f"/stream/node-a/{token}/..",
        f"/stream/../{token}/Film.mkv",
        f"/stream/node-a/{token}/%2e%2e",
        f"/stream/node-a/{token}/..%2f..%2fetc%2fpasswd",
        f"/stream/node-a/{token}/x/../../../../etc/passwd",
        f"//stream/node-a/{token}/Film.mkv",
        f"/Stream/node-a/{token}/Film.mkv",
    ]
    for path in paths:
        # Sent as it stands: a client library would tidy the path up.
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(url).port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        await _closed(writer)

        assert answer.startswith(b"HTTP/1.1 404 "), path
        assert b"PATH_UNKNOWN" in answer


async def test_a_stream_can_only_be_read(node: Node, url: str) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = await node.http.request(method, url)

        assert problem(answer) == (405, "METHOD_NOT_ALLOWED")
        assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_a_host_name_that_is_not_ours_is_421(node: Node, url: str) -> None:
    answer = await node.http.get(url, headers={"Host": "rebound.example"})

    assert problem(answer) == (421, "HOST_UNKNOWN")


async def test_pages_of_listed_origins_may_read_and_others_may_not(node: Node, url: str) -> None:
    ours = await node.http.get(url, headers={"Origin": "http://ui.example", "Range": "bytes=0-9"})
    preflight = await node.http.options(
        url, headers={"Origin": "http://ui.example", "Access-Control-Request-Method": "GET"}
    )
    theirs = await node.http.options(url, headers={"Origin": "http://evil.example"})

    assert ours.headers["access-control-allow-origin"] == "http://ui.example"
    assert {"Accept-Ranges", "Content-Length", "Content-Range"} <= set(
        ours.headers["access-control-expose-headers"].split(", ")
    )
    assert (preflight.status_code, preflight.headers["access-control-allow-headers"]) == (204, "Range, If-Range")
    assert "access-control-allow-origin" not in theirs.headers
    assert (ours.headers["vary"], theirs.headers["vary"]) == ("Origin", "Origin")


async def test_too_many_reads_of_one_link_at_once_are_429(swarm: Swarm, start_node: NodeFactory) -> None:
    async with start_node(reads_per_token=2) as node:
        torrent = await swarm.share("Film.mkv", {"Film.mkv": noise(24 * MIB, seed=2)})
        swarm.seeder.limit_upload(3 * MIB)
        pin = await node.pin(torrent, swarm)

        async with node.http.stream("GET", pin.stream_url), node.http.stream("GET", pin.stream_url):
            third = await node.http.get(pin.stream_url)
        await eventually(lambda: _open_reads(node), within=30)
        again = await node.http.head(pin.stream_url)

    assert problem(third) == (429, "TOO_MANY_READS")
    assert third.headers["retry-after"] == "1"
    assert again.status_code == 200


async def test_a_swarm_that_gives_nothing_is_504_before_the_first_byte(swarm: Swarm, start_node: NodeFactory) -> None:
    async with start_node(stall_timeout=timedelta(milliseconds=300)) as node:
        torrent = await swarm.share("Film.mkv", {"Film.mkv": noise(8 * MIB, seed=3)})
        swarm.seeder.limit_upload(500_000)
        pin = await node.pin(torrent, swarm)
        await swarm.seeder.stop()

        answer = await node.http.get(pin.stream_url, headers={"Range": f"bytes={4 * MIB}-"})

    assert problem(answer) == (504, "BYTES_LATE")


async def test_a_swarm_that_dies_ends_a_body_early_instead_of_for_ever_waiting(
    swarm: Swarm, start_node: NodeFactory
) -> None:
    # Longer than the machine may stand still before the swarm dies.
    async with start_node(stall_timeout=timedelta(seconds=2.5)) as node:
        film = noise(12 * MIB, seed=4)
        torrent = await swarm.share("Film.mkv", {"Film.mkv": film})
        swarm.seeder.limit_upload(4 * MIB)
        pin = await node.pin(torrent, swarm, wait_for=pb2.WAIT_FOR_ENDS)
        got = b""

        async with node.http.stream("GET", pin.stream_url) as reading:
            chunks = reading.aiter_bytes()
            got += await anext(chunks)
            await swarm.seeder.stop()
            with suppress(httpx.RemoteProtocolError):  # a length was promised
                async for chunk in chunks:
                    got += chunk

        stalled = node.runtime.metrics.get_sample_value("vod_stream_reads_stalled_total")

    assert 0 < len(got) < len(film)
    assert film.startswith(got)
    assert stalled == 1


async def test_a_client_that_takes_nothing_is_dropped_in_the_end(swarm: Swarm, start_node: NodeFactory) -> None:
    async with start_node(idle_timeout=timedelta(milliseconds=200)) as node:
        torrent = await swarm.share("Film.mkv", {"Film.mkv": noise(24 * MIB, seed=5)})
        pin = await node.pin(torrent, swarm)
        path = httpx.URL(pin.stream_url).raw_path.decode()
        reader, writer = await asyncio.open_connection("127.0.0.1", httpx.URL(pin.stream_url).port, limit=1024)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        await reader.readexactly(100)

        await eventually(lambda: _open_reads(node), within=30)
        await _closed(writer)


async def test_trackers_on_loopback_are_never_called_unless_allowed(swarm: Swarm, start_node: NodeFactory) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    called = len(swarm.tracker.peers(torrent.infohash))

    async with start_node(allow_private_peers=False, peer_listen="127.0.0.1:0") as node:
        with pytest.raises(Failure) as raised:
            await near_the_deadline(lambda within: node.pin(torrent, swarm, within=within), within=1)

    assert raised.value.reason == "SWARM_SILENT"
    assert len(swarm.tracker.peers(torrent.infohash)) == called == 1


def _open_reads(node: Node) -> str | None:
    left = node.runtime.metrics.get_sample_value("vod_stream_reads_open")
    return None if left == 0 else f"{left} reads are open"


async def test_a_head_that_never_ends_or_never_stops_growing_is_refused(tmp_path: Path) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("no request was complete")

    async with http_server("127.0.0.1:0", app, head_seconds=0.2) as address:
        late, silent = [await _answer_to(address, sent) for sent in (SLOW_HEAD, b"")]
    async with http_server("127.0.0.1:0", app, head_seconds=20) as address:
        large = await _answer_to(address, SLOW_HEAD + b"x" * 40_000)

    assert late.startswith(b"HTTP/1.1 408 ")
    assert silent.startswith(b"HTTP/1.1 408 ")
    assert large.startswith(b"HTTP/1.1 431 ")


async def test_a_client_that_leaves_in_the_midst_of_a_file_on_disk_is_noticed(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": noise(24 * MIB, seed=6)})
    pin = await node.pin(torrent, swarm)
    await node.http.get(pin.stream_url)
    await eventually(lambda: _open_reads(node), within=30)
    for _ in range(3):
        url = httpx.URL(pin.stream_url)
        reader, writer = await asyncio.open_connection("127.0.0.1", url.port, limit=1024)
        writer.write(f"GET {url.raw_path.decode()} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        await reader.readexactly(100)
        writer.transport.abort()
        await _closed(writer)

    await eventually(lambda: _open_reads(node), within=30)
    assert len((await node.http.get(pin.stream_url)).content) == 24 * MIB


async def _answer_to(address: str, sent: bytes) -> bytes:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(sent)
    answer = b""
    with suppress(ConnectionError):
        while part := await reader.read(1 << 16):
            answer += part
    await _closed(writer)
    return answer

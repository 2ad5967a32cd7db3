"""The bytes that come out, while they still come in."""

import asyncio
import email
import email.policy
import os
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import httpx
import psutil
import pytest
from vod.stream.v1 import stream_service_pb2 as pb2

from .conftest import Node, Swarm, noise, sha256

MIB = 1 << 20
SIZE = 6 * MIB + 12_345
FILM = noise(SIZE, seed=1)


@pytest.fixture
async def url(swarm: Swarm, node: Node) -> str:
    """The URL of a film of SIZE bytes."""
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    return (await node.pin(torrent, swarm)).stream_url


async def ranged(node: Node, url: str, value: str, **headers: str) -> httpx.Response:
    return await node.http.get(url, headers={"Range": value} | headers)


async def test_many_overlapping_ranges_read_while_downloading_make_the_seeders_file(swarm: Swarm, node: Node) -> None:
    film = noise(8 * MIB + 7, seed=2)
    torrent = await swarm.share("Film.mkv", {"Film.mkv": film})
    swarm.seeder.limit_upload(3 * MIB)
    pin = await node.pin(torrent, swarm)
    dice = random.Random(7)
    cuts = sorted({0, len(film), *(dice.randrange(len(film)) for _ in range(60))})
    overlapping = [(max(0, a - dice.randrange(100_000)), min(len(film), b + 100_000)) for a, b in pairwise(cuts)]
    dice.shuffle(overlapping)
    made = bytearray(len(film))
    read_early = 0

    async def read(spans: list[tuple[int, int]]) -> None:
        nonlocal read_early
        for begin, end in spans:
            answer = await ranged(node, pin.stream_url, f"bytes={begin}-{end - 1}")
            state = (await node.pins())[torrent.infohash, 0].state
            read_early += state != pb2.PIN_STATE_COMPLETE
            assert (answer.status_code, len(answer.content)) == (206, end - begin)
            made[begin:end] = answer.content

    await asyncio.gather(*(read(overlapping[lane::8]) for lane in range(8)))

    assert sha256(bytes(made)) == sha256(film)
    assert read_early > 0


async def test_the_whole_file_is_200_with_all_that_a_player_needs_to_know(node: Node, url: str) -> None:
    answer = await node.http.get(url)

    assert (200, sha256(FILM)) == (answer.status_code, sha256(answer.content))
    assert {
        "content-type": "video/x-matroska",
        "content-length": str(SIZE),
        "accept-ranges": "bytes",
        "content-disposition": "inline; filename=\"Film.mkv\"; filename*=UTF-8''Film.mkv",
        "cache-control": "private, no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }.items() <= dict(answer.headers).items()
    assert answer.headers["etag"].endswith('-0"')


async def test_a_satisfiable_range_is_206_with_exactly_these_bytes(node: Node, url: str) -> None:
    table = [
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=0-0", 0, 0),
        ("bytes=1000000-2999999", 1_000_000, 2_999_999),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        (f"bytes=5000000-{SIZE * 2}", 5_000_000, SIZE - 1),
        ("bytes=-500", SIZE - 500, SIZE - 1),
        (f"bytes=-{SIZE * 2}", 0, SIZE - 1),
    ]
    for value, first, last in table:
        answer = await ranged(node, url, value)

        assert (answer.status_code, answer.headers["content-range"]) == (206, f"bytes {first}-{last}/{SIZE}")
        assert answer.headers["content-length"] == str(last + 1 - first)
        assert answer.content == FILM[first : last + 1]


async def test_a_range_behind_the_end_is_416_with_the_size(node: Node, url: str) -> None:
    answer = await ranged(node, url, f"bytes={SIZE}-")

    assert (416, f"bytes */{SIZE}") == (answer.status_code, answer.headers["content-range"])
    assert answer.json()["reason"] == "RANGE_NOT_SATISFIABLE"


async def test_several_ranges_come_as_parts_each_with_its_place(node: Node, url: str) -> None:
    asked = [(100, 199), (SIZE - 50, SIZE - 1), (3_000_000, 3_000_999)]
    answer = await ranged(node, url, "bytes=100-199, -50, 3000000-3000999")
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    parts = email.message_from_bytes(head + answer.content, policy=email.policy.HTTP).get_payload()

    assert (answer.status_code, answer.headers["content-length"]) == (206, str(len(answer.content)))
    assert "content-range" not in answer.headers
    assert isinstance(parts, list)
    assert [part["Content-Range"] for part in parts] == [f"bytes {a}-{b}/{SIZE}" for a, b in asked]
    assert {part["Content-Type"] for part in parts} == {"video/x-matroska"}
    for (first, last), part in zip(asked, answer.content.split(b"\r\n\r\n")[1:], strict=False):
        assert part[: last + 1 - first] == FILM[first : last + 1]


async def test_a_dlna_renderer_is_told_what_it_asks_for(node: Node, url: str) -> None:
    asked = {"getcontentFeatures.dlna.org": "1", "transferMode.dlna.org": "Interactive"}
    told = (await node.http.head(url, headers=asked)).headers
    plain = (await node.http.head(url)).headers

    assert told["contentfeatures.dlna.org"].startswith("DLNA.ORG_OP=01;")
    assert told["transfermode.dlna.org"] == "Streaming"
    assert not [name for name in plain if "dlna" in name]


async def test_a_range_that_is_malformed_is_ignored(node: Node, url: str) -> None:
    for value in ("bytes=9-8", "bytes=x", "seconds=1-2", "bytes=0-1,6-5"):
        answer = await ranged(node, url, value)

        assert (answer.status_code, len(answer.content)) == (200, SIZE)


async def test_head_says_what_get_would_and_ignores_ranges(node: Node, url: str) -> None:
    head = await node.http.head(url, headers={"Range": "bytes=0-9"})
    get = await node.http.get(url)

    assert (head.status_code, head.content) == (200, b"")
    assert {**get.headers, "date": ""} == {**head.headers, "date": ""}


async def test_if_range_gives_the_part_only_of_the_same_file(node: Node, url: str) -> None:
    etag = (await node.http.head(url)).headers["etag"]

    same = await ranged(node, url, "bytes=5-9", **{"If-Range": etag})
    other = await ranged(node, url, "bytes=5-9", **{"If-Range": '"other"'})

    assert (206, FILM[5:10]) == (same.status_code, same.content)
    assert (other.status_code, len(other.content)) == (200, SIZE)


async def test_what_the_client_has_or_does_not_want_is_not_sent(node: Node, url: str) -> None:
    etag = (await node.http.head(url)).headers["etag"]

    had = await ranged(node, url, "bytes=5-9", **{"If-None-Match": etag})
    other = await ranged(node, url, "bytes=5-9", **{"If-Match": '"other"'})

    assert (had.status_code, had.content, had.headers["etag"]) == (304, b"", etag)
    assert (other.status_code, other.json()["reason"]) == (412, "PRECONDITION_UNMET")


async def test_a_file_without_bytes_is_empty_and_has_no_ranges(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Pack", {"empty.srt": b"", "film.mkv": noise(MIB, seed=3)})
    pin = await node.pin(torrent, swarm, file_index=0, wait_for=pb2.WAIT_FOR_ENDS)

    whole = await node.http.get(pin.stream_url)
    part = await ranged(node, pin.stream_url, "bytes=0-")

    assert pin.state == pb2.PIN_STATE_COMPLETE
    assert (whole.status_code, whole.content, part.status_code) == (200, b"", 416)


async def test_a_jump_is_served_before_what_lies_between(swarm: Swarm, node: Node) -> None:
    film = noise(16 * MIB, seed=4)
    torrent = await swarm.share("Film.mkv", {"Film.mkv": film})
    swarm.seeder.limit_upload(MIB)
    pin = await node.pin(torrent, swarm)

    async with node.http.stream("GET", pin.stream_url) as reading:
        await anext(reading.aiter_bytes())
        jumped = await ranged(node, pin.stream_url, f"bytes={12 * MIB}-{12 * MIB + 99_999}")
        here = (await node.pins())[torrent.infohash, 0].downloaded_bytes

    assert jumped.content == film[12 * MIB :][:100_000]
    assert here < 12 * MIB


async def test_the_first_byte_of_a_start_is_measured_once(node: Node, url: str) -> None:
    for _ in range(2):
        await ranged(node, url, "bytes=0-9")

    assert node.runtime.metrics.get_sample_value("start_to_first_byte_ms_count") == 1
    assert node.runtime.metrics.get_sample_value("vod_stream_bytes_served_total") == 20


@asynccontextmanager
async def accepted(node: Node, url: str) -> AsyncIterator[socket.socket]:
    """The node's end of a connection that it answers."""
    async with node.http.stream("HEAD", url) as answer:
        ours = answer.extensions["network_stream"].get_extra_info("server_addr")
        open_ = psutil.Process().net_connections("tcp")
        descriptor = next(one.fd for one in open_ if one.laddr == ours and one.raddr)
        with socket.socket(fileno=os.dup(descriptor)) as theirs:
            yield theirs


async def test_the_end_of_an_answer_waits_for_nobodys_acknowledgement(node: Node, url: str) -> None:
    async with accepted(node, url) as theirs:
        assert theirs.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_to_a_client_on_the_same_machine_nothing_is_paced(node: Node, url: str) -> None:
    async with accepted(node, url) as theirs:
        assert theirs.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0") == b"reno"

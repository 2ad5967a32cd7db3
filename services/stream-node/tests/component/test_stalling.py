"""A viewer who waits too long is told about; his reads go where his file's successor is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import nats
import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from vod.stream.v1 import events_pb2
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_fakes.torrents import Torrent
from vod_testing import eventually

from .conftest import Node, NodeFactory, Pair, Swarm, matroska, noise, sha256, two_nodes

MIB = 1 << 20
FILM = noise(4 * MIB, seed=7)
OTHER = noise(MIB, seed=8)
SUBJECT = "stream.v1.pin-stalled.*"
TRICKLE = 50_000
"""Bytes per second at which nothing of what a viewer jumps to is here before its seeder goes."""


@pytest.fixture
async def told(nats_url: str) -> AsyncIterator[list[events_pb2.PinStalled]]:
    """What is told of stalls."""
    heard: list[events_pb2.PinStalled] = []

    async def hear(message: object) -> None:
        heard.append(events_pb2.PinStalled.FromString(message.data))  # type: ignore[attr-defined]

    client = await nats.connect(nats_url)
    await client.subscribe(SUBJECT, cb=hear)
    await client.flush()
    yield heard
    await client.close()


async def test_a_viewer_who_waits_is_told_about_and_again_while_it_lasts(
    swarm: Swarm, start_node: NodeFactory, nats_url: str, told: list[events_pb2.PinStalled]
) -> None:
    swarm.seeder.limit_upload(TRICKLE)
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    async with start_node(nats_url=SecretStr(nats_url), stall_after=0.4) as node, asyncio.TaskGroup() as group:
        pin = await node.pin(torrent, swarm)
        await swarm.seeder.stop()
        await eventually(lambda: why_peers_are_there(node), within=30)
        reading = group.create_task(node.http.get(pin.stream_url, headers={"Range": "bytes=3000000-"}))
        await eventually(lambda: None if len(told) >= 2 else f"told {len(told)} times", within=30)
        status = (await node.pins())[torrent.infohash, 0]
        reading.cancel()

    first = told[0]
    assert (first.infohash, first.file_index, first.node) == (torrent.infohash, 0, "node-a")
    assert (list(first.holders), first.reason) == (["session-1"], events_pb2.STALL_REASON_NO_PEERS)
    assert told[0].stall_time == told[1].stall_time
    assert status.stats.stalls == 1
    assert node.runtime.metrics.get_sample_value("buffer_events_total") == 1


async def test_a_swarm_that_gives_less_than_the_film_plays_at_is_told_about_though_every_byte_comes_soon(
    swarm: Swarm, start_node: NodeFactory, nats_url: str, told: list[events_pb2.PinStalled]
) -> None:
    film = matroska(seconds=2) + noise(16 * MIB, seed=9)
    torrent = await swarm.share("Film.mkv", {"Film.mkv": film})
    swarm.seeder.limit_upload(MIB // 2)
    async with start_node(nats_url=SecretStr(nats_url), stall_after=2.0) as node, asyncio.TaskGroup() as group:
        pin = await node.pin(torrent, swarm)
        reading = group.create_task(node.http.get(pin.stream_url))
        await eventually(lambda: None if told else "nothing is told", within=60)
        reading.cancel()

    assert told[0].reason == events_pb2.STALL_REASON_TOO_SLOW


@pytest.fixture
async def impatient(start_node: NodeFactory, tmp_path: Path, redis_url: str, nats_url: str) -> AsyncIterator[Pair]:
    """Two nodes that know each other and soon call a wait a stall."""
    further = {"nats_url": SecretStr(nats_url), "stall_after": 0.4}
    async with two_nodes(start_node, tmp_path, redis_url, **further) as pair:
        yield pair


async def test_a_node_whose_torrent_another_one_took_over_blames_its_swarm_no_more(
    swarm: Swarm, impatient: Pair, redis_url: str, told: list[events_pb2.PinStalled]
) -> None:
    node = impatient.a
    swarm.seeder.limit_upload(TRICKLE)
    taken = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    kept = await swarm.share("Other.mkv", {"Other.mkv": noise(4 * MIB, seed=10)})

    async def kept_is_told(*, more: int) -> None:
        wanted = more + sum(one.infohash == kept.infohash for one in told)
        await eventually(
            lambda: None if sum(one.infohash == kept.infohash for one in told) >= wanted else f"{told}", within=60
        )

    async with asyncio.TaskGroup() as group:
        pins = [await _pin_here(node, one, swarm) for one in (taken, kept)]
        await swarm.seeder.stop()
        reads = [group.create_task(node.http.get(one.stream_url, headers={"Range": "bytes=2000000-"})) for one in pins]
        await eventually(lambda: None if len({one.infohash for one in told}) == 2 else f"{told}", within=60)
        async with Redis.from_url(redis_url) as redis:
            await redis.set(f"stream:{node.settings.fleet}:owner:{taken.infohash}", "node-b")
        await kept_is_told(more=2)  # what was about to be told when that happened is told by then
        for _ in range(5):
            told.clear()
            await kept_is_told(more=2)
            if all(one.infohash == kept.infohash for one in told):
                break  # else Redis was late to answer, and nobody could know who has it
        for one in reads:
            one.cancel()

    assert {one.infohash for one in told} == {kept.infohash}


@pytest.fixture
async def without_streams() -> AsyncIterator[str]:
    """A NATS that has no JetStream: nobody answers what a client asks of that."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            writer.write(b'INFO {"headers":true,"max_payload":1048576}\r\n')
            while line := await reader.readline():
                match line.split():
                    case [b"PING"]:
                        writer.write(b"PONG\r\n")
                    case [b"PUB", _, inbox, _]:
                        writer.write(b"HMSG %b 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n" % inbox)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("nobody", [True, False], ids=["nobody there", "no JetStream"])
async def test_without_nats_streams_go_on(
    swarm: Swarm,
    start_node: NodeFactory,
    without_streams: str,
    capfd: pytest.CaptureFixture[str],
    *,
    nobody: bool,
) -> None:
    swarm.seeder.limit_upload(TRICKLE)
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    url = SecretStr("nats://127.0.0.1:1" if nobody else without_streams)
    said: list[str] = []
    async with start_node(nats_url=url, stall_after=0.1) as node:
        pin = await node.pin(torrent, swarm)
        await swarm.seeder.stop()
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(node.http.get(pin.stream_url))

            def why_not_yet() -> str | None:
                said.extend(capfd.readouterr())
                stalls = node.runtime.metrics.get_sample_value("buffer_events_total")
                refused = nobody or "bus_not_there" in "".join(said)
                return None if stalls and refused else f"{stalls} stalls, {said}"

            await eventually(why_not_yet, within=30)
            swarm.seeder.limit_upload(0)
            await swarm.seeder.start()
            answer = await reading

    assert sha256(answer.content) == sha256(FILM)


async def test_a_read_that_waits_goes_to_the_successor_and_so_do_later_ones(swarm: Swarm, node: Node) -> None:
    slow = await swarm.share("Slow.mkv", {"Slow.mkv": FILM})
    good = await swarm.share("Good.mkv", {"Good.mkv": OTHER})
    new = await node.pin(good, swarm)
    assert sha256((await node.http.get(new.stream_url)).content) == sha256(OTHER)
    swarm.seeder.limit_upload(TRICKLE)
    old = await node.pin(slow, swarm)
    swarm.seeder.remove(slow.infohash)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(node.http.get(old.stream_url, headers={"Range": "bytes=3000000-"}))
        await eventually(lambda: _reads_open(node, 1), within=30)
        request = pb2.ReleasePinRequest(infohash=slow.infohash, holder="session-1", successor_stream_url=new.stream_url)
        await node.rpc.ReleasePin(request, timeout=30)
        redirected = await waiting
    later = await node.http.get(old.stream_url)
    followed = await node.http.get(old.stream_url, follow_redirects=True)

    assert (redirected.status_code, redirected.headers["location"]) == (307, new.stream_url)
    assert (later.status_code, later.headers["location"]) == (307, new.stream_url)
    assert sha256(followed.content) == sha256(OTHER)


async def test_a_read_that_has_begun_is_left_alone(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    pin = await node.pin(torrent, swarm)
    async with node.http.stream("GET", pin.stream_url) as answer:
        chunks = answer.aiter_raw()
        data = await anext(chunks)
        request = pb2.ReleasePinRequest(
            infohash=torrent.infohash, holder="session-1", successor_stream_url="http://elsewhere/"
        )
        await node.rpc.ReleasePin(request, timeout=30)
        async for chunk in chunks:
            data += chunk

    assert sha256(data) == sha256(FILM)


async def test_who_pins_the_old_file_again_has_it_again(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    pin = await node.pin(torrent, swarm)
    request = pb2.ReleasePinRequest(
        infohash=torrent.infohash, holder="session-1", successor_stream_url="http://elsewhere/"
    )
    await node.rpc.ReleasePin(request, timeout=30)
    away = await node.http.get(pin.stream_url)
    await node.pin(torrent, swarm)
    back = await node.http.get(pin.stream_url)

    assert (away.status_code, back.status_code) == (307, 200)


async def test_other_holders_of_the_file_are_not_redirected(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    await node.pin(torrent, swarm)
    other = await node.pin(torrent, swarm, holder="session-2")
    request = pb2.ReleasePinRequest(
        infohash=torrent.infohash, holder="session-1", successor_stream_url="http://elsewhere/"
    )
    await node.rpc.ReleasePin(request, timeout=30)

    assert (await node.http.get(other.stream_url)).status_code == 200


async def why_peers_are_there(node: Node) -> str | None:
    peers = sum(pin.peers for pin in (await node.pins()).values())
    return f"{peers} peers" if peers else None


def _reads_open(node: Node, number: int) -> str | None:
    found = node.runtime.metrics.get_sample_value("vod_stream_reads_open")
    return None if found == number else f"{found} reads are open"


async def _pin_here(node: Node, torrent: Torrent, swarm: Swarm) -> pb2.Pin:
    """Pin a file on this node, wherever it would be placed."""
    request = pb2.EnsurePinRequest(
        infohash=torrent.infohash,
        magnet_uri=swarm.magnet(torrent),
        purpose=pb2.PURPOSE_CURRENT,
        holder="session-1",
        wait_for=pb2.WAIT_FOR_METADATA,
    )
    forwarded = (("vod-forwarded", "1"),)
    return (await node.rpc.EnsurePin(request, timeout=10, metadata=forwarded)).pin

"""Two nodes and a register: any of them answers, one does the work, and each can take the other's place."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis
from vod.stream.v1 import stream_service_pb2 as pb2
from vod.stream.v1.stream_service_pb2_grpc import StreamServiceStub

from vod_fakes.control import html_error
from vod_local.servers.redis import embedded_redis
from vod_rpc import DeadlineExceeded, channel
from vod_runtime import Runtime
from vod_stream_node.domain import Infohash
from vod_stream_node.placement import Member, place
from vod_testing import eventually

from .conftest import (
    LEASE,
    LONG_LEASE,
    SECRET,
    NodeFactory,
    Pair,
    Swarm,
    know,
    nodes_known,
    noise,
    reserved_port,
    sha256,
    two_nodes,
)

MIB = 1 << 20
FILM = noise(8 * MIB, seed=1)
FORWARDED = (("vod-forwarded", "1"),)
PROBED = 3.0
"""Seconds for which a swarm is asked that does not answer."""


@pytest.fixture
async def pair(start_node: NodeFactory, tmp_path: Path, redis_url: str) -> AsyncIterator[Pair]:
    async with two_nodes(start_node, tmp_path, redis_url, drain_timeout=60) as running:
        yield running


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A player, whose connections are closed before the nodes are."""
    async with httpx.AsyncClient(timeout=60) as client:
        yield client


async def everywhere(pair: Pair, expected: dict[tuple[str, int], list[str]]) -> None:
    """Wait until both nodes list these holders by file; one that is asked and late is left out of a list."""

    async def why_not_yet() -> str | None:
        listed = [await node.pins() for node in (pair.a, pair.b)]
        holders = [{file: [holder.name for holder in pin.holders] for file, pin in pins.items()} for pins in listed]
        return None if holders == [expected] * 2 else f"{holders}"

    await eventually(why_not_yet, within=30)


async def test_any_node_answers_and_one_has_the_torrent(swarm: Swarm, pair: Pair) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})

    pins = [await node.pin(torrent, swarm, holder=f"session-{turn}") for turn in (1, 2) for node in (pair.a, pair.b)]

    owner, other = pair.both_by_owner(pins[0].node)
    assert {pin.node for pin in pins} == {owner.settings.node_name}
    assert all(pin.stream_url.startswith(f"{owner.settings.public_base}/stream/{pin.node}/") for pin in pins)
    assert [folder.name for folder in owner.stored.iterdir()] == [torrent.infohash]
    assert not other.stored.exists() or not list(other.stored.iterdir())
    await everywhere(pair, {(torrent.infohash, 0): ["session-1", "session-2"]})


async def test_torrents_are_spread_over_the_nodes(swarm: Swarm, pair: Pair) -> None:
    torrents = [
        await swarm.share(f"Film{number}.mkv", {f"Film{number}.mkv": noise(50_000, seed=number)}) for number in range(8)
    ]

    owners = [(await pair.a.pin(torrent, swarm)).node for torrent in torrents]

    assert {"node-a", "node-b"} == set(owners)


async def test_any_node_tells_what_the_owner_has_and_releases_what_he_holds(swarm: Swarm, pair: Pair) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    first = await pair.a.pin(torrent, swarm, wait_for=pb2.WAIT_FOR_ENDS)
    owner, other = pair.both_by_owner(first.node)

    described = await other.rpc.DescribeTorrent(pb2.DescribeTorrentRequest(infohash=torrent.infohash), timeout=30)
    read = await other.rpc.ReadPresent(pb2.ReadPresentRequest(infohash=torrent.infohash, size=MIB), timeout=30)

    async def why_not_released() -> str | None:
        # The others are told for as long as two seconds, and one that stands still so long hears nothing of it.
        await other.rpc.ReleasePin(pb2.ReleasePinRequest(infohash=torrent.infohash, holder="session-1"), timeout=30)
        pins = await owner.pins()
        return f"{pins}" if pins else None

    await eventually(why_not_released, within=30)
    assert [file.path for file in described.files] == ["Film.mkv"]
    assert read.data == FILM[:MIB]


async def test_a_call_that_was_forwarded_is_not_forwarded_again(swarm: Swarm, pair: Pair) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    owner = (await pair.a.pin(torrent, swarm)).node
    _, other = pair.both_by_owner(owner)
    request = pb2.EnsurePinRequest(
        infohash=torrent.infohash, magnet_uri=swarm.magnet(torrent), purpose=pb2.PURPOSE_CURRENT, holder="x"
    )

    answer = await other.rpc.EnsurePin(request, timeout=30, metadata=FORWARDED)

    assert answer.pin.node == other.settings.node_name != owner


async def test_a_reader_at_the_wrong_node_is_led_to_the_owner(
    swarm: Swarm, pair: Pair, http: httpx.AsyncClient
) -> None:
    torrent = await swarm.share("Film 100%.mkv", {"Film 100%.mkv": FILM})
    pin = await pair.a.pin(torrent, swarm)
    owner, other = pair.both_by_owner(pin.node)
    token, name = pin.stream_url.rsplit("/", 2)[1:]

    astray = await http.get(f"{other.settings.public_base}/stream/{other.settings.node_name}/{token}/{name}")
    followed = await http.get(pin.stream_url.replace(pin.node, "x", 1), follow_redirects=True)

    assert (astray.status_code, astray.headers["location"]) == (307, pin.stream_url)
    assert followed.content == FILM
    assert owner.runtime.metrics.get_sample_value("vod_stream_takeovers_total") == 0


async def test_a_flushed_register_is_filled_again_and_the_owner_stays(swarm: Swarm, pair: Pair, redis_url: str) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    members = [Member(name, target="", public_base="", peer="") for name in ("node-a", "node-b")]
    placed = place(Infohash(torrent.infohash), members)
    async with Redis.from_url(redis_url) as redis:
        # Owned where it would not be placed, so that placing it anew would show.
        await redis.set(
            f"stream:{pair.a.settings.fleet}:owner:{torrent.infohash}",
            "node-b" if placed == members[0] else "node-a",
        )
        first = await pair.a.pin(torrent, swarm)
        assert placed is not None
        assert first.node != placed.name
        await pair.b.pin(torrent, swarm)
        await redis.flushall()
        meanwhile = [(await node.pin(torrent, swarm)).node for node in (pair.a, pair.b)]

        async def why_not_yet() -> str | None:
            kinds = {key.decode().split(":")[2] for key in await redis.keys("stream:*:*")}
            missing = {"node", "owner", "recipe"} - kinds
            return f"without {missing}" if missing else None

        await eventually(why_not_yet, within=30)
    afterwards = [(await node.pin(torrent, swarm)).node for node in (pair.a, pair.b)]

    assert {first.node} == {*meanwhile, *afterwards}
    assert (nodes_known(pair.a), nodes_known(pair.b)) == (2, 2)


async def test_without_the_register_the_nodes_go_on_with_what_they_know(
    swarm: Swarm, start_node: NodeFactory, tmp_path: Path
) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    another = await swarm.share("Other.mkv", {"Other.mkv": noise(MIB, seed=2)})
    folder = Path(f"/tmp/vod-{os.getpid()}-{os.urandom(3).hex()}")
    async with AsyncExitStack() as stack:
        stack.callback(lambda: os.system(f"rm -rf {folder}"))
        async with embedded_redis(folder / "data", folder / "run") as register:
            pair = await stack.enter_async_context(two_nodes(start_node, tmp_path, register))
            before = await pair.a.pin(torrent, swarm)

        known = [await node.pin(torrent, swarm) for node in (pair.a, pair.b)]
        new = await pair.a.pin(another, swarm)

        assert {before.node} == {pin.node for pin in known}
        async with httpx.AsyncClient(timeout=60) as http:
            assert (await http.get(new.stream_url)).content == noise(MIB, seed=2)
        await everywhere(pair, {(one.infohash, 0): ["session-1"] for one in (torrent, another)})


async def test_a_node_whose_register_was_never_there_works_alone(swarm: Swarm, start_node: NodeFactory) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})

    async with start_node(redis_url="unix:///nowhere/redis.sock") as node:
        pin = await node.pin(torrent, swarm)
        answer = await node.http.get(pin.stream_url)

    assert (pin.node, answer.content) == ("node-a", FILM)


@asynccontextmanager
async def process(
    folder: Path, register: str, *, lease: float = LEASE
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run the node `victim` in a process of its own; yields it and its RPC address."""
    with reserved_port() as port:
        environment = {
            "VOD_NODE_NAME": "victim",
            "VOD_STREAM_NODE_LISTEN": f"unix:{folder}/victim.sock",
            "VOD_STREAM_HTTP_LISTEN": f"127.0.0.1:{port}",
            "VOD_STREAM_PUBLIC_BASE": f"http://127.0.0.1:{port}",
            "VOD_OPS_LISTEN": f"unix:{folder}/ops.sock",
            "VOD_SECRET_KEY": SECRET,
            "VOD_DATA_DIR": f"{folder}/victim",
            "VOD_ALLOW_PRIVATE_PEERS": "1",
            "VOD_LOG_LEVEL": "ERROR",
            "VOD_STREAM_NODE_LEASE": str(lease),
            "REDIS_URL": register,
        }
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "vod_runtime.host", "stream-node", env=os.environ | environment
        )
        try:
            yield running, environment["VOD_STREAM_NODE_LISTEN"]
        finally:
            if running.returncode is None:
                running.kill()
            await running.wait()


async def test_a_killed_nodes_readers_go_on_at_another_which_never_heard_of_the_torrent(
    swarm: Swarm, start_node: NodeFactory, tmp_path: Path, redis_url: str, runtime: Runtime
) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    async with start_node(redis_url=redis_url, lease=LEASE) as node:
        async with process(tmp_path, redis_url) as (victim, address), channel(address, runtime) as opened:
            await know(node, 2)
            request = pb2.EnsurePinRequest(
                infohash=torrent.infohash,
                magnet_uri=swarm.magnet(torrent),
                purpose=pb2.PURPOSE_CURRENT,
                holder="s",
                wait_for=pb2.WAIT_FOR_METADATA,
            )
            # Placed by force: as if this node had never been asked.
            url = (await StreamServiceStub(opened).EnsurePin(request, timeout=30, metadata=FORWARDED)).pin.stream_url
            async with httpx.AsyncClient(timeout=60) as http:
                head = (await http.get(url, headers={"Range": f"bytes=0-{MIB - 1}"})).content
            victim.send_signal(signal.SIGKILL)
            await victim.wait()

        # What an edge does when it can't reach the node in the path.
        there = url.split("/stream/")[1]
        rest = await node.http.get(f"{node.settings.public_base}/stream/{there}", headers={"Range": f"bytes={MIB}-"})
        pinned = await node.pin(torrent, swarm, holder="s")

    assert sha256(head + rest.content) == sha256(FILM)
    assert pinned.node == node.settings.node_name
    assert node.runtime.metrics.get_sample_value("vod_stream_takeovers_total") == 1


async def test_a_pin_is_made_elsewhere_as_soon_as_its_owner_is_dead(
    swarm: Swarm, start_node: NodeFactory, tmp_path: Path, redis_url: str
) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    async with start_node(redis_url=redis_url, lease=LONG_LEASE) as node, process(tmp_path, redis_url) as (victim, _):
        async with Redis.from_url(redis_url) as redis:
            await redis.set(f"stream:{node.settings.fleet}:owner:{torrent.infohash}", "victim")
        await know(node, 2)
        assert (await node.pin(torrent, swarm)).node == "victim"
        victim.send_signal(signal.SIGKILL)
        await victim.wait()

        again = await node.pin(torrent, swarm)

    assert again.node == node.settings.node_name


async def test_a_swarm_that_was_asked_too_late_because_a_node_is_frozen_is_not_called_silent(
    swarm: Swarm, start_node: NodeFactory, tmp_path: Path, redis_url: str
) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    await swarm.seeder.stop()
    async with (
        start_node(redis_url=redis_url, lease=LONG_LEASE) as node,
        process(tmp_path, redis_url, lease=LONG_LEASE) as (victim, _),
    ):
        async with Redis.from_url(redis_url) as redis:
            await redis.set(f"stream:{node.settings.fleet}:owner:{torrent.infohash}", "victim")
        await know(node, 2)
        victim.send_signal(signal.SIGSTOP)
        began = time.monotonic()

        async def end_of_the_frozen_one() -> None:
            # By far most of the time was spent on it, also if the call was late itself.
            await eventually(lambda: None if time.monotonic() - began > 0.8 * PROBED else "early", within=30)
            victim.kill()

        async with asyncio.TaskGroup() as group:
            group.create_task(end_of_the_frozen_one())
            with pytest.raises(DeadlineExceeded) as late:
                await node.rpc.ProbeSwarm(
                    pb2.ProbeSwarmRequest(infohash=torrent.infohash, magnet_uri=swarm.magnet(torrent)), timeout=PROBED
                )

    assert late.value.reason == "DEADLINE_EXCEEDED"


async def test_a_drained_node_hands_its_torrents_and_their_holders_over_with_the_seeders_cut_off(
    swarm: Swarm, pair: Pair, http: httpx.AsyncClient
) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    swarm.seeder.limit_upload(0)
    pin = await pair.a.pin(torrent, swarm, holder="viewer")
    leaving, staying = pair.both_by_owner(pin.node)
    await http.get(pin.stream_url)
    await swarm.seeder.stop()
    # The node that stays must not find the other one by way of the tracker.
    swarm.tracker.control.misbehave(html_error())

    await leaving.endpoint.drain()

    health = await http.get(f"{leaving.settings.public_base}/edgez")
    led = await http.get(pin.stream_url)
    content = (await http.get(pin.stream_url, follow_redirects=True)).content
    fresh = await staying.pin(torrent, swarm, holder="viewer")
    held = (await staying.rpc.ListPins(pb2.ListPinsRequest(), timeout=30, metadata=FORWARDED)).pins
    assert health.status_code == 404
    assert (led.status_code, led.headers["location"].split("/stream/")[1].split("/")[0]) == (
        307,
        staying.settings.node_name,
    )
    assert content == FILM
    assert fresh.node == staying.settings.node_name
    assert [[holder.name for holder in one.holders] for one in held] == [["viewer"]]


async def test_a_reader_who_comes_back_after_a_restart_holds_his_file_again(
    swarm: Swarm, start_node: NodeFactory, redis_url: str
) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    async with start_node(redis_url=redis_url) as node:
        there = (await node.pin(torrent, swarm, wait_for=pb2.WAIT_FOR_ENDS)).stream_url.split("/stream/")[1]
    async with start_node(redis_url=redis_url) as node:
        forgotten = await node.pins()

        async with httpx.AsyncClient(timeout=60) as http:
            await http.get(f"{node.settings.public_base}/stream/{there}", headers={"Range": "bytes=0-99"})

        held = await node.pins()
    assert forgotten == {}
    assert [holder.name for holder in held[torrent.infohash, 0].holders] == ["session-1"]


async def test_nodes_with_another_secret_are_strangers(start_node: NodeFactory, tmp_path: Path, redis_url: str) -> None:
    async with (
        start_node(redis_url=redis_url, lease=LEASE) as one,
        start_node(
            redis_url=redis_url,
            lease=LEASE,
            node_name="b",
            secret_key="another secret entirely",
            listen=f"unix:{tmp_path}/b.sock",
            data_dir=tmp_path / "b",
        ) as stranger,
    ):
        assert one.settings.fleet != stranger.settings.fleet
        assert (nodes_known(one), nodes_known(stranger)) == (1, 1)


async def test_a_node_that_drains_alone_waits_for_nobody(swarm: Swarm, start_node: NodeFactory, redis_url: str) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    async with start_node(redis_url=redis_url, drain_timeout=60) as node:
        pin = await node.pin(torrent, swarm)

        async with asyncio.timeout(30):
            await node.endpoint.drain()

        answer = await node.http.get(pin.stream_url)
    assert answer.content == FILM

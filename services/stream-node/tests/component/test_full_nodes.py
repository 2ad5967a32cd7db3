"""Two nodes of which one or both have a full disk: a reader gets his bytes, or is told, and is never led to and fro."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, suppress
from itertools import product
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_fakes.torrents import Torrent
from vod_rpc import Failure
from vod_testing import eventually

from .conftest import Node, NodeFactory, Pair, Swarm, enlarge, noise, sha256, small_disk, two_nodes

MIB = 1 << 20
FILM = noise(20 * MIB, seed=2)
DISK_MIB = 8
SPOTS = range(0, len(FILM), MIB)
"""More of the film than any small disk takes."""

# Without an express lane, which would keep 64 MiB in memory for a while.
SETTINGS = {"disk_reserve": 0, "bind": "127.0.0.1", "sweep_interval": 0.2}
PairFactory = Callable[..., AbstractAsyncContextManager[Pair]]


@pytest.fixture
def two(start_node: NodeFactory, tmp_path: Path, redis_url: str) -> PairFactory:
    """Starts two nodes, of which those named have a disk that is too small for the film."""

    @asynccontextmanager
    async def start(*small: str) -> AsyncIterator[Pair]:
        with ExitStack() as disks:
            for name in small:
                disks.enter_context(small_disk(tmp_path / name, mib=DISK_MIB))
            async with two_nodes(start_node, tmp_path, redis_url, **SETTINGS) as pair:
                yield pair

    return start


async def pinned(node: Node, torrent: Torrent, swarm: Swarm) -> str:
    """Ask for a pin as a player does that asks its session for the address again; return what comes of it."""
    try:
        return (await node.pin(torrent, swarm, within=10)).stream_url
    except Failure as failure:
        return failure.reason


async def at(player: httpx.AsyncClient, address: str, spot: int) -> httpx.Response:
    """Read a little in the middle; what had room comes right, and nobody is led to and fro."""
    answer = await player.get(address, headers={"Range": f"bytes={spot}-{spot + 99}"})
    assert len(answer.history) <= 1
    assert answer.status_code == 507 or answer.content == FILM[spot : spot + 100]
    return answer


async def test_with_all_disks_full_a_reader_is_told_so_at_every_node_under_every_name(
    swarm: Swarm, two: PairFactory, tmp_path: Path
) -> None:
    film = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    async with two("node-a", "node-b") as pair, httpx.AsyncClient(timeout=60, follow_redirects=True) as player:
        token = (await pair.a.pin(film, swarm)).stream_url.split("/stream/")[1].split("/", 1)[1]
        nodes = [pair.a, pair.b]
        addresses = [
            f"{node.settings.public_base}/stream/{name}/{token}" for node in nodes for name in ("node-a", "node-b")
        ]
        refused: dict[str, str] = {}

        async def why_not_everywhere() -> str | None:
            for node in nodes:
                await pinned(node, film, swarm)
            for address, spot in product(addresses, SPOTS):
                answer = await at(player, address, spot)
                if answer.status_code == 507:
                    refused[address] = f"{answer.json()['reason']} {answer.headers['content-type']}"
            return None if set(addresses) == set(refused) else f"{refused}"

        await eventually(why_not_everywhere, within=60)
        for _ in range(3):
            assert await why_not_everywhere() is None

        enlarge(tmp_path / "node-b", mib=64)
        whole = ""

        async def why_not_whole() -> str | None:
            nonlocal whole
            url = await pinned(pair.a, film, swarm)
            if not url.startswith("http"):
                return url
            try:
                answer = await player.get(url)
            except httpx.TransportError:
                return "it ended early"  # at the full node
            whole = sha256(answer.content)
            return None if answer.status_code == 200 else f"{answer.status_code}"

        await eventually(why_not_whole, within=60)

    assert set(refused.values()) == {"DISK_FULL application/problem+json"}
    assert whole == sha256(FILM)


async def test_what_nobody_wants_leaves_a_disk_on_which_nothing_can_be_written_any_more(
    swarm: Swarm, start_node: NodeFactory, tmp_path: Path
) -> None:
    seen = await swarm.share("Seen.mkv", {"Seen.mkv": FILM[: 4 * MIB]})
    with small_disk(tmp_path / "node-a", mib=DISK_MIB):
        async with start_node(data_dir=tmp_path / "node-a", **SETTINGS) as node:
            folder = node.stored / seen.infohash
            pin = await node.pin(seen, swarm)
            assert (await node.http.get(pin.stream_url)).content == FILM[: 4 * MIB]
            await eventually(lambda: None if (folder / "resume").exists() else "unsaved", within=60)
            with (tmp_path / "node-a" / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
                while True:
                    ballast.write(bytes(1 << 12))

            # Still in the session, as a moment after the end of an episode.
            await node.rpc.ReleasePin(pb2.ReleasePinRequest(holder="session-1"), timeout=30)

            await eventually(lambda: "it is here" if folder.exists() else None, within=60)


async def test_a_reader_follows_his_film_from_a_full_node_to_one_with_room(
    swarm: Swarm, two: PairFactory, redis_url: str
) -> None:
    film = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    async with two("node-a") as pair, httpx.AsyncClient(timeout=60, follow_redirects=True) as player:
        async with Redis.from_url(redis_url) as redis:
            await redis.set(f"stream:{pair.a.settings.fleet}:owner:{film.infohash}", "node-a")
        first = await pair.a.pin(film, swarm)
        token = first.stream_url.split("/stream/")[1].split("/", 1)[1]
        node = ""

        async def why_not_moved() -> str | None:
            nonlocal node
            # The node with room remembers from now on whose the film is; in the next moment that changes.
            await at(player, f"{pair.b.settings.public_base}/stream/node-b/{token}", SPOTS[-1])
            node = (await pair.a.pin(film, swarm)).node
            return None if node == "node-b" else "it is not full yet"

        await eventually(why_not_moved, within=60)
        followed: httpx.Response

        async def why_not_led_on() -> str | None:
            nonlocal followed
            try:
                followed = await player.get(first.stream_url)
            except httpx.TransportError:
                return "it ended early"
            # What a node remembers of the others may be a second old; until then it says that it is full.
            return None if followed.history else f"{followed}"

        await eventually(why_not_led_on, within=60)

    assert (first.node, node) == ("node-a", "node-b")
    assert [one.status_code for one in followed.history] == [307]
    assert sha256(followed.content) == sha256(FILM)

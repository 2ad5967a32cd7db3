"""The express lane among peers that lie, fall silent, or take one connection from each address."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_fakes.seeder import Seeder
from vod_fakes.torrents import Torrent
from vod_stream_node.lane import wire
from vod_testing import eventually

from .conftest import Node, NodeFactory, Swarm, noise

MIB = 1 << 20
TRICKLE = 64 << 10
"""Bytes per second of a seeder that leaves something to others."""
LANE = b"-NS"
"""How the peer ids of our lane begin; libtorrent's do not."""


@dataclass(slots=True)
class FakeSeed:
    """A peer that claims to have everything; *answer* makes the data it sends for a request, None for silence."""

    infohash: bytes
    answer: Callable[[int, int, int], bytes | None]
    open: dict[bytes, int] = field(default_factory=dict)
    """Connections that are open, by the start of the other's peer id."""
    met: list[bytes] = field(default_factory=list)
    """Who has ever connected."""
    asked: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError), closing(writer):
            hello = await reader.readexactly(wire.HANDSHAKE_BYTES)
            who = hello[48:51]
            self.met.append(who)
            self.open[who] = self.open.get(who, 0) + 1
            try:
                writer.write(wire.handshake(self.infohash, b"-FAKE-".ljust(20)) + b"\0\0\0\1\x0e" + b"\0\0\0\1\1")
                while True:
                    await self._one(reader, writer)
            finally:
                self.open[who] -= 1

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (length,) = struct.unpack(">I", await reader.readexactly(4))
        message = await reader.readexactly(length)
        if message[:1] != b"\6":
            return
        piece, begin, size = struct.unpack(">III", message[1:13])
        self.asked += 1
        data = self.answer(piece, begin, size)
        if data is not None:
            writer.write(struct.pack(">IBII", 9 + len(data), 7, piece, begin) + data)
            await writer.drain()


@asynccontextmanager
async def fake_seed(
    swarm: Swarm, torrent: Torrent, answer: Callable[[int, int, int], bytes | None], *, host: str = "127.0.0.1"
) -> AsyncIterator[FakeSeed]:
    """Run a fake seed that the tracker knows."""
    seed = FakeSeed(bytes.fromhex(torrent.infohash), answer)
    server = await asyncio.start_server(seed.serve, host, 0)
    # The tracker takes whom it is told of from the address that tells it.
    async with server, httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(local_address=host)) as http:
        query = f"info_hash={''.join(f'%{byte:02x}' for byte in seed.infohash)}&peer_id={'f' * 20}"
        port = server.sockets[0].getsockname()[1]
        await http.get(f"{swarm.tracker.url}?{query}&port={port}&left=0&uploaded=0&downloaded=0&compact=1")
        yield seed


class SingleSeeder(Seeder):
    """A seeder that takes one connection from each address, as most clients do."""

    __slots__ = ()

    def _settings(self) -> dict[str, Any]:
        return super()._settings() | {"allow_multiple_connections_per_ip": False}


async def test_peers_are_called_while_nobody_has_told_yet_what_is_in_the_torrent(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": noise(MIB, seed=1)})
    swarm.seeder.remove(torrent.infohash)
    question = pb2.ProbeSwarmRequest(infohash=torrent.infohash, magnet_uri=swarm.magnet(torrent))
    async with fake_seed(swarm, torrent, lambda _piece, _begin, _size: None) as mute:
        asking = asyncio.ensure_future(node.rpc.ProbeSwarm(question, timeout=60))

        await eventually(lambda: None if mute.open.get(LANE) else "the lane has not called", within=30)

        asking.cancel()


async def test_the_first_bytes_of_a_first_file_are_asked_for_before_it_is_known_what_is_in_the_torrent(
    swarm: Swarm, node: Node
) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": noise(MIB, seed=1)})
    swarm.seeder.remove(torrent.infohash)
    asked: list[tuple[int, int]] = []

    def note(piece: int, begin: int, _size: int) -> None:
        asked.append((piece, begin))

    async with fake_seed(swarm, torrent, note):
        await node.pin(torrent, swarm, wait_for=pb2.WAIT_FOR_UNSPECIFIED)

        await eventually(lambda: None if (0, 0) in asked else f"asked for {asked}", within=30)

    assert {piece for piece, _ in asked} == {0}


async def test_wrong_data_never_reaches_a_viewer_and_who_sent_it_is_banned(swarm: Swarm, node: Node) -> None:
    film = noise(6 * MIB, seed=1)
    torrent = await swarm.share("Film.mkv", {"Film.mkv": film})
    swarm.seeder.limit_upload(TRICKLE)
    async with fake_seed(swarm, torrent, lambda _piece, _begin, size: bytes(size)) as liar:
        pin = await node.pin(torrent, swarm)

        def why_not_yet() -> str | None:
            return None if liar.asked and not liar.open.get(LANE) else f"asked {liar.asked} times, open: {liar.open}"

        # While nearly everything lacks, nobody is hung up on but for a reason.
        await eventually(why_not_yet, within=50)
        swarm.seeder.limit_upload(0)
        answer = await node.http.get(pin.stream_url)

    assert answer.content == film
    assert not liar.open.get(LANE)


@pytest.mark.parametrize("by", ["libtorrent", "the lane"])
async def test_a_liar_who_was_alone_is_banned_and_a_viewer_gets_the_right_bytes_from_who_comes_later(
    swarm: Swarm, start_node: NodeFactory, capfd: pytest.CaptureFixture[str], by: str
) -> None:
    film = noise(4 * MIB, seed=1)
    torrent = await swarm.share("Film.mkv", {"Film.mkv": film})
    # While the liar is alone nobody else can be blamed for a piece that two sent parts of.
    await swarm.seeder.stop()
    request = pb2.EnsurePinRequest(
        torrent=torrent.metainfo(swarm.tracker.url), purpose=pb2.PURPOSE_CURRENT, holder="a", file_index=0
    )
    said: list[str] = []
    # Who goes out by an address of his choice has no express lane.
    settings = {"bind": "127.0.0.1"} if by == "libtorrent" else {}
    async with (
        fake_seed(swarm, torrent, lambda _piece, _begin, size: bytes(size), host="127.0.0.3") as liar,
        start_node(**settings) as node,
    ):
        pin = (await node.rpc.EnsurePin(request, timeout=30)).pin
        reading = asyncio.ensure_future(node.http.get(pin.stream_url, timeout=90))

        def why_not_yet() -> str | None:
            said.extend(capfd.readouterr())
            banned = "peer_banned" in "".join(said) and (by == "libtorrent" or LANE in liar.met)
            return None if banned and not any(liar.open.values()) else f"banned: {banned}, open: {liar.open}"

        await eventually(why_not_yet, within=50)
        met, asked = list(liar.met), liar.asked
        await swarm.seeder.start()  # it calls the node, of which the tracker tells it
        answer = await reading

    assert answer.content == film
    assert asked > 0
    assert (liar.met, liar.asked) == (met, asked)  # nobody has called it again
    assert (LANE in met) == (by == "the lane")


async def test_a_peer_that_says_nothing_does_not_keep_a_viewer_waiting(swarm: Swarm, node: Node) -> None:
    film = noise(6 * MIB, seed=1)
    torrent = await swarm.share("Film.mkv", {"Film.mkv": film})
    swarm.seeder.limit_upload(TRICKLE)
    async with fake_seed(swarm, torrent, lambda _piece, _begin, _size: None) as silent:
        pin = await node.pin(torrent, swarm)
        await eventually(lambda: None if silent.asked else "the silent one was not asked", within=30)
        swarm.seeder.limit_upload(0)
        answer = await node.http.get(pin.stream_url, timeout=10)

    assert answer.content == film
    assert silent.asked > 0


async def test_a_near_peer_gives_what_it_can_though_it_waits_for_acknowledgements(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": noise(32 * MIB, seed=4)})
    await node.pin(torrent, swarm)

    async def why_not_whole() -> str | None:
        [pin] = (await node.pins()).values()
        return None if pin.downloaded_bytes == torrent.size else f"{pin.downloaded_bytes >> 10} KiB"

    # Two blocks in each 40 ms would take 40 s; this one gives all of it in one or two.
    await eventually(why_not_whole, within=25)


async def test_a_seed_that_takes_one_connection_from_each_address_serves_all_the_same(swarm: Swarm, node: Node) -> None:
    film = noise(6 * MIB, seed=1)
    await swarm.seeder.stop()
    swarm.seeder = SingleSeeder()
    await swarm.seeder.start()
    torrent = await swarm.share("Film.mkv", {"Film.mkv": film})

    pin = await node.pin(torrent, swarm)
    answer = await node.http.get(pin.stream_url)

    assert answer.content == film

"""What strangers may send, made to hurt: each is a clear state or error in time, and nobody else is disturbed."""

import hashlib
import os
import random
import socket
from collections.abc import Sequence
from typing import Any

import libtorrent as lt
import pytest
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_rpc import Failure

from .conftest import Node, NodeFactory, Swarm, near_the_deadline, noise, sha256

MIB = 1 << 20
PIECE = 16 << 10
FILM = noise(MIB, seed=3)
RANGES = int(os.environ.get("VOD_RANGES", "300"))
"""`make soak` asks for 10,000."""
NOWHERE = "http://127.0.0.1:9/announce"


def metainfo(files: Sequence[tuple[Sequence[str], int]], *, name: str = "pack", pieces: bytes | None = None) -> bytes:
    """A .torrent whose paths nobody cleaned."""
    size = sum(length for _, length in files)
    digests = hashlib.sha1(b"", usedforsecurity=False).digest() * -(-size // PIECE)
    info = {
        b"files": [{b"length": length, b"path": [part.encode() for part in path]} for path, length in files],
        b"name": name.encode(),
        b"piece length": PIECE,
        b"pieces": digests if pieces is None else pieces,
    }
    written: bytes = lt.bencode({b"announce": NOWHERE.encode(), b"info": info})
    return written


async def ensure(node: Node, *, within: float = 30, **fields: Any) -> pb2.EnsurePinResponse:
    given = {"holder": "a", "purpose": pb2.PURPOSE_CURRENT, "wait_for": pb2.WAIT_FOR_METADATA}
    return await node.rpc.EnsurePin(pb2.EnsurePinRequest(**given | fields), timeout=within)


async def refused(node: Node, **fields: Any) -> str:
    """Why a torrent is refused."""
    with pytest.raises(Failure) as raised:
        await ensure(node, **fields)
    return raised.value.reason


async def test_twenty_thousand_files_are_refused_at_once(node: Node) -> None:
    torrent = metainfo([([f"{number}.mkv"], 10) for number in range(20_000)])

    assert await refused(node, torrent=torrent) == "TORRENT_REFUSED"
    assert await node.pins() == {}


async def test_a_torrent_file_of_a_hundred_megabytes_is_refused_before_it_is_read(node: Node) -> None:
    with pytest.raises(Failure) as raised:
        await ensure(node, torrent=bytes(100 * MIB))

    assert raised.value.code.name in {"RESOURCE_EXHAUSTED", "INVALID_ARGUMENT"}
    assert await node.pins() == {}


@pytest.mark.parametrize(
    "path",
    [
        ["..", "..", "evil.mkv"],
        ["/", "etc", "evil.mkv"],
        ["..\\..\\evil.mkv"],
        ["/etc/evil.mkv"],
        ["C:\\evil.mkv"],
        ["CON.mkv"],
        ["a" * 5000 + ".mkv"],
        ["\u202egpj.mkv"],
        ["nul\0byte.mkv"],
    ],
)
@pytest.mark.parametrize("name", ["pack", "..", "/tmp/x"])
async def test_no_name_leads_out_of_the_torrents_folder(node: Node, path: list[str], name: str) -> None:
    answer = await ensure(node, torrent=metainfo([(path, 100), (["ok.mkv"], 100)], name=name), file_index=1)
    files = (await node.rpc.DescribeTorrent(pb2.DescribeTorrentRequest(infohash=answer.pin.infohash), timeout=30)).files

    home = node.stored / answer.pin.infohash / "data"
    for file in files:
        assert (home / file.path).resolve().is_relative_to(home.resolve())
        assert "\0" not in file.path


async def test_files_without_bytes_are_no_trouble(swarm: Swarm, node: Node) -> None:
    empty = {f"{number}.mkv": b"" for number in range(50)}
    torrent = await swarm.share("Pack", {**empty, "film.mkv": FILM})
    pin = await node.pin(torrent, swarm, file_index=50)
    nothing = await node.pin(torrent, swarm, file_index=7)

    assert sha256((await node.http.get(pin.stream_url)).content) == sha256(FILM)
    assert (nothing.state, (await node.http.get(nothing.stream_url)).content) == (pb2.PIN_STATE_COMPLETE, b"")


async def test_a_torrent_of_nothing_but_empty_files_is_refused(node: Node) -> None:
    assert await refused(node, torrent=metainfo([(["a.mkv"], 0)], pieces=b"")) in {"TORRENT_INVALID", "TORRENT_REFUSED"}


async def test_no_seeders_and_a_dead_tracker_are_told_within_the_deadline(node: Node) -> None:
    request = pb2.EnsurePinRequest(
        magnet_uri=f"magnet:?xt=urn:btih:{'e' * 40}&tr={NOWHERE}",
        holder="a",
        purpose=pb2.PURPOSE_CURRENT,
        wait_for=pb2.WAIT_FOR_METADATA,
    )

    with pytest.raises(Failure) as raised:
        await near_the_deadline(lambda within: node.rpc.EnsurePin(request, timeout=within), within=1.5)
    assert raised.value.reason == "SWARM_SILENT"
    assert await node.pins() == {}


async def test_a_dead_tracker_keeps_nobody_from_asking_the_next_one(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    with socket.create_server(("127.0.0.1", 0)) as dead:  # takes calls, and never answers
        magnet = f"magnet:?xt=urn:btih:{torrent.infohash}&tr=http://127.0.0.1:{dead.getsockname()[1]}/announce"
        # Sooner than anybody gives up a tracker that does not answer.
        answer = await ensure(node, within=9, magnet_uri=f"{magnet}&tr={swarm.tracker.url}")

    assert answer.pin.size_bytes == len(FILM)


async def test_web_seeds_in_our_own_network_are_not_asked(swarm: Swarm, start_node: NodeFactory) -> None:
    async with start_node(allow_private_peers=False, peer_listen="127.0.0.1:0") as node:
        magnet = f"magnet:?xt=urn:btih:{'e' * 40}&ws=http://127.0.0.1:9/&ws=http://10.0.0.1/&ws=http://seed.example/x"
        answer = await node.rpc.EnsurePin(
            pb2.EnsurePinRequest(magnet_uri=magnet, holder="a", purpose=pb2.PURPOSE_CURRENT), timeout=30
        )

    assert answer.magnet_uri == f"magnet:?xt=urn:btih:{'e' * 40}&ws=http%3A%2F%2Fseed.example%2Fx"


async def test_random_ranges_during_the_download_are_the_right_bytes(swarm: Swarm, node: Node) -> None:
    film = noise(RANGES // 50 * MIB + 321, seed=11)
    torrent = await swarm.share("Film.mkv", {"Film.mkv": film})
    swarm.seeder.limit_upload(3 * MIB)
    pin = await node.pin(torrent, swarm)
    dice = random.Random(RANGES)
    for _ in range(RANGES):
        first = dice.randrange(len(film))
        last = min(len(film) - 1, first + dice.randrange(1, 20_000))
        answer = await node.http.get(pin.stream_url, headers={"Range": f"bytes={first}-{last}"})
        assert answer.content == film[first : last + 1]

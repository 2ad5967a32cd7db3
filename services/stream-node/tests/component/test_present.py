"""What is here of a file, told and read without asking the swarm."""

import pytest
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_rpc import NotFound
from vod_testing import eventually

from .conftest import Node, Swarm, noise

MIB = 1 << 20
FILM = noise(6 * MIB + 12_345, seed=3)


async def describe(node: Node, infohash: str, index: int) -> pb2.DescribeTorrentResponse:
    return await node.rpc.DescribeTorrent(pb2.DescribeTorrentRequest(infohash=infohash, file_index=index), timeout=30)


async def read(node: Node, infohash: str, index: int, offset: int, size: int) -> bytes:
    request = pb2.ReadPresentRequest(infohash=infohash, file_index=index, offset=offset, size=size)
    return (await node.rpc.ReadPresent(request, timeout=30)).data


async def test_a_torrents_files_are_listed_and_what_is_here_is_the_seeders(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Pack", {"Film.mkv": FILM, "Film.en.srt": b"1\n00:01 --> 00:02\nHi\n"})
    await node.pin(torrent, swarm, purpose=pb2.PURPOSE_CURRENT)

    async def why_not() -> str | None:
        present = (await describe(node, torrent.infohash, 0)).present
        return None if [(one.begin, one.end) for one in present] == [(0, len(FILM))] else str(present)

    await eventually(why_not, within=30)
    listed = await describe(node, torrent.infohash, 0)

    assert [(file.index, file.path, file.size_bytes) for file in listed.files] == [
        (0, "Pack/Film.mkv", len(FILM)),
        (1, "Pack/Film.en.srt", 21),
    ]
    assert await read(node, torrent.infohash, 0, MIB - 100, 2 * MIB) == FILM[MIB - 100 : 2 * MIB - 100]
    assert await read(node, torrent.infohash, 0, len(FILM) - 10, 100) == FILM[-10:]
    assert await read(node, torrent.infohash, 0, len(FILM), 100) == b""


async def test_what_is_not_here_is_not_waited_for(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    request = pb2.ProbeSwarmRequest(infohash=torrent.infohash, magnet_uri=swarm.magnet(torrent))
    await node.rpc.ProbeSwarm(request, timeout=30)

    assert list((await describe(node, torrent.infohash, 0)).present) == []
    assert await read(node, torrent.infohash, 0, 0, 100) == b""


async def test_a_torrent_that_is_not_here_is_said_to_be_unknown(node: Node) -> None:
    with pytest.raises(NotFound) as unknown:
        await describe(node, "0" * 40, 0)

    assert unknown.value.reason == "TORRENT_UNKNOWN"

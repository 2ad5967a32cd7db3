"""How fast a swarm gives a file's first bytes is measured, within bounds."""

from typing import Any

import pytest
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_rpc import DeadlineExceeded

MIB = 1 << 20


def probe(torrent: Any, swarm: Any, **more: Any) -> pb2.ProbeSwarmRequest:
    return pb2.ProbeSwarmRequest(infohash=torrent.infohash, magnet_uri=swarm.magnet(torrent), **more)


async def test_a_good_swarm_gives_the_first_bytes_at_once(node: Any, swarm: Any) -> None:
    torrent = await swarm.share("film.mkv", {"film.mkv": bytes(MIB)})

    answer = await node.rpc.ProbeSwarm(probe(torrent, swarm, sample_bytes=MIB // 2), timeout=10)

    assert answer.sampled
    assert MIB // 2 <= answer.received_bytes <= MIB
    assert answer.elapsed.ToTimedelta().total_seconds() < 5
    assert [file.path for file in answer.files] == ["film.mkv"]


async def test_a_slow_swarm_is_measured_until_the_deadline(node: Any, swarm: Any) -> None:
    torrent = await swarm.share("film.mkv", {"film.mkv": bytes(8 * MIB)})
    swarm.seeder.limit_upload(100_000)

    answer = await node.rpc.ProbeSwarm(probe(torrent, swarm, sample_bytes=4 * MIB), timeout=3)

    assert not answer.sampled
    assert answer.received_bytes < MIB


async def test_what_was_sampled_is_here_for_the_next_one_and_nothing_is_fetched_afterwards(
    node: Any, swarm: Any
) -> None:
    torrent = await swarm.share("film.mkv", {"film.mkv": bytes(MIB)})
    request = probe(torrent, swarm, sample_bytes=MIB)
    first = await node.rpc.ProbeSwarm(request, timeout=10)

    second = await node.rpc.ProbeSwarm(request, timeout=10)

    assert (first.sampled, second.sampled) == (True, True)
    assert (second.held_bytes, second.received_bytes) == (first.received_bytes, 0)
    assert await node.pins() == {}


async def test_a_dead_swarm_is_silent_and_leaves_nothing(node: Any, swarm: Any) -> None:
    torrent = await swarm.share("film.mkv", {"film.mkv": bytes(MIB)})
    swarm.seeder.remove(torrent.infohash)

    with pytest.raises(DeadlineExceeded):
        await node.rpc.ProbeSwarm(probe(torrent, swarm, sample_bytes=MIB), timeout=1)

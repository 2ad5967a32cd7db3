"""How fast a swarm gives a file's first bytes is measured, within bounds."""

import time
from typing import Any

import pytest
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_rpc import DeadlineExceeded

from .conftest import near_the_deadline

MIB = 1 << 20


def probe(torrent: Any, swarm: Any, **more: Any) -> pb2.ProbeSwarmRequest:
    return pb2.ProbeSwarmRequest(infohash=torrent.infohash, magnet_uri=swarm.magnet(torrent), **more)


async def test_a_good_swarm_gives_the_first_bytes_at_once(node: Any, swarm: Any) -> None:
    torrent = await swarm.share("film.mkv", {"film.mkv": bytes(MIB)})

    began = time.monotonic()
    answer = await node.rpc.ProbeSwarm(probe(torrent, swarm, sample_bytes=MIB // 2), timeout=30)
    took = time.monotonic() - began

    assert answer.sampled
    assert MIB // 2 <= answer.received_bytes <= MIB
    assert 0 < answer.elapsed.ToTimedelta().total_seconds() <= took
    assert [file.path for file in answer.files] == ["film.mkv"]


async def test_a_slow_swarm_is_measured_until_the_deadline(node: Any, swarm: Any) -> None:
    torrent = await swarm.share("film.mkv", {"film.mkv": bytes(8 * MIB)})
    swarm.seeder.limit_upload(20_000)
    question = probe(torrent, swarm, sample_bytes=4 * MIB)

    answer = await near_the_deadline(lambda within: node.rpc.ProbeSwarm(question, timeout=within), within=3)

    assert not answer.sampled
    assert answer.received_bytes < MIB


async def test_what_was_sampled_is_here_for_the_next_one_and_nothing_is_fetched_afterwards(
    node: Any, swarm: Any
) -> None:
    torrent = await swarm.share("film.mkv", {"film.mkv": bytes(MIB)})
    request = probe(torrent, swarm, sample_bytes=MIB)
    first = await node.rpc.ProbeSwarm(request, timeout=30)

    second = await node.rpc.ProbeSwarm(request, timeout=30)

    assert (first.sampled, second.sampled) == (True, True)
    assert (second.held_bytes, second.received_bytes) == (first.received_bytes, 0)
    assert await node.pins() == {}


async def test_a_dead_swarm_is_silent_and_leaves_nothing(node: Any, swarm: Any) -> None:
    torrent = await swarm.share("film.mkv", {"film.mkv": bytes(MIB)})
    swarm.seeder.remove(torrent.infohash)

    with pytest.raises(DeadlineExceeded):
        await node.rpc.ProbeSwarm(probe(torrent, swarm, sample_bytes=MIB), timeout=1)

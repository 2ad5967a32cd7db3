"""A disk that is really full is a state of the node, not its end. Needs root, to mount a disk that is small enough."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from httpx import TransportError
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_testing import eventually

from .conftest import Node, NodeFactory, Swarm, enlarge, noise, sha256, small_disk

MIB = 1 << 20
SMALL, LARGE = noise(4 * MIB, seed=1), noise(20 * MIB, seed=2)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MiB."""
    with small_disk(tmp_path / "data", mib=16):
        yield tmp_path / "data"


async def test_a_full_disk_is_507_for_what_is_not_here_until_there_is_room_and_what_is_here_is_served(
    disk: Path, swarm: Swarm, start_node: NodeFactory
) -> None:
    small = await swarm.share("Small.mkv", {"Small.mkv": SMALL})
    large = await swarm.share("Large.mkv", {"Large.mkv": LARGE})
    # With an address of its own to go out by there is no express lane, which would keep 64 MiB in memory for a while.
    async with start_node(data_dir=disk, disk_reserve=0, bind="127.0.0.1") as node:
        here = await node.pin(small, swarm)
        assert sha256((await node.http.get(here.stream_url)).content) == sha256(SMALL)
        too_much = await node.pin(large, swarm)
        await eventually(lambda: _why_not_full(node, too_much), within=60)
        refused = ""

        async def why_not_refused() -> str | None:
            nonlocal refused
            known = await node.rpc.DescribeTorrent(pb2.DescribeTorrentRequest(infohash=large.infohash), timeout=30)
            gap = known.present[0].end if known.present and not known.present[0].begin else 0
            answer = await node.http.get(too_much.stream_url, headers={"Range": f"bytes={gap}-{gap + 999}"})
            refused = answer.json()["reason"] if answer.status_code == 507 else ""
            return None if refused else f"{answer.status_code}"  # what the kernel still took came

        await eventually(why_not_refused, within=60)
        again = await node.http.get(here.stream_url)
        known = await node.rpc.DescribeTorrent(pb2.DescribeTorrentRequest(infohash=large.infohash), timeout=30)
        for part in known.present:
            said = await node.http.get(too_much.stream_url, headers={"Range": f"bytes={part.begin}-{part.end - 1}"})
            assert (said.status_code, sha256(said.content)) == (206, sha256(LARGE[part.begin : part.end]))

        enlarge(disk, mib=64)
        whole = ""

        async def why_not_whole() -> str | None:
            nonlocal whole
            try:
                answer = await node.http.get(too_much.stream_url)
            except TransportError:
                return "cut off"  # it began with what was on disk, when the rest was not asked for again yet
            whole = sha256(answer.content) if answer.status_code == 200 else ""
            return None if whole else f"{answer.status_code}"

        await eventually(why_not_whole, within=60)

    assert refused == "DISK_FULL"
    assert sha256(again.content) == sha256(SMALL)
    assert whole == sha256(LARGE)


def _why_not_full(node: Node, pin: pb2.Pin) -> str | None:
    torrents = node.stored
    free = os.statvfs(torrents)
    return None if free.f_bavail * free.f_frsize < MIB else f"{free.f_bavail * free.f_frsize} bytes are free"

"""What a node keeps in memory of viewers and torrents that have left: nothing, and no collection has to find it."""

import gc
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import psutil
import pytest

from vod_stream_node.reader import FileReader
from vod_stream_node.torrent import Torrent
from vod_testing import eventually

from .conftest import NodeFactory, Swarm, noise

MIB = 1 << 20
SHORT = {"sweep_interval": timedelta(milliseconds=20), "idle_unload": timedelta(milliseconds=50)}


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Let nothing be freed but what nobody refers to."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
async def test_viewers_who_hang_up_leave_nothing_behind_nor_does_their_torrent(
    swarm: Swarm, start_node: NodeFactory
) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": noise(48 * MIB, seed=1)})
    async with start_node(**SHORT) as node:
        swarm.seeder.limit_upload(4 * MIB)
        url = (await node.pin(torrent, swarm)).stream_url
        for first in (0, 40 * MIB):  # who waits for the swarm as he leaves, then who has just jumped
            async with node.http.stream("GET", url, headers={"Range": f"bytes={first}-"}) as reading:
                await anext(reading.aiter_raw())
        swarm.seeder.limit_upload(0)
        await node.http.get(url)
        for _ in range(3):  # who is sent a file by the kernel
            async with node.http.stream("GET", url) as reading:
                await anext(reading.aiter_raw())
        await node.pin(torrent, swarm, ttl=timedelta(milliseconds=1))

        def what_is_left() -> str | None:
            left = Counter(type(one).__name__ for one in gc.get_objects() if type(one) in {FileReader, Torrent})
            return str(dict(left)) if left else None

        await eventually(what_is_left, within=30)


async def test_memory_that_was_freed_goes_back_to_the_system(start_node: NodeFactory) -> None:
    def rss() -> int:
        return psutil.Process().memory_info().rss

    async with start_node(sweep_interval=timedelta(milliseconds=20)):
        before = rss()
        # Of a size that the C library takes from its heap; one in a hundred lives on, as always some do.
        blocks = [bytes([1]) * (60 << 10) for _ in range(4_000)]
        blocks = blocks[::100]

        def why_not_yet() -> str | None:
            more = (rss() - before) // MIB
            return f"{more} MiB more than before" if more > 64 else None

        await eventually(why_not_yet, within=30)

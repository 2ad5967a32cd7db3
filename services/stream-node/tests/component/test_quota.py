"""A disk that is too small: files that nobody watches go, one by one, and nothing that is watched ever does."""

from datetime import timedelta
from pathlib import Path

from vod.stream.v1 import stream_service_pb2 as pb2

from vod_fakes.torrents import Torrent
from vod_testing import eventually

from .conftest import Node, NodeFactory, Swarm, noise, saved, sha256

MIB = 1 << 20
EPISODES = {f"x.S01E{number:02}.mkv": noise(3 * MIB + 12_345 * number, seed=number) for number in (1, 2, 3)}
FIRST, SECOND, THIRD = EPISODES
NEXT = pb2.PURPOSE_NEXT
OFTEN = timedelta(milliseconds=20)


def taken(node: Node, torrent: Torrent, name: str) -> int:
    """The bytes that a file takes on disk."""
    path: Path = node.stored / torrent.infohash / "data" / torrent.name / name
    return path.stat().st_blocks * 512 if path.exists() else 0


async def read(node: Node, pin: pb2.Pin) -> str:
    answer = await node.http.get(pin.stream_url)
    assert answer.status_code == 200, answer.text
    return sha256(answer.content)


async def all_saved(node: Node, torrent: Torrent) -> None:
    """Wait until the disk knows of all that has come; a node that stops gives that up after a moment."""
    pieces = -(-torrent.size // torrent.piece_length)
    await eventually(lambda: None if saved(node.settings.data_dir, torrent) == pieces else "unsaved", within=60)


async def release(node: Node, torrent: Torrent, index: int, *, holder: str = "session-1") -> None:
    request = pb2.ReleasePinRequest(infohash=torrent.infohash, file_index=index, holder=holder)
    await node.rpc.ReleasePin(request, timeout=30)


async def test_a_watched_episode_makes_room_while_the_next_one_of_its_pack_is_read(
    swarm: Swarm, start_node: NodeFactory
) -> None:
    torrent = await swarm.share("x.S01", EPISODES)
    async with start_node(cache_bytes=8 * MIB, disk_reserve=0, sweep_interval=OFTEN) as node:
        first = await node.pin(torrent, swarm, file_index=0)
        assert await read(node, first) == sha256(EPISODES[FIRST])
        second = await node.pin(torrent, swarm, file_index=1)
        await release(node, torrent, 0)
        assert await read(node, second) == sha256(EPISODES[SECOND])
        async with node.http.stream("GET", second.stream_url) as reading:
            chunks = reading.aiter_raw()
            begun = await anext(chunks)
            await node.pin(torrent, swarm, file_index=2, holder="next", purpose=NEXT, wait_for=pb2.WAIT_FOR_ENDS)
            await eventually(lambda: _more_than(taken(node, torrent, FIRST), MIB), within=60)
            async for chunk in chunks:
                begun += chunk
        third = await node.pin(torrent, swarm, file_index=2)
        watched = [sha256(begun), await read(node, second), await read(node, third)]
        await release(node, torrent, 1)
        again = await read(node, await node.pin(torrent, swarm, file_index=0))

    assert watched == [sha256(EPISODES[name]) for name in (SECOND, SECOND, THIRD)]
    assert again == sha256(EPISODES[FIRST])


async def test_what_is_gone_stays_gone_after_a_restart_and_the_rest_is_not_fetched_again(
    swarm: Swarm, start_node: NodeFactory
) -> None:
    torrent = await swarm.share("x.S01", EPISODES)
    async with start_node(disk_reserve=0) as node:
        for index in range(3):
            await read(node, await node.pin(torrent, swarm, file_index=index))
        await all_saved(node, torrent)
    uploaded = await swarm.given(torrent)
    async with start_node(cache_bytes=8 * MIB, disk_reserve=0, sweep_interval=OFTEN) as node:
        kept = await node.pin(torrent, swarm, file_index=2)
        await eventually(lambda: _more_than(taken(node, torrent, FIRST), MIB), within=60)
        assert await read(node, kept) == sha256(EPISODES[THIRD])
    async with start_node(disk_reserve=0) as node:
        pins = [await node.pin(torrent, swarm, file_index=index) for index in (2, 0)]
        found = [await read(node, pin) for pin in pins]

    assert found == [sha256(EPISODES[name]) for name in (THIRD, FIRST)]
    assert await swarm.given(torrent) - uploaded < 2 * len(EPISODES[FIRST])


async def test_a_file_that_is_watched_stays_even_if_it_alone_is_too_large(
    swarm: Swarm, start_node: NodeFactory
) -> None:
    torrent = await swarm.share("x.S01", EPISODES)
    async with start_node(cache_bytes=MIB, disk_reserve=0, sweep_interval=OFTEN, janitor_ttl=0) as node:
        pin = await node.pin(torrent, swarm, file_index=0)
        one, two = await read(node, pin), await read(node, pin)
        held = (await node.pins())[torrent.infohash, 0]

    assert one == two == sha256(EPISODES[FIRST])
    assert held.state == pb2.PIN_STATE_COMPLETE


async def test_a_disk_without_room_takes_no_next_episode(swarm: Swarm, start_node: NodeFactory) -> None:
    torrent = await swarm.share("x.S01", EPISODES)
    async with start_node(cache_bytes=MIB, disk_reserve=0, sweep_interval=OFTEN) as node:
        await read(node, await node.pin(torrent, swarm, file_index=0))
        await eventually(lambda: None if _disk_bytes(node) > 2 * MIB else "the janitor has not looked", within=60)
        pin = await node.pin(torrent, swarm, file_index=2, holder="n", purpose=NEXT, wait_for=pb2.WAIT_FOR_ENDS)

    assert pin.downloaded_bytes < len(EPISODES[THIRD])


def _disk_bytes(node: Node) -> float:
    return node.runtime.metrics.get_sample_value("vod_stream_disk_bytes") or 0.0


def _more_than(size: int, limit: int) -> str | None:
    return f"{size} bytes are there" if size > limit else None


async def test_what_was_pinned_before_a_restart_stays_until_it_could_be_pinned_again(
    swarm: Swarm, start_node: NodeFactory
) -> None:
    torrent = await swarm.share("x.S01", EPISODES)
    async with start_node(disk_reserve=0) as node:
        for index in range(3):
            await read(node, await node.pin(torrent, swarm, file_index=index))
        await all_saved(node, torrent)
    uploaded = await swarm.given(torrent)
    # What is watched was downloaded first, and there is room for one of the three.
    async with start_node(cache_bytes=4 * MIB, disk_reserve=0) as node:
        await eventually(lambda: None if _disk_bytes(node) else "the janitor has not looked", within=60)
        content = await read(node, await node.pin(torrent, swarm, file_index=0))

    assert content == sha256(EPISODES[FIRST])
    assert await swarm.given(torrent) == uploaded

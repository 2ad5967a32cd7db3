"""A viewer goes from episode to episode on a disk that holds two of them: the old ones go, current and next never."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_fakes.torrents import Torrent
from vod_testing import eventually

from .conftest import Node, NodeFactory, Swarm, noise, sha256, small_disk

MIB = 1 << 20
EPISODES = [noise(6 * MIB, seed=number) for number in range(5)]
GIVEN_UP = noise(6 * MIB, seed=99)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 16 MiB."""
    with small_disk(tmp_path / "data", mib=16):
        yield tmp_path / "data"


async def test_old_episodes_leave_a_small_disk_and_what_is_watched_and_what_comes_next_stay(
    disk: Path, swarm: Swarm, start_node: NodeFactory
) -> None:
    unwanted = await swarm.share("GivenUp.mkv", {"GivenUp.mkv": GIVEN_UP})
    episodes = [await swarm.share(f"E{n}.mkv", {f"E{n}.mkv": content}) for n, content in enumerate(EPISODES)]
    seen = []
    # Without an express lane, which would keep what has no room in memory for a while.
    settings = {"disk_reserve": 2 * MIB, "bind": "127.0.0.1", "sweep_interval": timedelta(milliseconds=50)}
    async with start_node(data_dir=disk, next_pin_ttl=timedelta(milliseconds=1), **settings) as node:
        # Prepared for somebody who ended his session and never came back for it.
        await node.pin(unwanted, swarm, holder="gone", purpose=pb2.PURPOSE_NEXT)
        await whole(node, unwanted)
        await node.rpc.ReleasePin(pb2.ReleasePinRequest(holder="gone"), timeout=30)

        for number, episode in enumerate(episodes):
            url = (await node.pin(episode, swarm, holder=f"session-{number}")).stream_url
            await whole(node, episode)
            following = episodes[number + 1 : number + 2]
            for later in following:
                await node.pin(later, swarm, holder=f"session-{number}", purpose=pb2.PURPOSE_NEXT)
                await whole(node, later)
            # Whatever went for the next one: of both everything is here, without the swarm.
            stays = [missing(await described(node, one)) for one in (episode, *following)]
            seen.append((sha256((await node.http.get(url)).content), stays))
            await node.rpc.ReleasePin(pb2.ReleasePinRequest(holder=f"session-{number}"), timeout=30)
        left = stored(node)

    assert [hashed for hashed, _ in seen] == [sha256(content) for content in EPISODES]
    assert [stays for _, stays in seen] == [[0, 0]] * 4 + [[0]]
    assert left.isdisjoint({unwanted.infohash, *(one.infohash for one in episodes[:3])})


async def test_what_was_prepared_stays_between_a_sessions_end_and_the_next_start_whoever_needs_room(
    disk: Path, swarm: Swarm, start_node: NodeFactory
) -> None:
    now, following = [await swarm.share(f"E{n}.mkv", {f"E{n}.mkv": EPISODES[n]}) for n in range(2)]
    # Beside what comes next there is no room for it, without it there is.
    wanted = await swarm.share("Wanted.mkv", {"Wanted.mkv": noise(11 * MIB, seed=98)})
    settings = {"disk_reserve": 2 * MIB, "bind": "127.0.0.1", "sweep_interval": timedelta(milliseconds=50)}
    async with start_node(data_dir=disk, **settings) as node:
        await node.pin(now, swarm, holder="session-0")
        await whole(node, now)
        await node.pin(following, swarm, holder="session-0", purpose=pb2.PURPOSE_NEXT)
        await whole(node, following)

        await node.rpc.ReleasePin(pb2.ReleasePinRequest(holder="session-0"), timeout=30)
        url = (await node.pin(wanted, swarm, holder="session-1")).stream_url

        async def why_more_can_go() -> str | None:
            free = shutil.disk_usage(disk).free
            if now.infohash in stored(node) or free > MIB:
                return f"{free} bytes are free beside {stored(node)}"
            answers = [await node.http.get(url, headers={"Range": f"bytes={n * MIB}-{n * MIB}"}) for n in range(11)]
            statuses = {answer.status_code for answer in answers}
            return None if 507 in statuses else f"{statuses}"

        await eventually(why_more_can_go, within=30)
        stays = await described(node, following)
        # Who was to see it goes elsewhere.
        await node.rpc.ReleasePin(pb2.ReleasePinRequest(infohash=following.infohash, holder="session-0"), timeout=30)
        await whole(node, wanted)

    assert missing(stays) == 0


def stored(node: Node) -> set[str]:
    """Return of which torrents there is something on disk."""
    return {folder.name for folder in node.stored.iterdir() if any((folder / "data").rglob("*.mkv"))}


async def described(node: Node, torrent: Torrent) -> pb2.DescribeTorrentResponse:
    return await node.rpc.DescribeTorrent(pb2.DescribeTorrentRequest(infohash=torrent.infohash), timeout=30)


def missing(known: pb2.DescribeTorrentResponse) -> int:
    """Return how many bytes of a torrent of one file are not here."""
    return known.files[0].size_bytes - sum(one.end - one.begin for one in known.present)


async def whole(node: Node, torrent: Torrent) -> None:
    """Wait until all of a torrent is here."""

    async def why_not_yet() -> str | None:
        pin = (await node.pins()).get((torrent.infohash, 0), pb2.Pin())
        return None if pin.state == pb2.PIN_STATE_COMPLETE else f"{pin}"

    await eventually(why_not_yet, within=90)

"""The next episode's first and last bytes: never at the cost of who watches, and not held back for nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_fakes.seeder import Seeder
from vod_fakes.torrents import Torrent
from vod_testing import eventually

from .conftest import Node, Swarm, matroska, noise

MIB = 1 << 20
FILM = noise(32 * MIB, seed=1)
LATER = noise(3 * MIB, seed=2)
NEXT = pb2.PURPOSE_NEXT
SMALL_BUFFER = [(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)]


@pytest.fixture
async def elsewhere() -> AsyncIterator[Seeder]:
    """Another seeder, which no limit of the first one touches."""
    other = Seeder()
    await other.start()
    yield other
    await other.stop()


async def test_who_waits_for_a_dead_swarm_does_not_hold_back_the_next_episode(swarm: Swarm, node: Node) -> None:
    watched = await swarm.share("Now.mkv", {"Now.mkv": FILM})
    later = await swarm.share("Next.mkv", {"Next.mkv": LATER})
    swarm.seeder.limit_upload(2 * MIB)
    url = (await node.pin(watched, swarm)).stream_url
    async with node.http.stream("GET", url) as reading:
        chunks = reading.aiter_raw()
        await anext(chunks)
        swarm.seeder.remove(watched.infohash)
        swarm.seeder.limit_upload(0)

        pin = await node.pin(later, swarm, holder="next", purpose=NEXT, wait_for=pb2.WAIT_FOR_ENDS, within=50)
        held = (await node.pins())[watched.infohash, 0]

    assert pin.state in {pb2.PIN_STATE_READY, pb2.PIN_STATE_COMPLETE}
    assert held.stats.readers == 1
    assert held.downloaded_bytes < 16 * MIB


async def test_nothing_of_the_next_episode_is_asked_for_while_a_viewer_has_little_ahead(
    swarm: Swarm, node: Node
) -> None:
    watched = await swarm.share("Now.mkv", {"Now.mkv": FILM})
    later = await swarm.share("Next.mkv", {"Next.mkv": LATER})
    swarm.seeder.limit_upload(MIB)
    url = (await node.pin(watched, swarm)).stream_url
    async with node.http.stream("GET", url) as reading:
        chunks = reading.aiter_raw()
        got = await anext(chunks)
        await node.pin(later, swarm, holder="next", purpose=NEXT)
        # He takes all that comes, so he never has 8 MiB ahead: that would be 8 s of what comes.
        while len(got) < 4 * MIB:
            got += await anext(chunks)
        asked_meanwhile = swarm.seeder.uploaded(later.infohash)
        swarm.seeder.limit_upload(0)
        pin = await node.pin(later, swarm, holder="next", purpose=NEXT, wait_for=pb2.WAIT_FOR_ENDS, within=60)

    assert FILM.startswith(got)
    assert asked_meanwhile == 0
    assert pin.state in {pb2.PIN_STATE_READY, pb2.PIN_STATE_COMPLETE}


async def test_a_paused_viewer_does_not_hold_back_the_next_episode(swarm: Swarm, node: Node, elsewhere: Seeder) -> None:
    watched = await swarm.share("Now.mkv", {"Now.mkv": FILM})
    later = await swarm.share("Next.mkv", {"Next.mkv": LATER})
    swarm.seeder.remove(later.infohash)
    elsewhere.add(later, swarm.folder, swarm.tracker.url)
    swarm.seeder.limit_upload(4 * MIB)
    url = (await node.pin(watched, swarm)).stream_url
    await node.http.get(url, headers={"Range": f"bytes=0-{9 * MIB}"})
    # From now on his swarm gives, but too little for him ever to have 8 MiB ahead: in a minute less than the 4 MiB that
    # lack.
    swarm.seeder.limit_upload(64 << 10)
    here = await present_when_calm(node, watched)

    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(socket_options=SMALL_BUFFER)) as player:
        range_ = {"Range": f"bytes={here - 4 * MIB}-"}
        async with player.stream("GET", url, headers=range_, timeout=60):
            await node.pin(later, swarm, holder="next", purpose=NEXT)
            asked_at_first = elsewhere.uploaded(later.infohash)
            pin = await node.pin(later, swarm, holder="next", purpose=NEXT, wait_for=pb2.WAIT_FOR_ENDS, within=50)
            watching = (await node.pins())[watched.infohash, 0]

    assert asked_at_first == 0
    assert pin.state in {pb2.PIN_STATE_READY, pb2.PIN_STATE_COMPLETE}
    assert watching.stats.readers == 1
    assert watching.stats.buffered_bytes < 8 * MIB


async def test_the_next_episode_comes_whole_as_soon_as_the_viewer_has_all_to_the_end(
    swarm: Swarm, node: Node, elsewhere: Seeder
) -> None:
    watched = await swarm.share("Now.mkv", {"Now.mkv": FILM})
    later = await swarm.share("Next.mkv", {"Next.mkv": noise(8 * MIB, seed=3)})
    swarm.seeder.remove(later.infohash)
    elsewhere.add(later, swarm.folder, swarm.tracker.url)
    swarm.seeder.limit_upload(4 * MIB)
    url = (await node.pin(watched, swarm)).stream_url
    end = await node.http.get(url, headers={"Range": f"bytes={24 * MIB}-"})
    # What the viewer skipped comes as slowly from now on, but it comes: its swarm is not silent.
    swarm.seeder.limit_upload(64 << 10)

    await node.pin(later, swarm, holder="next", purpose=NEXT)
    await eventually(lambda: why_not_complete(node, later), within=60)
    now = (await node.pins())[watched.infohash, 0]
    # Back where he skipped something he needs all that the swarm gives.
    here = await present_when_calm(node, watched)
    another = await swarm.share("Other.mkv", {"Other.mkv": LATER})
    swarm.seeder.remove(another.infohash)
    elsewhere.add(another, swarm.folder, swarm.tracker.url)
    async with node.http.stream("GET", url, headers={"Range": f"bytes={here - MIB}-"}) as reading:
        chunks = reading.aiter_raw()
        got = await anext(chunks)
        await node.pin(another, swarm, holder="next", purpose=NEXT)
        got += await anext(chunks)
        asked_meanwhile = elsewhere.uploaded(another.infohash)

    assert FILM.endswith(end.content)
    assert FILM[here - MIB :].startswith(got)
    assert now.downloaded_bytes < now.size_bytes - 4 * MIB
    assert asked_meanwhile == 0


async def why_not_complete(node: Node, torrent: Torrent) -> str | None:
    pin = (await node.pins())[torrent.infohash, 0]
    return None if pin.state == pb2.PIN_STATE_COMPLETE else f"{pin.downloaded_bytes} of {pin.size_bytes} bytes"


async def test_who_gives_up_a_pin_need_not_wait_for_its_bytes(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Next.mkv", {"Next.mkv": LATER})
    swarm.seeder.limit_upload(50_000)
    await node.pin(torrent, swarm, purpose=NEXT)
    swarm.seeder.remove(torrent.infohash)
    released = pb2.ReleasePinRequest(infohash=torrent.infohash, holder="session-1")
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(
            node.pin(torrent, swarm, purpose=NEXT, wait_for=pb2.WAIT_FOR_ENDS, within=90, holder="session-2")
        )
        await eventually(lambda: why_not_held(node, torrent, "session-2"), within=30)
        await node.rpc.ReleasePin(released, timeout=30)
        released.holder = "session-2"
        await node.rpc.ReleasePin(released, timeout=30)
        async with asyncio.timeout(30):
            pin = await waiting

    assert pin.state == pb2.PIN_STATE_BUFFERING


async def why_not_held(node: Node, torrent: Torrent, holder: str) -> str | None:
    held = [one.name for one in (await node.pins())[torrent.infohash, 0].holders]
    return None if holder in held else f"held by {held}"


async def present(node: Node, torrent: Torrent) -> int:
    """Return how much of a torrent's beginning is here."""
    known = await node.rpc.DescribeTorrent(pb2.DescribeTorrentRequest(infohash=torrent.infohash), timeout=30)
    return known.present[0].end


async def present_when_calm(node: Node, torrent: Torrent) -> int:
    """Return how much of a torrent's beginning is here when what was under way has come: it is hardly more any longer.

    A seeder that stood still catches up on 3 s at once, although its rate was lowered meanwhile. Looks are counted and
    not seconds, in which the machine may stand still.
    """
    looks: list[int] = []

    async def why_not_calm() -> str | None:
        looks.append(await present(node, torrent))
        latest = looks[-30:]
        return None if len(latest) == 30 and latest[-1] - latest[0] <= torrent.piece_length else f"{latest}"

    await eventually(why_not_calm, within=60)
    return looks[-1]


async def test_how_long_viewers_can_watch_what_they_have_is_told_once_the_film_has_said_how_long_it_plays(
    swarm: Swarm, node: Node
) -> None:
    head = matroska(320)
    film = head + FILM[len(head) :]
    torrent = await swarm.share("Now.mkv", {"Now.mkv": film})
    swarm.seeder.limit_upload(3 * MIB)
    url = (await node.pin(torrent, swarm)).stream_url
    async with node.http.stream("GET", url) as reading:
        chunks = reading.aiter_raw()
        await anext(chunks)

        async def why_not_yet() -> str | None:
            stats = (await node.pins())[torrent.infohash, 0].stats
            return None if stats.media_rate else "nobody knows how fast it plays"

        await eventually(why_not_yet, within=60)
        stats = (await node.pins())[torrent.infohash, 0].stats
        await chunks.aclose()

    assert stats.media_rate == round(len(film) / 320)
    seconds = stats.buffered.ToTimedelta().total_seconds()
    assert seconds == pytest.approx(stats.buffered_bytes / stats.media_rate, abs=0.01)

"""Pins: what is downloaded for whom, and what is left when nobody wants it any more."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_fakes.torrents import Torrent
from vod_rpc import DeadlineExceeded, Failure, InvalidArgument, Unavailable
from vod_testing import eventually

from .conftest import Node, NodeFactory, Swarm, near_the_deadline, noise

MIB = 1 << 20
SILENT = "5115" * 10


def on_disk(node: Node) -> list[str]:
    return sorted(folder.name for folder in node.stored.iterdir()) if node.stored.exists() else []


async def complete(node: Node, torrent: Torrent, file_index: int = 0, *, within: float = 60) -> None:
    async def why_not_yet() -> str | None:
        pin = (await node.pins())[torrent.infohash, file_index]
        return None if pin.state == pb2.PIN_STATE_COMPLETE else f"{pin.downloaded_bytes} of {pin.size_bytes} bytes"

    await eventually(why_not_yet, within=within)


async def test_a_pin_tells_what_the_file_is_and_where_it_streams(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Pack S01", {"Läter 100%.mp4": noise(100_000, seed=1)})

    pin = await node.pin(torrent, swarm)

    assert ("node-a", torrent.infohash, 0) == (pin.node, pin.infohash, pin.file_index)
    assert (pin.file_name, pin.size_bytes, pin.content_type) == ("Läter 100%.mp4", 100_000, "video/mp4")
    assert pin.stream_url.startswith(f"{node.settings.public_base}/stream/node-a/")
    assert pin.stream_url.endswith("/L%C3%A4ter%20100%25.mp4")
    assert [(holder.name, holder.purpose) for holder in pin.holders] == [("session-1", pb2.PURPOSE_CURRENT)]


async def test_the_same_pin_twice_is_one_pin_and_its_holder_may_change_its_purpose(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": noise(MIB, seed=1)})
    await node.pin(torrent, swarm, holder="a", purpose=pb2.PURPOSE_NEXT)
    await node.pin(torrent, swarm, holder="b", purpose=pb2.PURPOSE_NEXT)

    pin = await node.pin(torrent, swarm, holder="a", purpose=pb2.PURPOSE_CURRENT)

    assert [(one.name, one.purpose) for one in pin.holders] == [("a", pb2.PURPOSE_CURRENT), ("b", pb2.PURPOSE_NEXT)]
    assert [(torrent.infohash, 0)] == list(await node.pins())


async def test_a_current_file_arrives_as_a_whole_although_nobody_reads_it(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": noise(5 * MIB, seed=1)})

    await node.pin(torrent, swarm)

    await complete(node, torrent)


async def test_of_a_pack_only_the_pinned_file_is_downloaded(swarm: Swarm, node: Node) -> None:
    files = {f"{number}.mkv": noise(3 * MIB + number, seed=number) for number in range(4)}
    torrent = await swarm.share("Pack", files)

    pin = await node.pin(torrent, swarm, file_index=2)
    await complete(node, torrent, 2)
    answer = await node.http.get(pin.stream_url)

    assert files["2.mkv"] == answer.content
    # The file's first and last piece hold bytes of its neighbours too; what is late is asked for twice.
    assert [await here(node, torrent, index) <= torrent.piece_length for index in (0, 1, 3)] == [True] * 3
    assert await here(node, torrent, 0) == 0
    assert swarm.seeder.uploaded(torrent.infohash) <= 2 * (3 * MIB + 2 * torrent.piece_length)
    folder = node.stored / torrent.infohash / "data" / "Pack"
    spent = {path.name: path.stat().st_blocks * 512 for path in folder.iterdir()}
    assert spent.get("0.mkv", 0) == 0
    assert max(spent.get("1.mkv", 0), spent.get("3.mkv", 0)) <= torrent.piece_length


async def here(node: Node, torrent: Torrent, file_index: int) -> int:
    """Return how many bytes of a file are here."""
    request = pb2.DescribeTorrentRequest(infohash=torrent.infohash, file_index=file_index)
    return sum(one.end - one.begin for one in (await node.rpc.DescribeTorrent(request, timeout=30)).present)


async def test_next_gets_its_ends_while_current_is_read_and_its_rest_only_after(swarm: Swarm, node: Node) -> None:
    # It takes so long that much else can be late without it being whole.
    film = noise(64 * MIB, seed=1)
    current = await swarm.share("Now.mkv", {"Now.mkv": film})
    later = await swarm.share("Next.mkv", {"Next.mkv": noise(10 * MIB, seed=2)})
    swarm.seeder.limit_upload(3 * MIB)
    url = (await node.pin(current, swarm)).stream_url

    async with node.http.stream("GET", url) as reading:
        chunks = reading.aiter_bytes()
        got = await anext(chunks)
        pin = await node.pin(
            later, swarm, holder="session-2", purpose=pb2.PURPOSE_NEXT, wait_for=pb2.WAIT_FOR_ENDS, within=60
        )
        while (meanwhile := await node.pins())[current.infohash, 0].downloaded_bytes <= 13 * MIB:
            got += await anext(chunks)
    swarm.seeder.limit_upload(0)

    assert pin.state == pb2.PIN_STATE_READY
    assert film.startswith(got)
    assert meanwhile[current.infohash, 0].state != pb2.PIN_STATE_COMPLETE
    assert meanwhile[later.infohash, 0].downloaded_bytes <= 3 * MIB + later.piece_length
    await complete(node, later)


async def test_waiting_for_the_ends_returns_near_the_deadline_with_how_far_it_came(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": noise(8 * MIB, seed=1)})
    swarm.seeder.limit_upload(100_000)
    await node.pin(torrent, swarm)

    pin = await near_the_deadline(
        lambda within: node.pin(torrent, swarm, wait_for=pb2.WAIT_FOR_ENDS, within=within), within=0.6
    )

    assert pin.state == pb2.PIN_STATE_BUFFERING


async def test_a_file_that_does_not_exist_is_refused_and_leaves_no_pin(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Pack", {"a.mkv": b"a" * 1000, "b.mkv": b"b" * 1000})
    for file_index in (-1, 2, 2**31 - 1):
        with pytest.raises(InvalidArgument) as refused:
            await node.pin(torrent, swarm, file_index=file_index)

        assert refused.value.reason == "FILE_INDEX_OUT_OF_RANGE"
        assert await node.pins() == {}


async def test_a_file_that_is_not_media_is_refused(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Pack", {"film.mkv.exe": b"MZ" * 1000, "film.mkv": b"b" * 1000})

    with pytest.raises(InvalidArgument) as refused:
        await node.pin(torrent, swarm, file_index=0)

    assert refused.value.reason == "FILE_NOT_PLAYABLE"


async def test_a_silent_swarm_is_connecting_for_who_does_not_wait(node: Node) -> None:
    request = pb2.EnsurePinRequest(infohash=SILENT, purpose=pb2.PURPOSE_CURRENT, holder="a")

    pin = (await node.rpc.EnsurePin(request, timeout=30)).pin

    assert (pin.state, pin.file_name, pin.size_bytes) == (pb2.PIN_STATE_CONNECTING, "", 0)


@pytest.mark.parametrize("wait_for", [pb2.WAIT_FOR_METADATA, pb2.WAIT_FOR_ENDS])
async def test_waiting_for_a_silent_swarm_fails_in_time_and_leaves_nothing(node: Node, wait_for: pb2.WaitFor) -> None:
    request = pb2.EnsurePinRequest(infohash=SILENT, purpose=pb2.PURPOSE_CURRENT, holder="a", wait_for=wait_for)

    with pytest.raises(DeadlineExceeded) as refused:
        await near_the_deadline(lambda within: node.rpc.EnsurePin(request, timeout=within), within=1)

    assert refused.value.reason == "SWARM_SILENT"
    assert (await node.pins(), on_disk(node)) == ({}, [])


async def test_a_probe_tells_what_is_in_a_torrent_and_downloads_nothing(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Pack", {"b.mkv": noise(MIB, seed=1), "a.mkv": noise(2 * MIB, seed=2), "c.nfo": b"x"})
    request = pb2.ProbeSwarmRequest(infohash=torrent.infohash, magnet_uri=swarm.magnet(torrent))

    answer = await node.rpc.ProbeSwarm(request, timeout=30)

    assert [(file.index, file.path, file.size_bytes) for file in answer.files] == [
        (0, "Pack/b.mkv", MIB),
        (1, "Pack/a.mkv", 2 * MIB),
        (2, "Pack/c.nfo", 1),
    ]
    assert (answer.peers, swarm.seeder.uploaded(torrent.infohash)) == (1, 0)
    assert await node.pins() == {}


async def test_a_probe_of_a_dead_swarm_fails_in_time_and_leaves_nothing(swarm: Swarm, node: Node) -> None:
    request = pb2.ProbeSwarmRequest(infohash=SILENT, magnet_uri=f"magnet:?xt=urn:btih:{SILENT}&tr={swarm.tracker.url}")

    with pytest.raises(DeadlineExceeded) as refused:
        await near_the_deadline(lambda within: node.rpc.ProbeSwarm(request, timeout=within), within=1)

    assert refused.value.reason == "SWARM_SILENT"
    assert (on_disk(node), [pin for pin in await node.pins() if pin[0] == SILENT]) == ([], [])


async def test_a_released_pin_stops_downloading(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": noise(10 * MIB, seed=1)})
    other = await swarm.share("Other.mkv", {"Other.mkv": noise(5 * MIB, seed=2)})
    swarm.seeder.limit_upload(MIB // 4)
    await node.pin(torrent, swarm)

    await node.rpc.ReleasePin(pb2.ReleasePinRequest(infohash=torrent.infohash, holder="session-1"), timeout=30)
    swarm.seeder.limit_upload(4 * MIB)
    await node.pin(other, swarm)
    await complete(node, other)

    assert set(await node.pins()) == {(other.infohash, 0)}
    # Only what was asked of the seeder before.
    assert swarm.seeder.uploaded(torrent.infohash) < 3 * MIB


async def test_whose_session_is_over_holds_what_comes_next_ten_minutes_more_and_nothing_else(
    swarm: Swarm, node: Node
) -> None:
    first = await swarm.share("Now.mkv", {"Now.mkv": noise(MIB, seed=1)})
    later = await swarm.share("Next.mkv", {"Next.mkv": noise(MIB, seed=2)})
    await node.pin(first, swarm, holder="a")
    await node.pin(first, swarm, holder="b")
    before = datetime.now(UTC)
    held = await node.pin(later, swarm, holder="a", purpose=pb2.PURPOSE_NEXT)

    for _ in range(2):
        await node.rpc.ReleasePin(pb2.ReleasePinRequest(holder="a"), timeout=30)

    pins = await node.pins()
    kept = pins[later.infohash, 0]
    assert {key: [holder.name for holder in pin.holders] for key, pin in pins.items()} == {
        (first.infohash, 0): ["b"],
        (later.infohash, 0): ["a"],
    }
    assert held.expire_time.ToDatetime(UTC) > before + timedelta(hours=5)
    assert (
        before + timedelta(minutes=10) <= kept.expire_time.ToDatetime(UTC) <= datetime.now(UTC) + timedelta(minutes=10)
    )


async def test_a_call_that_fails_takes_away_no_claim_that_another_one_made_meanwhile(node: Node) -> None:
    asked = pb2.EnsurePinRequest(infohash=SILENT, purpose=pb2.PURPOSE_CURRENT, holder="a")
    waiting = pb2.EnsurePinRequest(
        infohash=SILENT, purpose=pb2.PURPOSE_CURRENT, holder="a", wait_for=pb2.WAIT_FOR_METADATA
    )

    async def why_not_held() -> str | None:
        return None if failing.done() or await node.pins() else "nothing is held"

    async with asyncio.TaskGroup() as group:
        failing = group.create_task(_reason(node, waiting, within=2))
        await eventually(why_not_held, within=30)
        await node.rpc.EnsurePin(asked, timeout=30)

    assert failing.result() == "SWARM_SILENT"
    assert list(await node.pins()) == [(SILENT, 0)]


async def _reason(node: Node, request: pb2.EnsurePinRequest, *, within: float) -> str:
    try:
        await near_the_deadline(lambda time: node.rpc.EnsurePin(request, timeout=time), within=within)
    except Failure as failure:
        return failure.reason
    return "no failure"


async def test_an_expired_pin_goes_and_an_idle_torrent_leaves_the_session(
    swarm: Swarm, start_node: NodeFactory
) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": noise(MIB, seed=1)})
    async with start_node(sweep_interval=timedelta(milliseconds=20), idle_unload=timedelta(milliseconds=50)) as node:
        url = (await node.pin(torrent, swarm)).stream_url
        await complete(node, torrent)
        # Only now, so that nothing depends on how fast the file came.
        await node.pin(torrent, swarm, ttl=timedelta(milliseconds=1))

        def why_not_yet() -> str | None:
            # A torrent that leaves the session says goodbye to its tracker.
            peers = len(swarm.tracker.peers(torrent.infohash))
            return None if peers == 1 else f"{peers} peers in the swarm"

        await eventually(why_not_yet, within=30)
        pins, kept = await node.pins(), on_disk(node)
        answer = await node.http.get(url)

    assert (pins, kept) == ({}, [torrent.infohash])
    assert (answer.status_code, len(answer.content)) == (200, MIB)  # the disk still has it


async def test_who_was_paused_until_his_claim_lapsed_goes_on_by_the_same_address_where_he_was(
    swarm: Swarm, start_node: NodeFactory
) -> None:
    film = noise(8 * MIB, seed=1)
    torrent = await swarm.share("Film.mkv", {"Film.mkv": film})
    async with start_node(sweep_interval=timedelta(milliseconds=20), idle_unload=timedelta(milliseconds=50)) as node:
        swarm.seeder.limit_upload(2 * MIB)
        url = (await node.pin(torrent, swarm)).stream_url
        seen = (await node.http.get(url, headers={"Range": f"bytes=0-{MIB - 1}"})).content
        await node.pin(torrent, swarm, ttl=timedelta(milliseconds=1))

        def why_in_the_session() -> str | None:
            peers = len(swarm.tracker.peers(torrent.infohash))
            return None if peers == 1 else f"{peers} peers in the swarm"

        await eventually(why_in_the_session, within=30)
        pins = await node.pins()
        swarm.seeder.limit_upload(0)
        rest = await node.http.get(url, headers={"Range": f"bytes={MIB}-"})

    assert pins == {}
    assert (rest.status_code, seen + rest.content) == (206, film)


async def test_the_janitor_keeps_the_disk_within_its_limit_but_never_deletes_a_pinned_torrent(
    swarm: Swarm, start_node: NodeFactory
) -> None:
    quick = {"sweep_interval": timedelta(milliseconds=10), "idle_unload": timedelta(milliseconds=10)}
    async with start_node(cache_bytes=MIB, **quick) as node:
        torrents = [await swarm.share(f"{n}.mkv", {f"{n}.mkv": noise(2 * MIB, seed=n)}) for n in range(2)]
        for torrent in torrents:
            await node.pin(torrent, swarm)
            await complete(node, torrent)
        release = pb2.ReleasePinRequest(infohash=torrents[0].infohash, holder="session-1")

        await node.rpc.ReleasePin(release, timeout=30)

        def not_yet() -> str | None:
            return None if on_disk(node) == [torrents[1].infohash] else f"on disk: {on_disk(node)}"

        await eventually(not_yet, within=30)


async def test_a_magnet_of_another_torrent_is_refused(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": b"x" * 1000})
    request = pb2.ProbeSwarmRequest(infohash=SILENT, magnet_uri=swarm.magnet(torrent))

    with pytest.raises(InvalidArgument) as refused:
        await node.rpc.ProbeSwarm(request, timeout=30)

    assert refused.value.reason == "MAGNET_INVALID"
    assert torrent.infohash not in str(refused.value)


async def test_a_request_that_makes_no_sense_is_refused(node: Node) -> None:
    table = [
        (pb2.EnsurePinRequest(infohash="../../etc", purpose=1, holder="a"), "INFOHASH_INVALID"),
        (pb2.EnsurePinRequest(infohash=SILENT, holder="a"), "PURPOSE_MISSING"),
        (pb2.EnsurePinRequest(infohash=SILENT, purpose=1), "HOLDER_INVALID"),
        (pb2.EnsurePinRequest(infohash=SILENT, purpose=1, holder="x" * 65), "HOLDER_INVALID"),
    ]
    for request, reason in table:
        with pytest.raises(Failure) as refused:
            await node.rpc.EnsurePin(request, timeout=30)

        assert refused.value.reason == reason
        assert (await node.pins(), on_disk(node)) == ({}, [])


async def test_a_draining_node_takes_no_new_pins_and_goes_on_streaming(swarm: Swarm, node: Node) -> None:
    film = noise(MIB, seed=1)
    torrent = await swarm.share("Film.mkv", {"Film.mkv": film})
    pin = await node.pin(torrent, swarm)
    before = await node.http.get(f"{node.settings.public_base}/edgez")

    await node.endpoint.drain()
    after = await node.http.get(f"{node.settings.public_base}/edgez")
    answer = await node.http.get(pin.stream_url)

    assert (before.status_code, after.status_code) == (200, 404)
    assert film == answer.content
    with pytest.raises(Unavailable) as refused:
        await node.pin(torrent, swarm)
    assert refused.value.reason == "NODE_DRAINING"


async def test_many_may_pin_at_once_what_is_complete_and_has_lost_its_seeds(swarm: Swarm, node: Node) -> None:
    film = noise(1 << 20, seed=1)
    torrent = await swarm.share("Film.mkv", {"Film.mkv": film})
    first = await node.pin(torrent, swarm)
    assert (await node.http.get(first.stream_url)).content == film

    async def why_seeds_are_there() -> str | None:
        (pin,) = (await node.rpc.ListPins(pb2.ListPinsRequest(), timeout=30)).pins
        return f"{pin.peers} peers" if pin.peers else None

    # A seed hangs up on who lacks nothing.
    await eventually(why_seeds_are_there, within=60)
    pins = await asyncio.gather(*(node.pin(torrent, swarm, holder=f"session-{number}") for number in range(12)))
    contents = await asyncio.gather(*(node.http.get(pin.stream_url) for pin in pins))

    assert {pin.state for pin in pins} == {pb2.PIN_STATE_COMPLETE}
    assert [one.content == film for one in contents] == [True] * 12


@pytest.mark.parametrize("wait_for", [pb2.WAIT_FOR_UNSPECIFIED, pb2.WAIT_FOR_METADATA])
async def test_a_pin_tells_at_once_what_is_here_of_a_torrent_that_was_just_loaded(
    swarm: Swarm, start_node: NodeFactory, wait_for: pb2.WaitFor
) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": noise(MIB, seed=1)})
    async with start_node() as node:
        await node.pin(torrent, swarm)
        await complete(node, torrent)
    swarm.seeder.remove(torrent.infohash)

    async with start_node() as node:
        pin = await node.pin(torrent, swarm, wait_for=wait_for)

    assert pin.state == pb2.PIN_STATE_COMPLETE

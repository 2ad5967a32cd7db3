"""What a torrent may be named by: magnet, infohash, .torrent, v1, v2 or both; and the file that is meant."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import libtorrent as lt
import pytest
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_rpc import Failure, NotFound
from vod_testing import eventually

from .conftest import Node, NodeFactory, Swarm, noise, sha256

MIB = 1 << 20
FILM = noise(2 * MIB, seed=4)
PACK = {
    "x.S01E03.mkv": noise(MIB, seed=1),
    "x.S01E01.mkv": noise(MIB // 2, seed=2),
    "Extras/long.mkv": noise(2 * MIB, seed=3),
}


def wish(**fields: object) -> pb2.EnsurePinRequest:
    given = {"holder": "session-1", "purpose": pb2.PURPOSE_CURRENT, "wait_for": pb2.WAIT_FOR_METADATA}
    return pb2.EnsurePinRequest(**given | fields)


async def read(node: Node, pin: pb2.Pin) -> bytes:
    answer = await node.http.get(pin.stream_url)
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_a_magnet_alone_names_the_torrent(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    answer = await node.rpc.EnsurePin(wish(magnet_uri=swarm.magnet(torrent)), timeout=30)

    assert answer.pin.infohash == torrent.infohash
    assert answer.magnet_uri == swarm.magnet(torrent)
    assert sha256(await read(node, answer.pin)) == sha256(FILM)


async def test_a_torrent_file_needs_no_metadata_from_the_swarm(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    await swarm.seeder.stop()
    answer = await node.rpc.EnsurePin(wish(torrent=torrent.metainfo(swarm.tracker.url)), timeout=30)
    await swarm.seeder.start()

    assert (answer.pin.infohash, answer.pin.size_bytes) == (torrent.infohash, len(FILM))
    assert sha256(await read(node, answer.pin)) == sha256(FILM)


async def test_without_an_index_the_first_episode_of_a_pack_is_played(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("x.S01", PACK)
    answer = await node.rpc.EnsurePin(wish(magnet_uri=swarm.magnet(torrent), choose_file=True), timeout=30)

    assert (answer.pin.file_index, answer.pin.file_name) == (1, "x.S01E01.mkv")
    assert sha256(await read(node, answer.pin)) == sha256(PACK["x.S01E01.mkv"])


@pytest.fixture
def share(swarm: Swarm, tmp_path: Path) -> Callable[[object], "Awaitable[lt.torrent_info]"]:
    """Makes and seeds a torrent of a version that `vod_fakes` does not make."""

    async def make(flags: object) -> "lt.torrent_info":
        folder = tmp_path / "seed"
        (folder / "x").mkdir()
        for name, content in {"a.nfo": b"text", "x.mkv": FILM}.items():
            (folder / "x" / name).write_bytes(content)
        entries = [lt.create_file_entry("x/a.nfo", 4), lt.create_file_entry("x/x.mkv", len(FILM))]
        creation = lt.create_torrent(entries, 64 << 10, flags)
        lt.set_piece_hashes(creation, str(folder))
        creation.add_tracker(swarm.tracker.url)
        params = lt.load_torrent_buffer(lt.bencode(creation.generate()))
        params.save_path = str(folder)
        params.flags = lt.torrent_flags.seed_mode
        session = swarm.seeder._session
        assert session is not None
        session.add_torrent(params)
        known_as = str(params.ti.info_hashes().v2)[:40]
        await swarm.tracker.has_peers([known_as], within=timedelta(seconds=30))
        return params.ti

    return make


@pytest.mark.parametrize("flags", [lt.create_torrent.v2_only, 0], ids=["v2", "hybrid"])
async def test_newer_torrents_stream_too_and_are_known_after_a_restart(
    swarm: Swarm, start_node: NodeFactory, share: Callable[[object], "Awaitable[lt.torrent_info]"], flags: object
) -> None:
    info = await share(flags)
    magnet = f"magnet:?xt=urn:btmh:1220{info.info_hashes().v2}&tr={swarm.tracker.url}"
    async with start_node() as node:
        pin = (await node.rpc.EnsurePin(wish(magnet_uri=magnet, choose_file=True), timeout=30)).pin
        first = await read(node, pin)
    async with start_node() as node:
        again = (await node.rpc.EnsurePin(wish(infohash=pin.infohash, file_index=pin.file_index), timeout=30)).pin
        second = await read(node, again)

    assert pin.infohash == str(info.info_hashes().v2)[:40]
    assert pin.file_name == "x.mkv"
    assert sha256(FILM) == sha256(first) == sha256(second)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "INFOHASH_INVALID"),
        ({"magnet_uri": "magnet:?dn=x"}, "MAGNET_INVALID"),
        ({"magnet_uri": f"magnet:?xt=urn:btih:{'a' * 40}&xt=urn:btih:{'b' * 40}"}, "MAGNET_INVALID"),
        ({"torrent": b"no bencode"}, "TORRENT_INVALID"),
        ({"torrent": b"d4:infod4:name1:xee"}, "TORRENT_INVALID"),
        ({"torrent": bytes((3 << 20) + 1)}, "TORRENT_INVALID"),
    ],
)
async def test_what_names_no_torrent_is_refused(node: Node, fields: dict[str, object], reason: str) -> None:
    with pytest.raises(Failure) as raised:
        await node.rpc.EnsurePin(wish(**fields), timeout=30)
    assert raised.value.reason == reason


async def test_a_torrent_file_of_another_infohash_is_refused(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})

    with pytest.raises(Failure) as raised:
        await node.rpc.EnsurePin(wish(infohash="a" * 40, torrent=torrent.metainfo(swarm.tracker.url)), timeout=30)
    assert raised.value.reason == "TORRENT_INVALID"


async def test_a_pin_tells_what_its_swarm_gives(swarm: Swarm, node: Node) -> None:
    torrent = await swarm.share("Film.mkv", {"Film.mkv": FILM})
    swarm.seeder.limit_upload(200_000)
    pin = seen = await node.pin(torrent, swarm)
    async with node.http.stream("GET", pin.stream_url, headers={"Range": "bytes=0-"}) as answer:
        chunks = answer.aiter_raw()
        await anext(chunks)

        async def why_not_the_seeder_alone() -> str | None:
            nonlocal seen
            seen = (await node.rpc.GetPin(pb2.GetPinRequest(infohash=torrent.infohash), timeout=30)).pin
            # Nobody is, for a moment, when libtorrent leaves the seeder to the express lane; two are, for a moment,
            # when the tracker names the node itself: the lane calls it, and knows it by the call that comes in.
            alone = seen.peers == 1 and seen.stats.distinct_copies >= 1
            return None if alone else f"{seen.peers} peers with {seen.stats.distinct_copies} copies are connected"

        await eventually(why_not_the_seeder_alone, within=30)

    assert seen.stats.distinct_copies < 2
    assert 0 < seen.downloaded_bytes < len(FILM)
    assert (seen.stats.readers, seen.stats.stalls) == (1, 0)
    assert seen.stats.window_pieces > 0


async def test_a_file_that_nobody_holds_has_no_pin(node: Node) -> None:
    with pytest.raises(NotFound) as raised:
        await node.rpc.GetPin(pb2.GetPinRequest(infohash="a" * 40), timeout=30)
    assert raised.value.reason == "PIN_UNKNOWN"

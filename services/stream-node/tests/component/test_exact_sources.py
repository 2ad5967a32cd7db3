"""Torrents that live from web seeds alone: what is in them is told by the .torrent that the magnet names (`xs`)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_fakes.archive import InternetArchive, Item, with_torrent
from vod_fakes.control import Fault, Reply
from vod_fakes.serving import Site, bind, http_servers
from vod_rpc import Failure
from vod_testing import eventually

from .conftest import Node, NodeFactory, noise, sha256

MIB = 1 << 20
FILM = noise(3 * MIB + 77, seed=21)


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[InternetArchive]:
    """An Archive with one item, whose torrent has no peers."""
    (tmp_path / "boats.mp4").write_bytes(FILM)
    item = with_torrent(Item("boats", "Boats", films={"boats.mp4": tmp_path / "boats.mp4"}), tmp_path / "links")
    archive = InternetArchive([item])
    async with serving(archive):
        yield archive


@asynccontextmanager
async def serving(archive: InternetArchive) -> AsyncIterator[None]:
    site = Site(archive.app(), archive.control, bind())
    archive.url = site.url
    async with http_servers([site]):
        yield


def magnet(archive: InternetArchive, *web_seeds: str) -> str:
    source = f"{archive.url}/download/boats/boats_archive.torrent"
    seeds = "".join(f"&ws={quote(seed, safe='')}" for seed in web_seeds)
    return f"magnet:?xt=urn:btih:{infohash(archive)}{seeds}&xs={quote(source, safe='')}"


def infohash(archive: InternetArchive) -> str:
    return archive.items[0].infohash


async def pinned(node: Node, magnet_uri: str, *, within: float = 30) -> pb2.EnsurePinResponse:
    request = pb2.EnsurePinRequest(
        magnet_uri=magnet_uri, holder="a", purpose=pb2.PURPOSE_CURRENT, wait_for=pb2.WAIT_FOR_METADATA
    )
    return await node.rpc.EnsurePin(request, timeout=within)


async def test_it_plays_from_the_web_seed_that_its_torrent_names(archive: InternetArchive, node: Node) -> None:
    answer = await pinned(node, magnet(archive))
    film = await node.http.get(answer.pin.stream_url)

    assert (answer.pin.infohash, answer.pin.file_name) == (infohash(archive), "boats.mp4")
    assert sha256(film.content) == sha256(FILM)
    assert "xs=" in answer.magnet_uri


async def test_it_plays_from_the_archives_door_where_the_host_that_the_torrent_names_is_gone(
    archive: InternetArchive, node: Node
) -> None:
    archive.web_seeds = ["http://127.0.0.1:9/gone/"]
    answer = await pinned(node, magnet(archive, f"{archive.url}/download/"))
    film = await node.http.get(answer.pin.stream_url)

    assert sha256(film.content) == sha256(FILM)
    assert archive.control.count("/node/items/boats/boats.mp4") > 0


async def test_a_race_sees_what_is_in_it_and_how_fast_it_comes(archive: InternetArchive, node: Node) -> None:
    asked = pb2.ProbeSwarmRequest(infohash=infohash(archive), magnet_uri=magnet(archive))
    told = await node.rpc.ProbeSwarm(asked, timeout=30)
    asked.sample_bytes = MIB
    sampled = await node.rpc.ProbeSwarm(asked, timeout=30)

    assert [one.path for one in told.files] == ["boats/boats.mp4"]
    assert (sampled.sampled, sampled.received_bytes >= MIB) == (True, True)
    assert archive.control.count("/node/items/boats/boats_archive.torrent") == 1


@pytest.mark.parametrize(
    "fault",
    [
        Reply(200, b"<html>Item not available</html>"),
        Reply(200, b"d4:infod6:lengthi1e4:name1:x12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaaee"),
        Reply(200, b"d8:announce" + b"x" * (4 * MIB)),
        Reply(503),
        Reply(302, headers={"location": "/download/boats/boats_archive.torrent"}),
        Reply(302, headers={"location": "file:///etc/passwd"}),
    ],
    ids=["HTML", "another torrent", "oversize", "503", "endless redirects", "a file"],
)
async def test_what_is_not_that_torrent_counts_for_nothing(archive: InternetArchive, node: Node, fault: Fault) -> None:
    archive.control.misbehave(fault)

    with pytest.raises(Failure) as raised:
        await pinned(node, magnet(archive), within=1.5)

    async def why_held() -> str | None:
        return f"{pins}" if (pins := await node.pins()) else None

    assert raised.value.reason in {"SWARM_SILENT", "DEADLINE_EXCEEDED"}  # whoever looks at the clock first
    await eventually(why_held, within=30)


@pytest.mark.parametrize(
    "settings",
    [{"allow_private_peers": False, "peer_listen": "127.0.0.1:0"}, {"proxy": "http://127.0.0.1:9"}],
    ids=["a private address", "beside a proxy"],
)
async def test_nothing_is_fetched_from_where_nothing_may_be(
    archive: InternetArchive, start_node: NodeFactory, settings: dict[str, object]
) -> None:
    async with start_node(**settings) as node:
        with pytest.raises(Failure):
            await pinned(node, magnet(archive), within=1.5)

    assert list(archive.control.seen) == []


async def test_a_name_that_leads_inside_is_not_asked(archive: InternetArchive, start_node: NodeFactory) -> None:
    archive.url = archive.url.replace("127.0.0.1", "localhost.localdomain")
    async with start_node(allow_private_peers=False, peer_listen="127.0.0.1:0") as node:
        with pytest.raises(Failure):
            await pinned(node, magnet(archive), within=1.5)

    assert list(archive.control.seen) == []

"""A torrent that nobody seeds but a web server, given as a .torrent."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import libtorrent as lt
import pytest
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_fakes.torrents import Torrent, make_torrent
from vod_runtime import Runtime
from vod_stream_node.domain import Infohash
from vod_stream_node.engine import engine
from vod_stream_node.magnets import Reach
from vod_stream_node.reader import PieceCache
from vod_stream_node.session import SessionConfig
from vod_stream_node.store import TorrentStore

from .conftest import Node, noise, sha256

MIB = 1 << 20
FILM = noise(24 * MIB + 77, seed=31)
_RANGE = re.compile(rb"\r\nrange: *bytes=(\d+)-(\d+)", re.IGNORECASE)


@dataclass(slots=True)
class WebSeed:
    """A web server with the film."""

    torrent: Torrent
    url: str = ""
    asked: list[int] = field(default_factory=list)
    """Bytes of each request."""
    strange: list[bytes] = field(default_factory=list)
    """How other things began that were sent to it."""

    def metainfo(self, *seeds: str) -> bytes:
        listed = [seed.encode() for seed in seeds]
        written: bytes = lt.bencode({b"info": lt.bdecode(self.torrent.info), b"url-list": listed})
        return written

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError), closing(writer):
            while start := await reader.read(4):
                if start != b"GET ":
                    self.strange.append(start)
                    break
                found = _RANGE.search(await reader.readuntil(b"\r\n\r\n"))
                assert found
                first, last = int(found[1]), int(found[2])
                self.asked.append(last + 1 - first)
                head = f"HTTP/1.1 206 Partial Content\r\nContent-Length: {last + 1 - first}\r\n"
                writer.write(f"{head}Content-Range: bytes {first}-{last}/{len(FILM)}\r\n\r\n".encode())
                writer.write(FILM[first : last + 1])
                await writer.drain()


@pytest.fixture
async def web_seed(tmp_path: Path) -> AsyncIterator[WebSeed]:
    (tmp_path / "Film.mkv").write_bytes(FILM)
    seed = WebSeed(make_torrent("Film.mkv", ["Film.mkv"], tmp_path))
    async with await asyncio.start_server(seed.serve, "127.0.0.1", 0) as server:
        seed.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/Film.mkv"
        yield seed


async def pinned(node: Node, torrent: bytes) -> str:
    """Pin it; return the URL of its stream."""
    request = pb2.EnsurePinRequest(
        torrent=torrent, holder="a", purpose=pb2.PURPOSE_CURRENT, wait_for=pb2.WAIT_FOR_METADATA
    )
    return (await node.rpc.EnsurePin(request, timeout=30)).pin.stream_url


async def test_it_plays_with_jumps_and_no_request_is_so_long_that_a_jump_waits_for_its_end(
    web_seed: WebSeed, node: Node
) -> None:
    url = await pinned(node, web_seed.metainfo(web_seed.url))
    for first in (0, 20 * MIB, 9 * MIB + 5, 15 * MIB):
        jumped = await node.http.get(url, headers={"Range": f"bytes={first}-{first + MIB}"})
        assert jumped.content == FILM[first : first + MIB + 1]
    film = await node.http.get(url)

    assert sha256(film.content) == sha256(FILM)
    # Requests that touch are joined; libtorrent's own choice is 16 MiB.
    assert max(web_seed.asked) <= 8 * MIB


async def test_nothing_but_http_is_spoken_to_it(web_seed: WebSeed, node: Node) -> None:
    url = await pinned(node, web_seed.metainfo(web_seed.url))
    await node.http.get(url)

    assert web_seed.strange == []


async def test_one_that_is_named_later_helps_a_torrent_that_is_here_already(web_seed: WebSeed, node: Node) -> None:
    await pinned(node, web_seed.metainfo())
    url = await pinned(node, web_seed.metainfo(web_seed.url))
    answer = await node.http.get(url, headers={"Range": "bytes=0-99"})

    assert answer.content == FILM[:100]


async def test_a_torrent_that_is_loaded_again_knows_its_trackers_and_web_seeds(
    web_seed: WebSeed, tmp_path: Path, runtime: Runtime
) -> None:
    magnet = (
        f"magnet:?xt=urn:btih:{'e' * 40}&tr=http%3A%2F%2F127.0.0.1%3A9%2Fannounce&ws=http%3A%2F%2F127.0.0.1%3A9%2Fx"
    )
    config = SessionConfig(listen="127.0.0.1:0", reach=Reach.ANYWHERE)
    async with engine(config, store=TorrentStore(tmp_path), cache=PieceCache(0), log=runtime.log) as running:
        torrent = await running.pin(Infohash("e" * 40), magnet)

        assert torrent.contacts.magnet(torrent.infohash) == magnet

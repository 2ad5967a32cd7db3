"""A torrent that nobody seeds but a web server, given as a .torrent."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import libtorrent as lt
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from vod.stream.v1 import stream_service_pb2 as pb2

from vod_fakes.control import Control
from vod_fakes.serving import Site, bind, http_servers
from vod_fakes.torrents import make_torrent

from .conftest import Node, noise, sha256

MIB = 1 << 20
FILM = noise(24 * MIB + 77, seed=31)


@dataclass(slots=True)
class WebSeed:
    """A web server with the film."""

    metainfo: bytes = b""
    asked: list[int] = field(default_factory=list)
    """Bytes of each request."""

    async def get(self, request: Request) -> Response:
        first, last = (int(number) for number in request.headers["range"].removeprefix("bytes=").split("-"))
        self.asked.append(last + 1 - first)
        headers = {"Content-Range": f"bytes {first}-{last}/{len(FILM)}"}
        return Response(FILM[first : last + 1], 206, headers)


@pytest.fixture
async def web_seed(tmp_path: Path) -> AsyncIterator[WebSeed]:
    (tmp_path / "Film.mkv").write_bytes(FILM)
    torrent = make_torrent("Film.mkv", ["Film.mkv"], tmp_path)
    seed = WebSeed()
    site = Site(Starlette(routes=[Route("/{name}", seed.get)]), Control(), bind())
    async with http_servers([site]):
        seed.metainfo = lt.bencode({b"info": lt.bdecode(torrent.info), b"url-list": f"{site.url}/Film.mkv".encode()})
        yield seed


async def test_it_plays_with_jumps_and_no_request_is_so_long_that_a_jump_waits_for_its_end(
    web_seed: WebSeed, node: Node
) -> None:
    request = pb2.EnsurePinRequest(
        torrent=web_seed.metainfo, holder="a", purpose=pb2.PURPOSE_CURRENT, wait_for=pb2.WAIT_FOR_METADATA
    )
    url = (await node.rpc.EnsurePin(request, timeout=10)).pin.stream_url
    for first in (0, 20 * MIB, 9 * MIB + 5, 15 * MIB):
        jumped = await node.http.get(url, headers={"Range": f"bytes={first}-{first + MIB}"})
        assert jumped.content == FILM[first : first + MIB + 1]
    film = await node.http.get(url)

    assert sha256(film.content) == sha256(FILM)
    assert max(web_seed.asked) <= 2 * MIB

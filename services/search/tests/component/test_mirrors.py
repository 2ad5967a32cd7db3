"""Torrents of the operator's mirror list, found as any other."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from vod.search.v1.search_service_pb2 import Release, SearchReleasesRequest, SearchReleasesResponse

from vod_fakes.control import Control, html_error
from vod_fakes.serving import Site, bind, http_servers
from vod_fakes.torrents import Torrent

if TYPE_CHECKING:
    from vod.search.v1.search_service_pb2_grpc import SearchServiceAsyncStub

RunSearch = Callable[..., AbstractAsyncContextManager["SearchServiceAsyncStub"]]
SEEDS = "http://seeds.lamps.example/"


@pytest.fixture
def torrent(make_torrent: Callable[..., Torrent]) -> Torrent:
    return make_torrent("whatever it is called.mkv", megabytes=500)


@pytest.fixture
async def site(torrent: Torrent) -> AsyncIterator[Site]:
    """Has the .torrent for who sends the right header, if one is asked for."""

    async def answer(request: Request) -> Response:
        if request.query_params.get("key") not in (None, request.headers.get("x-key")):
            return Response(status_code=403)
        return Response(torrent.web_seeded(SEEDS))

    site = Site(Starlette(routes=[Route("/{name}", answer)]), Control(), bind())
    async with http_servers([site]):
        yield site


def listed(wanted: SearchReleasesRequest, path: Path, *rows: dict[str, Any]) -> dict[str, Any]:
    place = {"id": wanted.key.series_id, "season": wanted.key.season, "episode": wanted.key.episode}
    path.write_text(json.dumps([place | row for row in rows]))
    return {"mirrors": path}


def private(site: Site) -> dict[str, str]:
    return {"private_hosts": urlsplit(site.url).netloc}


def mirrored(answer: SearchReleasesResponse) -> list[Release]:
    return [one for one in answer.releases if one.candidate.indexer == "Mirrors"]


async def test_a_torrent_file_is_a_candidate_that_says_where_it_is(
    run_search: RunSearch, wanted: SearchReleasesRequest, site: Site, torrent: Torrent, tmp_path: Path
) -> None:
    mirrors = listed(wanted, tmp_path / "m.json", {"url": f"{site.url}/a.torrent", "quality": "720p"})
    async with run_search(**mirrors, **private(site)) as search:
        [one] = mirrored(await search.SearchReleases(wanted))

    said = parse_qs(one.magnet_uri.removeprefix("magnet:?"))
    assert (one.candidate.infohash, one.candidate.title) == (torrent.infohash, "Harbor Lights S01E01 720p")
    assert (one.candidate.traits.height, one.candidate.web_seeded) == (720, True)
    assert said["xs"] == [f"{site.url}/a.torrent"]


async def test_headers_are_sent_and_the_address_is_then_told_nobody(
    run_search: RunSearch, wanted: SearchReleasesRequest, site: Site, torrent: Torrent, tmp_path: Path
) -> None:
    row = {"url": f"{site.url}/get?key=secret", "type": "torrent", "headers": {"X-Key": "secret"}}
    async with run_search(**listed(wanted, tmp_path / "m.json", row), **private(site)) as search:
        [one] = mirrored(await search.SearchReleases(wanted))

    assert one.candidate.infohash == torrent.infohash
    assert "secret" not in one.magnet_uri


async def test_a_folder_has_magnets_beside_other_addresses(
    run_search: RunSearch, wanted: SearchReleasesRequest, torrent: Torrent, tmp_path: Path
) -> None:
    lines = ["# mine", "https://cdn.lamps.example/a.m3u8", torrent.magnet("http://t.lamps.example/announce")]
    (tmp_path / "tmdb_tv_9001 S01E01.strm").write_text("\n".join(lines))
    async with run_search(mirrors=tmp_path) as search:
        found = mirrored(await search.SearchReleases(wanted))

    assert [one.candidate.infohash for one in found] == [torrent.infohash]


@pytest.mark.parametrize("content", ["{", "[1, null, {}]", "7"])
async def test_a_list_that_is_none_has_nothing(
    run_search: RunSearch, wanted: SearchReleasesRequest, tmp_path: Path, content: str
) -> None:
    (tmp_path / "m.json").write_text(content)
    async with run_search(mirrors=tmp_path / "m.json") as search:
        answer = await search.SearchReleases(wanted)

    assert mirrored(answer) == []


async def test_an_address_inside_is_not_asked_and_what_fails_is_named(
    run_search: RunSearch, wanted: SearchReleasesRequest, site: Site, tmp_path: Path
) -> None:
    mirrors = listed(wanted, tmp_path / "m.json", {"url": f"{site.url}/a.torrent"})
    async with run_search(**mirrors) as search:
        inside = await search.SearchReleases(wanted)

    assert list(site.control.seen) == []
    assert [one.indexer for one in inside.unavailable] == ["Mirrors"]


async def test_a_torrent_that_can_not_be_fetched_is_named(
    run_search: RunSearch, wanted: SearchReleasesRequest, site: Site, tmp_path: Path
) -> None:
    site.control.misbehave(html_error(404))
    mirrors = listed(wanted, tmp_path / "m.json", {"url": f"{site.url}/a.torrent"})
    async with run_search(**mirrors, **private(site)) as search:
        broken = await search.SearchReleases(wanted)

    assert [(one.indexer, one.reason) for one in broken.unavailable] == [("Mirrors", "HTTP 404")]


@pytest.mark.parametrize("bad", ["http://[oops/a.torrent", "http://x.example:port/a.torrent", "magnet:?xt=\ud800"])
@pytest.mark.parametrize("how", ["list", "folder"])
async def test_an_address_that_is_none_takes_no_other_down(
    run_search: RunSearch,
    *,
    wanted: SearchReleasesRequest,
    site: Site,
    torrent: Torrent,
    tmp_path: Path,
    how: str,
    bad: str,
) -> None:
    good = f"{site.url}/a.torrent"
    mirrors = listed(wanted, tmp_path / "m.json", {"url": bad}, {"url": bad, "type": "torrent"}, {"url": good})
    if how == "folder":
        name = f"{wanted.key.series_id.replace(':', '_')} S{wanted.key.season:02}E{wanted.key.episode:02}.strm"
        mirrors = {"mirrors": tmp_path}
        (tmp_path / name).write_text(f"{bad}\n{good}\n", encoding="utf-8", errors="surrogatepass")
    async with run_search(**mirrors, **private(site)) as search:
        [one] = mirrored(await search.SearchReleases(wanted))

    assert one.candidate.infohash == torrent.infohash


async def test_a_header_that_cannot_be_sent_takes_no_other_down(
    run_search: RunSearch, wanted: SearchReleasesRequest, site: Site, torrent: Torrent, tmp_path: Path
) -> None:
    rows = [
        {"url": f"{site.url}/{name}.torrent", "headers": {"X-Key": key}} for name, key in (("a", "\u2603"), ("b", "k"))
    ]
    async with run_search(**listed(wanted, tmp_path / "m.json", *rows), **private(site)) as search:
        [one] = mirrored(await search.SearchReleases(wanted))

    assert one.candidate.infohash == torrent.infohash

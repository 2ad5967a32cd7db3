"""The outside world and the all-in-one, started once for all end-to-end tests that do not break them."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from allinone import PATIENT, System, system

from vod_fakes.hls import HlsHost, make_hls
from vod_fakes.media import Profile
from vod_fakes.serving import Site, bind, http_servers
from vod_fakes.world import World, shared_folder, world

_TEST_SECONDS = 400
"""Of one test, at most: the first one waits for the whole system to start."""
CURATED = """
[[collection]]
name = "House favourites"

[[collection.film]]
title = "Paper Boats"
year = 2010
licence = "CC BY 4.0"
ids = ["ia:item:paper_boats_test"]
archive = "paper_boats_test"
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder more time than others get."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(_TEST_SECONDS))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def outside() -> AsyncIterator[World]:
    """TMDb, Jikan, Prowlarr, OpenSubtitles, a tracker and a seeder, all real protocols on loopback."""
    async with world(shared_folder(), profile=Profile.TINY) as outside:
        yield outside


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def vod(outside: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """One process per service, shared by all tests that do not break it."""
    folder = tmp_path_factory.mktemp("sources")
    host = HlsHost(make_hls(folder / "hls").parent)
    site = Site(host.app(), host.control, bind())
    host.url = site.url
    own = own_sources(outside, host, folder)
    # Some tests slow the swarm down to see what comes while; that must not look like a swarm that died.
    patient = {"VOD_STALL_AFTER": "60s"}
    async with (
        http_servers([site]),
        system(outside, "--isolate", settings={**PATIENT, **own, **patient}) as one,
    ):
        yield one


def own_sources(outside: World, host: HlsHost, folder: Path) -> dict[str, str]:
    """Write what an operator may: a curated collection with the open film, and mirrors of two episodes."""
    mirrors, curated = folder / "mirrors", folder / "films.toml"
    mirrors.mkdir()
    mirrored = f"{outside.archive.url}/download/paper_boats_test/paper_boats.mp4"
    (mirrors / "tmdb_tv_9001 S01E03.strm").write_text(f"{mirrored}\n", encoding="utf-8")
    (mirrors / "tmdb_tv_9001 S01E04.strm").write_text(f"{host.url}/master.m3u8\n", encoding="utf-8")
    curated.write_text(CURATED, encoding="utf-8")
    private = ",".join(urlsplit(one).netloc for one in (outside.archive.url, host.url))
    return {"VOD_SOURCES_MIRRORS": str(mirrors), "VOD_EDITORIAL": str(curated), "VOD_SOURCES_PRIVATE_HOSTS": private}


@pytest_asyncio.fixture(loop_scope="session")
async def viewer(vod: System) -> AsyncIterator[httpx.AsyncClient]:
    """A viewer on a device of their own."""
    async with vod.client() as client:
        yield client


@pytest.fixture(autouse=True)
def whole_swarm(outside: World) -> None:
    """Give the seeder its full rate back, whatever the test before did to it."""
    outside.seeder.limit_upload(0)

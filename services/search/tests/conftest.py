"""Search as it really runs, between real PostgreSQL and Redis and a fake of Prowlarr over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from vod.catalog.v1 import catalog_pb2
from vod.search.v1.search_service_pb2 import SearchReleasesRequest
from vod.search.v1.search_service_pb2_grpc import SearchServiceStub

from vod_fakes.prowlarr import Prowlarr
from vod_fakes.serving import Site, bind, http_servers
from vod_fakes.shapes import Listing
from vod_fakes.torrents import Torrent, TorrentFile
from vod_rpc import channel
from vod_runtime import Runtime
from vod_search.service import serve
from vod_search.settings import Settings
from vod_testing import MovableClock, migrate_schema

if TYPE_CHECKING:
    from vod.search.v1.search_service_pb2_grpc import SearchServiceAsyncStub

KEY = "0123456789abcdef0123456789abcdef"
BREAKWATER, OPEN_SHELF = 1, 2
TRACKER = "http://127.0.0.1:6969/announce"


RunSearch = Callable[..., AbstractAsyncContextManager["SearchServiceAsyncStub"]]
ListRelease = Callable[..., Torrent]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def prowlarr() -> AsyncIterator[Prowlarr]:
    """Two indexers: Breakwater tells infohashes, Open Shelf tells neither those nor seeders."""
    fake = Prowlarr(KEY, tracker_url=TRACKER)
    site = Site(fake.app(), fake.control, bind())
    fake.url = site.url
    async with http_servers([site]):
        yield fake


def torrent_named(name: str, *, megabytes: int) -> Torrent:
    """Make a torrent of one file that nobody has; its infohash comes from the name."""
    size = megabytes * 1_000_000
    encoded = name.encode()
    info = b"d6:lengthi%de4:name%d:%s12:piece lengthi16384e6:pieces20:%se" % (size, len(encoded), encoded, bytes(20))
    return Torrent(name=name, info=info, files=(TorrentFile(name, size),), piece_length=16384)


@pytest.fixture
def make_torrent() -> Callable[..., Torrent]:
    """Make a torrent of this name and size in megabytes."""
    return torrent_named


@pytest.fixture
def list_release(prowlarr: Prowlarr) -> ListRelease:
    """List a torrent of this name and size at indexers; its infohash comes from the name."""

    def add(
        name: str,
        *indexers: int,
        seeders: int | None = 40,
        leechers: int | None = 4,
        megabytes: int = 500,
        ids: Mapping[str, str] | None = None,
    ) -> Torrent:
        torrent = torrent_named(name, megabytes=megabytes)
        prowlarr.add(
            name, torrent, [Listing(indexer, seeders, leechers) for indexer in indexers or (BREAKWATER,)], ids=ids
        )
        return torrent

    return add


@pytest.fixture
def run_search(
    pg_dsn: str, redis_url: str, make_runtime: Callable[[str], Runtime], prowlarr: Prowlarr, clock: MovableClock
) -> RunSearch:
    """Start search on the test's database; keyword arguments change its settings."""

    @asynccontextmanager
    async def run(**changes: Any) -> AsyncIterator[SearchServiceAsyncStub]:
        await migrate_schema(pg_dsn, "search")
        values: dict[str, Any] = {
            "listen": "127.0.0.1:0",
            "pg_dsn": pg_dsn,
            "redis_url": redis_url,
            "prowlarr_url": prowlarr.url,
            "prowlarr_key": KEY,
            "archive": False,
            "indexer_deadline": timedelta(seconds=15),
            "allow_private_peers": True,
        }
        made = make_runtime("search")
        runtime = Runtime(made.service, made.log, made.tracer_provider, made.metrics, clock)
        caller = make_runtime("picks")
        async with (
            serve(Settings(**(values | changes)), runtime) as endpoint,
            channel(endpoint.address, caller, timeout=timedelta(seconds=20)) as connection,
        ):
            yield SearchServiceStub(connection)

    return run


@pytest.fixture
def wanted() -> SearchReleasesRequest:
    return SearchReleasesRequest(
        key=catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=1),
        kind=catalog_pb2.KIND_SERIES,
        titles=["Harbor Lights", "Hafenlichter"],
        year=2024,
        profile_hash="p1",
    )

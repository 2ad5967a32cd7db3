"""Catalog as it really runs, between a real PostgreSQL and fakes of TMDb and Jikan over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceStub

from vod_catalog.service import serve
from vod_catalog.settings import Settings
from vod_fakes.jikan import Jikan
from vod_fakes.library import LIBRARY
from vod_fakes.serving import Site, bind, http_servers
from vod_fakes.tmdb import Tmdb
from vod_rpc import channel
from vod_runtime import Runtime
from vod_testing import MovableClock, migrate_schema

if TYPE_CHECKING:
    from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub

KEY = "0123456789abcdef0123456789abcdef"


RunCatalog = Callable[..., AbstractAsyncContextManager["CatalogServiceAsyncStub"]]


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def outside() -> AsyncIterator[tuple[Tmdb, Jikan]]:
    """Both providers, on the air."""
    tmdb, jikan = Tmdb(LIBRARY, key=KEY), Jikan(LIBRARY)
    sites = [Site(fake.app(), fake.control, bind()) for fake in (tmdb, jikan)]
    tmdb.url, jikan.url = f"{sites[0].url}/3", f"{sites[1].url}/v4"
    async with http_servers(sites):
        yield tmdb, jikan


@pytest.fixture
def tmdb(outside: tuple[Tmdb, Jikan]) -> Tmdb:
    return outside[0]


@pytest.fixture
def jikan(outside: tuple[Tmdb, Jikan]) -> Jikan:
    return outside[1]


@pytest.fixture
def patience(request: pytest.FixtureRequest) -> timedelta:
    """How long a host may take: so long that each answers, unless there is one that hangs, which is waited for."""
    return timedelta(seconds=1.5 if "hangs" in request.node.name else 8)


@pytest.fixture
def run_catalog(
    pg_dsn: str,
    make_runtime: Callable[[str], Runtime],
    tmdb: Tmdb,
    jikan: Jikan,
    *,
    clock: MovableClock,
    patience: timedelta,
) -> RunCatalog:
    """Start a catalog on the test's database; keyword arguments change its settings."""

    @asynccontextmanager
    async def run(*, log: Any = None, **changes: Any) -> AsyncIterator[CatalogServiceAsyncStub]:
        await migrate_schema(pg_dsn, "catalog")
        settings: dict[str, Any] = {
            "listen": "127.0.0.1:0",
            "pg_dsn": pg_dsn,
            "tmdb_key": KEY,
            "tmdb_base": tmdb.url,
            "jikan_base": jikan.url,
            "jikan_per_second": 1000.0,
            "upstream_deadline": patience,
            # Each is switched on by the tests that bring a fake of it.
            "archive_base": "",
            "aniskip_base": "",
            "anime_lists_url": "",
            "anime_ids_url": "",
            **changes,
        }
        one = replace(make_runtime("catalog"), clock=clock)
        one = replace(one, log=log or one.log)
        async with (
            serve(Settings(**settings), one) as endpoint,
            channel(endpoint.address, one, timeout=timedelta(seconds=20)) as to_catalog,
        ):
            yield CatalogServiceStub(to_catalog)

    return run


@pytest.fixture
async def catalog(run_catalog: RunCatalog) -> AsyncIterator[CatalogServiceAsyncStub]:
    async with run_catalog() as stub:
        yield stub

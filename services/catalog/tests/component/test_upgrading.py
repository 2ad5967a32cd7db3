"""A database of an earlier release: what it holds is served, found and refreshed after the upgrade."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from vod.catalog.v1 import catalog_service_pb2 as pb

from vod_fakes.tmdb import Tmdb
from vod_rpc import NotFound
from vod_storage import postgres
from vod_storage.migrate import migrate, migrations_folder, read_migrations
from vod_testing import MovableClock, eventually

if TYPE_CHECKING:
    from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub

RunCatalog = Callable[..., AbstractAsyncContextManager["CatalogServiceAsyncStub"]]
BEFORE_LISTED_AND_FAILURES = "0006"


async def test_titles_and_lists_of_an_earlier_release_go_on(
    run_catalog: RunCatalog, tmdb: Tmdb, clock: MovableClock, pg_dsn: str
) -> None:
    folder = migrations_folder("catalog")
    assert folder is not None
    earlier = [one for one in read_migrations(folder) if one.version < BEFORE_LISTED_AND_FAILURES]
    await migrate(pg_dsn, schema="catalog", migrations=earlier)
    listed = {"id": "tmdb:movie:9101", "title": "Only listed", "kind": "movie", "external": {}}
    async with postgres(SecretStr(pg_dsn), schema="catalog") as db:
        await db.pool.execute(
            "INSERT INTO series (id, title, kind, fetched_at) VALUES ('tmdb:tv:9001', 'Of old', 'series', $1)",
            clock.now() - timedelta(hours=1),
        )
        await db.pool.execute(
            "INSERT INTO listings (provider, query, titles, fetched_at) VALUES ('tmdb', 'only', $1, $2)",
            [listed],
            clock.now(),
        )
        async with run_catalog(refresh_every=timedelta(seconds=0.05)) as catalog:
            of_old = await catalog.ListEpisodes(pb.ListEpisodesRequest(series_id="tmdb:tv:9001"))
            found = await catalog.SearchTitles(pb.SearchTitlesRequest(query="only"))
            # Its picture is looked for in the list, which has none, and not at TMDb.
            with pytest.raises(NotFound) as no_picture:
                await catalog.GetImage(pb.GetImageRequest(series_id="tmdb:movie:9101", kind=pb.IMAGE_KIND_POSTER))
            asked = [tmdb.control.count(path) for path in ("/3/tv/9001", "/3/search", "/3/movie/9101")]
            clock.advance(timedelta(days=1))

            async def why_not_refreshed() -> str | None:
                title = await db.pool.fetchval("SELECT title FROM series WHERE failures = 0 AND due_at IS NOT NULL")
                return None if title == "Harbor Lights" else f"it is called {title}"

            await eventually(why_not_refreshed, within=30)

    assert (of_old.series.title, [one.title for one in found.titles], asked) == ("Of old", ["Only listed"], [0] * 3)
    assert no_picture.value.reason == "IMAGE_NOT_FOUND"

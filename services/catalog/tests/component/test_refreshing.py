"""The background job: what is due, what changed, and one instance at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest
from pydantic import SecretStr
from vod.catalog.v1.catalog_service_pb2 import ListEpisodesRequest

from vod_catalog.leases import Leases
from vod_fakes.control import json_reply
from vod_fakes.library import LIBRARY
from vod_fakes.tmdb import Tmdb
from vod_storage import postgres
from vod_testing import MovableClock, eventually, migrate_schema

if TYPE_CHECKING:
    from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub

RunCatalog = Callable[..., AbstractAsyncContextManager["CatalogServiceAsyncStub"]]
HARBOR_LIGHTS = "tmdb:tv:9001"
OFTEN = timedelta(seconds=0.05)


def listed(series_id: str = HARBOR_LIGHTS) -> ListEpisodesRequest:
    return ListEpisodesRequest(series_id=series_id)


@pytest.fixture
async def database(pg_dsn: str) -> AsyncIterator[asyncpg.Pool[asyncpg.Record]]:
    await migrate_schema(pg_dsn, "catalog")
    async with postgres(SecretStr(pg_dsn), schema="catalog") as opened:
        yield opened.pool


async def fetched(tmdb: Tmdb, database: asyncpg.Pool[asyncpg.Record], times: int) -> None:
    """Wait until the series was fetched so many times, and kept."""

    async def why_not() -> str | None:
        seen = tmdb.control.count("/3/tv/9001/season")
        claimed = await database.fetchval("SELECT retry_at FROM series WHERE id = $1", HARBOR_LIGHTS)
        return None if seen == times and claimed is None else f"fetched {seen} times"

    await eventually(why_not, within=30)


async def test_a_quiet_title_is_looked_at_once_a_month_and_sooner_when_its_provider_says_it_changed(
    run_catalog: RunCatalog, tmdb: Tmdb, clock: MovableClock, database: asyncpg.Pool[asyncpg.Record]
) -> None:
    async with run_catalog(refresh_every=OFTEN) as catalog:
        await catalog.ListEpisodes(listed())
        clock.advance(timedelta(days=2))
        await eventually(lambda: None if tmdb.control.count("/3/tv/changes") else "not asked yet", within=30)
        quiet = tmdb.control.count("/3/tv/9001/season")
        tmdb.changed = (("tv", 9001), ("tv", 424242), ("movie", 9101))
        clock.advance(timedelta(hours=7))
        await fetched(tmdb, database, 2)
        clock.advance(timedelta(days=34))
        await fetched(tmdb, database, 3)

    assert quiet == 1


async def test_a_title_that_always_fails_holds_no_other_up_and_is_asked_for_ever_more_rarely(
    run_catalog: RunCatalog, tmdb: Tmdb, clock: MovableClock, database: asyncpg.Pool[asyncpg.Record]
) -> None:
    broken, *others = (HARBOR_LIGHTS, "tmdb:tv:9002", "tmdb:movie:9101")
    refreshed = "SELECT id FROM series WHERE due_at > $1 AND failures = 0 ORDER BY id"
    due_now = "UPDATE series SET due_at = $1::timestamptz - CASE WHEN id = $2 THEN interval '1 hour' ELSE '0 s' END"
    failed = "SELECT failures FROM series WHERE id = $1 AND retry_at > $2"
    waits = []
    async with run_catalog() as catalog:
        for one in (broken, *others):
            await catalog.ListEpisodes(listed(one))
    tmdb.control.misbehave(json_reply({"success": False, "status_code": 43}), path="/3/tv/9001")
    # It is the one that is longest due.
    await database.execute(due_now, clock.now(), broken)
    async with run_catalog(refresh_every=OFTEN):
        for failures in (1, 2, 3):

            async def why_not(failures: int = failures) -> str | None:
                others_done = [row["id"] for row in await database.fetch(refreshed, clock.now())] == sorted(others)
                counted = await database.fetchval(failed, broken, clock.now())
                return None if others_done and counted == failures else f"failed {counted} times"

            await eventually(why_not, within=30)
            wait = await database.fetchval("SELECT retry_at FROM series WHERE id = $1", broken) - clock.now()
            waits.append(round(wait / timedelta(minutes=15)))
            clock.advance(wait)
        tmdb.control.behave()
        await fetched(tmdb, database, 2)
    failures = await database.fetchval("SELECT failures FROM series WHERE id = $1", broken)

    assert (waits, failures) == ([1, 2, 4], 0)


async def test_of_two_instances_one_refreshes_and_the_other_goes_on_when_it_is_gone(
    database: asyncpg.Pool[asyncpg.Record], clock: MovableClock
) -> None:
    first, second = Leases(database, clock=clock), Leases(database, clock=clock)
    time = timedelta(minutes=5)
    held = [await one.hold("refresh", time=time) for one in (first, second, first)]
    turns = [await one.turn("changes", every=time) for one in (first, second, first)]
    clock.advance(timedelta(minutes=6))
    taken_over = [await one.hold("refresh", time=time) for one in (second, first)]

    assert held == [True, False, True]
    assert turns == [True, False, False]
    assert taken_over == [True, False]


async def test_an_episode_that_was_taken_away_is_kept_for_good(
    run_catalog: RunCatalog, tmdb: Tmdb, clock: MovableClock, database: asyncpg.Pool[asyncpg.Record]
) -> None:
    async with run_catalog(refresh_every=OFTEN) as catalog:
        await catalog.ListEpisodes(listed())
        first, *others = LIBRARY.series
        tmdb.library = replace(LIBRARY, series=(replace(first, episodes=first.episodes[:-1]), *others))
        for times in (2, 3, 4):
            clock.advance(timedelta(days=40))
            await fetched(tmdb, database, times)
        shown = await catalog.ListEpisodes(listed())
    kept = await database.fetchval("SELECT count(*) FROM episodes WHERE gone_at IS NOT NULL")

    assert (len(shown.episodes), kept) == (3, 1)

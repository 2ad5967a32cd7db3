"""Outages: what is known is served, nothing is invented, a host is left alone, and that is said once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import structlog
from structlog.testing import LogCapture
from vod.catalog.v1 import catalog_pb2
from vod.catalog.v1.catalog_service_pb2 import GetEpisodeRequest, ListEpisodesRequest, SearchTitlesRequest

from vod_fakes.control import html_error, json_reply, too_many_requests
from vod_fakes.tmdb import Tmdb
from vod_rpc import Unavailable
from vod_testing import MovableClock

if TYPE_CHECKING:
    from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub

RunCatalog = Callable[..., AbstractAsyncContextManager["CatalogServiceAsyncStub"]]
KNOWN, UNKNOWN = "tmdb:tv:9001", "tmdb:tv:9002"


def episode(series_id: str) -> GetEpisodeRequest:
    return GetEpisodeRequest(key=catalog_pb2.EpisodeKey(series_id=series_id, season=1, episode=1))


async def refused(catalog: CatalogServiceAsyncStub, series_id: str) -> timedelta | None:
    with pytest.raises(Unavailable) as failed:
        await catalog.GetEpisode(episode(series_id))
    return failed.value.retry_after


async def test_an_hour_without_tmdb_takes_nothing_away_invents_nothing_and_is_said_once(
    run_catalog: RunCatalog, tmdb: Tmdb, clock: MovableClock
) -> None:
    told = LogCapture()
    log = structlog.wrap_logger(
        None, processors=[told], wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING)
    )
    async with run_catalog(log=log) as catalog:
        before = await catalog.ListEpisodes(ListEpisodesRequest(series_id=KNOWN))
        tmdb.control.misbehave(html_error())
        asked_before = tmdb.control.count()
        clock.advance(timedelta(days=2))
        for _ in range(60):
            clock.advance(timedelta(minutes=1))
            await catalog.GetEpisode(episode(KNOWN))
            await catalog.SearchTitles(SearchTitlesRequest(query="harbor"))
            await refused(catalog, UNKNOWN)
        after = await catalog.ListEpisodes(ListEpisodesRequest(series_id=KNOWN))
        asked = tmdb.control.count() - asked_before
        tmdb.control.behave()
        clock.advance(timedelta(minutes=11))
        recovered = await catalog.GetEpisode(episode(UNKNOWN))

    assert after == before
    assert [(one["event"], one["host"]) for one in told.entries] == [("host_left_alone", "TMDb")]
    # Three failures, or as many as were under way beside the refresh, and then one request after 30 s, 1, 2, 4, 8, 10,
    # 10 … minutes; each with its second try.
    assert asked <= 2 * (6 + 10)
    assert recovered.series.id == UNKNOWN


async def test_a_restart_does_not_begin_with_asking_whom_we_leave_alone(run_catalog: RunCatalog, tmdb: Tmdb) -> None:
    tmdb.control.misbehave(too_many_requests(retry_after="600"), times=1)
    async with run_catalog() as catalog:
        await refused(catalog, KNOWN)
    async with run_catalog() as catalog:
        wait = await refused(catalog, KNOWN)

    assert tmdb.control.count() == 1
    assert wait is not None
    assert timedelta(seconds=500) < wait <= timedelta(seconds=600)


async def test_an_error_inside_of_a_200_counts_as_a_failure(catalog: CatalogServiceAsyncStub, tmdb: Tmdb) -> None:
    tmdb.control.misbehave(json_reply({"success": False, "status_code": 43, "status_message": "busy"}))
    for _ in range(5):
        await refused(catalog, KNOWN)

    assert tmdb.control.count() == 3


async def test_after_a_rest_one_request_tries_and_a_failure_makes_the_rest_longer(
    catalog: CatalogServiceAsyncStub, tmdb: Tmdb, clock: MovableClock
) -> None:
    tmdb.control.misbehave(html_error(501))
    waits = [await refused(catalog, KNOWN) for _ in range(4)]
    clock.advance(timedelta(seconds=31))
    await refused(catalog, KNOWN)
    longer = await refused(catalog, KNOWN)

    assert tmdb.control.count() == 4
    assert waits[3] is not None
    assert longer is not None
    assert waits[3] <= timedelta(seconds=30) < longer <= timedelta(seconds=60)

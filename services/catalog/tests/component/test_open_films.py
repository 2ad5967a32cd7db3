"""The Internet Archive's open films: from the list only, and only with an open licence; trending without any key."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from structlog.testing import LogCapture
from vod.catalog.v1.catalog_service_pb2 import ListEpisodesRequest, ListTrendingRequest, SearchTitlesRequest, Watched

from vod_fakes.archive import InternetArchive, Item
from vod_fakes.control import Fault, html_error, json_reply
from vod_fakes.faults import JSON_FAULTS
from vod_fakes.serving import Site, bind, http_servers
from vod_rpc import Failure, NotFound
from vod_testing import MovableClock

if TYPE_CHECKING:
    from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub

RunCatalog = Callable[..., AbstractAsyncContextManager["CatalogServiceAsyncStub"]]
ITEMS = "lantern_test,closed_test,dark_test"


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[InternetArchive]:
    film = tmp_path / "lantern.mp4"
    film.write_bytes(b"film")
    fake = InternetArchive(
        (
            Item("lantern_test", "Lantern (test)", films={"lantern.mp4": film}),
            Item("closed_test", "Closed", licence=None),
            Item("dark_test", "Dark", is_dark=True),
            Item("unlisted_test", "Unlisted"),
        )
    )
    site = Site(fake.app(), fake.control, bind())
    fake.url = site.url
    async with http_servers([site]):
        yield fake


async def test_a_listed_open_film_is_a_title(run_catalog: RunCatalog, archive: InternetArchive) -> None:
    async with run_catalog(archive_base=archive.url, archive_items=ITEMS) as catalog:
        found = await catalog.ListEpisodes(ListEpisodesRequest(series_id="ia:item:lantern_test"))
        searched = await catalog.SearchTitles(SearchTitlesRequest(query="lantern (t"))

    assert (
        found.series.title,
        found.series.year,
        found.series.overview.removeprefix(" "),
    ) == ("Lantern (test)", 2010, "Made up  for tests")
    assert [(one.key.season, one.key.episode, one.runtime.seconds) for one in found.episodes] == [(1, 1, 60)]
    assert "ia:item:lantern_test" in [one.id for one in searched.titles]


@pytest.mark.parametrize("item", ["closed_test", "dark_test", "unlisted_test", "nowhere_test"])
async def test_without_a_licence_or_off_the_list_there_is_no_title(
    run_catalog: RunCatalog, archive: InternetArchive, item: str
) -> None:
    async with run_catalog(archive_base=archive.url, archive_items=ITEMS) as catalog:
        with pytest.raises(NotFound) as refused:
            await catalog.ListEpisodes(ListEpisodesRequest(series_id=f"ia:item:{item}"))

    assert refused.value.reason == "SERIES_NOT_FOUND"


async def test_what_is_on_the_list_and_can_not_be_shown_is_said_once(
    run_catalog: RunCatalog, archive: InternetArchive
) -> None:
    told = LogCapture()
    log = structlog.wrap_logger(
        None, processors=[told], wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING)
    )
    async with run_catalog(log=log, archive_base=archive.url, archive_items=f"{ITEMS},nowhere_test") as catalog:
        for _ in range(2):
            await catalog.SearchTitles(SearchTitlesRequest(query="lantern"))
            for item in ("closed_test", "nowhere_test"):
                with pytest.raises(NotFound):
                    await catalog.ListEpisodes(ListEpisodesRequest(series_id=f"ia:item:{item}"))
    skipped = [(one["item"], one["reason"]) for one in told.entries if one["item"].endswith("_test")]

    assert sorted(skipped) == [
        ("closed_test", "no open licence"),
        ("dark_test", "not found"),
        ("nowhere_test", "not found"),
    ]
    assert {one["event"] for one in told.entries} == {"archive_item_skipped"}


async def test_a_long_list_is_shown_whole_in_the_order_of_the_week(
    run_catalog: RunCatalog, archive: InternetArchive
) -> None:
    many = [Item(f"reel.{n:03}", f"Reel {n}", week=n) for n in range(120)]
    archive.items = (*archive.items, *many)
    items = ",".join(one.identifier for one in many)
    async with run_catalog(archive_base=archive.url, archive_items=items) as catalog:
        popular = await catalog.SearchTitles(SearchTitlesRequest(query="reel", page_size=50))
        [least] = (await catalog.SearchTitles(SearchTitlesRequest(query="reel 0"))).titles
        film = await catalog.ListEpisodes(ListEpisodesRequest(series_id=least.id))
    asked = archive.control.asked("/advancedsearch.php")

    assert [one.title for one in popular.titles] == [f"Reel {n}" for n in range(119, 69, -1)]
    assert (film.series.id, film.series.title) == ("ia:item:reel.000", "Reel 0")
    # A search answers 50 rows unless it is asked for more, and an address must not become too long.
    assert max(len(one.query["q"]) for one in asked) < 2000


async def test_without_a_key_the_open_films_and_airing_anime_trend(
    run_catalog: RunCatalog, archive: InternetArchive
) -> None:
    async with run_catalog(archive_base=archive.url, archive_items=ITEMS, tmdb_key=None) as catalog:
        found = await catalog.ListTrending(ListTrendingRequest())

    listed = [one.id for one in found.titles]
    assert "ia:item:lantern_test" in listed
    assert "mal:anime:9201" in listed
    assert "ia:item:closed_test" not in listed


async def test_what_is_watched_here_comes_first_where_many_watch(
    run_catalog: RunCatalog, archive: InternetArchive
) -> None:
    watched = [Watched(series_id="tmdb:tv:9002", score=10.0)]
    async with run_catalog(archive_base=archive.url) as catalog:
        quiet = await catalog.ListTrending(ListTrendingRequest(here=watched, viewers=0))
        busy = await catalog.ListTrending(ListTrendingRequest(here=watched, viewers=500))

    assert quiet.titles[0].id != "tmdb:tv:9002"
    assert busy.titles[0].id == "tmdb:tv:9002"


@pytest.mark.parametrize("fault", [*JSON_FAULTS.values(), html_error(403)], ids=[*JSON_FAULTS, "blocked"])
async def test_when_the_archive_fails_what_is_known_is_served_and_what_is_not_is_no_film_that_is_gone(
    run_catalog: RunCatalog, archive: InternetArchive, clock: MovableClock, fault: Fault
) -> None:
    known, unknown = (ListEpisodesRequest(series_id=f"ia:item:{name}_test") for name in ("lantern", "second"))
    archive.items = (*archive.items, replace(archive.items[0], identifier="second_test"))
    async with run_catalog(archive_base=archive.url, archive_items=f"{ITEMS},second_test") as catalog:
        before = await catalog.ListEpisodes(known)
        trending = await catalog.ListTrending(ListTrendingRequest())
        archive.control.misbehave(fault)
        clock.advance(timedelta(days=8))
        after = await catalog.ListEpisodes(known)
        still = await catalog.ListTrending(ListTrendingRequest())
        with pytest.raises(Failure) as failed:
            await catalog.ListEpisodes(unknown)
        archive.control.behave()
        clock.advance(timedelta(days=1))
        found = await catalog.ListEpisodes(unknown)

    assert after == before
    assert {one.id for one in trending.titles} <= {one.id for one in still.titles}
    assert not isinstance(failed.value, NotFound)
    assert found.series.title == "Lantern (test)"


@pytest.mark.parametrize("absent", [{}, None], ids=["missing", "null"])
async def test_fields_of_a_film_that_are_not_there_do_no_harm(
    run_catalog: RunCatalog, archive: InternetArchive, absent: dict[str, object] | None
) -> None:
    names = ("title", "year", "date", "description")
    about = {"licenseurl": ["https://creativecommons.org/licenses/by/4.0/"]}
    files = [{"format": "MPEG4"} | ({} if absent is not None else {"length": None, "name": None}), None, 7]
    about |= {} if absent is not None else dict.fromkeys(names)
    archive.control.misbehave(json_reply({"metadata": about, "files": files}), path="/metadata/lantern_test")
    async with run_catalog(archive_base=archive.url, archive_items=ITEMS) as catalog:
        found = await catalog.ListEpisodes(ListEpisodesRequest(series_id="ia:item:lantern_test"))

    [film] = found.episodes
    assert (found.series.title, found.series.year, film.runtime.seconds) == ("lantern_test", 0, 0)

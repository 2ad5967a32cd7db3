"""Posters cost what they must: nothing of a provider's patience where the title is known, else one request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from vod.catalog.v1 import catalog_service_pb2 as pb

from vod_fakes.control import Control, json_reply
from vod_fakes.jikan import Jikan
from vod_fakes.serving import Site, bind, http_servers
from vod_fakes.tmdb import Tmdb
from vod_rpc import NotFound

if TYPE_CHECKING:
    from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub

RunCatalog = Callable[..., AbstractAsyncContextManager["CatalogServiceAsyncStub"]]
SLOWLY: dict[str, Any] = {"jikan_per_second": 0.8, "upstream_deadline": timedelta(seconds=8)}


async def picture(request: Request) -> Response:
    return Response(request.url.path.encode(), media_type="image/jpeg")


@pytest.fixture
async def pictures() -> AsyncIterator[str]:
    """A host of images, whose pictures hold their own path; its address."""
    site = Site(Starlette(routes=[Route("/{path:path}", picture)]), Control(), bind())
    async with http_servers([site]):
        yield site.url


def entry(number: int, pictures: str, **more: Any) -> dict[str, Any]:
    """What Jikan says of an entry, as far as it matters here."""
    images = {"jpg": {"large_image_url": f"{pictures}/{number}.jpg"}}
    return {"mal_id": number, "title": f"Entry {number}", "type": "TV", "images": images, **more}


async def poster(catalog: CatalogServiceAsyncStub, series_id: str) -> bytes:
    request = pb.GetImageRequest(series_id=series_id, kind=pb.IMAGE_KIND_POSTER)
    return (await catalog.GetImage(request)).data


async def test_the_posters_of_a_list_cost_its_providers_nothing(
    run_catalog: RunCatalog, jikan: Jikan, pictures: str
) -> None:
    numbers = range(1, 18)
    jikan.control.misbehave(json_reply({"data": [entry(n, pictures) for n in numbers]}), path="/v4/top/anime")
    async with run_catalog(tmdb_image_base=pictures, **SLOWLY) as catalog:
        await catalog.SearchTitles(pb.SearchTitlesRequest(query=""))
        listed = jikan.control.count()
        posters = await asyncio.gather(*(poster(catalog, f"mal:anime:{n}") for n in numbers))

    assert posters == [f"/{n}.jpg".encode() for n in numbers]
    assert jikan.control.count() == listed


async def test_a_listed_title_without_such_a_picture_is_not_asked_for(
    run_catalog: RunCatalog, jikan: Jikan, pictures: str
) -> None:
    jikan.control.misbehave(json_reply({"data": [entry(1, pictures)]}), path="/v4/top/anime")
    async with run_catalog(tmdb_image_base=pictures) as catalog:
        await catalog.SearchTitles(pb.SearchTitlesRequest(query=""))
        listed = jikan.control.count()
        with pytest.raises(NotFound):
            await catalog.GetImage(pb.GetImageRequest(series_id="mal:anime:1", kind=pb.IMAGE_KIND_BACKDROP))

    assert jikan.control.count() == listed


async def test_the_poster_of_an_unknown_anime_costs_one_request_once(
    run_catalog: RunCatalog, jikan: Jikan, pictures: str
) -> None:
    relations = [{"relation": "Sequel", "entry": [{"mal_id": 2, "type": "anime", "name": "?"}]}]
    jikan.control.misbehave(json_reply({"data": entry(1, pictures, relations=relations)}), path="/v4/anime/1/full")
    async with run_catalog(tmdb_image_base=pictures) as catalog:
        first = await asyncio.gather(*(poster(catalog, "mal:anime:1") for _ in range(5)))
    async with run_catalog(tmdb_image_base=pictures) as catalog:
        again = await poster(catalog, "mal:anime:1")

    assert [*first, again] == [b"/1.jpg"] * 6
    assert [one.path for one in jikan.control.asked()] == ["/v4/anime/1/full"]


async def test_the_poster_of_a_title_that_was_fetched_costs_nothing(
    run_catalog: RunCatalog, tmdb: Tmdb, pictures: str
) -> None:
    tmdb.control.misbehave(json_reply({"id": 5, "title": "A", "poster_path": "/five.jpg"}), path="/3/movie/5")
    async with run_catalog(tmdb_image_base=pictures) as catalog:
        await catalog.ListEpisodes(pb.ListEpisodesRequest(series_id="tmdb:movie:5"))
        fetched = tmdb.control.count()
        found = await poster(catalog, "tmdb:movie:5")

    assert found == b"/w500/five.jpg"
    assert tmdb.control.count() == fetched


async def test_a_title_that_does_not_exist_has_no_poster_and_is_asked_for_once(
    run_catalog: RunCatalog, jikan: Jikan
) -> None:
    async with run_catalog() as catalog:
        for _ in range(2):
            with pytest.raises(NotFound):
                await poster(catalog, "mal:anime:77")

    assert jikan.control.count() == 1

"""Sources that the operator configures: a folder, Stremio add-ons, addresses of single files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from vod.catalog.v1 import catalog_pb2
from vod.subtitles.v1.subtitles_service_pb2 import GetSubtitleRequest

from vod_fakes.control import Control
from vod_fakes.serving import Site, bind, http_servers
from vod_rpc import NotFound, Unavailable

if TYPE_CHECKING:
    from vod.subtitles.v1.subtitles_service_pb2_grpc import SubtitlesServiceAsyncStub

RunSubtitles = Callable[..., AbstractAsyncContextManager["SubtitlesServiceAsyncStub"]]
KEY = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=1)
ASKED = GetSubtitleRequest(key=KEY, lang="pl")
POLISH = "1\n00:01 --> 00:02\nZażółć gęślą jaźń\n"


async def test_a_folder_has_files_by_title_and_number(run_subtitles: RunSubtitles, tmp_path: Path) -> None:
    (tmp_path / "Harbor Lights").mkdir()
    (tmp_path / "Harbor Lights" / "S01E01.pl.srt").write_bytes(POLISH.encode("cp1250"))
    (tmp_path / "Harbor Lights" / "S01E02.pl.srt").write_text("1\n00:01 --> 00:02\nAnother\n")
    (tmp_path / "Other.S01E01.pl.srt").write_text("1\n00:01 --> 00:02\nOther\n")
    async with run_subtitles(os_key=None, folder=tmp_path) as subtitles:
        found = await subtitles.GetSubtitle(ASKED)

    assert "Zażółć gęślą jaźń" in found.webvtt
    assert found.track.source == "folder"


async def test_a_link_in_the_folder_leads_nowhere_else(run_subtitles: RunSubtitles, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text(POLISH)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "Harbor.Lights.S01E01.pl.srt").symlink_to(tmp_path / "secret.txt")
    async with run_subtitles(os_key=None, folder=tmp_path / "mine") as subtitles:
        with pytest.raises(NotFound):
            await subtitles.GetSubtitle(ASKED)


async def test_an_addon_and_an_endpoint_have_files(run_subtitles: RunSubtitles) -> None:
    seen: list[str] = []

    async def listed(request: Request) -> Response:
        seen.append(request.url.path)
        url = f"{request.base_url}files/1.vtt"
        return JSONResponse({"subtitles": [{"id": "1", "url": url, "lang": "pol"}, {"url": 7}, None]})

    async def file(_: Request) -> Response:
        return PlainTextResponse(POLISH)

    routes = [Route("/a/subtitles/{kind}/{video}.json", listed), Route("/files/{name}", file)]
    site = Site(Starlette(routes=routes), Control(), bind())
    async with http_servers([site]):
        async with run_subtitles(os_key=None, addons=f"{site.url}/a/manifest.json") as subtitles:
            from_addon = await subtitles.GetSubtitle(ASKED)
        template = f"{site.url}/files/{{series_id}}-{{season}}-{{episode}}-{{lang}}.vtt"
        async with run_subtitles(os_key=None, endpoints=template) as subtitles:
            other = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=2)
            from_endpoint = await subtitles.GetSubtitle(GetSubtitleRequest(key=other, lang="pl"))

    assert seen == ["/a/subtitles/series/tt0009001:1:1.json"]
    assert "Zażółć" in from_addon.webvtt
    assert "Zażółć" in from_endpoint.webvtt


FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Fansubs</title>
<item><title>Harbor Lights - 02 (Polish)</title><link>{base}/other.srt</link></item>
<item><title>Harbor Lights - 01 (Polish)</title><link>{base}/page.html</link><enclosure url="{base}/one.srt"/></item>
<item><title>Other - 01 (Polish)</title><link>{base}/other.srt</link></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>Harbor Lights S01E01</title>
<link rel="enclosure" href="{base}/one.srt"/></entry></feed>"""


@pytest.mark.parametrize(("feed", "suffix"), [(FEED, ""), (ATOM, "=pl")], ids=["rss", "atom"])
async def test_a_feed_has_files_by_title_number_and_language(
    run_subtitles: RunSubtitles, feed: str, suffix: str
) -> None:
    async def told(request: Request) -> Response:
        return Response(feed.format(base=str(request.base_url).rstrip("/")), media_type="application/xml")

    async def file(request: Request) -> Response:
        return PlainTextResponse(POLISH if request.url.path == "/one.srt" else "1\n00:01 --> 00:02\nOther\n")

    site = Site(Starlette(routes=[Route("/feed.xml", told), Route("/{name}", file)]), Control(), bind())
    running = run_subtitles(os_key=None, feeds=f"{site.url}/feed.xml{suffix}")
    async with http_servers([site]), running as subtitles:
        found = await subtitles.GetSubtitle(ASKED)

    assert "Zażółć" in found.webvtt
    assert found.track.source.startswith("feed:")


@pytest.mark.parametrize("content", ["no feed", '<!DOCTYPE r [<!ENTITY a "aaaa">]><rss>&a;</rss>'])
async def test_what_is_no_feed_is_a_source_that_does_not_answer(run_subtitles: RunSubtitles, content: str) -> None:
    site = Site(PlainTextResponse(content), Control(), bind())
    async with http_servers([site]), run_subtitles(os_key=None, feeds=f"{site.url}/feed.xml") as subtitles:
        with pytest.raises(Unavailable, match="feed"):
            await subtitles.GetSubtitle(ASKED)


@pytest.mark.parametrize("kind", ["link", "redirect"])
async def test_nothing_is_fetched_from_inside_our_network(run_subtitles: RunSubtitles, kind: str) -> None:
    inside = Site(PlainTextResponse(POLISH), Control(), bind())

    async def listed(request: Request) -> Response:
        url = f"{inside.url}/secret" if kind == "link" else f"{request.base_url}go"
        return JSONResponse({"subtitles": [{"id": "1", "url": url, "lang": "pol"}]})

    async def go(_: Request) -> Response:
        return RedirectResponse(f"{inside.url}/secret")

    routes = [Route("/subtitles/{kind}/{video}.json", listed), Route("/go", go)]
    site = Site(Starlette(routes=routes), Control(), bind())
    running = run_subtitles(os_key=None, addons=f"{site.url}/manifest.json")
    async with http_servers([site, inside]), running as subtitles:
        with pytest.raises(Unavailable):
            await subtitles.GetSubtitle(ASKED)

    assert list(inside.control.seen) == []


async def test_an_accounts_downloads_are_spent_with_one_login(
    run_subtitles: RunSubtitles, opensubtitles: object
) -> None:
    control = opensubtitles.control  # type: ignore[attr-defined]
    async with run_subtitles(os_username="demo", os_password="demo") as subtitles:
        for episode in (1, 2):
            key = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=episode)
            await subtitles.GetSubtitle(GetSubtitleRequest(key=key, lang="en"))

    assert control.count("/api/v1/login") == 1
    assert all("authorization" in seen.headers for seen in control.asked("/api/v1/download"))


async def test_a_wrong_password_is_not_tried_again_and_the_key_goes_on(
    run_subtitles: RunSubtitles, opensubtitles: object
) -> None:
    control = opensubtitles.control  # type: ignore[attr-defined]
    async with run_subtitles(os_username="demo", os_password="wrong") as subtitles:
        for episode in (1, 2):
            key = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=episode)
            await subtitles.GetSubtitle(GetSubtitleRequest(key=key, lang="en"))

    assert control.count("/api/v1/login") == 1

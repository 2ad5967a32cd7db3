"""Torznab addresses, Stremio add-ons and the Internet Archive, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from vod.catalog.v1 import catalog_pb2
from vod.search.v1.search_service_pb2 import SearchReleasesRequest

from vod_fakes.archive import InternetArchive, Item
from vod_fakes.control import Reply, html_error, json_reply
from vod_fakes.prowlarr import Prowlarr
from vod_fakes.serving import Site, bind, http_servers
from vod_fakes.stremio import StremioAddon
from vod_fakes.torrents import Torrent
from vod_testing import MovableClock

from .conftest import for_profile

if TYPE_CHECKING:
    from vod.search.v1.search_service_pb2_grpc import SearchServiceAsyncStub

RunSearch = Callable[..., AbstractAsyncContextManager["SearchServiceAsyncStub"]]
ListRelease = Callable[..., Torrent]
MakeTorrent = Callable[..., Torrent]
BREAKWATER, OPEN_SHELF = 1, 2
TORZNAB = "/1/api"
TRACKER = "http://127.0.0.1:6969/announce"
SINGLE = "Harbor.Lights.S01E01.720p.WEB-DL.H264-TIDE"
PACK = "Harbor.Lights.S01.1080p.WEB-DL.H264-NOVA"
FILM = ("tmdb:movie:9101", "The Glass Orchard", 2023)


def torznab(prowlarr: Prowlarr, number: int, *, key: str = "") -> dict[str, Any]:
    """Settings with nothing but one Torznab address."""
    url = f"Lamps={prowlarr.url}/{number}/api?apikey={key or prowlarr.key}"
    return {"prowlarr_url": None, "torznab_urls": url}


async def test_a_torznab_address_is_asked_by_what_it_understands(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease
) -> None:
    single, pack = list_release(SINGLE, seeders=19, leechers=2), list_release(PACK)

    async with run_search(**torznab(prowlarr, BREAKWATER)) as search:
        answer = await search.SearchReleases(wanted)

    found = {one.candidate.infohash: one.candidate for one in answer.releases}
    assert set(found) == {single.infohash, pack.infohash}
    one = found[single.infohash]
    assert (one.indexer, one.size_bytes, one.seeders, one.leechers) == ("Lamps", 500_000_000, 19, 2)
    assert one.published_at > 0
    asked = [(seen.query["t"], seen.query.get("q"), seen.query.get("ep")) for seen in prowlarr.control.asked(TORZNAB)]
    assert asked[0] == ("caps", None, None)
    assert set(asked[1:]) == {
        ("tvsearch", "Harbor Lights", "1"),
        ("tvsearch", "Harbor Lights", None),
        ("tvsearch", "Hafenlichter", "1"),
    }
    assert list(answer.unavailable) == []


async def test_torznab_without_infohashes_is_asked_in_words_and_its_links_are_followed(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease
) -> None:
    single = list_release(SINGLE, OPEN_SHELF)

    async with run_search(**torznab(prowlarr, OPEN_SHELF)) as search:
        answer = await search.SearchReleases(wanted)

    assert [one.candidate.infohash for one in answer.releases] == [single.infohash]
    assert parse_qs(answer.releases[0].magnet_uri.removeprefix("magnet:?"))["tr"] == [TRACKER]
    assert {seen.query["t"] for seen in prowlarr.control.asked("/2/api")} == {"caps", "search"}


async def test_capabilities_are_read_twice_a_day(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, clock: MovableClock
) -> None:
    async with run_search(**torznab(prowlarr, BREAKWATER)) as search:
        for profile, later in (("a", timedelta(0)), ("b", timedelta(hours=11)), ("c", timedelta(hours=2))):
            clock.advance(later)
            await search.SearchReleases(for_profile(wanted, profile))

    assert prowlarr.control.count(TORZNAB, t="caps") == 2


async def test_old_capabilities_serve_where_new_ones_are_not_told(
    run_search: RunSearch,
    wanted: SearchReleasesRequest,
    prowlarr: Prowlarr,
    list_release: ListRelease,
    clock: MovableClock,
) -> None:
    list_release(SINGLE)
    async with run_search(**torznab(prowlarr, BREAKWATER)) as search:
        await search.SearchReleases(for_profile(wanted, "a"))
        prowlarr.control.misbehave(html_error(500), path=TORZNAB, query={"t": "caps"})
        clock.advance(timedelta(hours=13))

        answer = await search.SearchReleases(for_profile(wanted, "b"))

    assert (len(answer.releases), list(answer.unavailable)) == (1, [])


async def test_an_indexer_without_such_a_category_is_not_asked(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr
) -> None:
    caps = b'<caps><searching><search available="yes"/></searching><categories><category id="%s"/></categories></caps>'
    prowlarr.control.misbehave(Reply(200, caps % b"7000"), path=TORZNAB, query={"t": "caps"})

    async with run_search(**torznab(prowlarr, BREAKWATER)) as search:
        answer = await search.SearchReleases(wanted)

    assert (prowlarr.control.count(TORZNAB), list(answer.unavailable)) == (1, [])


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (
            Reply(200, b'<error code="100" description="Incorrect user credentials"/>'),
            "says: Incorrect user credentials (code 100)",
        ),
        (
            Reply(400, b'<error code="201" description="Incorrect parameter (q)"/>'),
            "says: Incorrect parameter (q) (code 201)",
        ),
        (Reply(200, b'<error code="900" description="KEY is bad"/>'), "says: … is bad (code 900)"),
        (Reply(200, b'<error code="900" description="%bKEY"/>' % (57 * b"x ")), f"says: {57 * 'x '}… (code 900)"),
        (Reply(200, b"<!doctype html><title>Login</title>"), "the answer is not XML"),
        (Reply(200, b"<html><head/></html>"), "the answer is not what was asked for"),
        (Reply(429, b"<error/>", {"retry-after": "90"}), "asks to wait 90 s (HTTP 429)"),
        (Reply(401), "refuses the API key (HTTP 401)"),
        (Reply(500, b"<h1>broken</h1>"), "HTTP 500"),
    ],
)
@pytest.mark.parametrize("function", ["caps", "tvsearch"])
async def test_a_failing_torznab_address_is_named(
    run_search: RunSearch,
    wanted: SearchReleasesRequest,
    prowlarr: Prowlarr,
    *,
    reply: Reply,
    reason: str,
    function: str,
) -> None:
    body = reply.body.replace(b"KEY", prowlarr.key.encode())
    prowlarr.control.misbehave(replace(reply, body=body), path=TORZNAB, query={"t": function})

    async with run_search(**torznab(prowlarr, BREAKWATER)) as search:
        answer = await search.SearchReleases(wanted)

    assert [(one.indexer, one.reason) for one in answer.unavailable] == [("Lamps", reason)]


async def test_prowlarrs_indexers_and_other_addresses_are_asked_side_by_side(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease
) -> None:
    single = list_release(SINGLE)
    address = torznab(prowlarr, BREAKWATER)["torznab_urls"]

    async with run_search(torznab_urls=address.replace("Lamps=", "Breakwater=")) as search:
        answer = await search.SearchReleases(wanted)

    assert [(one.candidate.infohash, one.candidate.indexer) for one in answer.releases] == [
        (single.infohash, "Breakwater, Breakwater (Prowlarr)")
    ]


# Stremio


@pytest.fixture
async def addon() -> AsyncIterator[StremioAddon]:
    fake = StremioAddon()
    site = Site(fake.app(), fake.control, bind())
    fake.url = site.url
    async with http_servers([site]):
        yield fake


@pytest.fixture
def known(wanted: SearchReleasesRequest) -> SearchReleasesRequest:
    wanted.external_ids.update({"imdb": "tt99009001", "tmdb": "9001"})
    return wanted


def only(addon: StremioAddon) -> dict[str, Any]:
    return {"prowlarr_url": None, "stremio_addons": f"Lamps={addon.manifest_url}"}


async def test_an_add_on_is_asked_by_id_and_its_texts_are_read(
    run_search: RunSearch, known: SearchReleasesRequest, addon: StremioAddon, make_torrent: MakeTorrent
) -> None:
    single, pack = make_torrent(SINGLE, megabytes=500), make_torrent(PACK, megabytes=900)
    place = "series/tt99009001:1:1"
    addon.offer(place, single, text=f"{SINGLE}\n👤 19 💾 1.5 GB ⚙️ Lamps", tracker_url=TRACKER)
    addon.offer(
        place, pack, text=f"{PACK}\nS01E01.mkv\nSeeders: 3", tracker_url=TRACKER, filename="S01E01.mkv", videoSize=5
    )
    addon.streams[place] += [{"url": "https://lamps.example/file.mp4"}, {"infoHash": "no"}, "nothing"]

    async with run_search(**only(addon)) as search:
        answer = await search.SearchReleases(known)

    found = {one.candidate.infohash: one.candidate for one in answer.releases}
    assert set(found) == {single.infohash, pack.infohash}
    one, whole = found[single.infohash], found[pack.infohash]
    assert (one.title, one.indexer, one.seeders, one.size_bytes) == (SINGLE, "Lamps", 19, 1_610_612_736)
    assert (whole.title, whole.seeders, whole.size_bytes, whole.traits.season_pack) == (PACK, 3, 0, True)
    assert parse_qs(answer.releases[0].magnet_uri.removeprefix("magnet:?"))["tr"] == [TRACKER]
    assert list(answer.unavailable) == []


async def test_what_an_add_on_leaves_out_of_the_name_is_taken_from_its_labels(
    run_search: RunSearch, known: SearchReleasesRequest, addon: StremioAddon, make_torrent: MakeTorrent
) -> None:
    file = "Harbor.Lights.S01E01.WEB.mkv"
    addon.offer(
        "series/tt99009001:1:1",
        make_torrent("x", megabytes=1),
        text="A collection",
        tracker_url=TRACKER,
        filename=file,
        videoSize=7,
    )

    async with run_search(**only(addon)) as search:
        answer = await search.SearchReleases(known)

    (candidate,) = [one.candidate for one in answer.releases]
    assert (candidate.title, candidate.traits.height, candidate.size_bytes) == (f"{file} 1080p", 1080, 7)
    assert not candidate.HasField("seeders")


@pytest.mark.parametrize(
    ("manifest", "paths"),
    [
        ({}, ["series/tt99009001:1:1"]),
        ({"id_prefixes": ("tmdb:",)}, ["series/tmdb:9001:1:1"]),
        ({"resources": ({"name": "stream", "types": ["series"], "idPrefixes": ["tmdb:"]},)}, ["series/tmdb:9001:1:1"]),
        ({"id_prefixes": ("kitsu:",)}, []),
        ({"types": ("movie",)}, []),
    ],
)
async def test_an_add_on_is_asked_by_an_id_that_it_knows(
    run_search: RunSearch,
    known: SearchReleasesRequest,
    addon: StremioAddon,
    *,
    manifest: dict[str, Any],
    paths: list[str],
) -> None:
    for name, value in manifest.items():
        setattr(addon, name, value)

    async with run_search(**only(addon)) as search:
        answer = await search.SearchReleases(known)

    base = f"/{addon.configuration}/stream/"
    assert [one.path for one in addon.control.asked(base)] == [f"{base}{path}.json" for path in paths]
    assert list(answer.unavailable) == []


@pytest.mark.parametrize(
    ("path", "reply", "reason"),
    [
        ("manifest.json", json_reply({"resources": ["catalog"]}), "is an add-on without streams"),
        ("manifest.json", html_error(502), "HTTP 502"),
        ("stream", json_reply({"streams": None}), "the answer has no streams"),
        ("stream", json_reply([]), "the answer is not an object"),
        ("stream", Reply(302, headers={"location": "/"}), "redirects instead of answering (HTTP 302)"),
    ],
)
async def test_a_failing_add_on_is_named(
    run_search: RunSearch, known: SearchReleasesRequest, addon: StremioAddon, *, path: str, reply: Reply, reason: str
) -> None:
    addon.control.misbehave(reply, path=f"/{addon.configuration}/{path}")

    async with run_search(**only(addon)) as search:
        answer = await search.SearchReleases(known)

    assert [(one.indexer, one.reason) for one in answer.unavailable] == [("Lamps", reason)]


async def test_the_address_of_an_add_on_never_leaves_the_service(
    run_search: RunSearch, known: SearchReleasesRequest, addon: StremioAddon, capfd: pytest.CaptureFixture[str]
) -> None:
    addon.control.misbehave(html_error(500), path=f"/{addon.configuration}/stream")

    async with run_search(**only(addon)) as search:
        answer = await search.SearchReleases(known)

    assert addon.configuration not in f"{answer} {capfd.readouterr()}"


# The Internet Archive


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[InternetArchive]:
    film = tmp_path / "orchard.mp4"
    film.write_bytes(b"film" * 100)
    fake = InternetArchive(
        (
            Item("orchard", "The Glass Orchard", year="2023", infohash="b" * 40, films={film.name: film}),
            Item("remake", "The Glass Orchard", year="1987", infohash="c" * 40, films={film.name: film}),
            Item("closed", "The Glass Orchard", year="2023", licence=None, infohash="d" * 40, films={film.name: film}),
            Item("unlisted", "The Glass Orchard", year="2023", infohash="e" * 40, films={film.name: film}),
            Item("empty", "The Glass Orchard", year="2023", infohash="f" * 40),
        )
    )
    site = Site(fake.app(), fake.control, bind())
    fake.url = site.url
    async with http_servers([site]):
        yield fake


@pytest.fixture
def film(wanted: SearchReleasesRequest) -> SearchReleasesRequest:
    wanted.key.series_id, wanted.titles[:], wanted.year = FILM[0], [FILM[1]], FILM[2]
    wanted.kind = catalog_pb2.KIND_MOVIE
    return wanted


def at(archive: InternetArchive) -> dict[str, Any]:
    return {"archive": True, "archive_base": archive.url, "archive_items": "orchard, remake, closed, empty"}


async def test_listed_films_of_the_archive_are_found_with_web_seeds(
    run_search: RunSearch, film: SearchReleasesRequest, archive: InternetArchive
) -> None:
    async with run_search(**at(archive)) as search:
        answer = await search.SearchReleases(film)

    (candidate,) = [one.candidate for one in answer.releases]
    assert (candidate.infohash, candidate.title) == ("b" * 40, "The Glass Orchard (2023) 720p")
    assert (candidate.indexer, candidate.web_seeded, candidate.size_bytes) == ("Internet Archive", True, 400)
    assert not candidate.HasField("seeders")
    said = parse_qs(answer.releases[0].magnet_uri.removeprefix("magnet:?"))
    assert "bt1.archive.org" in said["tr"][0]
    assert said["ws"] == [f"{archive.url}/download/"]
    assert said["xs"] == [f"{archive.url}/download/orchard/orchard_archive.torrent"]
    assert list(answer.unavailable) == []


async def test_a_film_that_the_catalog_has_from_the_archive_is_found_by_its_identifier(
    run_search: RunSearch, film: SearchReleasesRequest, archive: InternetArchive
) -> None:
    film.external_ids["ia"], film.titles[:] = "remake", ["Another name"]

    async with run_search(**at(archive)) as search:
        answer = await search.SearchReleases(film)

    assert [one.candidate.infohash for one in answer.releases] == ["c" * 40]


async def test_the_archives_list_is_read_once(
    run_search: RunSearch, film: SearchReleasesRequest, archive: InternetArchive
) -> None:
    async with run_search(**at(archive)) as search:
        await search.SearchReleases(for_profile(film, "a"))
        await search.SearchReleases(for_profile(film, "b"))

    assert (archive.control.count("/advancedsearch.php"), archive.control.count("/metadata")) == (1, 6)


async def test_series_are_not_asked_for_at_the_archive(
    run_search: RunSearch, wanted: SearchReleasesRequest, archive: InternetArchive
) -> None:
    async with run_search(**at(archive)) as search:
        await search.SearchReleases(wanted)

    assert list(archive.control.seen) == []


@pytest.mark.parametrize("path", ["/advancedsearch.php", "/metadata"])
async def test_an_archive_that_fails_is_named(
    run_search: RunSearch, film: SearchReleasesRequest, archive: InternetArchive, *, path: str
) -> None:
    archive.control.misbehave(html_error(500), path=path)

    async with run_search(**at(archive)) as search:
        answer = await search.SearchReleases(film)

    assert [(one.indexer, one.reason) for one in answer.unavailable] == [("Internet Archive", "HTTP 500")]

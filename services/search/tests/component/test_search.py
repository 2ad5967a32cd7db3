"""What a search finds and how."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qs

import asyncpg
import pytest
from vod.catalog.v1 import catalog_pb2
from vod.scoring.v1 import scoring_pb2
from vod.search.v1.search_service_pb2 import SearchReleasesRequest

from vod_fakes.indexers import Handover
from vod_fakes.prowlarr import Prowlarr
from vod_fakes.torrents import Torrent
from vod_rpc import InvalidArgument
from vod_testing import MovableClock, eventually

if TYPE_CHECKING:
    from vod.search.v1.search_service_pb2_grpc import SearchServiceAsyncStub

RunSearch = Callable[..., AbstractAsyncContextManager["SearchServiceAsyncStub"]]
ListRelease = Callable[..., Torrent]
BREAKWATER, OPEN_SHELF = 1, 2
TRACKER = "http://127.0.0.1:6969/announce"
SEARCH, INDEXER = "/api/v1/search", "/api/v1/indexer"
SINGLE = "Harbor.Lights.S01E01.720p.WEB-DL.H264-TIDE"
PACK = "Harbor.Lights.S01.1080p.WEB-DL.H264-NOVA"


async def test_episodes_and_packs_are_found_with_what_their_names_say(
    run_search: RunSearch, wanted: SearchReleasesRequest, list_release: ListRelease
) -> None:
    single, pack = list_release(SINGLE, seeders=19, leechers=2), list_release(PACK, seeders=48, leechers=4)

    async with run_search() as search:
        answer = await search.SearchReleases(wanted)

    found = {one.candidate.infohash: one.candidate for one in answer.releases}
    assert set(found) == {single.infohash, pack.infohash}
    candidate = found[single.infohash]
    assert (candidate.title, candidate.indexer, candidate.size_bytes) == (SINGLE, "Breakwater", 500_000_000)
    assert (candidate.seeders, candidate.leechers) == (19, 2)
    assert candidate.published_at > 0
    assert candidate.traits == scoring_pb2.ReleaseTraits(
        titles=["Harbor Lights"],
        seasons=[1],
        episodes=[1],
        height=720,
        source=scoring_pb2.SOURCE_WEB_DL,
        codec=scoring_pb2.CODEC_H264,
        group="TIDE",
        version=1,
    )
    assert found[pack.infohash].traits.season_pack
    assert list(answer.unavailable) == []


async def test_each_indexer_is_asked_by_itself_in_the_way_it_understands(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr
) -> None:
    async with run_search() as search:
        await search.SearchReleases(wanted)

    asked = {(one.query["indexerIds"], one.query["type"], one.query["query"]) for one in prowlarr.control.asked(SEARCH)}
    assert asked == {
        ("1", "tvsearch", "Harbor Lights{season:1}{episode:1}"),
        ("1", "tvsearch", "Harbor Lights{season:1}"),
        ("1", "tvsearch", "Hafenlichter{season:1}{episode:1}"),
        ("2", "search", "Harbor Lights S01E01"),
        ("2", "search", "Harbor Lights S01"),
        ("2", "search", "Hafenlichter S01E01"),
    }


async def test_an_indexer_that_knows_ids_is_asked_by_id(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease
) -> None:
    prowlarr.indexers[BREAKWATER] = replace(prowlarr.indexers[BREAKWATER], tv_params=("season", "ep", "tvdbid"))
    wanted.external_ids.update({"tvdb": "9900901", "imdb": "tt99009001"})
    foreign = list_release("Les.Lumieres.du.Port.S01E01.720p.WEB-DL.H264-TIDE", ids={"tvdbid": "9900901"})

    async with run_search() as search:
        answer = await search.SearchReleases(wanted)

    asked = {one.query["query"] for one in prowlarr.control.asked(SEARCH, indexerIds=str(BREAKWATER))}
    assert asked == {"{tvdbid:9900901}{season:1}{episode:1}", "{tvdbid:9900901}{season:1}", "Harbor Lights S01E01"}
    assert [one.candidate.infohash for one in answer.releases] == [foreign.infohash]


@pytest.mark.parametrize(
    ("kind", "absolute", "queries"),
    [
        (catalog_pb2.KIND_MOVIE, 0, {"Harbor Lights 2024", "Hafenlichter 2024"}),
        (catalog_pb2.KIND_ANIME, 5, {"Harbor Lights 05", "Harbor Lights S01E01", "Hafenlichter 05"}),
    ],
)
async def test_films_are_asked_for_by_year_and_anime_by_running_number(
    run_search: RunSearch,
    wanted: SearchReleasesRequest,
    prowlarr: Prowlarr,
    *,
    kind: catalog_pb2.Kind.ValueType,
    absolute: int,
    queries: set[str],
) -> None:
    wanted.kind, wanted.absolute = kind, absolute

    async with run_search() as search:
        await search.SearchReleases(wanted)

    assert {one.query["query"] for one in prowlarr.control.asked(SEARCH, indexerIds=str(OPEN_SHELF))} == queries


async def test_one_torrent_at_two_indexers_is_one_release(
    run_search: RunSearch, wanted: SearchReleasesRequest, list_release: ListRelease
) -> None:
    pack = list_release(PACK, BREAKWATER, seeders=48, leechers=4)
    list_release(PACK, OPEN_SHELF, seeders=1, leechers=1)

    async with run_search() as search:
        answer = await search.SearchReleases(wanted)

    assert [
        (one.candidate.infohash, one.candidate.indexer, one.candidate.seeders, one.candidate.leechers)
        for one in answer.releases
    ] == [(pack.infohash, "Breakwater, Open Shelf", 48, 4)]


async def test_the_same_seeder_for_everything_is_no_knowledge(
    run_search: RunSearch, wanted: SearchReleasesRequest, list_release: ListRelease
) -> None:
    list_release(SINGLE, OPEN_SHELF, seeders=1, leechers=1)
    list_release(PACK, OPEN_SHELF, seeders=1, leechers=1)

    async with run_search() as search:
        answer = await search.SearchReleases(wanted)

    assert len(answer.releases) == 2
    assert [one for one in answer.releases if one.candidate.HasField("seeders")] == []


@pytest.mark.parametrize("handover", Handover)
async def test_a_missing_infohash_is_found_behind_the_link(
    run_search: RunSearch,
    wanted: SearchReleasesRequest,
    prowlarr: Prowlarr,
    list_release: ListRelease,
    *,
    handover: Handover,
) -> None:
    prowlarr.hand_over(OPEN_SHELF, handover)
    single = list_release(SINGLE, OPEN_SHELF)

    async with run_search() as search:
        answer = await search.SearchReleases(wanted)

    assert [one.candidate.infohash for one in answer.releases] == [single.infohash]
    magnet = parse_qs(answer.releases[0].magnet_uri.removeprefix("magnet:?"))
    assert magnet == {"xt": [f"urn:btih:{single.infohash}"], "dn": [SINGLE], "tr": [TRACKER]}


async def test_links_of_what_is_not_wanted_are_not_followed(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr, list_release: ListRelease
) -> None:
    list_release("Harbor.Light.S01E01.1080p.WEB-DL.H264-OTHER", OPEN_SHELF)
    list_release("Harbor.Lights.S01E01.1080p.CAM.x264-ROCK", OPEN_SHELF)

    async with run_search() as search:
        await search.SearchReleases(wanted)

    assert prowlarr.control.count("/2/download") == 0


async def test_private_trackers_are_left_out_unless_allowed(
    run_search: RunSearch, wanted: SearchReleasesRequest, list_release: ListRelease
) -> None:
    list_release(SINGLE, OPEN_SHELF)

    async with run_search(allow_private_peers=False) as search:
        answer = await search.SearchReleases(wanted)

    assert "tr" not in parse_qs(answer.releases[0].magnet_uri.removeprefix("magnet:?"))


async def test_the_api_key_never_leaves_the_service(
    run_search: RunSearch,
    wanted: SearchReleasesRequest,
    list_release: ListRelease,
    prowlarr: Prowlarr,
    *,
    pg_dsn: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    list_release(SINGLE, BREAKWATER, OPEN_SHELF)

    async with run_search() as search:
        answer = await search.SearchReleases(wanted)
    connection = await asyncpg.connect(pg_dsn)
    stored = await connection.fetchval("SELECT string_agg(candidates::text, '') FROM search.search_cache")
    await connection.close()

    logged = "".join(capfd.readouterr())
    assert [place for place in (str(answer), stored, logged) if prowlarr.key in place or "/download" in place] == []


async def test_a_second_search_asks_nobody(
    run_search: RunSearch, wanted: SearchReleasesRequest, list_release: ListRelease, prowlarr: Prowlarr
) -> None:
    list_release(SINGLE)
    async with run_search() as search:
        first = await search.SearchReleases(wanted)
        before = len(prowlarr.control.seen)

        second = await search.SearchReleases(wanted)

    assert second == first
    assert len(prowlarr.control.seen) == before


async def test_the_table_serves_after_a_restart_with_an_empty_redis(
    run_search: RunSearch, wanted: SearchReleasesRequest, list_release: ListRelease, prowlarr: Prowlarr, redis_url: str
) -> None:
    list_release(SINGLE)
    async with run_search() as search:
        first = await search.SearchReleases(wanted)
    before = len(prowlarr.control.seen)

    async with run_search(redis_url="redis://127.0.0.1:1/0") as search:
        second = await search.SearchReleases(wanted)

    assert (second, len(prowlarr.control.seen)) == (first, before)


async def test_the_row_has_the_key_of_the_manual(
    run_search: RunSearch, wanted: SearchReleasesRequest, list_release: ListRelease, pg_dsn: str
) -> None:
    list_release(SINGLE)

    async with run_search() as search:
        await search.SearchReleases(wanted)
    connection = await asyncpg.connect(pg_dsn)
    row = await connection.fetchrow("SELECT key, candidates FROM search.search_cache")
    await connection.close()

    assert row["key"] == "tmdb:tv:9001|S01E01|p1"
    assert [release["title"] for release in json.loads(row["candidates"])["releases"]] == [SINGLE]


async def test_concurrent_callers_share_one_search(
    run_search: RunSearch, wanted: SearchReleasesRequest, list_release: ListRelease, prowlarr: Prowlarr
) -> None:
    list_release(SINGLE)

    async with run_search() as search:
        answers = await asyncio.gather(*(search.SearchReleases(wanted) for _ in range(8)))

    assert [answer for answer in answers if answer != answers[0]] == []
    assert prowlarr.control.count(INDEXER) == 1
    assert prowlarr.control.count(SEARCH) == 6  # two indexers, three questions


@pytest.mark.parametrize(
    ("titles_listed", "age", "asks_again"),
    [
        ([SINGLE], timedelta(minutes=14), False),
        ([SINGLE], timedelta(minutes=16), True),
        ([], timedelta(minutes=2), False),
        ([], timedelta(minutes=4), True),
    ],
    ids=["found, fresh", "found, stale", "nothing, fresh", "nothing, stale"],
)
async def test_results_stay_good_for_a_while(
    run_search: RunSearch,
    wanted: SearchReleasesRequest,
    list_release: ListRelease,
    prowlarr: Prowlarr,
    clock: MovableClock,
    *,
    titles_listed: list[str],
    age: timedelta,
    asks_again: bool,
) -> None:
    for title in titles_listed:
        list_release(title)
    async with run_search() as search:
        await search.SearchReleases(wanted)
        before = prowlarr.control.count(SEARCH)
        clock.advance(age)

        await search.SearchReleases(wanted)

        def why() -> str | None:
            return None if (prowlarr.control.count(SEARCH) > before) is asks_again else "not asked again"

        await eventually(why, within=30)


async def test_another_profile_or_episode_is_another_search(
    run_search: RunSearch, wanted: SearchReleasesRequest, prowlarr: Prowlarr
) -> None:
    other = SearchReleasesRequest()
    other.CopyFrom(wanted)
    other.profile_hash = "p2"

    async with run_search() as search:
        await search.SearchReleases(wanted)
        await search.SearchReleases(other)

    assert prowlarr.control.count(SEARCH) == 12


async def test_results_that_are_too_old_even_for_one_more_time_are_swept(
    run_search: RunSearch,
    wanted: SearchReleasesRequest,
    list_release: ListRelease,
    pg_dsn: str,
    clock: MovableClock,
) -> None:
    list_release(SINGLE)
    async with run_search() as search:
        await search.SearchReleases(wanted)
    clock.advance(timedelta(minutes=20))
    other = SearchReleasesRequest()
    other.CopyFrom(wanted)
    other.profile_hash = "p2"
    async with run_search() as search:
        await search.SearchReleases(other)
    clock.advance(timedelta(minutes=20))

    async with run_search():
        connection = await asyncpg.connect(pg_dsn)

        async def why_not_swept() -> str | None:
            rows = await connection.fetch("SELECT key FROM search.search_cache")
            keys = [row["key"] for row in rows]
            return None if keys == ["tmdb:tv:9001|S01E01|p2"] else f"there are {keys}"

        await eventually(why_not_swept, within=30)
        await connection.close()


@pytest.mark.parametrize("missing", ["key", "kind", "titles"])
async def test_a_search_for_nothing_is_invalid(
    run_search: RunSearch, wanted: SearchReleasesRequest, *, missing: Literal["key", "kind", "titles"]
) -> None:
    wanted.ClearField(missing)

    async with run_search() as search:
        with pytest.raises(InvalidArgument) as failure:
            await search.SearchReleases(wanted)

    assert failure.value.reason == "INVALID_SEARCH"

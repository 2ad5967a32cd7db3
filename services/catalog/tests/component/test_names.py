"""Many names, one episode: whatever it is asked for under, its key is the same, and stays the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from vod.catalog.v1 import catalog_pb2
from vod.catalog.v1.catalog_service_pb2 import (
    VERDICT_LIKELY,
    DeleteMappingRequest,
    GetEpisodeRequest,
    GetSeriesRequest,
    ListEpisodesRequest,
    ListMappingsRequest,
    ResolveEpisodeRequest,
    SetMappingRequest,
)

from vod_fakes.jikan import Jikan
from vod_fakes.library import HARBOR_LIGHTS, LANTERN_SEA, LANTERN_SEA_2, LIBRARY
from vod_fakes.mapping import MappingFiles, Row
from vod_fakes.serving import Site, bind, http_servers
from vod_fakes.shapes import Episode
from vod_fakes.tmdb import Tmdb
from vod_rpc import InvalidArgument, NotFound
from vod_testing import MovableClock, eventually

if TYPE_CHECKING:
    from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub

RunCatalog = Callable[..., AbstractAsyncContextManager["CatalogServiceAsyncStub"]]
SEA, SEA_2, AT_TMDB = "mal:anime:9201", "mal:anime:9202", "tmdb:tv:9301"
# TMDb lists all six in one season, as it often does.
AS_MAPPED = (Row(99201, "9201", ("9301", "1", "0")), Row(99202, "9202", ("9301", "1", "3")))
TURNED_ROUND = (Row(99201, "9201", ("9301", "1", "3")), Row(99202, "9202", ("9301", "1", "0")))


@pytest.fixture
async def mapping(tmdb: Tmdb) -> AsyncIterator[MappingFiles]:
    """The mapping data, and Lantern Sea as TMDb has it."""
    at_tmdb = tuple(Episode(n, 1, n, f"Episode {n}", "", date(2024, 4, n)) for n in range(1, 7))
    show = replace(HARBOR_LIGHTS, tmdb_id=9301, name="Lantern Sea", aliases=(), episodes=at_tmdb)
    tmdb.library = replace(LIBRARY, series=(*LIBRARY.series, show))
    fake = MappingFiles(AS_MAPPED)
    site = Site(fake.app(), fake.control, bind())
    fake.url = site.url
    async with http_servers([site]):
        yield fake


def mapped(mapping: MappingFiles) -> dict[str, str]:
    return {"anime_lists_url": f"{mapping.url}/lists.xml", "anime_ids_url": f"{mapping.url}/ids.json"}


async def key(
    catalog: CatalogServiceAsyncStub, series_id: str = "", season: int = 1, number: int = 1, *, ref: str = ""
) -> str:
    asked = catalog_pb2.EpisodeKey(series_id=series_id, season=season, episode=number)
    return text((await catalog.GetEpisode(GetEpisodeRequest(key=asked, ref=ref))).episode.key)


def text(found: catalog_pb2.EpisodeKey) -> str:
    return f"{found.series_id}:S{found.season:02}E{found.episode:02}"


async def position_at_tmdb(catalog: CatalogServiceAsyncStub, ref: str) -> int:
    return (await catalog.ResolveEpisode(ResolveEpisodeRequest(ref=ref))).place.position


async def until_mapped(catalog: CatalogServiceAsyncStub, ref: str, position: int) -> None:
    async def why_not() -> str | None:
        at = await position_at_tmdb(catalog, ref)
        return None if at == position else f"at {at}"

    await eventually(why_not, within=30)


async def test_a_later_part_by_its_own_id_is_a_season_of_its_beginning(catalog: CatalogServiceAsyncStub) -> None:
    asked = catalog_pb2.EpisodeKey(series_id=SEA_2, season=1, episode=2)
    found = await catalog.GetEpisode(GetEpisodeRequest(key=asked))

    assert (text(found.episode.key), found.episode.absolute) == (f"{SEA}:S02E02", 5)
    assert (text(found.previous), text(found.next)) == (f"{SEA}:S02E01", f"{SEA}:S02E03")
    assert (found.series.id, found.season_episode_count) == (SEA, 3)


async def test_a_chain_is_read_once_wherever_it_is_entered(catalog: CatalogServiceAsyncStub, jikan: Jikan) -> None:
    listed = await catalog.ListEpisodes(ListEpisodesRequest(series_id=SEA_2))

    assert [(text(one.key), one.absolute) for one in listed.episodes] == [
        *((f"{SEA}:S01E0{n}", n) for n in (1, 2, 3)),
        *((f"{SEA}:S02E0{n}", n + 3) for n in (1, 2, 3)),
    ]
    assert [jikan.control.count(f"/v4/anime/{entry}/full") for entry in (9201, 9202)] == [1, 1]


async def test_all_names_of_an_episode_lead_to_the_same_key(
    run_catalog: RunCatalog, mapping: MappingFiles, jikan: Jikan
) -> None:
    async with run_catalog(**mapped(mapping)) as catalog:
        first = await key(catalog, SEA, 2, 2)
        await until_mapped(catalog, "mal:anime:9202:2", 5)
        names = {
            "its own id": await key(catalog, SEA_2, 1, 2),
            "TMDb": await key(catalog, AT_TMDB, 1, 5),
            "its running number": await key(catalog, ref=f"{SEA}:abs5"),
            "TMDb's running number": await key(catalog, ref=f"{AT_TMDB}:abs5"),
            "MyAnimeList's number": await key(catalog, ref=f"{SEA_2}:2"),
            "AniDB": await key(catalog, ref="anidb:anime:99202:2"),
        }
        answer = await catalog.ResolveEpisode(ResolveEpisodeRequest(ref=f"{AT_TMDB}:S01E05"))
        listed = await catalog.ListEpisodes(ListEpisodesRequest(series_id=AT_TMDB))
        series = await catalog.GetSeries(GetSeriesRequest(series_id=AT_TMDB))

    assert {first} == {f"{SEA}:S02E02"} == set(names.values()), names
    assert (text(answer.key), text(listed.episodes[4].key), series.series.id) == (first, first, SEA)


async def test_the_title_that_was_here_first_names_the_other_ones_episodes(
    run_catalog: RunCatalog, mapping: MappingFiles
) -> None:
    async with run_catalog(**mapped(mapping)) as catalog:
        await key(catalog, AT_TMDB, 1, 1)
        await until_mapped(catalog, "mal:anime:9202:2", 5)

        found = await key(catalog, SEA_2, 1, 2)

    assert found == f"{AT_TMDB}:S01E05"


async def test_no_key_moves_when_the_mapping_does(
    run_catalog: RunCatalog, mapping: MappingFiles, clock: MovableClock
) -> None:
    names = [(AT_TMDB, 1, 2), (AT_TMDB, 1, 5), (SEA, 1, 2), (SEA_2, 1, 2)]
    async with run_catalog(**mapped(mapping)) as catalog:
        await key(catalog, SEA, 1, 1)
        await until_mapped(catalog, "mal:anime:9202:2", 5)
        before = [await key(catalog, *name) for name in names]
    mapping.rows = TURNED_ROUND
    clock.advance(timedelta(hours=25))
    async with run_catalog(**mapped(mapping)) as catalog:
        await until_mapped(catalog, "mal:anime:9202:2", 2)
        after = [await key(catalog, *name) for name in names]
        new = await key(catalog, AT_TMDB, 1, 6)

    assert before == after == [f"{SEA}:S01E02", f"{SEA}:S02E02", f"{SEA}:S01E02", f"{SEA}:S02E02"]
    assert new == f"{SEA}:S01E03"


async def test_what_was_used_before_there_was_a_mapping_stays_apart(
    run_catalog: RunCatalog, mapping: MappingFiles
) -> None:
    async with run_catalog() as catalog:
        before = [await key(catalog, SEA, 1, 1), await key(catalog, AT_TMDB, 1, 1)]
    async with run_catalog(**mapped(mapping)) as catalog:
        await until_mapped(catalog, "mal:anime:9201:1", 1)
        after = [await key(catalog, SEA, 1, 1), await key(catalog, AT_TMDB, 1, 1)]

    assert before == after == [f"{SEA}:S01E01", f"{AT_TMDB}:S01E01"]


async def test_an_anime_tells_what_it_is_called_by_its_own_entry_and_at_tmdb_which_is_fetched_for_the_next_time(
    run_catalog: RunCatalog, mapping: MappingFiles
) -> None:
    asked = GetEpisodeRequest(key=catalog_pb2.EpisodeKey(series_id=SEA, season=2, episode=2))
    own = (f"{SEA_2}:S01E02", {"mal": "9202"})

    async with run_catalog(**mapped(mapping)) as catalog:
        names: list[tuple[str, dict[str, str]]] = []

        async def why_not_both() -> str | None:
            found = await catalog.GetEpisode(asked)
            names[:] = [(text(one.key), dict(one.external_ids)) for one in found.other_names]
            return None if len(names) == 2 else str(names)

        await eventually(why_not_both, within=30)
        western = GetEpisodeRequest(key=catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=1))
        none = (await catalog.GetEpisode(western)).other_names

    assert names[0] == own
    assert (names[1][0], names[1][1]["tmdb"], "imdb" in names[1][1]) == (f"{AT_TMDB}:S01E05", "9301", True)
    assert list(none) == []


async def test_without_mapping_data_nobody_says_that_there_is_no_other_name(run_catalog: RunCatalog) -> None:
    async with run_catalog() as catalog:
        answers = [
            await catalog.ResolveEpisode(ResolveEpisodeRequest(ref=ref))
            for ref in ("mal:anime:9201:1", "tmdb:tv:9001:S01E01")
        ]

    assert [list(one.flags) for one in answers] == [["data-not-fetched"]] * 2


async def test_a_place_that_only_a_date_speaks_for_is_told_as_likely_and_names_nothing(
    run_catalog: RunCatalog, mapping: MappingFiles
) -> None:
    # TMDb has no second season; its sixth episode came out on the day of our first.
    mapping.rows = (Row(99201, "9201", ("9301", "2", "0")),)
    async with run_catalog(**mapped(mapping)) as catalog:
        await key(catalog, SEA, 1, 1)
        await until_mapped(catalog, "mal:anime:9201:1", 6)
        likely = await catalog.ResolveEpisode(ResolveEpisodeRequest(ref="mal:anime:9201:1"))
        unsure = await catalog.ResolveEpisode(ResolveEpisodeRequest(ref="mal:anime:9201:2"))
        at_tmdb = await key(catalog, AT_TMDB, 1, 6)

    assert (likely.verdict, likely.confidence) == (VERDICT_LIKELY, 0.6)
    assert list(likely.flags) == ["by-air-date", "not-upstream"]
    assert (unsure.HasField("place"), unsure.confidence) == (False, 0.3)
    assert at_tmdb == f"{AT_TMDB}:S01E06"


async def test_two_episodes_of_a_title_never_become_one(
    run_catalog: RunCatalog, mapping: MappingFiles, clock: MovableClock
) -> None:
    async with run_catalog(**mapped(mapping)) as catalog:
        await key(catalog, SEA, 1, 1)
        await until_mapped(catalog, "mal:anime:9201:1", 1)
        before = await key(catalog, AT_TMDB, 1, 1)
    mapping.rows = (Row(99201, "9201", ("9301", "1", "1")), Row(99202, "9202", ("9301", "1", "4")))
    clock.advance(timedelta(hours=25))
    async with run_catalog(**mapped(mapping)) as catalog:
        await until_mapped(catalog, "mal:anime:9201:1", 2)
        after = await key(catalog, AT_TMDB, 1, 2)

    assert (before, after) == (f"{SEA}:S01E01", f"{AT_TMDB}:S01E02")


async def test_the_operators_word_mends_a_name_that_led_astray_and_moves_no_other(
    run_catalog: RunCatalog, mapping: MappingFiles
) -> None:
    mapping.rows = TURNED_ROUND
    async with run_catalog(**mapped(mapping)) as catalog:
        await key(catalog, AT_TMDB, 1, 1)
        await until_mapped(catalog, "mal:anime:9202:2", 2)
        astray = await key(catalog, SEA_2, 1, 2)
        other = await key(catalog, SEA_2, 1, 3)
        right = catalog_pb2.EpisodeKey(series_id=AT_TMDB, season=1, episode=5)
        await catalog.SetMapping(SetMappingRequest(ref="mal:anime:9202:2", key=right))

        mended = await key(catalog, SEA_2, 1, 2)

        assert (astray, mended) == (f"{AT_TMDB}:S01E02", f"{AT_TMDB}:S01E05")
        assert other == await key(catalog, SEA_2, 1, 3)


async def test_the_operators_word_is_listed_and_can_be_taken_back(
    run_catalog: RunCatalog, mapping: MappingFiles
) -> None:
    mapping.rows = AS_MAPPED
    async with run_catalog(**mapped(mapping)) as catalog:
        await until_mapped(catalog, "mal:anime:9202:2", 5)
        wrong = catalog_pb2.EpisodeKey(series_id=AT_TMDB, season=1, episode=1)
        await catalog.SetMapping(SetMappingRequest(ref="mal:anime:9202:2", key=wrong))
        said = (await catalog.ResolveEpisode(ResolveEpisodeRequest(ref="mal:anime:9202:2"))).place.episode
        [listed] = (await catalog.ListMappings(ListMappingsRequest())).mappings
        await catalog.DeleteMapping(DeleteMappingRequest(ref="mal:anime:9202:2"))
        again = (await catalog.ResolveEpisode(ResolveEpisodeRequest(ref="mal:anime:9202:2"))).place.episode
        none = (await catalog.ListMappings(ListMappingsRequest())).mappings
        with pytest.raises(NotFound) as unsaid:
            await catalog.DeleteMapping(DeleteMappingRequest(ref="mal:anime:9202:2"))

    assert (said, again, list(none)) == (1, 5, [])
    assert (listed.ref, listed.key, listed.HasField("set_time")) == ("mal:anime:9202:2", wrong, True)
    assert unsaid.value.reason == "MAPPING_NOT_FOUND"


@pytest.mark.parametrize(
    ("ref", "series", "episode", "reason"),
    [
        ("mal:anime:9202:2", AT_TMDB, 99, "EPISODE_NOT_FOUND"),
        ("mal:anime:9202:2", "tmdb:tv:404404", 1, "SERIES_NOT_FOUND"),
        ("mal:anime:9202:99", AT_TMDB, 1, "EPISODE_NOT_FOUND"),
        ("mal:anime:404404:1", AT_TMDB, 1, "SERIES_NOT_FOUND"),
    ],
)
async def test_only_what_exists_can_be_mapped_by_hand(  # noqa: PLR0917
    run_catalog: RunCatalog, mapping: MappingFiles, ref: str, series: str, episode: int, reason: str
) -> None:
    async with run_catalog(**mapped(mapping)) as catalog:
        key = catalog_pb2.EpisodeKey(series_id=series, season=1, episode=episode)
        with pytest.raises(NotFound) as refused:
            await catalog.SetMapping(SetMappingRequest(ref=ref, key=key))

        assert refused.value.reason == reason
        assert list((await catalog.ListMappings(ListMappingsRequest())).mappings) == []


async def test_a_season_that_is_found_late_changes_no_number(
    catalog: CatalogServiceAsyncStub, jikan: Jikan, clock: MovableClock
) -> None:
    before = await key(catalog, SEA_2, 1, 1)
    between = replace(LANTERN_SEA_2, mal_id=9203, name="Lantern Sea: Between", prequel=9201, sequel=9202)
    jikan.library = replace(
        LIBRARY, anime=(replace(LANTERN_SEA, sequel=9203), between, replace(LANTERN_SEA_2, prequel=9203))
    )
    clock.advance(timedelta(hours=25))

    async def why_not() -> str | None:
        found = await catalog.ListEpisodes(ListEpisodesRequest(series_id=SEA))
        return None if len(found.episodes) == 9 else f"{len(found.episodes)} episodes"

    await eventually(why_not, within=30)
    listed = await catalog.ListEpisodes(ListEpisodesRequest(series_id=SEA))
    asked = catalog_pb2.EpisodeKey(series_id=SEA_2, season=1, episode=1)
    after = await catalog.GetEpisode(GetEpisodeRequest(key=asked))

    assert (before, text(after.episode.key), after.episode.absolute) == (f"{SEA}:S02E01", f"{SEA}:S02E01", 7)
    assert [one.key.season for one in listed.episodes] == [1, 1, 1, 3, 3, 3, 2, 2, 2]
    assert text(after.previous) == f"{SEA}:S03E03"


async def test_a_number_that_no_rule_carries_on_is_not_guessed(catalog: CatalogServiceAsyncStub) -> None:
    with pytest.raises(NotFound) as failed:
        await key(catalog, SEA, 1, 5)

    assert failed.value.reason == "EPISODE_NOT_FOUND"


@pytest.mark.parametrize("ref", ["tmdb:tv:9001:7", "tvdb:series:1:S01E01", "rubbish"])
async def test_a_name_of_no_known_form_is_refused(catalog: CatalogServiceAsyncStub, ref: str) -> None:
    with pytest.raises(InvalidArgument) as failed:
        await key(catalog, ref=ref)

    assert failed.value.reason == "INVALID_REFERENCE"

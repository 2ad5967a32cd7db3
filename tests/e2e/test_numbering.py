"""The forty numbering cases of the research, asked through the public API; the fakes serve the mapping data."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numbering_data
import pytest

from vod_catalog.service import serve as serve_catalog
from vod_catalog.settings import Settings as CatalogSettings
from vod_fakes.aniskip import AniSkip, Mark
from vod_fakes.control import html_error
from vod_fakes.jikan import Jikan
from vod_fakes.mapping import MappingFiles
from vod_fakes.serving import Site, bind, http_servers
from vod_fakes.tmdb import Tmdb
from vod_gateway.service import serve as serve_gateway
from vod_gateway.settings import Settings as GatewaySettings
from vod_runtime import Runtime
from vod_testing import eventually, migrate_schema

KEY = "0123456789abcdef0123456789abcdef"
ADMIN = {"X-Api-Key": "an-admin-key-of-the-tests"}


@dataclass(frozen=True, slots=True)
class Case:
    """One question; what is None is not asked about."""

    number: int
    ref: str
    tmdb: tuple[str, int, int] | None = None
    """Series, season, position."""
    printed: int | None = None
    absolute: int | None = None
    tvdb: tuple[int, int, int] | None = None
    entry: str | None = None
    alias: str | None = None
    imdb: str | None = None
    anidb: tuple[int, ...] | None = None
    flags: tuple[str, ...] | None = None
    at_most: float = 1.0


def tv(show: int, season: int, position: int) -> tuple[str, int, int]:
    return f"tmdb:tv:{show}", season, position


def film(number: int) -> tuple[str, int, int]:
    return f"tmdb:movie:{number}", 1, 1


CASES = [
    Case(1, "mal:anime:21:62", tv(37854, 2, 1), printed=62, absolute=62, tvdb=(81797, 5, 2)),
    Case(2, "mal:anime:21:131", tv(37854, 5, 1), printed=131, tvdb=(81797, 8, 1)),
    Case(3, "mal:anime:21:1155", tv(37854, 22, 67), printed=1155, tvdb=(81797, 22, 70)),
    Case(
        4,
        "mal:anime:21:1156",
        tv(37854, 23, 1),
        printed=1156,
        absolute=1156,
        tvdb=(81797, 23, 1),
        flags=("past-the-last-span",),
        at_most=0.6,
    ),
    Case(5, "mal:anime:16498:60", tv(1429, 4, 1), entry="mal:anime:40028:1"),
    Case(6, "mal:anime:16498:76", tv(1429, 4, 17), printed=17, absolute=76, entry="mal:anime:48583:1"),
    Case(7, "mal:anime:35760:13", tv(1429, 3, 13), entry="mal:anime:38524:1"),
    Case(7, "mal:anime:35760:50", tv(1429, 3, 13), entry="mal:anime:38524:1"),
    Case(8, "mal:anime:51535:1", tv(1429, 4, 29)),
    Case(9, "mal:anime:53998:1", tv(30984, 2, 14), tvdb=(74796, 17, 14), alias="mal:anime:41467:14"),
    Case(10, "mal:anime:56784:1", tv(30984, 2, 27), alias="mal:anime:41467:27"),
    Case(10, "mal:anime:60636:1", tv(30984, 2, 41), alias="mal:anime:41467:41"),
    Case(11, "mal:anime:269:366", tv(30984, 1, 366), tvdb=(74796, 16, 24)),
    Case(12, "mal:anime:11741:1", tv(45845, 1, 14), alias="mal:anime:10087:14"),
    Case(13, "mal:anime:11741:14", tv(45845, 1, 14), entry="mal:anime:11741:1"),
    Case(14, "mal:anime:48569:1", tv(100565, 1, 12), alias="mal:anime:41457:12"),
    Case(15, "mal:anime:50602:1", tv(120089, 1, 13)),
    Case(16, "mal:anime:59978:1", tv(209867, 1, 29), tvdb=(424536, 2, 1), alias="mal:anime:52991:29"),
    Case(19, "mal:anime:42203:1", tv(65942, 1, 39), tvdb=(305089, 2, 14), alias="mal:anime:31240:39"),
    Case(19, "mal:anime:54857:1", tv(65942, 1, 51), tvdb=(305089, 3, 1), alias="mal:anime:31240:51"),
    Case(19, "mal:anime:61316:1", tv(65942, 1, 67), tvdb=(305089, 4, 1), alias="mal:anime:31240:67"),
    Case(20, "mal:anime:1735:222", tv(31910, 11, 1), tvdb=(79824, 10, 26)),
    Case(21, "mal:anime:20:36", tv(46260, 1, 36), absolute=36, tvdb=(78857, 2, 1)),
    Case(22, "mal:anime:235:286", tv(30983, 1, 286), absolute=286, tvdb=(72454, 11, 1)),
    Case(23, "mal:anime:251:40", tv(43232, 1, 40), tvdb=(79879, 2, 1)),
    Case(24, "mal:anime:17074:6", tvdb=(102261, 0, 7)),
    Case(24, "mal:anime:17074:7", tv(46195, 3, 7), tvdb=(102261, 3, 6)),
    Case(25, "mal:anime:1565:48", tvdb=(76703, 0, 73)),
    Case(25, "mal:anime:1565:49", tvdb=(76703, 10, 48)),
    Case(26, "mal:anime:849:1", anidb=(3651, 6367), flags=("ambiguous",), at_most=0.5),
    Case(26, "mal:anime:849:15", entry="mal:anime:4382:1"),
    Case(26, "mal:anime:4382:8", tvdb=(79414, 2, 1), anidb=(6367,)),
    Case(27, "mal:anime:51179:1", tv(94664, 2, 1)),
    Case(27, "mal:anime:55888:1", tv(94664, 2, 13), alias="mal:anime:51179:13"),
    Case(28, "mal:anime:32:1", tv(890, 0, 2), tvdb=(70350, 0, 2), imdb="tt0169858"),
    Case(28, "mal:anime:32:3", tvdb=(70350, 0, 2)),
    Case(29, "mal:anime:199:1", film(129), imdb="tt0245429"),
    Case(30, "mal:anime:459:1", film(19576), tvdb=(81797, 0, 2)),
    Case(31, "anidb:anime:8357:1", film(357786), tvdb=(102261, 0, 2)),
    Case(31, "anidb:anime:8357:2", film(362584), tvdb=(102261, 0, 19)),
    Case(31, "anidb:anime:8357:3", film(362585), tvdb=(102261, 0, 20)),
    Case(32, "mal:anime:23775:1", tvdb=(267440, 0, 14)),
    Case(32, "mal:anime:23777:1", tvdb=(267440, 0, 18)),
    Case(33, "mal:anime:18397:4", tvdb=(267440, 0, 15), entry="mal:anime:25781:1"),
    Case(33, "mal:anime:18397:6", tvdb=(267440, 0, 20), entry="mal:anime:36106:1"),
    Case(33, "anidb:anime:9826:4", tvdb=(267440, 0, 15)),
    Case(34, "mal:anime:50612:1", tv(86031, 0, 2)),
    Case(34, "mal:anime:55644:1", tv(86031, 3, 12)),
    Case(35, "mal:anime:53876:1", tv(220150, 1, 1), tvdb=(76703, 20, 1)),
    Case(36, "mal:anime:37491:1", tv(57041, 10, 1), tvdb=(79895, 10, 13)),
    Case(37, "tmdb:tv:20111:S01E01", tv(20111, 1, 1), at_most=0.9),
    Case(38, "mal:anime:11061:59", tv(46298, 2, 1), absolute=59, tvdb=(252322, 2, 1)),
    Case(38, "mal:anime:11061:148", tv(46298, 3, 12), absolute=148, tvdb=(252322, 3, 12)),
    Case(39, "mal:anime:9302:7", tv(9301, 1, 19)),
    Case(40, "tmdb:tv:9400:S02E03", tv(9400, 2, 3), printed=3, absolute=13),
]


@pytest.fixture
def tmdb() -> Tmdb:
    return Tmdb(numbering_data.LIBRARY, key=KEY)


@pytest.fixture
def aniskip() -> AniSkip:
    return AniSkip((Mark(93, 1, "op", 60.0, 150.0, 1440.0),))


@pytest.fixture
async def api(
    pg_dsn: str, make_runtime: Callable[[str], Runtime], tmp_path: Path, tmdb: Tmdb, aniskip: AniSkip
) -> AsyncIterator[httpx.AsyncClient]:
    """A gateway and a catalog on an empty database, and the world that they ask."""
    jikan = Jikan(numbering_data.LIBRARY)
    mapping = MappingFiles(numbering_data.ROWS)
    sites = [Site(fake.app(), fake.control, bind()) for fake in (tmdb, jikan, mapping, aniskip)]
    await migrate_schema(pg_dsn, "catalog")
    catalog = CatalogSettings(
        listen=f"unix:{tmp_path}/catalog.sock",
        pg_dsn=pg_dsn,
        tmdb_key=KEY,
        tmdb_base=f"{sites[0].url}/3",
        tmdb_per_second=1000.0,
        jikan_base=f"{sites[1].url}/v4",
        jikan_per_second=1000.0,
        archive_base="",
        aniskip_base=f"{sites[3].url}/v2",
        anime_lists_url=f"{sites[2].url}/lists.xml",
        anime_ids_url=f"{sites[2].url}/ids.json",
    )
    nowhere = dict.fromkeys(
        ("playback_target", "subtitles_target", "picks_target", "stream_node_target", "sources_target"),
        f"unix:{tmp_path}/nobody",
    )
    gateway = GatewaySettings(
        http_listen="127.0.0.1:0",
        secret_key="a-secret-key-of-the-tests",
        admin_key=ADMIN["X-Api-Key"],
        catalog_target=catalog.listen,
        titles_per_minute=6000,
        titles_burst=1000,
        **nowhere,
    )
    async with (
        http_servers(sites),
        serve_catalog(catalog, make_runtime("catalog")),
        serve_gateway(gateway, make_runtime("gateway")) as endpoint,
        httpx.AsyncClient(base_url=f"http://{endpoint.address}", trust_env=False, timeout=30) as client,
    ):

        async def why_not_read() -> str | None:
            answer = (await client.get("/v1/aliases/mal:anime:199:1")).json()
            return None if answer.get("place") else str(answer)

        await eventually(why_not_read, within=60)
        for entry in (93, 94, 51179, 31240):
            assert (await client.get("/v1/episodes", params={"seriesId": f"mal:anime:{entry}"})).status_code == 200
        yield client


async def ask(api: httpx.AsyncClient, ref: str) -> dict[str, Any]:
    answer = await api.get(f"/v1/aliases/{ref}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def wrong(case: Case, answer: dict[str, Any]) -> list[str]:
    """Return what differs from what the case expects."""
    place = answer["place"] or {}
    at_tvdb = [(one["seriesId"], one["season"], one["episode"]) for one in answer["tvdb"]]
    checks = {
        "tmdb": case.tmdb is None or case.tmdb == (place.get("seriesId"), place.get("season"), place.get("position")),
        "printed": case.printed is None or case.printed == place.get("episode"),
        "absolute": case.absolute is None or case.absolute == place.get("absoluteEp"),
        "tvdb": case.tvdb is None or (f"tvdb:series:{case.tvdb[0]}", *case.tvdb[1:]) in at_tvdb,
        "entry": case.entry is None or [case.entry] == answer["entries"],
        "alias": case.alias is None or case.alias in answer["aliases"],
        "imdb": case.imdb is None or case.imdb in answer["imdbIds"],
        "anidb": case.anidb is None or [*case.anidb] == answer["anidbIds"],
        "flags": case.flags is None or [*case.flags] == answer["flags"],
        "confidence": answer["confidence"] <= case.at_most,
        "sure": case.tmdb is None or answer["confidence"] >= 0.6,
    }
    return [name for name, is_right in checks.items() if not is_right]


async def test_all_numbering_cases_answer_as_the_table_says(api: httpx.AsyncClient) -> None:
    answers = {case.ref: await ask(api, case.ref) for case in CASES}
    failed = {
        (case.number, case.ref, *wrong(case, answers[case.ref])) for case in CASES if wrong(case, answers[case.ref])
    }

    assert set() == failed
    assert {*range(1, 41)} - {17, 18} == {case.number for case in CASES}


@pytest.mark.parametrize(
    ("ref", "consistent"), [("mal:anime:51009:1", (1, 25)), ("mal:anime:39587:1", (1, 26))], ids=["case 17", "case 18"]
)
async def test_where_data_contradict_each_other_that_is_said_and_nothing_is_guessed(
    api: httpx.AsyncClient, ref: str, consistent: tuple[int, int]
) -> None:
    answer = await ask(api, ref)

    assert (answer["place"], answer["verdict"], answer["flags"]) == (None, "unsure", ["contradiction"])
    assert consistent in [(one["season"], one["position"]) for one in answer["candidates"]]


async def test_the_operators_word_comes_before_the_data_and_moves_nothing_else(api: httpx.AsyncClient) -> None:
    before = await ask(api, "mal:anime:42203:1")
    key = {"seriesId": "tmdb:tv:65942", "season": 1, "episode": 26}

    said = await api.put("/v1/aliases/mal:anime:39587:1", json=key, headers=ADMIN)

    answer = await ask(api, "mal:anime:31240:26")
    assert (said.status_code, answer["verdict"], answer["place"]["position"]) == (204, "certain", 26)
    assert before == await ask(api, "mal:anime:42203:1")


async def test_a_place_that_two_entries_claim_is_told_apart_by_the_date(api: httpx.AsyncClient) -> None:
    answer = await ask(api, "tmdb:tv:20111:S01E01")

    assert (answer["entries"], answer["flags"]) == (["mal:anime:93:1"], ["by-air-date"])


async def test_past_what_the_data_and_tmdb_know_nothing_is_guessed(api: httpx.AsyncClient) -> None:
    answer = await ask(api, "mal:anime:21:1161")

    assert (answer["place"], answer["candidates"], answer["verdict"]) == (None, [], "unsure")
    assert answer["flags"] == ["not-upstream", "past-the-last-span"]


async def test_of_two_entries_for_the_same_episodes_both_are_kept_and_none_is_chosen(api: httpx.AsyncClient) -> None:
    answer = await ask(api, "mal:anime:849:1")

    assert (answer["place"], answer["verdict"], answer["entries"]) == (None, "unsure", ["mal:anime:849:1"])
    assert [(one["seriesId"], one["season"], one["position"]) for one in answer["candidates"]] == [tv(42511, 1, 1)]
    assert [(one["season"], one["episode"]) for one in answer["tvdb"]] == [(1, 1), (1, 2)]


async def test_a_film_is_a_film_only_and_its_ids_lead_to_each_other(api: httpx.AsyncClient) -> None:
    answer = await ask(api, "mal:anime:199:1")
    back = await ask(api, "tmdb:movie:129")

    assert (answer["place"]["seriesId"], answer["imdbIds"]) == ("tmdb:movie:129", ["tt0245429"])
    assert (answer["aliases"], answer["tvdb"]) == (["tmdb:movie:129"], [])
    assert (back["entries"], back["aliases"]) == (["mal:anime:199:1"], ["mal:anime:199:1"])


async def test_a_western_show_counts_through_and_is_no_anime(api: httpx.AsyncClient, aniskip: AniSkip) -> None:
    listed = (await api.get("/v1/episodes", params={"seriesId": "tmdb:tv:9400"})).json()
    answer = await ask(api, "tmdb:tv:9400:abs13")
    watched = await api.get("/v1/content/tmdb:tv:9400/watch", params={"season": 2, "episode": 3, "duration": 1440})
    asked_before = aniskip.control.count()
    found: list[str] = []

    async def why_not_found() -> str | None:
        # A page does not wait for AniSkip: what came too late is in the next one.
        anime = await api.get("/v1/content/mal:anime:93/watch", params={"duration": 1440})
        found[:] = [one["type"] for one in anime.json()["skipRanges"]]
        return None if found else anime.text

    await eventually(why_not_found, within=30)
    assert [*range(1, 21), None, None] == [one["absoluteEp"] for one in listed]
    assert (answer["entries"], answer["aliases"]) == ([], ["tmdb:tv:9400:S02E03"])
    assert (watched.status_code, watched.json()["skipRanges"], asked_before) == (200, [], 0)
    assert found == ["opening"]


async def test_a_ref_of_no_known_form_is_refused(api: httpx.AsyncClient) -> None:
    answer = await api.get("/v1/aliases/tvdb:series:1")

    assert (answer.status_code, answer.json()["reason"]) == (400, "INVALID_REFERENCE")


async def test_twelve_hundred_episodes_are_listed_whole_and_in_order_from_what_is_stored(
    api: httpx.AsyncClient, tmdb: Tmdb
) -> None:
    # How long that takes is measured by `make bench` (tests/bench/catalog.py).
    first = await api.get("/v1/episodes", params={"seriesId": "tmdb:tv:30983"})
    asked = tmdb.control.count()
    tmdb.control.misbehave(html_error())
    again = await api.get("/v1/episodes", params={"seriesId": "tmdb:tv:30983"})
    counted = [await ask(api, f"tmdb:tv:30983:abs{number}") for number in (1, 600, 1200)]

    numbers = ("season", "episode", "position", "absoluteEp")
    assert [tuple(one[name] for name in numbers) for one in again.json()] == [(1, n, n, n) for n in range(1, 1201)]
    assert [one["name"] for one in again.json()] == [f"No. {n}" for n in range(1, 1201)]
    assert (again.json(), tmdb.control.count()) == (first.json(), asked)
    assert [one["place"]["position"] for one in counted] == [1, 600, 1200]


async def test_what_could_not_be_asked_is_not_said_to_be_absent(api: httpx.AsyncClient, tmdb: Tmdb) -> None:
    tmdb.control.misbehave(html_error(), times=2)
    down = await ask(api, "mal:anime:235:286")
    there = await ask(api, "mal:anime:235:286")
    absent = await ask(api, "mal:anime:235:1201")
    unknown = await ask(api, "mal:anime:999999:1")

    assert (down["place"], down["verdict"], down["flags"]) == (None, "unsure", ["not-asked"])
    assert (there["place"]["position"], there["flags"]) == (286, [])
    assert (absent["place"], absent["flags"]) == (None, ["not-upstream"])
    assert (unknown["verdict"], unknown["flags"]) == ("unmapped", ["no-data"])

"""From announcements to releases."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_search.domain import Announcement, Infohash, Kind, Wanted
from vod_search.merging import merge, prominent, releases, worth_resolving
from vod_search.normalising import without_constants

HASH = Infohash("a" * 40)
WANTED = Wanted(series_id="tmdb:tv:1", season=1, episode=2, kind=Kind.SERIES, titles=("Harbor Lights",))
NAME = "Harbor.Lights.S01E02.720p.WEB-DL.H264-TIDE"
ONE = Announcement(
    title=NAME, indexer="A", infohash=HASH, size_bytes=100, seeders=10, leechers=2, download_url="http://p/1"
)
numbers = st.none() | st.integers(0, 50)
announcements = st.builds(
    Announcement,
    title=st.sampled_from([NAME, f"{NAME} again"]),
    indexer=st.sampled_from(["A", "B", "C"]),
    infohash=st.just(HASH),
    size_bytes=st.integers(0, 5),
    seeders=numbers,
    leechers=numbers,
    published_at=st.integers(0, 5),
    trackers=st.frozensets(st.sampled_from(["udp://a.example", "udp://b.example"])),
)


@given(announcements, announcements, announcements)
def test_neither_order_nor_grouping_of_a_merge_matters(a: Announcement, b: Announcement, c: Announcement) -> None:
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@given(st.lists(announcements, min_size=1, max_size=5))
def test_a_release_has_the_most_seeders_and_all_indexers(some: list[Announcement]) -> None:
    (release,) = releases(some, Kind.SERIES)

    assert release.seeders == max((one.seeders for one in some if one.seeders is not None), default=None)
    assert release.indexers == tuple(sorted({one.indexer for one in some}))
    assert set(release.trackers) == {tracker for one in some for tracker in one.trackers}


def test_what_has_no_infohash_is_no_release() -> None:
    assert releases([replace(ONE, infohash=None)], Kind.SERIES) == []


@pytest.mark.parametrize(
    ("peers", "expected"),
    [
        ([(1, 1)], [None]),
        ([(1, 1)] * 3, [None] * 3),
        ([(7, 3)] * 5, [None] * 5),
        ([(7, 3)] * 4, [7] * 4),
        ([(1, 0), (1, 1), (1, 2), (1, 0), (1, 1)], [None] * 5),
        ([(7, 3), (7, 3), (7, 3), (7, 3), (8, 3)], [7, 7, 7, 7, 8]),
        ([(1, 0)], [1]),
        ([(None, None)], [None]),
    ],
)
def test_numbers_that_never_vary_are_not_known(
    peers: list[tuple[int | None, int | None]], expected: list[int | None]
) -> None:
    found = [
        replace(ONE, title=f"{NAME} {n}", size_bytes=n, seeders=seeders, leechers=leechers)
        for n, (seeders, leechers) in enumerate(peers)
    ]

    assert [one.seeders for one in without_constants(found)] == expected


def test_a_size_that_never_varies_is_not_known() -> None:
    found = [replace(ONE, title=f"{NAME} {n}", size_bytes=512, seeders=n) for n in range(5)]

    assert {one.size_bytes for one in without_constants(found)} == {0}


def test_links_are_followed_where_something_is_missing_and_it_may_be_the_episode() -> None:
    trackers = frozenset({"udp://a.example"})
    found = [
        replace(ONE, infohash=None, download_url="http://p/hashless"),
        replace(ONE, download_url="http://p/trackerless"),
        replace(ONE, indexer="B", download_url="http://p/trackerless-too"),
        replace(ONE, infohash=Infohash("b" * 40), trackers=trackers, download_url="http://p/complete"),
        replace(ONE, infohash=None, title=NAME.replace("E02", "E03"), download_url="http://p/other-episode"),
        replace(ONE, infohash=None, title=NAME.replace("Lights", "Light"), download_url="http://p/other-show"),
        replace(ONE, infohash=None, title=NAME.replace("WEB-DL", "CAM"), download_url="http://p/cam"),
        replace(ONE, infohash=None, download_url=""),
    ]

    chosen = worth_resolving(found, WANTED, most=8)

    assert [one.download_url for one in chosen] == ["http://p/hashless", "http://p/trackerless"]


def test_only_so_many_links_are_followed() -> None:
    found = [replace(ONE, infohash=None, download_url=f"http://p/{n}") for n in range(20)]

    assert len(worth_resolving(found, WANTED, most=8)) == 8


def test_names_with_the_wanted_title_come_first() -> None:
    others = [replace(ONE, title=f"Other.Show.{n}", seeders=900) for n in range(1000)]

    kept = prominent([*others, ONE], WANTED)

    assert (kept[0], len(kept)) == (ONE, 400)


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("Harbor.Lights.US.S01E02.720p.WEB", {}, True),
        ("Harbor.Lights.2024.S01E02.720p.WEB", {}, True),
        ("Harbor.Lights.Rising.S01E02.720p.WEB", {}, False),
        ("Harbor.Lights.S01E03.720p.WEB", {}, False),
        ("Harbor.Of.1984.S01E02.720p.WEB", {"titles": ("Harbor of 1984",)}, True),
        ("[Reef] Harbor Lights Final Season - 02 [720p]", {"kind": Kind.ANIME, "absolute": 2}, True),
        ("[Reef] Harbor Rights - 02 [720p]", {"kind": Kind.ANIME, "absolute": 2}, False),
        ("Harbor.Lights.2024.03.05.720p.WEB", {"air_date": date(2024, 3, 5)}, True),
        ("Harbor.Lights.2024.03.06.720p.WEB", {"air_date": date(2024, 3, 5)}, False),
    ],
)
def test_a_link_is_followed_where_its_name_may_be_the_wanted_one(
    name: str, changes: dict[str, Any], *, expected: bool
) -> None:
    found = replace(ONE, title=name, infohash=None)

    chosen = worth_resolving([found], replace(WANTED, **changes), most=8)

    assert chosen == ([found] if expected else [])

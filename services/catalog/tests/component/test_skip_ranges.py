"""Openings and endings, from a fake AniSkip that filters by length as the real one does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from google.protobuf.duration_pb2 import Duration
from vod.catalog.v1 import catalog_pb2
from vod.catalog.v1.catalog_service_pb2 import (
    SKIP_KIND_ENDING,
    SKIP_KIND_OPENING,
    GetSkipRangesRequest,
    GetSkipRangesResponse,
    SkipRange,
)

from vod_fakes.aniskip import AniSkip, Mark
from vod_fakes.control import Delay, Fault, html_error, json_reply
from vod_fakes.faults import JSON_FAULTS
from vod_fakes.serving import Site, bind, http_servers
from vod_testing import MovableClock, eventually

if TYPE_CHECKING:
    from vod.catalog.v1.catalog_service_pb2_grpc import CatalogServiceAsyncStub

RunCatalog = Callable[..., AbstractAsyncContextManager["CatalogServiceAsyncStub"]]
MARKS = (
    # The second season's first episode is episode 1 of an entry of its own.
    Mark(9202, 1, "op", 80.0, 170.0, 1420.0),
    Mark(9202, 1, "ed", 1300.0, 1390.0, 1420.0),
    # Another cut, which the server leaves out by its length.
    Mark(9202, 1, "op", 5.0, 95.0, 1300.0),
    Mark(9201, 4, "op", 1.0, 91.0, 1420.0),
)


@pytest.fixture
async def aniskip() -> AsyncIterator[AniSkip]:
    fake = AniSkip(MARKS)
    site = Site(fake.app(), fake.control, bind())
    fake.url = f"{site.url}/v2"
    async with http_servers([site]):
        yield fake


def asked(season: int, episode: int, seconds: float) -> GetSkipRangesRequest:
    duration = Duration()
    duration.FromTimedelta(timedelta(seconds=seconds))
    key = catalog_pb2.EpisodeKey(series_id="mal:anime:9201", season=season, episode=episode)
    return GetSkipRangesRequest(key=key, duration=duration)


def told(found: SkipRange) -> tuple[int, float, float, bool]:
    return (
        found.kind,
        found.start.ToTimedelta().total_seconds(),
        found.end.ToTimedelta().total_seconds(),
        found.is_exact,
    )


async def found_by(catalog: CatalogServiceAsyncStub, request: GetSkipRangesRequest) -> GetSkipRangesResponse:
    """Ask until there are ranges: what takes AniSkip, or this machine, longer than 0.8 s is there the next time."""
    answers: list[GetSkipRangesResponse] = []

    async def why_not() -> str | None:
        answers.append(await catalog.GetSkipRanges(request))
        return None if answers[-1].ranges else "no ranges"

    await eventually(why_not, within=30)
    return answers[-1]


async def test_ranges_are_asked_with_the_true_length_and_shifted_to_the_file(
    run_catalog: RunCatalog, aniskip: AniSkip
) -> None:
    async with run_catalog(aniskip_base=aniskip.url) as catalog:
        found = await found_by(catalog, asked(2, 1, 1430.0))

    assert [told(one) for one in found.ranges] == [
        (SKIP_KIND_OPENING, 90.0, 180.0, False),
        (SKIP_KIND_ENDING, 1310.0, 1400.0, False),
    ]
    [request] = aniskip.control.seen
    assert (request.path, request.query["episodeLength"]) == ("/v2/skip-times/9202/1", "1430.000")


async def test_a_range_that_a_shift_would_push_out_of_the_file_stays_where_it_was_and_is_only_offered(
    run_catalog: RunCatalog, aniskip: AniSkip
) -> None:
    async with run_catalog(aniskip_base=aniskip.url) as catalog:
        found = await found_by(catalog, asked(2, 1, 1285.0))

    assert [told(one) for one in found.ranges] == [(SKIP_KIND_OPENING, 0.0, 95.0, False)]


async def test_a_file_of_the_same_length_may_be_skipped_without_asking(
    run_catalog: RunCatalog, aniskip: AniSkip
) -> None:
    async with run_catalog(aniskip_base=aniskip.url) as catalog:
        found = await found_by(catalog, asked(2, 1, 1420.0))

    assert [one.is_exact for one in found.ranges] == [True, True]


async def test_an_answer_is_kept_and_so_is_that_there_is_none(run_catalog: RunCatalog, aniskip: AniSkip) -> None:
    async with run_catalog(aniskip_base=aniskip.url) as catalog:
        await found_by(catalog, asked(2, 1, 1420.0))
        answers = [await catalog.GetSkipRanges(asked(2, episode, 1420.0)) for episode in (1, 1, 2, 2)]

    assert [len(one.ranges) for one in answers] == [2, 2, 0, 0]
    assert aniskip.control.count() == 2


async def test_without_a_length_nothing_is_asked(run_catalog: RunCatalog, aniskip: AniSkip) -> None:
    async with run_catalog(aniskip_base=aniskip.url) as catalog:
        found = await catalog.GetSkipRanges(asked(2, 1, 0))

    assert (len(found.ranges), aniskip.control.count()) == (0, 0)


async def test_nobody_waits_for_a_skip_range_and_one_that_comes_late_is_there_the_next_time(
    run_catalog: RunCatalog, aniskip: AniSkip
) -> None:
    aniskip.control.misbehave(Delay(timedelta(seconds=1.5)), times=1)

    async with run_catalog(aniskip_base=aniskip.url, upstream_deadline=timedelta(seconds=8)) as catalog:
        first = await catalog.GetSkipRanges(asked(2, 1, 1420.0))

        async def why_not() -> str | None:
            ranges = (await catalog.GetSkipRanges(asked(2, 1, 1420.0))).ranges
            return None if ranges else "nothing was kept"

        await eventually(why_not, within=30)

    assert len(first.ranges) == 0
    assert aniskip.control.count() == 1


@pytest.mark.parametrize("fault", [*JSON_FAULTS.values(), html_error(403)], ids=[*JSON_FAULTS, "blocked"])
async def test_when_aniskip_fails_what_is_known_is_told_and_the_rest_is_asked_for_again_later(
    run_catalog: RunCatalog, aniskip: AniSkip, clock: MovableClock, fault: Fault
) -> None:
    async with run_catalog(aniskip_base=aniskip.url) as catalog:
        await found_by(catalog, asked(2, 1, 1420.0))
        aniskip.control.misbehave(fault)
        clock.advance(timedelta(days=8))
        known = await catalog.GetSkipRanges(asked(2, 1, 1420.0))
        unknown = await catalog.GetSkipRanges(asked(1, 4, 1420.0))
        aniskip.control.behave()
        clock.advance(timedelta(hours=1))

        async def why_not() -> str | None:
            ranges = (await catalog.GetSkipRanges(asked(1, 4, 1420.0))).ranges
            return None if ranges else "that there is none was kept"

        await eventually(why_not, within=30)

    assert (len(known.ranges), len(unknown.ranges)) == (2, 0)


async def test_results_that_make_no_sense_are_left_out(run_catalog: RunCatalog, aniskip: AniSkip) -> None:
    good = {"interval": {"startTime": 80.0, "endTime": 170}, "skipType": "op", "episodeLength": 1420.0}
    results = [
        None, 7, "op", {}, dict.fromkeys(good), good | {"interval": None}, good | {"skipType": None},
        good | {"skipType": ["op"]}, good | {"episodeLength": "1420"}, good | {"interval": {"startTime": 80.0}},
        good | {"interval": {"startTime": 1e300, "endTime": -1e300}}, good | {"episodeLength": 10**400},
    ]  # fmt: skip
    async with run_catalog(aniskip_base=aniskip.url) as catalog:
        aniskip.control.misbehave(json_reply({"found": True, "results": [*results, good]}), times=1)
        found = await found_by(catalog, asked(2, 1, 1420.0))
        aniskip.control.misbehave(json_reply({"found": True, "results": results}), times=1)
        nothing = await catalog.GetSkipRanges(asked(2, 2, 1420.0))

    assert [told(one) for one in found.ranges] == [(SKIP_KIND_OPENING, 80.0, 170.0, True)]
    assert len(nothing.ranges) == 0

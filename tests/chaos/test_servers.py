"""Servers go away and come back under a viewer."""

import time
from contextlib import AsyncExitStack

import pytest
from allinone import System
from crowd import crowd
from facts import why_not_told_once
from outages import Servers, process
from playbill import RATE, Lengths, Report, Watch
from redis.asyncio import Redis
from stage import HARBOR

from vod_testing import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_without_nats_everything_goes_on_and_what_happened_is_told_once_it_is_back(
    vod: System, away: Servers, watch: Watch, lengths: Lengths, report: Report
) -> None:
    async with AsyncExitStack() as stack:
        # Some of their ends are being told in the moment in which it goes.
        others = await stack.enter_async_context(crowd(vod))
        await eventually(lambda: None if others.ended else "nobody came yet", within=lengths.within(20))
        await away.nats.take()
        stack.push_async_callback(away.nats.bring)
        viewer = await stack.enter_async_context(watch(HARBOR, 1, 1))
        before = len(others.ended)
        beats = int(lengths.nats_down / lengths.beat_every)
        await viewer.beats(more=beats, within=2 * lengths.nats_down + 20)
        await eventually(
            lambda: None if len(others.ended) > before else "nobody's session ended", within=lengths.within(20)
        )
        silence, ready = viewer.seen.longest_silence, viewer.seen.next_ready
        meanwhile = len(others.ended) - before
        await away.nats.bring()
        back = time.monotonic()

        await eventually(lambda: None if viewer.seen.next_ready else "next is not prepared", within=lengths.within(10))
        prepared = time.monotonic() - back

        report.add(
            f"NATS down {lengths.nats_down:.0f} s",
            viewer,
            f"next prepared {prepared:.1f} s after its return; {meanwhile} other sessions ended meanwhile",
        )
    await others.leave()
    await eventually(lambda: why_not_told_once(away.nats, others.started), within=lengths.within(10))

    assert not ready
    assert meanwhile > 0
    assert silence <= 2.0 + lengths.slack
    assert viewer.seen.longest_wait <= 2.0 + lengths.slack
    assert lengths.refused(viewer.seen) == []


async def test_a_flushed_redis_and_none_at_all_are_not_noticed(
    away: Servers, watch: Watch, lengths: Lengths, report: Report
) -> None:
    async with watch(HARBOR, 1, 2) as viewer:
        await viewer.reads(more=RATE, within=15)
        async with Redis.from_url(away.redis.server.url) as redis:
            await redis.flushall()
        await viewer.beats(more=3, within=10)

        await away.redis.away(lengths.redis_down)

        await viewer.beats(more=2, within=10)
        await viewer.reads(more=RATE, within=10)
        report.add(f"Redis flushed, then down {lengths.redis_down:.0f} s", viewer)

    assert lengths.refused(viewer.seen) == []
    assert viewer.seen.longest_wait <= 2.0 + lengths.slack
    assert viewer.seen.longest_silence <= 2.0 + lengths.slack


async def test_a_restart_of_postgres_costs_a_few_heartbeats_and_no_position(
    vod: System, watch: Watch, lengths: Lengths, report: Report
) -> None:
    async with watch(HARBOR, 1, 3) as viewer:
        await viewer.beats(more=4, within=15)

        acknowledged = await viewer.strikes(process(vod, "postgres").kill, within=15)
        position = await viewer.resumes(HARBOR, within=40)
        viewer.speaks_again()

        await viewer.beats(more=4, within=15)
        report.add("Postgres kill -9", viewer)

    assert position >= acknowledged > 0
    assert viewer.seen.longest_silence <= 5.0 + lengths.slack
    assert viewer.seen.longest_wait <= 2.0 + lengths.slack

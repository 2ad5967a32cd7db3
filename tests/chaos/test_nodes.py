"""A stream node goes, and the bytes go on."""

import signal
from functools import partial

import psutil
import pytest
from allinone import System
from outages import kept_dead, process
from playbill import RATE, Lengths, Report, Watch
from stage import ANIME, FILM, content, to_the_end
from viewer import Viewer

from vod_fakes.world import World
from vod_testing import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


def node_of(viewer: Viewer) -> str:
    """The node whose name stands in the stream's URL."""
    return str(viewer.started["streamUrl"]).split("/stream/")[1].split("/")[0]


async def test_a_killed_node_costs_seconds_and_no_byte(
    vod: System, outside: World, watch: Watch, lengths: Lengths, report: Report
) -> None:
    async with watch(FILM, 1, 1) as viewer:
        await viewer.reads(more=3 * RATE, within=15)

        async with kept_dead(vod, node_of(viewer)):
            # What was on its way came from the dead one; what is asked for anew can't.
            await eventually(lambda: None if viewer.seen.reopened else "still reads", within=lengths.within(20))
            await viewer.reads(more=2 * RATE, within=20)
        await to_the_end(viewer, outside)
        report.add("stream node kill -9", viewer)

    assert viewer.came_right(partial(content, outside))
    assert viewer.seen.reopened >= 1
    assert viewer.seen.longest_wait <= 10.0 + lengths.slack
    assert viewer.seen.longest_silence <= 5.0 + lengths.slack
    assert viewer.is_undisturbed


async def test_a_drained_node_is_left_without_a_gap_and_ends(
    vod: System, outside: World, watch: Watch, lengths: Lengths, report: Report
) -> None:
    async with watch(ANIME, 1, 1) as viewer:
        await viewer.reads(more=3 * RATE, within=15)
        draining = process(vod, node_of(viewer))

        draining.send_signal(signal.SIGTERM)

        await eventually(
            lambda: None if not psutil.pid_exists(draining.pid) else "it still runs", within=lengths.within(25)
        )
        await viewer.reads(more=3 * RATE, within=15)
        await to_the_end(viewer, outside)
        report.add("stream node drained", viewer)

    assert viewer.came_right(partial(content, outside))
    assert viewer.seen.reopened >= 1
    assert viewer.seen.longest_wait <= 10.0 + lengths.slack
    assert viewer.is_undisturbed


async def test_a_frozen_node_is_left_like_a_dead_one(
    vod: System, outside: World, watch: Watch, lengths: Lengths, report: Report
) -> None:
    """It keeps its connections and answers nothing: the edge and the other nodes have to notice by themselves."""
    if not lengths.rare_faults:
        pytest.skip("in make chaos")
    async with watch(ANIME, 1, 3) as viewer:
        await viewer.reads(more=3 * RATE, within=15)
        frozen = process(vod, node_of(viewer))

        frozen.suspend()
        try:
            await viewer.reads(more=3 * RATE, within=30)
            await to_the_end(viewer, outside)
        finally:
            frozen.resume()
        # It must not blame the swarm for its own absence.
        await viewer.beats(more=3, within=20)
        report.add("stream node frozen (SIGSTOP)", viewer)

    assert viewer.came_right(partial(content, outside))
    assert viewer.seen.reopened >= 1
    assert viewer.seen.longest_wait <= 10.0 + lengths.slack
    assert viewer.is_undisturbed

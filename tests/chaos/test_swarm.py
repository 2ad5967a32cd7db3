"""A swarm dies under a viewer, and another release plays on."""

from functools import partial

import httpx
import pytest
from allinone import System
from playbill import RATE, Lengths, Report, Watch
from stage import ANIME, content, to_the_end

from vod_fakes.world import World
from vod_local.record import read_record
from vod_testing import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def switches(vod: System) -> float:
    """Return `fallback_switch_total`."""
    record = read_record(vod.data)
    assert record is not None
    transport = httpx.AsyncHTTPTransport(uds=record.processes["playback"].ops.removeprefix("unix:"))
    async with httpx.AsyncClient(transport=transport, base_url="http://ops") as client:
        lines = (await client.get("/metrics")).text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("fallback_switch_total"))


async def test_when_a_swarm_dies_at_a_third_the_next_candidate_plays_on(
    vod: System, outside: World, watch: Watch, lengths: Lengths, report: Report
) -> None:
    # Little more than is watched, so that the dead swarm is felt soon.
    outside.seeder.limit_upload(int(1.2 * RATE))
    before = await switches(vod)
    async with watch(ANIME, 2, 3) as viewer:
        await viewer.reads(more=int(0.3 * viewer.size), within=40)
        outside.seeder.remove(viewer.started["pick"]["infohash"])

        await eventually(lambda: None if viewer.seen.switched else f"{viewer.seen}", within=lengths.within(40))
        await viewer.reads(more=RATE, within=15)
        await to_the_end(viewer, outside)
        report.add(
            "swarm dies at 30 %", viewer, f"went on with {viewer.seen.switched[0]} (Y = {lengths.stall_after:.0f} s)"
        )

    first, second = viewer.parts
    assert {first.title, second.title} == {
        f"[{group}] Lantern Sea - 06 (1080p) [WEB x264].mkv" for group in ("Gull", "Heron")
    }
    assert viewer.came_right(partial(content, outside))
    assert viewer.seen.jump <= 1.0
    assert not viewer.seen.given_up
    assert await switches(vod) - before == 1
    assert viewer.seen.longest_wait <= lengths.stall_after + 5.0 + lengths.slack

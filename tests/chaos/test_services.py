"""Services are killed one by one, at random moments, and come back."""

import random
from functools import partial

import pytest
from allinone import System
from crowd import crowd
from facts import dead_letters, why_not_heard, why_not_told_once
from outages import Servers, names, process
from playbill import Lengths, Report, Watch
from stage import HARBOR, content
from viewer import Viewer

from vod_fakes.world import World
from vod_testing import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROUND_SECONDS = 40.0
"""Of the file, per kill: none takes so long."""
NEEDED = {"gateway", "playback", "picks", "prefetch", "stream-node-0"}


def victims(everybody: list[str], chance: random.Random, count: int) -> list[str]:
    """Return who is killed: those a viewer needs first, then anybody; all of them when there are rounds enough."""
    needed = [name for name in everybody if name in NEEDED]
    order = chance.sample(needed, len(needed)) + chance.sample(everybody, len(everybody))
    return (order + [chance.choice(everybody) for _ in range(count)])[:count]


async def answers(vod: System, viewer: Viewer, name: str, lengths: Lengths) -> None:
    """Wait until a killed process is there again, and the viewer's heartbeats are acknowledged."""

    def why_not_yet() -> str | None:
        try:
            process(vod, name)
        except LookupError as missing:
            return str(missing)
        return None

    await eventually(why_not_yet, within=lengths.within(40))
    await viewer.beats(more=2, within=40)


async def test_any_service_may_be_killed_at_any_moment(  # noqa: PLR0917  fixtures
    vod: System, outside: World, away: Servers, watch: Watch, lengths: Lengths, report: Report
) -> None:
    chance, put_aside = random.Random(lengths.seed), await dead_letters(away.nats)
    rounds = victims(names(vod), chance, lengths.kills)
    lost: list[str] = []
    async with watch(HARBOR, 1, 4) as viewer:
        # The file is to last until the last round.
        viewer.rate = viewer.size / (ROUND_SECONDS * lengths.kills)
        # Each heartbeat tells another whole second, so that none can be lost unseen.
        viewer.duration = 3600.0
        await viewer.beats(more=2, within=15)
        async with crowd(vod) as others:
            for name in rounds:
                # A moment within what is going on, not between.
                await viewer.reads(more=chance.randrange(1, 64 << 10), within=20)
                if name == "playback":
                    acknowledged = await viewer.strikes(process(vod, name).kill, within=30)
                else:
                    viewer.falls_silent()
                    acknowledged = int(viewer.seen.acknowledged)
                    process(vod, name).kill()
                position = await viewer.resumes(HARBOR, within=40)
                viewer.speaks_again()
                if position < acknowledged:
                    lost.append(f"{name}: {position}, {acknowledged} was acknowledged")
                await answers(vod, viewer, name, lengths)

        await others.leave()
        await eventually(lambda: why_not_told_once(away.nats, others.started), within=lengths.within(15))
        await eventually(lambda: why_not_heard(away.nats), within=lengths.within(60))
        report.add(
            f"{len(rounds)} kills -9: {', '.join(sorted(set(rounds)))}",
            viewer,
            f"{len(others.ended)} other sessions ended meanwhile, each told once; seed {lengths.seed}",
        )

    assert lost == []
    assert others.ended == set(others.started) != set()
    assert await dead_letters(away.nats) == put_aside
    assert viewer.came_right(partial(content, outside))

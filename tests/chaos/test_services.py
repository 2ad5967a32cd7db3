"""Services are killed one by one, at random moments, and come back."""

import asyncio
import contextlib
import random

import httpx
import pytest
from allinone import System, start
from facts import told
from outages import Servers, names, process
from playbill import RATE, Lengths, Report, Watch
from stage import ANIME, HARBOR
from viewer import Viewer

from vod_testing import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

ENDED = "playback.v1.episode-ended"


async def another_session(api: httpx.AsyncClient) -> str | None:
    """Watch something else for a moment and end it; return its id if the end was acknowledged."""
    with contextlib.suppress(httpx.HTTPError, AssertionError):
        other = await start(api, ANIME, 1, 2)
        ended = await api.post("/v1/session/ended", json={"sessionId": other["sessionId"]})
        return str(other["sessionId"]) if ended.status_code == 200 else None
    return None


async def answers(vod: System, viewer: Viewer, name: str) -> None:
    """Wait until a killed process is there again, and the viewer's heartbeats are acknowledged."""

    def why_not_yet() -> str | None:
        try:
            process(vod, name)
        except LookupError as missing:
            return str(missing)
        return None

    await eventually(why_not_yet, within=40)
    await viewer.beats(more=2, within=40)


async def test_any_service_may_be_killed_at_any_moment(
    vod: System, away: Servers, watch: Watch, lengths: Lengths, report: Report
) -> None:
    chance = random.Random(lengths.seed)
    rounds = [chance.choice(names(vod)) for _ in range(lengths.kills)]
    ended: list[str] = []
    lost: list[str] = []
    async with watch(HARBOR, 1, 4) as viewer:
        viewer.rate = RATE / 4 if lengths.kills < 10 else RATE / 40
        await viewer.beats(more=2, within=15)
        for name in rounds:
            async with asyncio.TaskGroup() as group:
                other = group.create_task(another_session(viewer.api))
                await viewer.beats(within=20)
                # A moment within what is going on, not between.
                await viewer.reads(more=chance.randrange(1, 64 << 10), within=20)
                process(vod, name).kill()
                acknowledged = viewer.seen.acknowledged
                await answers(vod, viewer, name)
            if (session := other.result()) is not None:
                ended.append(session)
            answer = await viewer.api.get("/v1/resume", params={"seriesId": HARBOR})
            if answer.status_code != 200 or answer.json()["position_s"] < acknowledged - 0.01:
                lost.append(f"{name}: {answer.status_code} {answer.text[:80]}, {acknowledged} was acknowledged")

        async def why_not_yet() -> str | None:
            counts = await told(away.nats, ENDED)
            wrong = {session: counts.get(session, 0) for session in ended if counts.get(session, 0) != 1}
            return f"not told once: {wrong}" if wrong else None

        await eventually(why_not_yet, within=15)
        report.add(
            f"{len(rounds)} kills -9: {', '.join(sorted(set(rounds)))}",
            viewer,
            f"{len(ended)} other sessions ended meanwhile, each told once; seed {lengths.seed}",
        )

    assert lost == []

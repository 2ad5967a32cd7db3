"""Real swarms race on loopback: what an indexer claims does not decide, what comes does."""

from pathlib import Path

import httpx
import pytest
from allinone import System, start
from contenders import CLAIMED, FILM, GOOD, contenders

from vod_fakes.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_of_a_dead_a_slow_and_a_good_swarm_the_good_one_is_played(
    vod: System, viewer: httpx.AsyncClient, outside: World, tmp_path: Path
) -> None:
    async with contenders(outside, tmp_path, CLAIMED):
        started = await start(viewer, FILM, 1, 1, deviceCaps={"h264": True, "maxHeight": 1080})
        async with viewer.stream("GET", started["streamUrl"], headers={"Range": "bytes=0-65535"}) as answer:
            first = await answer.aread()

    assert started["pick"]["title"] == GOOD
    assert first.startswith(GOOD.encode())
    seen = (await viewer.get(f"/v1/picks/{FILM}/1/1", headers=vod.admin)).json()
    assert {one["title"] for one in seen["candidates"]} == set(CLAIMED)
    assert seen["picks"][0]["title"] == GOOD
    assert seen["picks"][0]["reasons"][0].startswith("tried: its first bytes came at ")

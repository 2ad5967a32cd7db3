"""The next episode is there before it is asked for."""

import time

import httpx
import pytest
from allinone import start
from playbill import Lengths, Report, Watch
from stage import ANIME, SIZES

from vod_fakes.world import World
from vod_testing import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


_AT_ONCE_MS = 50


async def first_byte(url: str) -> tuple[float, bytes]:
    """Return how many seconds the first bytes took from the request on, with a new connection as a player has one."""
    async with httpx.AsyncClient(trust_env=False, timeout=100) as player:
        began = time.monotonic()
        async with player.stream("GET", url, headers={"Range": "bytes=0-"}, follow_redirects=True) as answer:
            assert answer.status_code == 206
            chunk = await anext(answer.aiter_bytes(4096))
            return time.monotonic() - began, chunk


async def test_a_prepared_next_episode_plays_at_once_with_the_seeders_cut_off(
    outside: World, watch: Watch, lengths: Lengths, report: Report
) -> None:
    async with watch(ANIME, 2, 1) as viewer:
        await eventually(lambda: None if viewer.seen.next_ready else "next is not prepared", within=lengths.within(20))
        ended = await viewer.api.post("/v1/session/ended", json={"sessionId": viewer.session})
        await outside.seeder.stop()
        try:
            began = time.monotonic()
            following = await start(viewer.api, ANIME, 2, 2)
            started = time.monotonic() - began
            waits = [await first_byte(following["streamUrl"]) for _ in range(3)]
        finally:
            await outside.seeder.start()
        fastest = 1000 * min(wait for wait, _ in waits)
        report.add(
            "autoplay, seeders cut off",
            viewer,
            f"start answered in {1000 * started:.0f} ms, first byte {1000 * waits[0][0]:.0f} ms after the request "
            f"(best of 3: {fastest:.0f} ms)",
        )

    assert ended.json()["nextPick"]["infohash"] == following["pick"]["infohash"]
    assert following["pick"]["title"] in SIZES
    assert all(len(chunk) > 0 for _, chunk in waits)
    assert fastest <= _AT_ONCE_MS or not lengths.rare_faults, f"{fastest:.0f} ms"  # `make test` measures nothing

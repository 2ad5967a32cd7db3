"""Why one release is played and not another, and what a season pack is good for."""

import time

import httpx
import pytest
from allinone import HARBOR, System, metrics, next_is_ready, start, vod_command

from vod_fakes.library import SEASON_PACK
from vod_fakes.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

HEIGHTS = (1085, 1086, 1087)
"""Of devices that nobody else has: what was picked for one is not asked for again."""
NODE_MAY_TAKE = 1.0
"""Seconds. Where a node takes longer to tell what it has, others are searched for, so another device tries again."""


async def test_people_are_told_why_one_candidate_goes_before_another(vod: System, viewer: httpx.AsyncClient) -> None:
    await start(viewer, HARBOR, 1, 1, deviceCaps={"h264": True, "maxHeight": 1083})
    seen = (await viewer.get(f"/v1/picks/{HARBOR}/1/1", headers=vod.admin)).json()
    best, second = seen["candidates"][:2]

    places = {"first": best["infohash"], "second": second["infohash"]}
    answer = await viewer.get(f"/v1/picks/{HARBOR}/1/1/diff", headers=vod.admin, params=places)
    printed = await vod_command(vod, "why", "Harbor Lights", "S1E1", "--diff", "1", "2")

    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["summary"].startswith(f"{best['title']} goes first")
    assert {one["name"] for one in told["differences"]} <= {"health", "quality", "size", "consistency"}
    assert all(one["reason"] for one in told["differences"])
    assert printed.returncode == 0, printed.stderr
    assert told["summary"] in printed.stdout


async def test_a_season_pack_that_is_here_plays_the_next_episode_at_once(
    vod: System, viewer: httpx.AsyncClient, outside: World
) -> None:
    caps = {"h264": True, "maxHeight": 1084}
    first = await start(viewer, HARBOR, 1, 1, deviceCaps=caps)
    pack = {"sessionId": first["sessionId"], "infohash": outside.torrents[SEASON_PACK.name].infohash}
    chosen = await viewer.post("/v1/session/override-pick", json=pack)
    await viewer.get(chosen.json()["streamUrl"], headers={"Range": "bytes=0-65535"})

    await next_is_ready(viewer, first["sessionId"])
    before = await metrics(vod)
    await outside.seeder.stop()
    try:
        second = await start(viewer, HARBOR, 1, 2, deviceCaps=caps)
        opening = await viewer.get(second["streamUrl"], headers={"Range": "bytes=0-65535"})
    finally:
        await outside.seeder.start()
    after = await metrics(vod)

    assert second["pick"]["title"] == SEASON_PACK.name
    assert second["pick"]["score"]["health"] == 1
    assert opening.content == outside.episode_file(SEASON_PACK.name, 1, 2).read_bytes()[:65536]
    assert after["vod_picks_probes_total"] == before["vod_picks_probes_total"]


async def test_a_season_pack_that_is_here_is_played_on_without_a_search_or_a_race(
    vod: System, viewer: httpx.AsyncClient, outside: World
) -> None:
    for height in HEIGHTS:
        caps = {"h264": True, "maxHeight": height}
        first = await start(viewer, HARBOR, 1, 3, deviceCaps=caps)
        pack = {"sessionId": first["sessionId"], "infohash": outside.torrents[SEASON_PACK.name].infohash}
        chosen = await viewer.post("/v1/session/override-pick", json=pack)
        await viewer.get(chosen.json()["streamUrl"], headers={"Range": "bytes=0-65535"})
        before, began = await metrics(vod), time.monotonic()
        second = await start(viewer, HARBOR, 1, 4, deviceCaps=caps)  # no heartbeat told prefetch to prepare it
        if time.monotonic() - began < NODE_MAY_TAKE:
            break
    opening = await viewer.get(second["streamUrl"], headers={"Range": "bytes=0-65535"})
    after = await metrics(vod)

    assert second["pick"]["title"] == SEASON_PACK.name
    assert opening.content == outside.episode_file(SEASON_PACK.name, 1, 4).read_bytes()[:65536]
    assert after["vod_picks_probes_total"] == before["vod_picks_probes_total"] + 1
    seen = (await viewer.get(f"/v1/picks/{HARBOR}/1/4", headers=vod.admin)).json()
    assert len(seen["candidates"]) > 1

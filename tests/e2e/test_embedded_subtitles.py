"""Subtitles that lie inside the video, read from a real stream node while the video downloads."""

import httpx
import pytest
from allinone import start

from vod_fakes.lines import LANTERN_LINES
from vod_fakes.world import World
from vod_testing import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

SLOW = 60_000
ANIME = "mal:anime:9201"


async def test_what_has_arrived_is_shown_and_the_rest_follows(viewer: httpx.AsyncClient, outside: World) -> None:
    # All of it would take longer than a busy machine needs to start it, and to show what is in its first part.
    outside.seeder.limit_upload(SLOW)
    started = await start(viewer, ANIME, 1, 1)
    about = {"pick": started["pick"]["id"]}
    seen: list[tuple[int, str]] = []

    async def why_not_whole() -> str | None:
        listed = (await viewer.get(f"/v1/subtitles/{ANIME}:S01E01", params={"lang": "en"} | about)).json()["tracks"]
        inside = [track for track in listed if track["source"] == "embedded" and track["ready"]]
        if not inside:
            return f"tracks are {listed}"
        answer = await viewer.get(inside[0]["url"])
        seen.append((answer.text.count("-->"), answer.headers["cache-control"]))
        if seen[-1][0]:
            # The first lines were seen; the rest need not take longer than the machine does.
            outside.seeder.limit_upload(0)
        return None if seen[-1] == (len(LANTERN_LINES), "private, no-cache") else f"{seen[-1]}"

    try:
        # As a player does: reading makes the node fetch the whole of it.
        async with viewer.stream("GET", started["streamUrl"]) as reading:
            await eventually(why_not_whole, within=100)
            await reading.aclose()
    finally:
        outside.seeder.limit_upload(0)

    partial = [cues for cues, cached in seen if cues and cached == "no-store"]
    assert partial, seen
    assert partial[0] < len(LANTERN_LINES)

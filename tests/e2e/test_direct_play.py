"""Direct play: a magnet in, progress and an address out, from the gateway to the swarm."""

import hashlib
from typing import Any

import httpx
import pytest
from allinone import System, beat

from vod_fakes.world import World
from vod_testing import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")
START = "/v1/session/start"
FILM = "The.Glass.Orchard.2023.720p.WEB-DL.H264-TIDE"


@pytest.fixture
def magnet(outside: World) -> str:
    """The magnet of a film, from somewhere else than our own search."""
    return outside.magnet(FILM)


async def test_a_magnet_plays_and_its_progress_is_told(
    viewer: httpx.AsyncClient, vod: System, outside: World, magnet: str
) -> None:
    accepted = await viewer.post(START, json={"magnet": magnet}, headers=vod.admin)
    assert accepted.status_code == 200, accepted.text
    started: dict[str, Any] = accepted.json()
    content = (await viewer.get(started["streamUrl"])).content
    answer = await beat(viewer, started["sessionId"], 5)
    progress: dict[str, Any] = {}

    async def why_not_complete() -> str | None:
        progress.update((await viewer.get(f"/v1/session/{started['sessionId']}/progress")).json())
        return None if progress["state"] == "complete" else f"{progress}"

    await eventually(why_not_complete, within=30)
    ended = await viewer.post("/v1/session/ended", json={"sessionId": started["sessionId"]})

    original = outside.episode_file(FILM, 1, 1).read_bytes()
    assert hashlib.sha256(original).hexdigest() == hashlib.sha256(content).hexdigest()
    assert (started["pick"], started["nextHint"]) == (None, None)
    assert answer == {"ok": True}
    assert (progress["state"], progress["downloadedBytes"], progress["sizeBytes"]) == (
        "complete",
        len(original),
        len(original),
    )
    assert ended.json()["nextPick"] is None


async def test_a_stranger_plays_no_magnet(viewer: httpx.AsyncClient, magnet: str) -> None:
    answer = await viewer.post(START, json={"magnet": magnet})

    assert (answer.status_code, answer.json()["reason"]) == (403, "DIRECT_PLAY_OFF")

"""TMDb is down: what is known is found, plays and goes on; what is not is a clear error; and the log says it once.

How a whole hour of that goes is shown with a clock of its own in services/catalog (test_outages.py).
"""

import hashlib
import json
from typing import Any

import pytest
from allinone import HARBOR, PATIENT, System, beat, start, system

from vod_fakes.control import html_error
from vod_fakes.world import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNKNOWN = "tmdb:tv:9002"


def told(vod: System) -> list[dict[str, Any]]:
    """Return what was said of hosts outside, by whatever service."""
    lines = [line for log in (vod.data / "logs").glob("*.log*") for line in log.read_text().splitlines()]
    said = [json.loads(line) for line in lines if line.startswith("{") and '"host_' in line]
    return [{"event": one["event"], "host": one["host"]} for one in said]


async def test_without_tmdb_all_that_is_known_plays_and_nothing_is_invented(outside: World) -> None:
    # All that is known is old at once, so that everything that is asked for would like to be fetched anew.
    async with system(outside, settings={**PATIENT, "VOD_CATALOG_TTL": "1s"}) as vod, vod.client() as viewer:
        await start(viewer, HARBOR, 1, 1)
        episodes = (await viewer.get("/v1/episodes", params={"seriesId": HARBOR})).json()
        outside.tmdb.control.misbehave(html_error())
        asked_before = outside.tmdb.control.count()
        try:
            # Nobody has asked for this one before.
            started = await start(viewer, HARBOR, 1, 2)
            seeded = outside.episode_file(started["pick"]["title"], 1, 2)
            played = await viewer.get(f"/v1/stream/{started['sessionId']}", follow_redirects=True)
            beaten = await beat(viewer, started["sessionId"], 30, duration_s=60)
            unknown = {"seriesId": UNKNOWN, "season": 1, "episode": 1, "deviceCaps": {"h264": True}}
            refused = [await viewer.post("/v1/session/start", json=unknown) for _ in range(5)]
            listed = (await viewer.get("/v1/episodes", params={"seriesId": HARBOR})).json()
            found = (await viewer.get("/v1/titles", params={"query": "harbor"})).json()["titles"]
            said = told(vod)
        finally:
            outside.tmdb.control.behave()

    assert (played.status_code, beaten["ok"]) == (200, True)
    assert hashlib.sha256(played.content).digest() == hashlib.sha256(seeded.read_bytes()).digest()
    assert (listed, [one["seriesId"] for one in found]) == (episodes, [HARBOR])
    assert {(one.status_code, one.json()["reason"]) for one in refused} == {(503, "UPSTREAM_UNAVAILABLE")}
    assert all(int(one.headers["retry-after"]) >= 1 for one in refused)
    assert outside.tmdb.control.count() > asked_before
    # Another host may be slow on a busy machine, which says nothing of TMDb.
    assert [one for one in said if one["host"] == "TMDb"] == [{"event": "host_left_alone", "host": "TMDb"}]

"""A swarm dies under a viewer: the next candidate plays on, and nobody has to do anything."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from allinone import HARBOR, PATIENT, System, beat, metrics, next_is_ready, start, system

from vod_fakes.releases import TRACKED
from vod_fakes.seeder import Seeder
from vod_fakes.shapes import Listing
from vod_fakes.torrents import make_torrent
from vod_fakes.world import World
from vod_testing import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

FILM, MOVIES = "tmdb:movie:9101", (2000, 2040)
NAMES = tuple(f"The.Glass.Orchard.2023.1080p.WEB-DL.H264-{group}" for group in ("SKUA", "TERN"))
SIZE = 12_000_000
LATE = SIZE * 3 // 4
"""A byte that is not here yet, some seconds after the start."""
STALL_AFTER = 4.0
"""Longer than a machine stands still that does other things as well."""
WITHIN = 60.0
"""Of patience on such a machine; the promise is STALL_AFTER + 5 s."""


@dataclass(slots=True)
class Release:
    """One candidate, and who has it."""

    name: str
    content: bytes
    seeder: Seeder


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def vod(outside: World) -> AsyncIterator[System]:
    """A system that loses patience soon."""
    async with system(outside, settings={**PATIENT, "VOD_STALL_AFTER": f"{STALL_AFTER}s"}) as one:
        yield one


@asynccontextmanager
async def two_releases(outside: World, folder: Path, *, rate: int) -> AsyncIterator[dict[str, Release]]:
    """List two good releases of the film and nothing else, each with a seeder of its own; *rate* in bytes per second.

    They play from 300,000 on, or one loses the race.
    """
    others, outside.prowlarr.offers = outside.prowlarr.offers, []
    releases = {}
    try:
        for name in NAMES:
            line = f"{name} in {folder}\n".encode()
            content = line * (SIZE // len(line))
            (folder / f"{name}.mkv").write_bytes(content)
            torrent = make_torrent(f"{name}.mkv", [f"{name}.mkv"], folder)
            seeder = Seeder(upload_rate=rate)
            await seeder.start()
            releases[name] = Release(name, content, seeder)
            seeder.add(torrent, folder, outside.tracker.url)
            await outside.tracker.has_peers([torrent.infohash], within=timedelta(seconds=60))
            outside.prowlarr.add(name, torrent, [Listing(TRACKED, 30, 1, categories=MOVIES)])
        yield releases
    finally:
        outside.prowlarr.offers = others
        for release in releases.values():
            if release.seeder.is_running:
                await release.seeder.stop()


async def test_when_the_swarm_dies_at_a_third_the_next_candidate_plays_on_at_the_same_position(
    vod: System, outside: World, tmp_path: Path
) -> None:
    caps = {"h264": True, "maxBitrate": 70_000_001}
    async with two_releases(outside, tmp_path, rate=1_000_000) as releases, vod.client() as viewer:
        before = (await metrics(vod))["fallback_switch_total"]
        started = await start(viewer, FILM, 1, 1, deviceCaps=caps)
        dying = releases.pop(started["pick"]["title"])
        [other] = releases.values()
        got = bytearray()
        async with viewer.stream("GET", started["streamUrl"]) as answer:
            chunks = answer.aiter_raw()
            while len(got) < SIZE * 0.3:
                got += await anext(chunks)
            await dying.seeder.stop()
            died = time.monotonic()
            reading = asyncio.create_task(_drain(chunks, got))
            told: dict[str, Any] = {}

            async def why_not_told() -> str | None:
                told.update(await beat(viewer, started["sessionId"], 31.5, playingPickId=started["pick"]["id"]))
                return None if "streamUrl" in told else "nothing is said of another source"

            await eventually(why_not_told, within=WITHIN)
            reading.cancel()
            await asyncio.wait([reading])
        assert dying.content.startswith(bytes(got))
        # A player goes on at the position in time; the files are of one size, so the byte stands for it.
        rest = await viewer.get(told["streamUrl"], headers={"Range": f"bytes={len(got)}-{len(got) + 99_999}"})
        took = time.monotonic() - died

        assert (rest.status_code, rest.content) == (206, other.content[len(got) : len(got) + 100_000])
        assert (told["pick"]["title"], told["position_s"]) == (other.name, 31.5)

        async def why_not_counted() -> str | None:
            # It is counted a moment after it was told.
            count = (await metrics(vod))["fallback_switch_total"] - before
            return None if count == 1 else f"{count} switches"

        await eventually(why_not_counted, within=30)
        again = await beat(viewer, started["sessionId"], 31.5, playingPickId=told["pick"]["id"])
        assert "streamUrl" not in again
        print(f"fallback: {took:.1f} s after the swarm died, with VOD_STALL_AFTER = {STALL_AFTER:.0f} s")  # noqa: T201


async def _drain(chunks: AsyncIterator[bytes], got: bytearray) -> None:
    async for chunk in chunks:
        got += chunk


async def test_a_viewer_who_has_got_no_byte_yet_never_learns_of_it(vod: System, outside: World, tmp_path: Path) -> None:
    caps = {"h264": True, "maxBitrate": 70_000_002}
    async with two_releases(outside, tmp_path, rate=600_000) as releases, vod.client(follow_redirects=True) as viewer:
        started = await start(viewer, FILM, 1, 1, deviceCaps=caps)
        await releases.pop(started["pick"]["title"]).seeder.stop()
        [other] = releases.values()

        answer = await viewer.get(started["streamUrl"], headers={"Range": f"bytes={LATE}-{LATE + 99_999}"})
        later = await viewer.get(started["streamUrl"], headers={"Range": f"bytes={LATE}-{LATE + 99}"})

    assert (answer.status_code, answer.content) == (206, other.content[LATE : LATE + 100_000])
    assert [one.status_code for one in answer.history] == [307]
    assert later.content == other.content[LATE : LATE + 100]


SEED_METRICS = (
    "search_latency_ms_count",
    "score_latency_ms_count",
    "start_to_first_byte_ms_count",
    "buffer_events_total",
    "fallback_switch_total",
    "prefetch_hit_ratio",
    "resume_success_total",
)
SEED_FIELDS = {
    *("session_id", "subject_id", "series_id", "season", "episode", "pick_id", "infohash", "file_index"),
    *("score", "reason", "buffering_ms", "fallback_used"),
}


def logged(vod: System) -> list[dict[str, Any]]:
    """Return all log lines that are events."""
    lines = [line for log in (vod.data / "logs").glob("*.log*") for line in log.read_text().splitlines()]
    return [json.loads(line) for line in lines if line.startswith('{"')]


async def test_every_metric_of_the_manual_moves_and_every_log_field_is_there(
    vod: System, outside: World, tmp_path: Path
) -> None:
    before = await metrics(vod)
    async with two_releases(outside, tmp_path, rate=600_000) as releases, vod.client(follow_redirects=True) as viewer:
        dying = await start(viewer, FILM, 1, 1, deviceCaps={"h264": True, "maxBitrate": 70_000_003})
        await releases[dying["pick"]["title"]].seeder.stop()
        await viewer.get(dying["streamUrl"], headers={"Range": f"bytes={LATE}-{LATE + 99}"})
    async with vod.client() as viewer:
        first = await start(viewer, HARBOR, 1, 1)
        await next_is_ready(viewer, first["sessionId"])
        await start(viewer, HARBOR, 1, 2)
        await start(viewer, HARBOR, 1, 1)

    async def why_not_moved() -> str | None:
        """Some are counted by who hears of it, a moment after it happened."""
        after = await metrics(vod)
        still = [name for name in SEED_METRICS if after.get(name, 0.0) <= 0]
        still += [name for name in SEED_METRICS[:5] if after.get(name, 0.0) <= before.get(name, 0.0)]
        return f"did not move: {still}" if still else None

    await eventually(why_not_moved, within=30)
    events = logged(vod)
    [fell_back] = [
        one for one in events if one["event"] == "session_fell_back" and one["session_id"] == dying["sessionId"]
    ]
    assert set() == SEED_FIELDS - set(fell_back)
    assert (fell_back["fallback_used"], len(fell_back["infohash"])) == (True, 12)
    assert fell_back["buffering_ms"] >= STALL_AFTER * 1000
    started = next(one for one in events if one["event"] == "session_started")
    assert set() == SEED_FIELDS - {"buffering_ms"} - set(started)
    assert started["reason"]

"""What the API itself costs in direct play: `python tests/bench/direct_api.py`.

The torrent is known and its file complete, so that nothing waits for the swarm: what is measured is the way from the
gateway through playback and its database to the stream node and back, and the same call at the stream node alone.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from allinone import system

from vod_fakes.media import Profile
from vod_fakes.world import world

FILM = "The.Glass.Orchard.2023.720p.WEB-DL.H264-TIDE"
ROUNDS = 60


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="vod-direct-") as folder:
        async with world(Path(folder), profile=Profile.TINY) as outside, system(outside) as vod, vod.client() as client:
            body = {"magnet": outside.magnet(FILM), "fileIndex": 0}
            started = await client.post("/v1/session/start", json=body, headers=vod.admin)
            await client.get(started.json()["streamUrl"])
            times, empty = [], []
            for _ in range(ROUNDS):
                before = time.perf_counter()
                (await client.post("/v1/session/start", json=body, headers=vod.admin)).raise_for_status()
                times.append(time.perf_counter() - before)
                before = time.perf_counter()
                await client.get("/v1/version")
                empty.append(time.perf_counter() - before)
            for what, found in (("direct start", times), ("empty request", empty)):
                ms = sorted(1000 * one for one in found)
                middle, late = statistics.median(ms), ms[len(ms) * 9 // 10]
                sys.stdout.write(f"{what:<14} median {middle:6.1f} ms, best {ms[0]:6.1f}, p90 {late:6.1f}\n")


if __name__ == "__main__":
    asyncio.run(main())

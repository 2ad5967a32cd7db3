"""Three releases of one film whose swarms differ: one is dead, one slow, one good."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from vod_fakes.releases import TRACKED
from vod_fakes.seeder import Seeder
from vod_fakes.shapes import Listing
from vod_fakes.torrents import Torrent, make_torrent
from vod_fakes.world import World

FILM = "tmdb:movie:9101"
DEAD, SLOW, GOOD = (f"The.Glass.Orchard.2023.1080p.WEB-DL.H264-{group}" for group in ("SIREN", "MIRE", "GULL"))
CLAIMED = {DEAD: 900, SLOW: 200, GOOD: 12}
MOVIES = (2000, 2040)
SLOW_RATE = 20_000
SIZE = 12_000_000


@asynccontextmanager
async def contenders(outside: World, folder: Path, claimed: Mapping[str, int]) -> AsyncIterator[None]:
    """List only these releases, with so many seeders each, until the context is left. *folder* is a new one."""
    torrents = {name: _torrent(name, folder) for name in claimed}
    slow, good = Seeder(upload_rate=SLOW_RATE), Seeder()
    others, outside.prowlarr.offers = outside.prowlarr.offers, []
    await slow.start()
    await good.start()
    try:
        for name, seeder in ((SLOW, slow), (GOOD, good)):
            if name in torrents:
                seeder.add(torrents[name], folder, outside.tracker.url)
                await outside.tracker.has_peers([torrents[name].infohash], within=timedelta(seconds=60))
        for name, seeders in claimed.items():
            outside.prowlarr.add(name, torrents[name], [Listing(TRACKED, seeders, 1, categories=MOVIES)])
        yield
    finally:
        outside.prowlarr.offers = others
        await slow.stop()
        await good.stop()


def _torrent(name: str, folder: Path) -> Torrent:
    """Make a torrent whose one file is no video, but has the size of one; no two folders give the same."""
    line = f"{name} in {folder}\n".encode()
    (folder / f"{name}.mkv").write_bytes(line * (SIZE // len(line)))
    return make_torrent(f"{name}.mkv", [f"{name}.mkv"], folder)

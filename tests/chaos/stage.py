"""What is watched while things break: releases that take a while to watch, one per test, so that each starts cold."""

import asyncio
import random

from viewer import Viewer

from vod_fakes.releases import TRACKED
from vod_fakes.shapes import Listing
from vod_fakes.world import World

MEGABYTES = 20
FILM, HARBOR, ANIME = "tmdb:movie:9101", "tmdb:tv:9001", "mal:anime:9201"
_TV, _ANIME, _FILMS = (5000, 5040), (5000, 5070), (2000, 2040)

RELEASES = {
    "The.Glass.Orchard.2023.1080p.WEB-DL.H264-GULL": _FILMS,
    **{f"Harbor.Lights.S01E{number:02d}.1080p.WEB-DL.H264-GULL": _TV for number in range(1, 5)},
    # Two of one episode: when the one dies, the other is there.
    "[Heron] Lantern Sea - 06 (1080p) [WEB x264].mkv": _ANIME,
    **{f"[Gull] Lantern Sea - {number:02d} (1080p) [WEB x264].mkv": _ANIME for number in range(1, 7)},
}
SIZES: dict[str, int] = {}
"""By release: how long its file is."""


def content(outside: World, name: str) -> bytes:
    """Return the file of a release."""
    return outside.file(name, _file(name)).read_bytes()


async def to_the_end(viewer: Viewer, outside: World) -> None:
    """Let the viewer read the rest at once: sockets on the way may hold megabytes of a node that is gone."""
    outside.seeder.limit_upload(0)
    await viewer.to_the_end(within=60)


def _file(name: str) -> str:
    return name if name.endswith(".mkv") else f"{name}.mkv"


async def set_the_stage(outside: World) -> None:
    """Seed and list our releases, and nothing else."""
    outside.prowlarr.offers = []
    for number, (name, categories) in enumerate(RELEASES.items()):
        await seed(outside, name, categories, claimed=40, noise=number)


async def seed(outside: World, name: str, categories: tuple[int, ...], *, claimed: int, noise: int) -> str:
    """Seed a release of one file that is no video, but has the size of one; return its infohash."""
    path = outside.scratch / f"{noise}.noise"
    content = random.Random(noise).randbytes(MEGABYTES * 1_000_000)
    await asyncio.to_thread(path.write_bytes, content)
    SIZES[name] = len(content)
    listings = [Listing(TRACKED, claimed, 2, categories=categories)]
    torrent = await outside.add_release(name, {_file(name): path}, listings=listings)
    return torrent.infohash

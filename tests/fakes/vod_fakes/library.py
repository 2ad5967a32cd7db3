"""The demo library: every title, release, file and subtitle of the made-up world.

This is the one source of truth: the media maker, the seeder and every HTTP fake read `LIBRARY`, and tests compare
with it. Nothing here does any work; see `media.py` for the video files and `world.py` for the servers.
"""

from __future__ import annotations

from vod_fakes.lines import SUBTITLES
from vod_fakes.releases import CAM, OPEN_SHELF, RELEASES, SEASON_PACK, TRACKED, WRONG_SHOW
from vod_fakes.shapes import Library
from vod_fakes.titles import GLASS_ORCHARD, HARBOR_LIGHT, HARBOR_LIGHTS, LANTERN_SEA, LANTERN_SEA_2

__all__ = [
    "CAM",
    "GLASS_ORCHARD",
    "HARBOR_LIGHT",
    "HARBOR_LIGHTS",
    "LANTERN_SEA",
    "LANTERN_SEA_2",
    "LIBRARY",
    "OPEN_SHELF",
    "SEASON_PACK",
    "TRACKED",
    "WRONG_SHOW",
]

LIBRARY = Library(
    series=(HARBOR_LIGHTS, HARBOR_LIGHT),
    films=(GLASS_ORCHARD,),
    anime=(LANTERN_SEA, LANTERN_SEA_2),
    releases=RELEASES,
    subtitles=SUBTITLES,
)

"""The demo library: every title, release, file and subtitle of the made-up world.

This is the one source of truth: the media maker, the seeder and every HTTP fake read `LIBRARY`, and tests compare
with it. Nothing here does any work; see `media.py` for the video files and `world.py` for the servers.
"""

from __future__ import annotations

from vod_fakes.aniskip import Mark
from vod_fakes.lines import SUBTITLES
from vod_fakes.mapping import Row
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
    "MAPPING_ROWS",
    "MARKS",
    "OPEN_SHELF",
    "SEASON_PACK",
    "TRACKED",
    "WRONG_SHOW",
]

# On files of a minute, as the library's are.
MARKS = (
    Mark(9201, 3, "op", 6.0, 16.0, 60.0),
    Mark(9202, 1, "op", 6.0, 16.0, 60.0),
    Mark(9202, 1, "ed", 40.0, 52.0, 60.0),
)

# No anime of the library is at TMDb; the row is there so that the files are not empty.
MAPPING_ROWS = (Row(99201, "9201"), Row(99202, "9202"))

LIBRARY = Library(
    series=(HARBOR_LIGHTS, HARBOR_LIGHT),
    films=(GLASS_ORCHARD,),
    anime=(LANTERN_SEA, LANTERN_SEA_2),
    releases=RELEASES,
    subtitles=SUBTITLES,
)

"""The releases of the demo library: what is in the swarm and how the indexers list it."""

from __future__ import annotations

from vod_fakes.lines import LANTERN_LINES
from vod_fakes.shapes import Anime, Clip, Container, Listing, Release, Role
from vod_fakes.titles import HARBOR_LIGHTS, LANTERN_SEA, LANTERN_SEA_2

TRACKED, OPEN_SHELF = 1, 2
"""Indexer ids. The second one prints `seeders: 1` for everything, as half of the public ones do."""

_TV, _ANIME, _FILM = (5000, 5040), (5000, 5070), (2000, 2040)
_NOT_COUNTED = 1


def _semitone(n: int) -> int:
    return round(220 * 2 ** (n / 12))


def _episode(number: int, path: str, *, seconds: int, megabytes: float, height: int, container: Container) -> Clip:
    episode = HARBOR_LIGHTS.season(1)[number - 1]
    return Clip(
        path=path,
        headline=HARBOR_LIGHTS.name,
        caption=f"S01E{number:02d}  {episode.name}",
        seconds=seconds,
        megabytes=megabytes,
        height=height,
        tone_hz=_semitone(2 * number),
        container=container,
        season=1,
        episode=number,
    )


def _in_pack(position: int, number: int, seconds: int, megabytes: float) -> Clip:
    name = HARBOR_LIGHTS.season(1)[number - 1].name.replace(" ", ".")
    path = f"{position:02d}.Harbor.Lights.S01E{number:02d}.{name}.1080p.WEB-DL.H264-NOVA.mkv"
    return _episode(number, path, seconds=seconds, megabytes=megabytes, height=1080, container=Container.MKV)


_EXTRA = Clip(
    path="Extras/Harbor.Lights.Behind.the.Lamp.1080p.mkv",
    headline="Harbor Lights",
    caption="Extra  Behind the Lamp",
    seconds=44,
    megabytes=17.0,
    height=1080,
    tone_hz=_semitone(20),
    role=Role.EXTRA,
)
_SAMPLE = Clip(
    path="Sample/sample-harbor.lights.s01e01.1080p.web-dl.h264-nova.mkv",
    headline="Harbor Lights",
    caption="Sample",
    seconds=6,
    megabytes=1.0,
    height=1080,
    tone_hz=_semitone(21),
    role=Role.SAMPLE,
    season=1,
    episode=1,
)

# Nothing about the order, the numbers in front of the names or the sizes tells which file is which episode; only
# the S01Exx in the name does. The biggest file is an extra, and a sample says S01E01 too.
SEASON_PACK = Release(
    name="Harbor.Lights.S01.1080p.WEB-DL.H264-NOVA",
    clips=(
        _in_pack(1, 3, seconds=46, megabytes=8.6),
        _EXTRA,
        _in_pack(2, 1, seconds=52, megabytes=9.8),
        _SAMPLE,
        _in_pack(3, 4, seconds=42, megabytes=12.0),
        _in_pack(4, 2, seconds=48, megabytes=8.0),
    ),
    listings=(Listing(TRACKED, 48, 4), Listing(OPEN_SHELF, _NOT_COUNTED, _NOT_COUNTED, hours_old=70.0)),
)


def _single(number: int, seconds: int, container: Container) -> Release:
    name = f"Harbor.Lights.S01E{number:02d}.720p.WEB-DL.H264-TIDE"
    suffix = "mkv" if container is Container.MKV else "mp4"
    clip = _episode(number, f"{name}.{suffix}", seconds=seconds, megabytes=4.4, height=720, container=container)
    return Release(name=name, clips=(clip,), listings=(Listing(TRACKED, 21 - number, 2, hours_old=80.0),))


_SINGLES = (
    _single(1, 52, Container.MKV),
    _single(2, 48, Container.MP4_FASTSTART),
    _single(3, 46, Container.MP4),
    _single(4, 42, Container.MKV),
)

CAM = Release(
    name="Harbor.Lights.S01E01.1080p.CAM.x264-ROCK",
    clips=(
        Clip(
            path="Harbor.Lights.S01E01.1080p.CAM.x264-ROCK.mkv",
            headline="Harbor Lights",
            caption="S01E01  filmed off a screen",
            seconds=40,
            megabytes=8.0,
            height=1080,
            tone_hz=_semitone(22),
            season=1,
            episode=1,
        ),
    ),
    listings=(Listing(TRACKED, 912, 40, hours_old=90.0),),
)

WRONG_SHOW = Release(
    name="Harbor.Light.S01E01.1080p.WEB-DL.H264-OTHER",
    clips=(
        Clip(
            path="Harbor.Light.S01E01.1080p.WEB-DL.H264-OTHER.mkv",
            headline="Harbor Light",
            caption="S01E01  not the same show",
            seconds=40,
            megabytes=9.0,
            height=1080,
            tone_hz=_semitone(23),
            season=1,
            episode=1,
        ),
    ),
    listings=(Listing(TRACKED, 310, 12, hours_old=100.0), Listing(OPEN_SHELF, _NOT_COUNTED, _NOT_COUNTED)),
)


def _anime(entry: Anime, number: int, absolute: int) -> Release:
    name = f"[Tomoshibi] Lantern Sea - {absolute:02d} (1080p) [WEB x264].mkv"
    clip = Clip(
        path=name,
        headline="Lantern Sea",
        caption=f"Episode {absolute}  {entry.episodes[number - 1].name}",
        seconds=41 + absolute,
        megabytes=8.0,
        height=1080,
        tone_hz=_semitone(12 + absolute),
        season=1 if entry is LANTERN_SEA else 2,
        episode=number,
        lines=LANTERN_LINES,
    )
    listings = [Listing(TRACKED, 36 - absolute, 3, hours_old=60.0, categories=_ANIME)]
    if absolute % 2:
        listings.append(Listing(OPEN_SHELF, _NOT_COUNTED, _NOT_COUNTED, hours_old=59.0, categories=_ANIME))
    return Release(name=name, clips=(clip,), listings=tuple(listings))


_ANIME_RELEASES = (
    *(_anime(LANTERN_SEA, n, n) for n in (1, 2, 3)),
    *(_anime(LANTERN_SEA_2, n, n + 3) for n in (1, 2, 3)),
)


def _film(
    name: str, *, height: int, seconds: int, megabytes: float, container: Container, listings: list[Listing]
) -> Release:
    clip = Clip(
        path=f"{name}.{'mkv' if container is Container.MKV else 'mp4'}",
        headline="The Glass Orchard",
        caption=f"2023  {height}p",
        seconds=seconds,
        megabytes=megabytes,
        height=height,
        tone_hz=_semitone(11),
        container=container,
        season=1,
        episode=1,
    )
    return Release(name=name, clips=(clip,), listings=tuple(listings))


_FILM_RELEASES = (
    _film(
        "The.Glass.Orchard.2023.1080p.WEB-DL.H264-NOVA",
        height=1080,
        seconds=60,
        megabytes=12.0,
        container=Container.MKV,
        listings=[Listing(TRACKED, 40, 6, categories=_FILM), Listing(OPEN_SHELF, 1, 1, categories=_FILM)],
    ),
    _film(
        "The.Glass.Orchard.2023.720p.WEB-DL.H264-TIDE",
        height=720,
        seconds=60,
        megabytes=6.0,
        container=Container.MP4,
        listings=[Listing(TRACKED, 22, 2, hours_old=96.0, categories=_FILM)],
    ),
)

RELEASES: tuple[Release, ...] = (SEASON_PACK, *_SINGLES, CAM, WRONG_SHOW, *_ANIME_RELEASES, *_FILM_RELEASES)

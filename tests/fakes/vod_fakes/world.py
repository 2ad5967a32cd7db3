"""The whole outside world on loopback: catalogs, indexers, subtitles, a tracker, and a seeder with real files."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from urllib.parse import urlsplit

from vod_fakes.aniskip import AniSkip
from vod_fakes.archive import InternetArchive, Item, with_torrent
from vod_fakes.jikan import Jikan
from vod_fakes.library import LIBRARY, MAPPING_ROWS, MARKS
from vod_fakes.mapping import MappingFiles
from vod_fakes.media import Profile, Progress, ignore_progress, location, make_media
from vod_fakes.moviehash import moviehash
from vod_fakes.opensubtitles import OpenSubtitles
from vod_fakes.prowlarr import Prowlarr
from vod_fakes.releases import TRACKED
from vod_fakes.seeder import UNLIMITED, Seeder
from vod_fakes.serving import Site, bind, http_servers
from vod_fakes.shapes import Library, Listing, Release, Role
from vod_fakes.tmdb import Tmdb
from vod_fakes.torrents import Torrent, load_torrent, make_torrent, save_torrent
from vod_fakes.tracker import Tracker

# Always the same, so that what a service has stored is still good after the world was started again. They open
# nothing but these fakes.
TMDB_KEY = "0000000000000000000000000000d301"
PROWLARR_KEY = "0000000000000000000000000000d302"
OPENSUBTITLES_KEY = "0000000000000000000000000000d303"

_ANNOUNCED_WITHIN = timedelta(seconds=60)
_DEFAULT_LISTINGS = (Listing(TRACKED, 30, 2),)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens on loopback; 0 takes a free port."""

    tmdb: int = 0
    jikan: int = 0
    prowlarr: int = 0
    opensubtitles: int = 0
    tracker: int = 0
    seeder: int = 0
    archive: int = 0
    aniskip: int = 0
    mapping: int = 0


def ports_from(first: int) -> Ports:
    """Nine ports in a row."""
    return Ports(*range(first, first + 9))


@dataclass(slots=True)
class World:
    """Everything that runs. Each fake has `.url`, `.control` and, where there is one, `.key`."""

    scratch: Path
    """Where the files of added releases lie until the world ends."""
    media: Path
    """The video files of the library; see `file`."""
    tmdb: Tmdb
    jikan: Jikan
    prowlarr: Prowlarr
    opensubtitles: OpenSubtitles
    tracker: Tracker
    seeder: Seeder
    archive: InternetArchive
    aniskip: AniSkip
    mapping: MappingFiles
    library: Library = LIBRARY
    torrents: dict[str, Torrent] = field(default_factory=dict)
    """By release name."""
    _sources: dict[str, Path] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The settings that make services use this world."""
        return {
            "VOD_TMDB_BASE": self.tmdb.url,
            "TMDB_KEY": self.tmdb.key,
            "VOD_JIKAN_BASE": self.jikan.url,
            # This one has no MyAnimeList behind it that would have to be spared.
            "VOD_JIKAN_RATE": "50",
            "PROWLARR_URL": self.prowlarr.url,
            "PROWLARR_KEY": self.prowlarr.key,
            "VOD_OS_BASE": self.opensubtitles.url,
            "OS_KEY": self.opensubtitles.key,
            "VOD_ALLOW_PRIVATE_PEERS": "1",
            "VOD_IA_BASE": self.archive.url,
            "VOD_IA_ITEMS": ",".join(item.identifier for item in self.archive.items),
            "VOD_ANISKIP_BASE": self.aniskip.url,
            "VOD_ANIME_LISTS_URL": f"{self.mapping.url}/lists.xml",
            "VOD_ANIME_IDS_URL": f"{self.mapping.url}/ids.json",
            "VOD_SOURCES_PRIVATE_HOSTS": urlsplit(self.archive.url).netloc,
        }

    @property
    def ports(self) -> Ports:
        """The ports that are really used."""
        fakes = {name: getattr(self, name) for name in Ports.__dataclass_fields__ if name != "seeder"}
        return Ports(**{name: urlsplit(fake.url).port or 0 for name, fake in fakes.items()}, seeder=self.seeder.port)

    def file(self, release: str, path: str) -> Path:
        """The seeded file at this place in a torrent, as `Torrent.files` names it."""
        return self._sources[release] / path

    def episode_file(self, release: str, season: int, episode: int) -> Path:
        """The seeded file of the library that really is this episode."""
        found = self.library.release(release)
        return self.media / location(found, found.clip(season, episode))

    def magnet(self, release: str) -> str:
        """The magnet of a release, with our tracker."""
        return self.torrents[release].magnet(self.tracker.url)

    async def add_release(
        self, name: str, files: Mapping[str, Path], *, listings: Sequence[Listing] = _DEFAULT_LISTINGS
    ) -> Torrent:
        """Seed files as a new torrent, in the order given, and list it at the indexers.

        `files` maps the path inside the torrent's folder to a file on disk; one file makes a single-file torrent.
        Returns when the tracker knows the seeder.
        """
        root = self.scratch / str(len(self._sources))
        paths = list(files) if len(files) == 1 else [f"{name}/{path}" for path in files]
        await asyncio.to_thread(_gather, root, dict(zip(paths, files.values(), strict=True)))
        torrent = await asyncio.to_thread(make_torrent, paths[0].split("/")[0], paths, root)
        await self._seed(name, torrent, root)
        self.prowlarr.add(name, torrent, listings)
        return torrent

    def remove_release(self, name: str) -> None:
        """Take a release off the indexers and out of the swarm; its files stay."""
        self.prowlarr.remove(name)
        self.seeder.remove(self.torrents.pop(name).infohash)

    async def _seed(self, name: str, torrent: Torrent, root: Path) -> None:
        self.torrents[name] = torrent
        self._sources[name] = root
        self.seeder.add(torrent, root, self.tracker.url)
        await self._announced([torrent])

    async def _announced(self, torrents: Sequence[Torrent]) -> None:
        if not self.seeder.is_running:
            return
        await self.tracker.has_peers((torrent.infohash for torrent in torrents), within=_ANNOUNCED_WITHIN)

    async def seed_library(self) -> None:
        """Put the library's releases into the swarm and onto the indexers."""
        for release in self.library.releases:
            torrent = await asyncio.to_thread(_library_torrent, release, self.media)
            self.torrents[release.name] = torrent
            self._sources[release.name] = self.media
            self.seeder.add(torrent, self.media, self.tracker.url)
            self.prowlarr.add(release.name, torrent, release.listings)
        await self._announced(list(self.torrents.values()))


@asynccontextmanager
async def world(
    folder: Path,
    *,
    profile: Profile = Profile.FULL,
    upload_rate: int = UNLIMITED,
    ports: Ports | None = None,
    progress: Callable[[Progress], None] = ignore_progress,
) -> AsyncIterator[World]:
    """Run the world until the block ends. `folder` keeps the media for the next time; share it between tests.

    `upload_rate` is in bytes per second for the seeder as a whole. OSError if one of the given ports is taken.
    """
    media = await make_media(folder, profile=profile, progress=progress)
    hashes = await asyncio.to_thread(_moviehashes, media)
    wanted = ports or Ports()
    async with AsyncExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="added-", dir=folder)))
        running = World(
            scratch=scratch,
            media=media,
            tmdb=Tmdb(LIBRARY, TMDB_KEY),
            jikan=Jikan(LIBRARY),
            prowlarr=Prowlarr(PROWLARR_KEY),
            opensubtitles=OpenSubtitles(LIBRARY, OPENSUBTITLES_KEY, hashes=hashes),
            tracker=Tracker(),
            seeder=Seeder(port=wanted.seeder, upload_rate=upload_rate),
            archive=await asyncio.to_thread(_archive, media, scratch),
            aniskip=AniSkip(MARKS),
            mapping=MappingFiles(MAPPING_ROWS),
        )
        await stack.enter_async_context(http_servers(_open_sites(running, wanted)))
        await running.seeder.start()
        stack.push_async_callback(running.seeder.stop)
        await running.seed_library()
        yield running


def shared_folder() -> Path:
    """Where all test suites of this user keep the made media: `VOD_FAKES_DIR`, or a folder for temporary files."""
    return Path(os.environ.get("VOD_FAKES_DIR") or Path(gettempdir()) / f"vod-fakes-{os.getuid()}")


def _open_sites(w: World, ports: Ports) -> list[Site]:
    """Take the ports and tell every fake its URL; OSError if one is taken."""
    tmdb = Site(w.tmdb.app(), w.tmdb.control, bind(ports.tmdb))
    jikan = Site(w.jikan.app(), w.jikan.control, bind(ports.jikan))
    prowlarr = Site(w.prowlarr.app(), w.prowlarr.control, bind(ports.prowlarr))
    subtitles = Site(w.opensubtitles.app(), w.opensubtitles.control, bind(ports.opensubtitles))
    tracker = Site(w.tracker.app(), w.tracker.control, bind(ports.tracker))
    archive = Site(w.archive.app(), w.archive.control, bind(ports.archive))
    aniskip = Site(w.aniskip.app(), w.aniskip.control, bind(ports.aniskip))
    mapping = Site(w.mapping.app(), w.mapping.control, bind(ports.mapping))
    w.archive.url, w.aniskip.url, w.mapping.url = archive.url, f"{aniskip.url}/v2", mapping.url
    w.tmdb.url = f"{tmdb.url}/3"
    w.jikan.url = f"{jikan.url}/v4"
    w.prowlarr.url = prowlarr.url
    w.opensubtitles.url = f"{subtitles.url}/api/v1"
    w.tracker.url = w.prowlarr.tracker_url = f"{tracker.url}/announce"
    return [tmdb, jikan, prowlarr, subtitles, tracker, archive, aniskip, mapping]


def _archive(media: Path, scratch: Path) -> InternetArchive:
    """The Archive with two open films, their bytes those of a film of the library; one has only its torrent left."""
    release = next(one for one in LIBRARY.releases for clip in one.clips if clip.path.endswith(".mp4"))
    film = media / location(release, next(clip for clip in release.clips if clip.path.endswith(".mp4")))
    boats = Item("paper_boats_test", "Paper Boats", films={"paper_boats.mp4": film})
    rockets = Item("tin_rockets_test", "Tin Rockets", year="2012", films={"tin_rockets.mp4": film})
    return InternetArchive((boats, with_torrent(rockets, scratch)), broken={"tin_rockets_test"})


def _library_torrent(release: Release, media: Path) -> Torrent:
    """Load the release's .torrent, or make it the first time."""
    paths = [location(release, clip) for clip in release.clips]
    metainfo = media / "torrents" / f"{release.name}.torrent"
    if metainfo.exists():
        return load_torrent(metainfo)
    torrent = make_torrent(paths[0].split("/")[0], paths, media)
    metainfo.parent.mkdir(exist_ok=True)
    save_torrent(torrent, metainfo)
    return torrent


def _moviehashes(media: Path) -> dict[str, tuple[int, int, int]]:
    series = {s.name: s.tmdb_id for s in LIBRARY.series}
    films = {f.name: f.tmdb_id for f in LIBRARY.films}
    owners: dict[str, tuple[int, int, int]] = {}
    for release in LIBRARY.releases:
        for clip in release.clips:
            if clip.role is not Role.MAIN:
                continue
            digest = moviehash(media / location(release, clip))
            if clip.headline in series:
                owners[digest] = (series[clip.headline], clip.season, clip.episode)
            elif clip.headline in films:
                owners[digest] = (films[clip.headline], 0, 0)
    return owners


def _gather(root: Path, files: Mapping[str, Path]) -> None:
    """Lay files out as a torrent wants them; links where the disk allows it."""
    for path, source in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.hardlink_to(source)
        except OSError:
            shutil.copyfile(source, target)

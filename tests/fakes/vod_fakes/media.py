"""Makes the video files of the demo library in child processes, once, and remembers them in a folder.

The folder's name carries a digest of all that shapes the files, so a changed library is made anew and an unchanged
one is found at once. Files appear complete or not at all; two processes that make the same folder do no harm.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path

from vod_fakes.library import LIBRARY
from vod_fakes.shapes import Clip, Release

FPS = 10
_RECIPE = 2
"""Raise it when the encoder writes other bytes for the same clip."""
_LIMIT = timedelta(minutes=5)


class Profile(Enum):
    """How much is made."""

    FULL = "full"
    TINY = "tiny"
    """For tests: the same names, pictures and sounds in a fifth of the time and half of the bytes.

    Not less, or a 1080p file would be so small for its runtime of a minute that a scorer calls it a fraud.
    """


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the making is; `name` is the file that was finished last."""

    done: int
    total: int
    name: str


class MediaError(Exception):
    """A child process that makes video files ended too early; its own words are on stderr."""


def seconds_of(clip: Clip, profile: Profile) -> int:
    """The length of a clip in this profile."""
    return clip.seconds if profile is Profile.FULL else max(4, clip.seconds // 5)


def bytes_wanted(clip: Clip, profile: Profile) -> int:
    """About how big the file is to be in this profile."""
    return int(clip.megabytes * (1_000_000 if profile is Profile.FULL else 500_000))


def location(release: Release, clip: Clip) -> str:
    """Where a clip lies below the media folder, which is also its path inside the torrent."""
    return f"{release.name}/{clip.path}" if release.is_folder else clip.path


def media_folder(folder: Path, profile: Profile) -> Path:
    """Where the files of this profile and this version of the library are kept."""
    shape = repr((_RECIPE, FPS, [(r.name, r.clips) for r in LIBRARY.releases]))
    return folder / f"{profile.value}-{hashlib.sha256(shape.encode()).hexdigest()[:12]}"


def ignore_progress(_: Progress) -> None:
    """Tell nobody."""


async def make_media(
    folder: Path, *, profile: Profile = Profile.FULL, progress: Callable[[Progress], None] = ignore_progress
) -> Path:
    """Make what is missing, on up to two cores, and return the folder that holds the files.

    Takes about 20 s (full) or 5 s (tiny) on two cores, and no time when all is there. Raises MediaError.
    """
    root = media_folder(folder, profile)
    await asyncio.to_thread(_prepare, root)
    wanted = [(release, clip) for release in LIBRARY.releases for clip in release.clips]
    missing = [(r, c) for r, c in wanted if not (root / location(r, c)).exists()]
    # the longest first, so that no worker is left alone with a long one at the end
    missing.sort(key=lambda pair: pair[1].seconds * pair[1].height ** 2)
    done = len(wanted) - len(missing)

    def finished(name: str) -> None:
        nonlocal done
        done += 1
        progress(Progress(done, len(wanted), name))

    workers = min(2, os.cpu_count() or 1, len(missing))
    async with asyncio.timeout(_LIMIT.total_seconds()), asyncio.TaskGroup() as tasks:
        for _ in range(workers):
            tasks.create_task(_work(root, profile, missing, finished))
    return root


def unfinished(target: Path) -> Path:
    """Where this process writes a file before it has its name."""
    return target.with_name(f".{os.getpid()}.{target.name}")


def _prepare(root: Path) -> None:
    """Make the folder, and remove what killed processes left behind."""
    root.mkdir(parents=True, exist_ok=True)
    for leftover in root.rglob(".*"):
        pid = leftover.name.split(".")[1]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            leftover.unlink(missing_ok=True)


async def _work(
    root: Path, profile: Profile, missing: list[tuple[Release, Clip]], finished: Callable[[str], None]
) -> None:
    arguments = ("-m", "vod_fakes.encoder", str(root), profile.value)
    child = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=PIPE, stdout=PIPE)
    try:
        while missing:
            release, clip = missing.pop()
            await _ask(child, f"{release.name}\t{clip.path}\n")
            finished(clip.path)
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def _ask(child: Process, line: str) -> None:
    if child.stdin is None or child.stdout is None:
        raise MediaError("The media worker has no pipes")
    child.stdin.write(line.encode())
    await child.stdin.drain()
    if await child.stdout.readline() != line.encode():
        raise MediaError(f"The media worker ended while it made {line.strip()!r}")

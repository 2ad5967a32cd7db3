"""A node's disk: one folder per torrent, named by its infohash alone.

    {VOD_DATA_DIR}/stream/{infohash}/resume     what libtorrent knows of it: metadata and which pieces are good
    {VOD_DATA_DIR}/stream/{infohash}/data/…     its files

No name out of a torrent decides where something is kept; below `data` libtorrent's cleaned names are used.
All methods but `check` block; they are called in threads.
"""

import asyncio
import os
import re
import shutil
import tempfile
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import libtorrent as lt

from vod_stream_node.domain import Infohash, PinKey
from vod_stream_node.metainfo import layout_of
from vod_stream_node.shedding import shed

_RESUME = "resume"
_FOLDER = r"[0-9a-f]{40}"


WHOLE = -1
"""Stands for a torrent of which it is not known what is in it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file on disk, or all of a torrent whose metadata is not known."""

    infohash: Infohash
    file_index: int
    """`WHOLE` for all."""
    size: int
    """Bytes it takes on disk; files are sparse."""
    used_at: datetime

    @property
    def key(self) -> PinKey:
        return PinKey(self.infohash, self.file_index)


class TorrentStore:
    """What is on disk of which torrent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def data_folder(self, infohash: Infohash) -> Path:
        """Return the folder in which libtorrent keeps a torrent's files."""
        return self._folder / infohash / "data"

    async def check(self) -> None:
        """Raise unless the disk can be written to (the node's health)."""
        await asyncio.to_thread(self._probe)

    def _probe(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self._folder) as file:
            file.write(b"alive")

    def prepare(self, infohash: Infohash) -> bytes | None:
        """Make the folder of a torrent, and return its resume data if there is any."""
        self.data_folder(infohash).mkdir(parents=True, exist_ok=True)
        return self.resume(infohash)

    def resume(self, infohash: Infohash) -> bytes | None:
        """Return the resume data of a torrent if there is any."""
        try:
            return (self._folder / infohash / _RESUME).read_bytes()
        except FileNotFoundError:
            return None

    def infohashes(self) -> list[Infohash]:
        """Return what is on disk, without looking into it."""
        if not self._folder.is_dir():
            return []
        return [Infohash(folder.name) for folder in self._folder.iterdir() if re.fullmatch(_FOLDER, folder.name)]

    def knows(self, infohash: Infohash) -> bool:
        """Say whether a torrent could be served without asking the swarm what is in it."""
        return (self._folder / infohash / _RESUME).exists()

    def save_resume(self, infohash: Infohash, resume: bytes) -> None:
        """Replace a torrent's resume data; a reader sees the old or the new, never a part."""
        folder = self._folder / infohash
        new = folder / f"{_RESUME}.new"
        new.write_bytes(resume)
        new.replace(folder / _RESUME)

    def touch(self, files: Mapping[Infohash, Iterable[str]]) -> None:
        """Note that files of torrents are used now."""
        for path in (self.data_folder(infohash) / file for infohash, paths in files.items() for file in paths):
            with suppress(OSError):  # nothing of it has come yet
                os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns), follow_symlinks=False)

    def delete(self, infohash: Infohash) -> None:
        """Remove all of a torrent from disk."""
        shutil.rmtree(self._folder / infohash, ignore_errors=True)

    def list_stored(self) -> list[Stored]:
        """Return every file on disk."""
        return [stored for infohash in self.infohashes() for stored in _stored(self._folder / infohash)]

    def shed(self, infohash: Infohash, indexes: Collection[int]) -> int:
        """Remove single files of a torrent; return how many of its pieces are left."""
        folder = self._folder / infohash
        return shed(folder / _RESUME, folder / "data", indexes)

    def free(self) -> int:
        """Return the bytes that the disk still takes."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._folder).free


def _stored(folder: Path) -> list[Stored]:
    infohash, resume = Infohash(folder.name), folder / _RESUME
    try:
        params = lt.read_resume_data(resume.read_bytes())
    except (OSError, RuntimeError):  # none yet, or damaged
        params = None
    if params is None or params.ti is None:
        used = datetime.fromtimestamp((resume if resume.exists() else folder).stat().st_mtime, UTC)
        return [_whole(infohash, folder, used_at=used)]
    found = []
    layout, have = layout_of(params.ti), params.have_pieces
    for file in layout.files:
        path = folder / "data" / file.path
        # A file that has only what its neighbours need as well has nothing to give.
        own = [piece for piece in layout.pieces(file) if layout.bytes_in(file, piece) == layout.piece_size(piece)]
        if any(have[piece : piece + 1] == [True] for piece in own) and (size := _taken(path)):
            used = datetime.fromtimestamp(max(path.stat().st_atime, path.stat().st_mtime), UTC)
            found.append(Stored(infohash, file.index, size=size, used_at=used))
    # Of nothing, or of what came since and could not be noted because the disk was full.
    return found or [_whole(infohash, folder, used_at=datetime.fromtimestamp(resume.stat().st_mtime, UTC))]


def _whole(infohash: Infohash, folder: Path, *, used_at: datetime) -> Stored:
    files = [Path(root) / name for root, _, names in os.walk(folder) for name in names]
    return Stored(infohash, WHOLE, size=sum(_taken(file) for file in files), used_at=used_at)


def _taken(path: Path) -> int:
    """Return what a file takes on disk: blocks, not its length. A file of which one piece is here is as long as all."""
    try:
        return path.lstat().st_blocks * 512
    except OSError:
        return 0

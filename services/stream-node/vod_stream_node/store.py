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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vod_stream_node.domain import Infohash

_RESUME = "resume"
_FOLDER = r"[0-9a-f]{40}"


@dataclass(frozen=True, slots=True)
class Stored:
    """A torrent on disk."""

    infohash: Infohash
    size: int
    """Bytes it takes on disk; files are sparse."""
    used_at: datetime


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

    def touch(self, infohash: Infohash) -> None:
        """Note that a torrent was used just now."""
        if self.knows(infohash):
            os.utime(self._folder / infohash / _RESUME)

    def delete(self, infohash: Infohash) -> None:
        """Remove all of a torrent from disk."""
        shutil.rmtree(self._folder / infohash, ignore_errors=True)

    def list_stored(self) -> list[Stored]:
        """Return every torrent on disk."""
        return [_stored(self._folder / infohash) for infohash in self.infohashes()]


def _stored(folder: Path) -> Stored:
    resume = folder / _RESUME
    used = (resume if resume.exists() else folder).stat().st_mtime
    # Blocks, not lengths: a file of which one piece is here is as long as the whole.
    size = sum((Path(root) / name).lstat().st_blocks * 512 for root, _, names in os.walk(folder) for name in names)
    return Stored(Infohash(folder.name), size=size, used_at=datetime.fromtimestamp(used, UTC))

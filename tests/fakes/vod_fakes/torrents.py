"""Makes .torrent files and magnets."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import libtorrent as lt

_KIB = 1024
_SMALL_PIECE, _BIG_PIECE = 64 * _KIB, 256 * _KIB
_BIG_TORRENT = 16 * 1024 * _KIB


@dataclass(frozen=True, slots=True)
class TorrentFile:
    """One file of a torrent; `path` starts with the torrent's name, `size` is in bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Torrent:
    """A torrent's metadata. `info` is the bencoded info dictionary, whose SHA-1 is the infohash (BEP 3)."""

    name: str
    info: bytes
    files: tuple[TorrentFile, ...]
    piece_length: int

    @property
    def infohash(self) -> str:
        """The v1 infohash, 40 lower case hex digits."""
        return hashlib.sha1(self.info, usedforsecurity=False).hexdigest()

    @property
    def size(self) -> int:
        """The size of all files in bytes."""
        return sum(file.size for file in self.files)

    def metainfo(self, tracker_url: str) -> bytes:
        """The content of a .torrent file that names this tracker."""
        # keys of a bencoded dictionary are sorted; the info bytes stay as they are, or the infohash would change
        announce = tracker_url.encode()
        return b"d8:announce%d:%s4:info%se" % (len(announce), announce, self.info)

    def web_seeded(self, *seeds: str) -> bytes:
        """The content of a .torrent file without trackers that names these web seeds (BEP 19)."""
        listed = b"".join(b"%d:%s" % (len(seed), seed.encode()) for seed in seeds)
        return b"d4:info%s8:url-listl%see" % (self.info, listed)

    def magnet(self, tracker_url: str) -> str:
        """The magnet link (BEP 9) with this tracker."""
        return f"magnet:?xt=urn:btih:{self.infohash}&dn={quote(self.name)}&tr={quote(tracker_url, safe='')}"


def make_torrent(name: str, paths: Sequence[str], root: Path) -> Torrent:
    """Hash files into a v1 torrent whose file order is the order of `paths`.

    Each path is relative to `root` and starts with `name`. Blocks for as long as hashing takes (about 1 s per GB).
    """
    files = tuple(TorrentFile(path, (root / path).stat().st_size) for path in paths)
    piece_length = _BIG_PIECE if sum(file.size for file in files) > _BIG_TORRENT else _SMALL_PIECE
    entries = [lt.create_file_entry(file.path, file.size) for file in files]
    creation = lt.create_torrent(entries, piece_length, lt.create_torrent.v1_only)
    lt.set_piece_hashes(creation, str(root))
    info = lt.bencode(creation.generate()[b"info"])
    return Torrent(name=name, info=info, files=files, piece_length=piece_length)


def load_torrent(metainfo: Path) -> Torrent:
    """Read a .torrent that `save_torrent` wrote."""
    info: Any = cast(Any, lt.bdecode(metainfo.read_bytes()))[b"info"]
    name = info[b"name"].decode()
    if b"files" in info:
        parts = [("/".join([name, *(p.decode() for p in f[b"path"])]), f[b"length"]) for f in info[b"files"]]
    else:
        parts = [(name, info[b"length"])]
    files = tuple(TorrentFile(path, size) for path, size in parts)
    return Torrent(name=name, info=lt.bencode(info), files=files, piece_length=info[b"piece length"])


def save_torrent(torrent: Torrent, metainfo: Path) -> None:
    """Write the torrent without a tracker, in one step."""
    unfinished = metainfo.with_name(f".{os.getpid()}.{metainfo.name}")
    unfinished.write_bytes(b"d4:info%se" % torrent.info)
    unfinished.replace(metainfo)

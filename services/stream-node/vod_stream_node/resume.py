"""Resume data: with it a torrent comes back into the session as it left, without hashing anything again."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libtorrent as lt
from structlog.typing import FilteringBoundLogger

from vod_stream_node.domain import Infohash, short
from vod_stream_node.magnets import read_torrent
from vod_stream_node.metainfo import layout_of
from vod_stream_node.session import MAX_PIECES
from vod_stream_node.store import TorrentStore
from vod_stream_node.stored import stored
from vod_stream_node.torrent import Torrent

RESUME_UNREADABLE = "torrent_resume_unreadable"
DISK_FAILED = "torrent_disk_failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a torrent comes into the session with."""

    params: Any
    """libtorrent's `add_torrent_params`."""
    blank: bool
    """Whether nothing of it is on disk."""


class ResumeData:
    """The resume data of a node's torrents."""

    def __init__(self, store: TorrentStore, *, group: asyncio.TaskGroup, log: FilteringBoundLogger) -> None:
        self._store = store
        self._group = group
        self._log = log
        self._unsaved: dict[Infohash, tuple[bytes, int]] = {}
        self._writing: dict[Infohash, asyncio.Task[None]] = {}

    def entry(
        self, infohash: Infohash, magnet: str, torrent: bytes, *, lacking: int | None = None, info: Any = None
    ) -> Entry:
        """Return a torrent as the disk knows it, then as a magnet, a .torrent and the session (*info*) do; blocks.

        One that is known to lack a piece wants it from the first moment. Otherwise libtorrent counts it as finished
        until the first plan, and a seed that hangs up in that moment is never called again.

        Raises:
            OSError: its folder can't be made or read.
        """
        params = lt.parse_magnet_uri(magnet)
        if torrent:
            params.ti = read_torrent(torrent).ti
        resume = self._store.prepare(infohash)
        folder = self._store.data_folder(infohash)
        if resume is not None:
            try:
                params = _resumed(resume, magnet=params)
            except RuntimeError:  # what the binding raises for data that libtorrent can't read
                self._log.warning(RESUME_UNREADABLE, infohash=short(infohash))
        if params.ti is None:
            params.ti = info
        if params.ti is None:
            params = _resumed(_wanting_nothing(params.info_hashes), magnet=params)
        else:
            params.piece_priorities = [int(piece == lacking) for piece in range(params.ti.num_pieces())]
            params.have_pieces = _still_there(params, folder)
        params.save_path = str(folder)
        params.flags = lt.torrent_flags.apply_ip_filter
        return Entry(params, blank=not any(folder.iterdir()))

    def save(self, torrent: Torrent, params: Any) -> None:
        """Write what libtorrent says of a torrent to disk; of its pieces only those that are on disk themselves."""
        if torrent.is_broken:
            return
        params.have_pieces = [here and piece in torrent.flushed for piece, here in enumerate(params.have_pieces)]
        writing = torrent.infohash in self._unsaved
        self._unsaved[torrent.infohash] = (lt.write_resume_data_buf(params), sum(params.have_pieces))
        if not writing:
            self._writing[torrent.infohash] = self._group.create_task(self._write(torrent))

    async def written(self, infohash: Infohash) -> None:
        """Wait until nothing more of a torrent that left the session is on its way to disk."""
        if infohash in self._writing:
            await asyncio.wait([self._writing[infohash]])

    async def _write(self, torrent: Torrent) -> None:
        """Write a torrent's newest resume data; one write at a time, so that an older one never comes last."""
        written = None
        while (newest := self._unsaved[torrent.infohash]) is not written:
            written = newest
            data, pieces = newest
            try:
                await asyncio.to_thread(self._store.save_resume, torrent.infohash, data)
            except OSError as error:
                # Streaming goes on without; the next checkpoint tries again.
                self._log.error(DISK_FAILED, infohash=short(torrent.infohash), reason=error.strerror)
            else:
                torrent.checkpoints.on_saved(pieces)
        del self._unsaved[torrent.infohash], self._writing[torrent.infohash]


def _still_there(params: Any, folder: Path) -> list[bool]:
    """Return which of the pieces that resume data promises the disk holds; after a power cut it may have lost some."""
    promised = params.have_pieces[: params.ti.num_pieces()]  # it is read with a whole number of bytes
    found = stored(layout_of(params.ti), [piece for piece, here in enumerate(promised) if here], folder=folder)
    return [piece in found for piece in range(len(promised))]


def _wanting_nothing(hashes: Any) -> bytes:
    """Return the resume data of a torrent that has and wants nothing, whatever may be in it.

    libtorrent reads the list of priorities in no time; to set as long a one from Python holds up everybody for 7 ms.
    """
    names = b"9:info-hash20:" + hashes.v1.to_bytes() if hashes.has_v1() else b""
    names += b"10:info-hash232:" + hashes.v2.to_bytes() if hashes.has_v2() else b""
    wants = b"14:piece_priority%d:%s" % (MAX_PIECES, bytes(MAX_PIECES))
    return b"d11:file-format22:libtorrent resume file12:file-versioni1e" + names + wants + b"e"


def _resumed(resume: bytes, *, magnet: Any) -> Any:
    params = lt.read_resume_data(resume)
    params.trackers = list(dict.fromkeys([*magnet.trackers, *params.trackers]))
    params.url_seeds = list(dict.fromkeys([*magnet.url_seeds, *params.url_seeds]))
    params.tracker_tiers = [0] * len(params.trackers)
    return params

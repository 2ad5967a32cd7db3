"""Learns how fast the files that are watched play, and how fast their swarms give: what reading ahead goes by."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from vod_rpc import Failure
from vod_stream_node.container import index_of
from vod_stream_node.domain import Infohash, TorrentFile
from vod_stream_node.durations import duration_of
from vod_stream_node.present import Present
from vod_stream_node.torrent import Torrent

LOOK_EVERY = timedelta(seconds=1)
_HEAD_BYTES = 64 << 10
_INDEX_BYTES = 4 << 10


class Bitrates:
    """Looks at the torrents of a node that are watched."""

    def __init__(self, torrents: Mapping[Infohash, Torrent], present: Present) -> None:
        self._torrents = torrents
        self._present = present
        self._silent: set[tuple[Infohash, int]] = set()
        """Files that don't say how long they play."""

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY.total_seconds())
            await self._look_over()

    async def _look_over(self) -> None:
        """Look at all torrents that are read."""
        self._silent = {(infohash, index) for infohash, index in self._silent if infohash in self._torrents}
        for torrent in [one for one in self._torrents.values() if one.readers]:
            try:
                await self.look(torrent)
            except Failure:
                continue  # it has left, or the disk is broken: others say so

    async def look(self, torrent: Torrent) -> None:
        """Learn what can be learned now; only bytes that are here are read.

        Raises:
            TorrentGone, TorrentUnknown, StorageFailed
        """
        for index in torrent.audience.readers.files():
            if torrent.audience.read_aheads.rate(index) is None:
                await self._learn(torrent, torrent.known_layout.files[index])
        if torrent.lacks_current:
            torrent.swarm_gives((await torrent.traffic.stats()).download_rate)

    async def _learn(self, torrent: Torrent, file: TorrentFile) -> None:
        """Look for how long a file plays in its head, or in its index if that is elsewhere."""
        key = torrent.infohash, file.index
        if key in self._silent:
            return
        head = await self._read(torrent, file, range(min(file.size, _HEAD_BYTES)))
        index = index_of(head, file.size) or range(0)
        begin = await self._read(torrent, file, index[:_INDEX_BYTES])
        seconds = duration_of(head) or duration_of(begin)
        if seconds:
            torrent.plays(file.index, rate=file.size / seconds)
        elif len(head) == min(file.size, _HEAD_BYTES) and len(begin) == len(index[:_INDEX_BYTES]):
            self._silent.add(key)

    async def _read(self, torrent: Torrent, file: TorrentFile, wanted: range) -> bytes:
        """Return what is here of the wanted bytes, without a gap."""
        return await self._present.read(torrent.infohash, file.index, offset=wanted.start, size=len(wanted))

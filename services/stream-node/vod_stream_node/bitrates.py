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
    """Looks at the torrents of a node that are watched while something of them is missing."""

    def __init__(self, torrents: Mapping[Infohash, Torrent], present: Present) -> None:
        self._torrents = torrents
        self._present = present

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY.total_seconds())
            for torrent in [one for one in self._torrents.values() if one.readers and one.lacks_current]:
                try:
                    await self.look(torrent)
                except Failure:
                    continue  # it has left, or the disk is broken: others say so

    async def look(self, torrent: Torrent) -> None:
        """Learn what can be learned now; only bytes that are here are read.

        Raises:
            TorrentGone, TorrentUnknown, StorageFailed
        """
        for file in torrent.known_layout.files:
            if torrent.is_read(file.index) and torrent.audience.read_aheads.rate(file.index) is None:
                seconds = await self._seconds(torrent, file)
                if seconds:
                    torrent.plays(file.index, rate=file.size / seconds)
        torrent.swarm_gives((await torrent.traffic.stats()).download_rate)

    async def _seconds(self, torrent: Torrent, file: TorrentFile) -> float | None:
        """Return how long a file plays, from its head, or from its index if that is elsewhere."""
        head = await self._read(torrent, file, 0, _HEAD_BYTES)
        found = duration_of(head)
        index = None if found else index_of(head, file.size)
        return duration_of(await self._read(torrent, file, index.start, _INDEX_BYTES)) if index else found

    async def _read(self, torrent: Torrent, file: TorrentFile, offset: int, size: int) -> bytes:
        return await self._present.read(torrent.infohash, file.index, offset=offset, size=size)

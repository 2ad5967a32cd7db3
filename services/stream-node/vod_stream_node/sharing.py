"""How much of NEXT files a node downloads: what its viewers leave over.

While a viewer has little ahead of him, nothing; while a CURRENT file lacks something ahead of him or the disk has no
room, first and last bytes; else all: the next one speeds up as soon as this one can be played to its end. A viewer
holds nobody back who would not gain by it:

- one whose client takes nothing that is offered: it is paused, or has enough ahead itself (`Torrent.starving`);
- one whose swarm gives nothing: what it does not give, nobody takes from it. With its first byte he comes first again.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from vod_stream_node.domain import Infohash
from vod_stream_node.errors import TorrentGone
from vod_stream_node.picker import NextFill
from vod_stream_node.torrent import Torrent

LOOK_EVERY = timedelta(seconds=1)
SILENT_AFTER = timedelta(seconds=5)
"""How long a swarm gives nothing until it holds back nobody."""
_FORGOTTEN_AFTER = timedelta(seconds=30)
"""How long what was seen of a swarm counts: it says nothing of the time in which nothing was asked of it."""


@dataclass(frozen=True, slots=True)
class _Given:
    """What a swarm has given so far."""

    size: int
    since: float
    """When its last byte was seen."""
    seen: float


class Sharing:
    """Tells the torrents of a node how much of their NEXT files they may fetch."""

    def __init__(
        self,
        torrents: Mapping[Infohash, Torrent],
        *,
        short_of_room: Callable[[], bool],
        silent_after: timedelta = SILENT_AFTER,
    ) -> None:
        self._torrents = torrents
        self._short_of_room = short_of_room
        self._silent_after = silent_after.total_seconds()
        self._given: dict[Infohash, _Given] = {}

    def apply(self) -> None:
        """Tell every torrent what the viewers leave over now."""
        spared = {self._spared_by(torrent) for torrent in self._torrents.values()}
        spared |= {NextFill.HELD} if self._short_of_room() else set()
        fill = next((fill for fill in (NextFill.STOPPED, NextFill.HELD) if fill in spared), NextFill.ALLOWED)
        for torrent in self._torrents.values():
            torrent.fill_next(fill)

    async def run(self) -> None:
        """Look at what only time shows, for ever: swarms that fall silent, clients that stop reading."""
        while True:
            await asyncio.sleep(LOOK_EVERY.total_seconds())
            await self.look(asyncio.get_running_loop().time())
            self.apply()

    async def look(self, now: float) -> None:
        """See what the swarms of CURRENT files that lack something have given."""
        oldest = now - _FORGOTTEN_AFTER.total_seconds()
        self._given = {infohash: given for infohash, given in self._given.items() if given.seen > oldest}
        for torrent in [one for one in self._torrents.values() if one.lacks_current]:
            try:
                size = await torrent.traffic.received()
            except TorrentGone:
                continue
            before = self._given.get(torrent.infohash)
            silent = before is not None and before.size == size
            self._given[torrent.infohash] = replace(before, seen=now) if before and silent else _Given(size, now, now)

    def _spared_by(self, torrent: Torrent) -> NextFill:
        if not torrent.lacks_current or self._is_silent(torrent):
            return NextFill.ALLOWED
        return NextFill.STOPPED if torrent.starving else NextFill.HELD

    def _is_silent(self, torrent: Torrent) -> bool:
        given = self._given.get(torrent.infohash)
        return given is not None and given.seen - given.since >= self._silent_after

"""Giving back: how long a torrent that nobody needs here any more stays in the swarm."""

from dataclasses import dataclass
from datetime import timedelta

from vod_stream_node.errors import TorrentGone
from vod_stream_node.torrent import Torrent


@dataclass(frozen=True, slots=True)
class SeedPolicy:
    """Until the ratio is reached, and no longer than the time; without a time, nothing is seeded for its own sake."""

    time: timedelta
    ratio: float
    """Bytes given for each one taken; 0: no matter how many."""

    async def goes_on(self, torrent: Torrent, idle: timedelta) -> bool:
        """Say whether a torrent that has been idle for so long stays."""
        if idle >= self.time or not torrent.have:
            return False
        try:
            stats = await torrent.traffic.stats()
        except TorrentGone:
            return True  # it is on its way out of the session, or comes back: the next look tells
        return not self.ratio or stats.given < self.ratio * stats.taken

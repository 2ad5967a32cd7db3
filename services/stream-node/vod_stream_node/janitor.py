"""Which torrents leave the disk: the ones not used for long, then the least recently used until the rest fits."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from vod_stream_node.domain import Infohash
from vod_stream_node.store import Stored


def evictions(
    stored: Sequence[Stored], *, kept: Collection[Infohash], now: datetime, ttl: timedelta, budget: int
) -> list[Infohash]:
    """Return the torrents to delete, least recently used first; never one of *kept* (pinned or being read).

    *budget* is in bytes, 0 for no limit. Kept torrents count towards it although they stay.
    """
    total = sum(torrent.size for torrent in stored)
    gone: list[Infohash] = []
    for torrent in sorted(stored, key=lambda torrent: torrent.used_at):
        too_old = now - torrent.used_at > ttl
        too_much = budget and total > budget
        if torrent.infohash not in kept and (too_old or too_much):
            gone.append(torrent.infohash)
            total -= torrent.size
    return gone

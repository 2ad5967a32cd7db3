"""Whom a torrent gets in touch with: trackers and peers that somebody told of."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from vod_stream_node.domain import Infohash
from vod_stream_node.lane.lane import Lane


class Contacts:
    """The contacts of one torrent."""

    def __init__(
        self, handle: Any, lane: Lane | None, *, trackers: Iterable[str], web_seeds: Iterable[str] = ()
    ) -> None:
        self._handle = handle
        self._lane = lane
        self._trackers = set(trackers)
        self._web_seeds = tuple(web_seeds)

    def magnet(self, infohash: Infohash) -> str:
        """Return a magnet with which the torrent finds them again, should the disk have kept nothing."""
        trackers = (f"&tr={quote(tracker, safe='')}" for tracker in sorted(self._trackers))
        web_seeds = (f"&ws={quote(seed, safe='')}" for seed in self._web_seeds)
        return "".join([f"magnet:?xt=urn:btih:{infohash}", *trackers, *web_seeds])

    def add_trackers(self, trackers: Iterable[str]) -> None:
        """Announce to further trackers."""
        for tracker in set(trackers) - self._trackers:
            self._trackers.add(tracker)
            self._handle.add_tracker({"url": tracker, "tier": 0})

    def connect(self, address: str, port: int) -> None:
        """Connect to a peer that no tracker told of."""
        self._handle.connect_peer((address, port))

    def on_peers(self, addresses: Iterable[tuple[str, int]]) -> None:
        """Note addresses of peers that libtorrent connects to."""
        if self._lane:
            self._lane.meet(addresses)

"""Whom a torrent gets in touch with: trackers, web seeds, and peers that somebody told of."""

import asyncio
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

import libtorrent as lt

from vod_stream_node.domain import Infohash
from vod_stream_node.lane.addresses import Address
from vod_stream_node.lane.lane import Lane


class Contacts:
    """The contacts of one torrent."""

    def __init__(
        self, handle: Any, lane: Lane | None, *, trackers: Iterable[str], web_seeds: Iterable[str] = ()
    ) -> None:
        self._handle = handle
        self._lane = lane
        self._trackers = set(trackers)
        self._web_seeds = set(web_seeds)

    def magnet(self, infohash: Infohash) -> str:
        """Return a magnet with which the torrent finds them again, should the disk have kept nothing."""
        trackers = (f"&tr={quote(tracker, safe='')}" for tracker in sorted(self._trackers))
        web_seeds = (f"&ws={quote(seed, safe='')}" for seed in sorted(self._web_seeds))
        return "".join([f"magnet:?xt=urn:btih:{infohash}", *trackers, *web_seeds])

    def add(self, params: Any) -> None:
        """Announce to the trackers, and ask the web seeds, that libtorrent's `add_torrent_params` name and are new."""
        for tracker in set(params.trackers) - self._trackers:
            self._trackers.add(tracker)
            self._handle.add_tracker({"url": tracker, "tier": 0})
        for seed in set(params.url_seeds) - self._web_seeds:
            self._web_seeds.add(seed)
            self._handle.add_url_seed(seed)

    def connect(self, address: str, port: int) -> None:
        """Connect to a peer that no tracker told of."""
        self._handle.connect_peer((address, port))

    async def met(self, address: Address) -> None:
        """Tell the express lane whom libtorrent has connected to, unless that is a web server."""
        if self._lane and (not self._web_seeds or await asyncio.to_thread(self._is_peer, address)):
            self._lane.meet([address])

    def _is_peer(self, address: Address) -> bool:
        """Say whether a connection is one of BitTorrent's; one that is gone already was none that matters."""
        try:
            peers = self._handle.get_peer_info()
        except RuntimeError:  # what the binding raises for a handle whose torrent was removed
            return False
        return any(peer.ip == address and peer.connection_type == lt.peer_info.standard_bittorrent for peer in peers)

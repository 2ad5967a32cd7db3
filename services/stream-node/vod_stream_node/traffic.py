"""What a torrent's swarm gives and takes: libtorrent's counts, and those of the express lane."""

import asyncio
from typing import Any

import libtorrent as lt

from vod_stream_node.domain import Stats
from vod_stream_node.errors import TorrentGone
from vod_stream_node.lane.lane import Lane


class Traffic:
    """The traffic of one torrent. Nothing here waits for libtorrent's thread on the event loop."""

    def __init__(self, handle: Any, lane: Lane | None) -> None:
        self._handle = handle
        self._lane = lane

    async def stats(self) -> Stats:
        """Return peers and rates."""
        status = await self.status(lt.torrent_handle.query_distributed_copies)
        return Stats(
            peers=max(status.num_peers, self._lane.connections if self._lane else 0),
            download_rate=status.download_payload_rate + (self._lane.rate() if self._lane else 0),
            upload_rate=status.upload_payload_rate,
            given=status.all_time_upload,
            # libtorrent does not count what the lane gave it as downloaded.
            taken=max(status.all_time_download, status.total_done),
            # Who has everything itself no longer counts.
            distinct_copies=status.distributed_copies if status.distributed_copies >= 0 else float(status.num_seeds),
        )

    async def received(self) -> int:
        """Return the bytes that the swarm has given since the torrent came into the session."""
        status = await self.status(0)
        return int(status.total_payload_download) + (self._lane.received if self._lane else 0)

    async def is_stranded(self) -> bool:
        """Say whether it knows seeds that libtorrent will never call: those that hung up while it lacked nothing."""
        return _is_stranded(await self.status(0))

    async def is_stranded_in_need(self) -> bool:
        """Say whether it is stranded, and libtorrent is to fetch something by now."""
        status = await self.status(0)
        return _is_stranded(status) and not status.is_finished

    async def status(self, flags: int) -> Any:
        """Ask libtorrent for its status.

        Raises:
            TorrentGone
        """
        try:
            # The call waits for libtorrent's thread, so it does not belong on the loop.
            return await asyncio.to_thread(self._handle.status, flags)
        except RuntimeError:  # what the binding raises for a handle whose torrent was removed
            raise TorrentGone("The torrent has left this node.") from None


def _is_stranded(status: Any) -> bool:
    return bool(status.list_seeds) and not (status.is_seeding or status.num_peers or status.connect_candidates)

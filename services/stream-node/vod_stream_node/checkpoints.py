"""When a torrent's resume data is saved: soon after a piece came, at once when a file is complete or the node asks.

A checkpoint flushes libtorrent's cache first. Only pieces that were here when it began are on disk when it is flushed:
a piece whose hash is checked counts as libtorrent's own at once, and reaches the disk later, or never if that is full.
"""

import asyncio
from collections import deque
from typing import Any

import libtorrent as lt

from vod_stream_node.holdings import Holdings
from vod_stream_node.signals import Signal

CHECKPOINT_SECONDS = 3.0
"""How much later than a new piece the resume data is saved; this is what a `kill -9` costs at most."""


class Checkpoints:
    """The checkpoints of one torrent."""

    def __init__(self, handle: Any, held: Holdings, changed: Signal) -> None:
        self._handle = handle
        self._held = held
        self._changed = changed
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: deque[frozenset[int]] = deque()
        """What will be on disk when libtorrent has flushed its cache, once for each time that it was asked to."""
        self._saved = 0
        self._open = False

    def open(self) -> None:
        """Begin: the torrent's metadata is known, without which there is nothing to save."""
        self._open = True

    def soon(self) -> None:
        """Save within `CHECKPOINT_SECONDS`."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(CHECKPOINT_SECONDS, self.now)

    def now(self) -> None:
        """Save what is here now."""
        self._cancel()
        if self._open:
            self._flushing.append(self._held.unflushed())
            self._handle.flush_cache()

    def on_flushed(self) -> None:
        """Go on: what was here when the flush began is on disk now."""
        if self._open and self._flushing:
            self._held.flushed |= self._flushing.popleft()
            self._handle.save_resume_data(lt.torrent_handle.save_info_dict)

    def on_saved(self, pieces: int) -> None:
        """Note that resume data with so many pieces is on disk."""
        self._saved = pieces
        self._changed.notify()

    async def until(self, pieces: int) -> None:
        """Save, and wait until resume data with so many pieces is on disk, or the torrent has left the session."""
        self.now()
        await self._changed.until(lambda: self._saved >= pieces or not self._open)

    def close(self) -> None:
        self._open = False
        self._cancel()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

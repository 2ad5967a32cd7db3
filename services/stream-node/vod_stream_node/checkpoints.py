"""When a torrent's resume data is saved: soon after a piece came, at once when a file is complete or the node asks.

A checkpoint flushes libtorrent's cache first, and looks then which of the pieces that were here when it began the disk
holds: a piece whose hash is checked counts as libtorrent's own at once, and reaches the disk later, or never if that is
full.
"""

import asyncio
from collections import deque
from pathlib import Path
from typing import Any

import libtorrent as lt

from vod_stream_node.domain import Layout
from vod_stream_node.holdings import Holdings
from vod_stream_node.signals import Signal
from vod_stream_node.stored import stored

CHECKPOINT_SECONDS = 3.0
"""How much later than a new piece the resume data is saved; this is what a `kill -9` costs at most."""
_AGAIN_SECONDS = 0.2
"""How much later is looked again for what another thread is writing; twice as much each time that it still is."""


class Checkpoints:
    """The checkpoints of one torrent."""

    def __init__(self, handle: Any, held: Holdings, changed: Signal, *, folder: Path) -> None:
        self._handle = handle
        self._held = held
        self._changed = changed
        self._folder = folder
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: deque[frozenset[int]] = deque()
        """What should be on disk when libtorrent has flushed its cache, once for each time that it was asked to."""
        self._again = _AGAIN_SECONDS
        self._saved = 0
        self._layout: Layout | None = None

    @property
    def _open(self) -> bool:
        return self._layout is not None

    def open(self, layout: Layout) -> None:
        """Begin: the torrent's metadata is known, without which there is nothing to save."""
        self._layout = layout

    def after(self, piece: int) -> None:
        """Save a piece that libtorrent has within `CHECKPOINT_SECONDS`; at once, when it is one of a complete file."""
        self._changed.notify()
        if self._layout is not None and self._held.completes(self._layout, piece):
            self.now()
        elif self._timer is None:
            self._now_in(CHECKPOINT_SECONDS)

    def now(self) -> None:
        """Save what is here now."""
        self._cancel()
        if self._open:
            self._flushing.append(self._held.unflushed())
            self._handle.flush_cache()

    async def on_flushed(self) -> None:
        """Go on: what was here when the flush began is on disk now, but for what another thread is writing."""
        if self._layout is None or not self._flushing:
            return
        due = self._flushing.popleft()
        found = await asyncio.to_thread(stored, self._layout, due, folder=self._folder)
        if not self._open:
            return
        self._held.flushed |= found & self._held.have
        self._changed.notify()
        if found == due:
            self._again = _AGAIN_SECONDS
        else:
            self._now_in(self._again)
            self._again = min(CHECKPOINT_SECONDS, 2 * self._again)
        self._handle.save_resume_data(lt.torrent_handle.save_info_dict)

    def on_saved(self, pieces: int) -> None:
        """Note that resume data with so many pieces is on disk."""
        self._saved = pieces
        self._changed.notify()

    async def until_all(self) -> None:
        """Save all that is here now, and wait until that is on disk or the torrent has left the session.

        What libtorrent has yet to take is saved when it has; all else before, for nobody may wait that long.
        """
        if fresh := set(self._held.fresh):
            self.now()
            await self._changed.until(lambda: not self._open or fresh.isdisjoint(self._held.fresh))
        pieces = len(self._held.have) - len(self._held.fresh)
        self.now()
        await self._changed.until(lambda: self._saved >= pieces or not self._open)

    def close(self) -> None:
        self._layout = None
        self._cancel()

    def _now_in(self, seconds: float) -> None:
        self._cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.now)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

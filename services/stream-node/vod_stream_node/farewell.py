"""How the session ends: trackers are told, and what peers gave is on disk.

The destructor of libtorrent's session waits for its disk jobs, without bound, and the binding keeps the interpreter's
lock meanwhile: a job that never ends would stop the whole process for ever. A disk may never answer; and libtorrent 2.1
has such a job in the way to the disk that it prefers and we do not take (`session.py`): a piece whose write fails while
it is being hashed is never cleared, and all later jobs of its torrent wait for that (`disk_cache::try_clear_piece`). So
the session is destroyed only if libtorrent has told of every torrent that left it that nothing more is to be done.
"""

import asyncio
import ctypes
from contextlib import suppress
from typing import Any

import libtorrent as lt
from structlog.typing import FilteringBoundLogger

from vod_stream_node.signals import Signal

SESSION_STUCK = "session_stuck"

_GOODBYE_SECONDS = 1.0
_DISK_SECONDS = 3.0


class Farewell:
    """Sees torrents off, and ends the session."""

    def __init__(self, session: Any, *, log: FilteringBoundLogger) -> None:
        self._session = session
        self._log = log
        self._changed = Signal()
        self._paused = 0
        self._unanswered = 0
        """Announcements that trackers have not answered."""
        self._leaving = 0
        """Torrents that were removed and whose disk jobs are not over."""

    def remove(self, handle: Any) -> None:
        """Take a torrent out of the session; its data stays on disk."""
        self._leaving += 1
        self._session.remove_torrent(handle)

    def on_alert(self, alert: Any) -> None:
        match alert:
            case lt.torrent_paused_alert():
                self._paused += 1
            case lt.torrent_removed_alert():
                self._leaving -= 1
            case lt.tracker_announce_alert():
                self._unanswered += 1
            case lt.tracker_reply_alert() | lt.tracker_error_alert():
                self._unanswered -= 1
        self._changed.notify()

    async def tell_trackers(self, torrents: int) -> None:
        """Pause the session with so many torrents in it; return when trackers know, after a moment at most."""
        self._session.pause()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._changed.until(lambda: self._paused >= torrents and not self._unanswered)

    async def disk_done(self) -> None:
        """Return when nothing more is to be done on disk for all that was removed, after a few seconds at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_DISK_SECONDS):
                await self._changed.until(lambda: not self._leaving)

    async def end(self) -> None:
        """End the session and its threads, or leave them to the process's end. Nobody else may have a reference."""
        self._session.set_alert_fd(-1)
        if self._leaving:
            self._log.error(SESSION_STUCK, torrents=self._leaving)
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._session))  # never destroyed, not at the exit either
            del self._session
            return
        last = [self._session]
        del self._session
        await asyncio.to_thread(last.clear)

"""Reading verified pieces by way of libtorrent, which also has what is not on disk yet."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from vod_stream_node.errors import StorageFailed


class PieceReads:
    """The reads of one torrent that libtorrent has not answered; all who want one piece share one."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._waiting: dict[int, asyncio.Future[bytes]] = {}

    def read(self, piece: int) -> Awaitable[bytes]:
        """Return a piece's bytes; raises StorageFailed when they can't be read."""
        if piece not in self._waiting:
            self._waiting[piece] = asyncio.get_running_loop().create_future()
            self._handle.read_piece(piece)
        return asyncio.shield(self._waiting[piece])

    def answer(self, piece: int, data: bytes | None) -> None:
        """Take in what libtorrent read; None when it could not."""
        future = self._waiting.pop(piece, None)
        if future is None or future.done():
            return
        if data is None:
            future.set_exception(StorageFailed("A verified piece could not be read from disk."))
            future.exception()  # its readers may be gone
        else:
            future.set_result(data)

    def close(self) -> None:
        """Fail all that waits."""
        for piece in list(self._waiting):
            self.answer(piece, None)

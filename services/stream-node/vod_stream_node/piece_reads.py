"""Reading verified pieces by way of libtorrent, which also has what is not on disk yet.

What it gives back is proven by its hash once more: a piece that it could not write is a hole in the file, and reads as
zeros, before it tells that the disk failed.
"""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any

from vod_stream_node.errors import StorageFailed


class PieceReads:
    """The reads of one torrent that libtorrent has not answered; all who want one piece share one."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._digest: Callable[[int], bytes] | None = None

    def open(self, digest: Callable[[int], bytes] | None) -> None:
        """Begin: the metadata is known, and with it each piece's SHA-1 (None for a torrent that is v2 only)."""
        self._digest = digest

    @property
    def proves(self) -> bool:
        """Whether what is read is proven by its hash."""
        return self._digest is not None

    async def read(self, piece: int) -> bytes:
        """Return a piece's bytes.

        Raises:
            StorageFailed: they can't be read, or are not what was received.
        """
        if piece not in self._waiting:
            self._waiting[piece] = asyncio.get_running_loop().create_future()
            self._handle.read_piece(piece)
        data = await asyncio.shield(self._waiting[piece])
        if self._digest is not None and await asyncio.to_thread(_sha1, data) != self._digest(piece):
            raise StorageFailed("The disk does not hold what was received.")
        return data

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


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()

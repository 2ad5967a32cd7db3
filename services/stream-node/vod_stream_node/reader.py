"""Reading a file of a torrent: verified bytes only, in small chunks, wherever they are at the moment.

What the disk holds for certain (`Torrent.flushed`) is read from the file. A piece that was verified a moment ago may
still be in our memory or in libtorrent's write queue; it stays in a small cache for the chunks to come.
A reader holds no piece between two chunks, so that a slow client costs one chunk of memory and not a piece of 16 MiB.
"""

import asyncio
import os
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from io import FileIO
from pathlib import Path

from vod_stream_node.domain import Infohash, PieceData, TorrentFile
from vod_stream_node.errors import StorageFailed
from vod_stream_node.readers import Place
from vod_stream_node.torrent import Torrent

CHUNK_BYTES = 128 << 10
SPAN_BYTES = 16 << 20
"""What the kernel is asked to send at once of a finished file; a client that takes it too slowly is given up."""
UNFINISHED_SPAN_BYTES = 1 << 20
"""Of an unfinished one: the window moves on with each."""


class PieceCache:
    """The most recently read pieces, up to a number of bytes."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._size = 0
        self._pieces: OrderedDict[tuple[Infohash, int], PieceData] = OrderedDict()

    def get(self, infohash: Infohash, piece: int) -> PieceData | None:
        data = self._pieces.get((infohash, piece))
        if data is not None:
            self._pieces.move_to_end((infohash, piece))
        return data

    def put(self, infohash: Infohash, piece: int, data: PieceData) -> None:
        """Keep a piece; the longest unused ones go when there are too many bytes, even if that is this one."""
        self._size += len(data) - len(self._pieces.pop((infohash, piece), b""))
        self._pieces[infohash, piece] = data
        while self._size > self._budget:
            self._size -= len(self._pieces.popitem(last=False)[1])

    def drop(self, infohash: Infohash) -> None:
        """Keep nothing of a torrent."""
        for key in [key for key in self._pieces if key[0] == infohash]:
            self._size -= len(self._pieces.pop(key))


class FileReader:
    """One client's way through one file."""

    def __init__(self, torrent: Torrent, file: TorrentFile, *, folder: Path, cache: PieceCache, place: Place) -> None:
        self.file = file
        self.torrent = torrent
        self._folder = folder
        self._cache = cache
        self._place = place
        self._file: FileIO | None = None
        self._length = 0
        self._closed = False

    async def read(self, position: int, size: int) -> bytes:
        """Return 1 to *size* bytes (a chunk at most) from *position*, as soon as their piece is verified.

        The caller bounds the time, and does not read beyond the end.

        Raises:
            StorageFailed: the disk is full or broken.
            TorrentGone: the torrent left the node.
        """
        piece, begin = divmod(self.file.offset + position, self.torrent.known_layout.piece_length)
        end = begin + min(size, CHUNK_BYTES, self.torrent.known_layout.piece_size(piece) - begin)
        self._place.move(piece)
        await self.torrent.piece(piece)
        if piece in self.torrent.flushed:
            return await asyncio.to_thread(self._read_file, position, end - begin)
        data = self._cache.get(self.torrent.infohash, piece)
        if data is None:
            data = await self.torrent.read_piece(piece)
        self._cache.put(self.torrent.infohash, piece, data)
        return bytes(memoryview(data)[begin:end])

    @property
    def rate(self) -> float | None:
        """Bytes per second at which the file plays, None while nobody knows."""
        return self.torrent.audience.read_aheads.rate(self.file.index)

    def settled(self, position: int, size: int) -> int:
        """Return how many of *size* bytes from *position* lie on disk without a gap, verified; a span at most.

        The window moves to where they begin.
        """
        layout, flushed = self.torrent.known_layout, self.torrent.flushed
        begin = self.file.offset + position
        first = piece = begin // layout.piece_length
        end = begin + min(size, SPAN_BYTES if not self.torrent.missing(self.file.index) else UNFINISHED_SPAN_BYTES)
        while piece in flushed and piece * layout.piece_length < end:
            piece += 1
        if piece == first:
            return 0
        self._place.move(first)
        return min(end, piece * layout.piece_length) - begin

    async def on_disk(self, position: int, size: int) -> FileIO:
        """Return the file for the kernel to send from, and let it read ahead there meanwhile.

        Raises:
            StorageFailed: it can't be opened, or is shorter than it was.
        """
        if self._file is None:
            await asyncio.to_thread(self._open_once)
        assert self._file is not None  # noqa: S101  or it raised
        if self._length < position + size:
            raise StorageFailed("The file on disk is shorter than it was.")
        os.posix_fadvise(self._file.fileno(), position + size, size, os.POSIX_FADV_WILLNEED)
        return self._file

    def offering(self) -> AbstractContextManager[None]:
        """Say that the client has something to take meanwhile."""
        return self._place.offering()

    def close(self) -> None:
        self._closed = True
        if self._file is not None:
            with suppress(OSError):
                os.utime(self._file.fileno())  # the janitor sees by it when a file was used last
            self._file.close()

    def _open_once(self) -> FileIO:
        try:
            file = FileIO(self._open(), "rb")
        except OSError as error:
            raise StorageFailed("The file can't be read from disk.") from error
        self._length = os.fstat(file.fileno()).st_size
        self._file = file
        if self._closed:  # who asked is gone
            file.close()
        return file

    def _read_file(self, position: int, size: int) -> bytes:
        try:
            data = os.pread((self._file or self._open_once()).fileno(), size, position)
        except OSError as error:
            raise StorageFailed("The file can't be read from disk.") from error
        if len(data) != size:
            raise StorageFailed("The file on disk is shorter than it was.")
        return data

    def _open(self) -> int:
        path = (self._folder / self.file.path).resolve()
        # libtorrent cleans names; that no link in between leads outside is looked at here.
        if not path.is_relative_to(self._folder.resolve()):
            raise StorageFailed("The file is not in the data folder.")
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)


@asynccontextmanager
async def open_file(
    torrent: Torrent, file: TorrentFile, *, folder: Path, cache: PieceCache
) -> AsyncIterator[FileReader]:
    """Open a reader on a file; its window of urgent pieces is dropped at once on leaving."""
    with torrent.reading(file) as place:
        reader = FileReader(torrent, file, folder=folder, cache=cache, place=place)
        try:
            yield reader
        finally:
            reader.close()

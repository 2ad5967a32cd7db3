"""What is here of a file right now, for those who must not wait and must not change what is downloaded first."""

from dataclasses import dataclass

from vod_stream_node.domain import Infohash, Layout, PieceData, TorrentFile
from vod_stream_node.engine import Engine
from vod_stream_node.errors import FileIndexOutOfRange, TorrentUnknown
from vod_stream_node.reader import PieceCache
from vod_stream_node.torrent import Torrent

MAX_READ = 1 << 20
_CACHE_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Here:
    """A torrent's layout, and the bytes of one file that are verified: ranges in order, their ends excluded."""

    layout: Layout
    ranges: tuple[tuple[int, int], ...]


class Present:
    """Reads what is here of the torrents in the session."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._cache = PieceCache(_CACHE_BYTES)

    def describe(self, infohash: Infohash, file_index: int) -> Here:
        """Return what is in a torrent and what is here of a file.

        Raises:
            TorrentUnknown: it is not in the session, or the swarm has not told what is in it.
            FileIndexOutOfRange: there is no such file.
        """
        torrent, file = self._find(infohash, file_index)
        layout = torrent.known_layout
        ranges: list[tuple[int, int]] = []
        for piece in layout.pieces(file):
            if piece not in torrent.have:
                continue
            begin = max(0, piece * layout.piece_length - file.offset)
            end = min(file.size, (piece + 1) * layout.piece_length - file.offset)
            if ranges and ranges[-1][1] == begin:
                begin = ranges.pop()[0]
            ranges.append((begin, end))
        return Here(layout, tuple(ranges))

    async def read(self, infohash: Infohash, file_index: int, *, offset: int, size: int) -> bytes:
        """Return up to *size* bytes from *offset*, as many as are here without a gap, `MAX_READ` at most.

        Raises:
            TorrentUnknown, FileIndexOutOfRange: as `describe`.
            StorageFailed: the disk is broken.
        """
        torrent, file = self._find(infohash, file_index)
        layout, data = torrent.known_layout, bytearray()
        end = min(file.size, max(0, offset) + min(max(0, size), MAX_READ))
        at = max(0, offset)
        while at < end:
            piece, within = divmod(file.offset + at, layout.piece_length)
            if piece not in torrent.have:
                break
            part = memoryview(await self._piece(torrent, piece))[within : within + end - at]
            if not part:
                break
            data += part
            at += len(part)
        return bytes(data)

    async def _piece(self, torrent: Torrent, piece: int) -> PieceData:
        data = self._cache.get(torrent.infohash, piece)
        if data is None:
            data = await torrent.read_piece(piece)
            self._cache.put(torrent.infohash, piece, data)
        return data

    def _find(self, infohash: Infohash, file_index: int) -> tuple[Torrent, TorrentFile]:
        torrent = self._engine.torrents.get(infohash)
        if torrent is None or torrent.layout is None:
            raise TorrentUnknown("This node does not have the torrent.", metadata={"infohash": infohash})
        if not 0 <= file_index < len(torrent.layout.files):
            raise FileIndexOutOfRange(
                f"There is no file {file_index}; the torrent has {len(torrent.layout.files)}.",
                metadata={"file_index": str(file_index), "files": str(len(torrent.layout.files))},
            )
        return torrent, torrent.layout.files[file_index]

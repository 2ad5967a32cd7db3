"""What is here of a torrent: which pieces, and how safely.

A piece is *here* once its hash is checked. It is *fresh* while only our memory has it, because libtorrent was not given
it yet, and *flushed* when the disk holds it for certain. Readers are given bytes of no other piece.
"""

from collections.abc import Iterable

from vod_stream_node.domain import Layout, PieceData, TorrentFile


class Holdings:
    """The pieces of one torrent."""

    def __init__(self) -> None:
        self.have: set[int] = set()
        self.flushed: set[int] = set()
        self.fresh: dict[int, PieceData] = {}
        """Verified pieces of the express lane that libtorrent does not have yet."""
        self._missing: dict[int, int] = {}

    @property
    def fresh_bytes(self) -> int:
        return sum(map(len, self.fresh.values()))

    def missing(self, layout: Layout, index: int) -> int:
        """Return how many pieces of a file are not here; counted once, then kept as pieces arrive."""
        if index not in self._missing:
            self._missing[index] = sum(piece not in self.have for piece in layout.pieces(layout.files[index]))
        return self._missing[index]

    def downloaded(self, layout: Layout, file: TorrentFile) -> int:
        """Return the bytes of a file that are here."""
        return sum(layout.bytes_in(file, piece) for piece in layout.pieces(file) if piece in self.have)

    def add(self, layout: Layout, piece: int) -> None:
        """Note a piece that was not here."""
        self.have.add(piece)
        for index, missing in self._missing.items():
            if missing and piece in layout.pieces(layout.files[index]):
                self._missing[index] = missing - 1

    def completes(self, layout: Layout, piece: int) -> bool:
        """Say whether a piece is of a file that is all here, and that somebody asked about."""
        return any(
            not missing and piece in layout.pieces(layout.files[index]) for index, missing in self._missing.items()
        )

    def unflushed(self) -> frozenset[int]:
        """Return what libtorrent has of which it is not certain that the disk holds it."""
        return frozenset(self.have - self.flushed - self.fresh.keys())

    def keep_flushed(self) -> None:
        """Take nothing for here but what the disk holds for certain."""
        self.have = set(self.flushed)
        self.fresh.clear()
        self._missing.clear()

    def recount(self, stored: Iterable[int]) -> dict[int, PieceData]:
        """Take in all that libtorrent has; return what it has to be given."""
        known = set(stored)
        self.have |= known
        self.fresh = {piece: data for piece, data in self.fresh.items() if piece not in known}
        self._missing.clear()
        return self.fresh

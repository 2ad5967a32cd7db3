"""Who reads a torrent's files, where, and whose turn it is."""

from collections.abc import Iterable


class Readers:
    """The readers of one torrent.

    One that has got nothing yet comes first, the newest before all: it is where a viewer has just jumped to, and the
    connection of before may still be open. The others follow, who has waited longest first, so that nobody starves.
    """

    def __init__(self) -> None:
        self._at: dict[object, tuple[int, int]] = {}
        self._begun: set[object] = set()
        self._settled: dict[object, None] = {}

    def __len__(self) -> int:
        return len(self._at)

    def open(self, file: int, piece: int) -> object:
        """Add a reader of a file, which is about to say where it begins."""
        reader = object()
        self._at[reader] = (file, piece)
        return reader

    def move(self, reader: object, piece: int) -> bool:
        """Note the piece a reader needs now; return whether that is another one than before."""
        file, before = self._at[reader]
        if reader in self._begun and piece != before:
            self._settled.pop(reader, None)
            self._settled[reader] = None
        self._begun.add(reader)
        self._at[reader] = (file, piece)
        return piece != before

    def close(self, reader: object) -> None:
        del self._at[reader]
        self._begun.discard(reader)
        self._settled.pop(reader, None)

    def files(self) -> set[int]:
        """Return the files that are read."""
        return {file for file, _ in self._at.values()}

    def pieces(self, file: int) -> list[int]:
        """Return the pieces at which a file's readers are, by whose turn it is."""
        order: Iterable[object] = (
            *(reader for reader in reversed(self._at) if reader not in self._settled),
            *self._settled,
        )
        return [piece for read, piece in map(self._at.__getitem__, order) if read == file]

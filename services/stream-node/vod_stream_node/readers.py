"""Who reads a torrent's files, where, and whose turn it is."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager


class Readers:
    """The readers of one torrent.

    One that has got nothing yet comes first, the newest before all: it is where a viewer has just jumped to, and the
    connection of before may still be open. The others follow, who has waited longest first, so that nobody starves.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._at: dict[object, tuple[int, int]] = {}
        self._begun: set[object] = set()
        self._settled: dict[object, None] = {}
        self._offered: dict[object, float] = {}
        """Since when a reader's client has not taken what it is offered."""

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

    @contextmanager
    def offering(self, reader: object) -> Iterator[None]:
        """Note that a reader's client has something to take meanwhile."""
        self._offered[reader] = self._clock()
        try:
            yield
        finally:
            del self._offered[reader]

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

    def taking(self, *, within: float) -> list[tuple[int, int]]:
        """Return file and piece of the readers whose clients take what they are offered within so many seconds."""
        latest = self._clock() - within
        return [at for reader, at in self._at.items() if self._offered.get(reader, latest) >= latest]


class Place:
    """Where one client reads. Made by `Torrent.reading`."""

    def __init__(self, readers: Readers, reader: object, *, moved: Callable[[], None]) -> None:
        self._readers = readers
        self._reader = reader
        self._moved = moved

    def move(self, piece: int) -> None:
        """Say which piece is needed now."""
        if self._readers.move(self._reader, piece):
            self._moved()

    def offering(self) -> AbstractContextManager[None]:
        """Say that the client has something to take meanwhile: one that takes nothing is in no hurry."""
        return self._readers.offering(self._reader)

"""Who wants which files of a torrent, where they are read, and how far ahead of that is fetched."""

from collections.abc import Callable, Collection, Mapping

from vod_stream_node.domain import Layout, Purpose
from vod_stream_node.picker import ends, is_starving
from vod_stream_node.read_ahead import ReadAheads
from vod_stream_node.readers import Readers
from vod_stream_node.supply import Wish

_TAKEN_SECONDS = 10.0
"""A client that takes nothing of what it is offered for longer is paused, or has enough ahead itself."""


class Audience:
    """The holders and the readers of one torrent."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.wants: dict[int, Purpose] = {}
        """The pinned files, and for what."""
        self._watched: dict[int, int] = {}
        """From which piece on a file was last read by who is not at its end."""
        self.readers = Readers(clock)
        self.read_aheads = ReadAheads()

    def want(self, wants: Mapping[int, Purpose]) -> None:
        """Note which files are pinned, and for what; where others were watched is forgotten."""
        self.wants = dict(wants)
        self._watched = {index: piece for index, piece in self._watched.items() if index in wants}

    def purposes(self) -> Mapping[int, Purpose]:
        """Return the wanted files; one that is being read is CURRENT whatever its pins say."""
        return self.wants | dict.fromkeys(self.readers.files(), Purpose.CURRENT)

    def current(self) -> list[int]:
        """Return the files that somebody watches or is about to."""
        return [index for index, purpose in self.purposes().items() if purpose is Purpose.CURRENT]

    def wishes(self, layout: Layout) -> list[Wish]:
        """Return what follows for the swarm."""
        return [
            Wish(
                layout.files[index],
                purpose,
                readers=tuple(dict.fromkeys(self.readers.pieces(index))),
                window=self.read_aheads.of(index).window,
            )
            for index, purpose in sorted(self.purposes().items())
            if index < len(layout.files)
        ]

    def lack(self, layout: Layout | None, have: Collection[int], *, missing: Callable[[int], int]) -> bool:
        """Say whether any CURRENT file `lacks` something; *missing*: how many pieces of a file are not here."""
        return any(layout is None or (missing(index) and self.lacks(index, layout, have)) for index in self.current())

    def lacks(self, index: int, layout: Layout, have: Collection[int]) -> bool:
        """Say whether a file lacks something that its viewers come to; what they skipped is not needed to play on."""
        pieces = layout.pieces(layout.files[index])
        _, tail = ends(pieces, layout.piece_length)
        # Players read an index at the end before they begin, and hang up when they have all: no viewer is there.
        if watched := [piece for piece in self.readers.pieces(index) if piece not in tail]:
            self._watched[index] = min(watched)
        return any(piece not in have for piece in range(self._watched.get(index, pieces.start), pieces.stop))

    def is_starving(self, layout: Layout, have: Collection[int]) -> bool:
        """Say whether a viewer who takes what he is offered has little ahead of him."""
        return any(
            is_starving(
                piece,
                layout.pieces(layout.files[file]),
                have,
                layout.piece_length,
                comfort=self.read_aheads.of(file).comfort,
            )
            for file, piece in self.readers.taking(within=_TAKEN_SECONDS)
        )

"""Who wants which files of a torrent, where they are read, and how far ahead of that is fetched."""

from collections.abc import Callable, Collection, Mapping

from vod_stream_node.domain import Layout, Purpose
from vod_stream_node.picker import is_starving
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
        self.readers = Readers(clock)
        self.read_aheads = ReadAheads()

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

"""What of a torrent the file system really holds: what nobody has written yet is a hole in its file."""

import os
from collections.abc import Collection, Iterable
from pathlib import Path

from vod_stream_node.domain import Layout, TorrentFile


def stored(layout: Layout, pieces: Collection[int], *, folder: Path) -> frozenset[int]:
    """Return those of *pieces* of which no byte lies in a hole; blocks.

    libtorrent says that its cache is flushed while another of its threads may still be writing, or about to fail. Where
    a file system knows no holes (lseek(2), SEEK_HOLE), every part of a file that is long enough counts as stored.
    """
    parts: dict[TorrentFile, list[int]] = {}
    for piece in pieces:
        for file in layout.files_in(piece):
            if file.regular:
                parts.setdefault(file, []).append(piece)
    lacking = (_lacking(folder / file.path, layout, file, its) for file, its in parts.items())
    return frozenset(pieces).difference(*lacking)


def _lacking(path: Path, layout: Layout, file: TorrentFile, pieces: Iterable[int]) -> set[int]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return set(pieces)
    try:
        return {piece for piece in pieces if not _is_stored(descriptor, layout, file, piece)}
    finally:
        os.close(descriptor)


def _is_stored(descriptor: int, layout: Layout, file: TorrentFile, piece: int) -> bool:
    begin = max(0, piece * layout.piece_length - file.offset)
    try:
        return os.lseek(descriptor, begin, os.SEEK_HOLE) >= begin + layout.bytes_in(file, piece)
    except OSError:  # the file ends before
        return False

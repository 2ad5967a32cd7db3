"""Takes single files of a torrent off the disk and out of its resume data, so that nothing that is gone counts as here.

A piece that a neighbour needs as well stays: the file then keeps those few bytes, sparse. The resume data is written
first: what it does not know of is fetched again, but what it promises and the disk lacks would be served.
"""

import os
from collections.abc import Collection, Sequence
from pathlib import Path

import libtorrent as lt

from vod_stream_node.domain import Layout, TorrentFile
from vod_stream_node.metainfo import layout_of

Span = tuple[int, int]
"""From a byte of a file to the first one after."""


def shed(resume: Path, data: Path, indexes: Collection[int]) -> int:
    """Remove the files numbered *indexes*; return how many pieces of the torrent are left. Blocks.

    Raises:
        OSError: the disk does not do what it is told.
        RuntimeError: libtorrent can't read the resume data.
    """
    params = lt.read_resume_data(resume.read_bytes())
    if params.ti is None:
        return 0
    layout = layout_of(params.ti)
    have = list(params.have_pieces)
    have += [False] * (params.ti.num_pieces() - len(have))
    gone = [layout.files[index] for index in indexes]
    kept = {piece for file in layout.files if file.index not in indexes for piece in layout.pieces(file)}
    for piece in {piece for file in gone for piece in layout.pieces(file)} - kept:
        have[piece] = False
    params.have_pieces = have
    params.unfinished_pieces = {}
    _replace(resume, lt.write_resume_data_buf(params))
    for file in gone:
        shared = [piece for piece in layout.pieces(file) if piece in kept and have[piece]]
        _thin(data / file.path, [_span(layout, file, piece) for piece in shared])
    return sum(have)


def _span(layout: Layout, file: TorrentFile, piece: int) -> Span:
    begin = max(0, piece * layout.piece_length - file.offset)
    return begin, begin + layout.bytes_in(file, piece)


def _thin(path: Path, spans: Sequence[Span]) -> None:
    """Leave nothing of a file but *spans*; its time of last use stays."""
    if not spans:
        path.unlink(missing_ok=True)
        return
    if not path.is_file() or path.is_symlink():
        return
    used = path.stat()
    new = path.with_name(f"{path.name}.thin")
    with path.open("rb") as old, new.open("wb") as thin:
        for begin, end in spans:
            old.seek(begin)
            thin.seek(begin)
            thin.write(old.read(end - begin))
        thin.truncate(used.st_size)
    os.utime(new, ns=(used.st_atime_ns, used.st_mtime_ns))
    new.replace(path)


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(content)
    new.replace(path)

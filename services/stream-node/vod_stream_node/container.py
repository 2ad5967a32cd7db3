"""Where a media file keeps what a player needs to start, read from its first bytes.

The bytes may be unverified: the answer decides what is asked of the swarm first, and nothing else.
"""

import struct

_MP4_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"uuid", b"pdin", b"styp", b"sidx", b"meta"}
_EBML = b"\x1a\x45\xdf\xa3"
_MAX_INDEX = 64 << 20
_MAX_BOXES = 64


def index_of(head: bytes, size: int) -> range | None:
    """Return the bytes beyond the head that a player reads before the first picture; None when that can't be told yet.

    MP4: the `moov` box, wherever it is (ISO/IEC 14496-12 section 4.2). Matroska needs nothing but its head; its cues
    are read at the first jump. An empty range: nothing.
    """
    if head.startswith(_EBML):
        return range(0)
    if len(head) >= 8 and head[4:8] in _MP4_BOXES:
        return _moov(head, size)
    return None


def _moov(head: bytes, size: int) -> range | None:
    at = 0
    for _ in range(_MAX_BOXES):
        if at + 16 > len(head):
            # A box that ends outside of what is here: when it is the media itself, the rest of the file is the index.
            return None
        length, kind = struct.unpack_from(">I4s", head, at)
        if length == 1:
            (length,) = struct.unpack_from(">Q", head, at + 8)
        if kind == b"moov":
            return range(at, min(at + length, size, at + _MAX_INDEX))
        if length < 8:
            return range(0)  # to the end of the file, or nonsense
        at += length
        if kind == b"mdat":
            return range(min(at, size), min(size, at + _MAX_INDEX))
    return None

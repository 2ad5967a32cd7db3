"""How long a media file plays, read from its first bytes or from those of its index."""

import math
import struct
from collections.abc import Iterator

_EBML_HEAD = b"\x1a\x45\xdf\xa3"
_SEGMENT, _INFO, _TIMESTAMP_SCALE, _DURATION, _CLUSTER = 0x18538067, 0x1549A966, 0x2AD7B1, 0x4489, 0x1F43B675
_NANOSECONDS = 1_000_000
"""A Matroska timestamp's unit unless the file says another."""
_MAX_ELEMENTS = 1_000
_MAX_SECONDS = 7 * 24 * 3600


def duration_of(begin: bytes) -> float | None:
    """Return the seconds that a file plays; None when these bytes don't say it, or say nonsense.

    *begin*: the first bytes of an MP4 (ISO/IEC 14496-12 section 8.2.2), of its `moov` box, or of a Matroska file
    (RFC 9559 section 5.1.2). Whatever they are, nothing is raised.
    """
    try:
        found = _matroska(begin) if begin.startswith(_EBML_HEAD) else _mp4(begin)
    except (IndexError, struct.error):  # it ends too soon
        return None
    return found if found is not None and math.isfinite(found) and 0 < found < _MAX_SECONDS else None


def _mp4(data: bytes) -> float | None:
    at = 0
    for _ in range(_MAX_ELEMENTS):
        length, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if length == 1:
            (length,), head = struct.unpack_from(">Q", data, at + 8), 16
        if kind == b"mvhd":
            form = ">IQ" if data[at + head] == 1 else ">II"
            units, duration = struct.unpack_from(form, data, at + head + (20 if data[at + head] == 1 else 12))
            return duration / units if units else None
        if length < head:
            return None
        at += head if kind == b"moov" else length
    return None


def _matroska(data: bytes) -> float | None:
    scale, duration = _NANOSECONDS, None
    for element, body in _elements(data):
        if element == _TIMESTAMP_SCALE:
            scale = int.from_bytes(body)
        elif element == _DURATION:
            (duration,) = struct.unpack(">f" if len(body) == 4 else ">d", body)
    return None if duration is None else duration * scale / 1e9


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the elements of a Matroska file's head, up to its media; those that hold others are gone into."""
    at = 0
    for _ in range(_MAX_ELEMENTS):
        if at >= len(data):
            return
        element, at = _number(data, at, marked=True)
        size, at = _number(data, at, marked=False)
        if element == _CLUSTER:
            return
        if element not in {_SEGMENT, _INFO}:
            yield element, data[at : at + size]
            at += size


def _number(data: bytes, at: int, *, marked: bool) -> tuple[int, int]:
    """Return a number of variable length (RFC 8794 section 4), with or without its marker, and where it ends."""
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length])
    return value if marked else value & ((1 << 7 * length) - 1), at + length

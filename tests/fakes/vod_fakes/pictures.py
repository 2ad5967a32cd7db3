"""Pictures for titles that have none of their own."""

import struct
import zlib


def dot(colour: tuple[int, int, int]) -> bytes:
    """Return a PNG of one pixel: red, green and blue, 0 to 255 each (https://www.w3.org/TR/png-3/)."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(bytes([0, *colour]))), _chunk(b"IEND", b"")]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

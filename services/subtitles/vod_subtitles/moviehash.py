"""The hash by which OpenSubtitles knows a video (https://opensubtitles.stoplight.io, "moviehash")."""

import struct

BLOCK = 64 * 1024
SMALLEST = 2 * BLOCK


def moviehash(size: int, head: bytes, tail: bytes) -> str:
    """Return the hash of a video of *size* bytes that begins and ends with these blocks, as 16 hex digits.

    Raises:
        ValueError: the video or a block is too small.
    """
    if size < SMALLEST or len(head) != BLOCK or len(tail) != BLOCK:
        raise ValueError("a moviehash needs the first and the last 64 KiB")
    words = f"<{BLOCK // 8}Q"
    return f"{(size + sum(struct.unpack(words, head)) + sum(struct.unpack(words, tail))) % 2**64:016x}"

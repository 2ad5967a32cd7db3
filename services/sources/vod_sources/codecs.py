"""Which codec a picture comes in, as far as that shows: in a playlist, in a file's head, in words. Pure.

Names are those of the device profile: `h264`, `hevc`, `av1`, `dolby_vision`; empty for all others, and if nobody knows.
"""

import re

# RFC 6381 names of sample entries (ISO 14496-12, 14496-15; Dolby Vision Streams).
_ENTRIES = {
    "avc1": "h264", "avc3": "h264", "hvc1": "hevc", "hev1": "hevc", "av01": "av1",
    "dvh1": "dolby_vision", "dvhe": "dolby_vision", "dva1": "dolby_vision", "dvav": "dolby_vision",
}  # fmt: skip
_MATROSKA = {b"V_MPEG4/ISO/AVC": "h264", b"V_MPEGH/ISO/HEVC": "hevc", b"V_AV1": "av1"}
_WORDS = (
    (re.compile(r"\b(?:x265|h\.?265|hevc)\b", re.IGNORECASE), "hevc"),
    (re.compile(r"\bav1\b", re.IGNORECASE), "av1"),
    (re.compile(r"\b(?:x264|h\.?264|avc)\b", re.IGNORECASE), "h264"),
)
_STSD = b"stsd"
_TO_FORMAT = 16
"""From `stsd` to the format of its first entry: the type, version and flags, the count, and the entry's size."""
_CODECS = re.compile(r'CODECS="([^"]*)"', re.ASCII)


def of_variant(line: str) -> str:
    """Return the codec that a variant of a playlist states (RFC 8216, section 4.3.4.2)."""
    stated = _CODECS.search(line)
    names = (_ENTRIES.get(one.strip().partition(".")[0], "") for one in stated[1].split(",")) if stated else ()
    return next((one for one in names if one), "")


def of_head(data: bytes) -> str:
    """Return the codec of the first video track that the head of a Matroska file or a `moov` box describes."""
    for name, codec in _MATROSKA.items():
        if name in data:
            return codec
    at = data.find(_STSD)
    while at >= 0:
        entry = data[at + _TO_FORMAT : at + _TO_FORMAT + 4].decode("ascii", "replace")
        if entry in _ENTRIES:
            return _ENTRIES[entry]
        at = data.find(_STSD, at + 4)
    return ""


def of_words(text: str) -> str:
    """Return the codec that a release's name or a provider's label says."""
    return next((codec for pattern, codec in _WORDS if pattern.search(text)), "")


def moov_at(data: bytes) -> int | None:
    """Return where a file's `moov` box begins, as its first bytes tell (ISO 14496-12); None if they do not.

    It comes before the pictures or behind them: boxes before it tell their lengths.
    """
    at = 0
    while at + 16 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind == b"moov":
            return at
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < 8 or not kind.isascii():
            return None
        at += size
    return at if at >= len(data) else None

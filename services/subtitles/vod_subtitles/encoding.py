"""From bytes to text, when nobody says which encoding it is.

The order is that of ever weaker evidence: a byte order mark; the NULs of UTF-16; valid UTF-8; UTF-8 with a few stray
bytes; the letters of the language that the track is said to be in; a statistical guess.
"""

import codecs
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import chardet

from vod_subtitles.languages import LANGUAGES
from vod_subtitles.unreadable import UnreadableSubtitleError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LOOKED_AT_FOR_NULS = 65_536
_ESCAPES_OF_ISO_2022 = (b"\x1b$", b"\x1b(")
_PUNCTUATION = frozenset("“”„‚‘’–—…«»‹›¿¡♪♫°€£©®™·\u00a0")  # noqa: RUF001
# One stray byte leaves the share of valid sequences at 0.5 or more; no legacy file of 1,352 had more than 0.29.
_TOLERATED_SHARE = 0.5
_FEWEST_VALID = 3
_SAMPLE = 200_000
# The larger sets hold the smaller ones, and are what programs that name the smaller ones really write.
_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "shift_jis_2004": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
    "ascii": "cp1252",
}
_WESTERN = "cp1252"

ENCODINGS = frozenset({"utf-8", "utf-16", "utf-16-le", "utf-16-be"}).union(
    *(language.encodings for language in LANGUAGES.values())
)
"""What a viewer may say that a file is in."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the Python codec it was read with, and whether some bytes made no sense."""

    text: str
    encoding: str
    lossy: bool = False


def decode(raw: bytes, *, language: str) -> Decoded:
    """Read *raw* as what it most likely is, given the track's *language* (ISO 639-1; empty if unknown).

    Raises:
        UnreadableSubtitleError: it is no text in any encoding.
    """
    decoded = _marked(raw) or _utf16_by_nuls(raw) or _utf8(raw) or _by_letters(raw, language) or _guessed(raw, language)
    if decoded is None:
        raise UnreadableSubtitleError("no encoding fits")
    text = unicodedata.normalize("NFC", decoded.text.replace("\ufeff", ""))
    return Decoded(text, decoded.encoding, decoded.lossy)


def decode_as(raw: bytes, encoding: str) -> Decoded:
    """Read *raw* as what somebody says it is; what does not fit becomes U+FFFD.

    Raises:
        UnreadableSubtitleError: it is none of the encodings that subtitles come in (`ENCODINGS`).
    """
    name = encoding.lower().replace("_", "-")
    if name not in ENCODINGS:
        raise UnreadableSubtitleError(f"no encoding of subtitles is called {name[:20]}")
    text = raw.decode(name, errors="replace")
    text = unicodedata.normalize("NFC", text.replace("\ufeff", ""))
    return Decoded(text, name, lossy="\ufffd" in text)


def _marked(raw: bytes) -> Decoded | None:
    encoding = next((encoding for bom, encoding in _BOMS if raw.startswith(bom)), None)
    if encoding is None:
        return None
    text = raw.decode(encoding, errors="replace")
    return Decoded(text, encoding, lossy="\ufffd" in text)


def _utf16_by_nuls(raw: bytes) -> Decoded | None:
    """Find UTF-16 without a mark: timing lines are ASCII, so every other byte of them is NUL."""
    head = raw[:_LOOKED_AT_FOR_NULS]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if even + odd <= len(head) // 20:
        return None
    encoding = "utf-16-le" if odd > 4 * even else "utf-16-be" if even > 4 * odd else None
    if encoding is None:
        return None
    text = raw.decode(encoding, errors="replace")
    return Decoded(text, encoding, lossy="\ufffd" in text)


def _utf8(raw: bytes) -> Decoded | None:
    if any(escape in raw for escape in _ESCAPES_OF_ISO_2022):
        return None
    if (whole := _try(raw, "utf-8")) is not None:
        return whole
    text = raw.decode("utf-8", errors="surrogateescape")
    stray = sum("\udc80" <= character <= "\udcff" for character in text)
    valid = sum(character > "\x7f" for character in text) - stray
    # Few letters beyond ASCII are evidence enough for one stray byte, but not for more.
    if valid < min(stray, _FEWEST_VALID) or valid / (valid + stray) < _TOLERATED_SHARE:
        return None
    # A stray byte in UTF-8 is nearly always Windows punctuation pasted in.
    return Decoded(text.translate(_STRAY), "utf-8", lossy=True)


_STRAY = {0xDC00 + byte: bytes([byte]).decode("cp1252", errors="replace") for byte in range(0x80, 0x100)}


def _by_letters(raw: bytes, language: str) -> Decoded | None:
    """Take the encoding of the language in which the bytes beyond ASCII are most often letters of that language."""
    known = LANGUAGES.get(language)
    if known is None or not known.letters:
        return None
    letters = frozenset(known.letters)
    beyond = bytes(byte for byte in raw[:_SAMPLE] if byte > 0x7F)
    fitting = [encoding for encoding in known.encodings if _try(raw, encoding) is not None]
    if not fitting:
        return None
    # `max` takes the first of equals: the encodings are listed by how frequent they are.
    best = max(fitting, key=lambda encoding: _share_of_letters(beyond.decode(encoding, errors="replace"), letters))
    if _share_of_letters(beyond.decode(best, errors="replace"), letters) <= 0:
        return None
    return _try(raw, best)


def _share_of_letters(text: str, letters: frozenset[str]) -> float:
    """Rate how well characters beyond ASCII fit a language, from -1 (not at all) to 1.

    Capitals count half: Cyrillic read in the wrong encoding is often Cyrillic again, but in capitals.
    """
    return sum(_fit(character, letters) for character in text) / max(1, len(text))


def _fit(character: str, letters: frozenset[str]) -> float:
    if character in letters:
        return 1.0
    if character in _PUNCTUATION or character.lower() in letters:
        return 0.5
    return -1.0


def _guessed(raw: bytes, language: str) -> Decoded | None:
    likely = LANGUAGES[language].encodings if language in LANGUAGES else ()
    return (_best_guess(raw, likely) if likely else None) or _best_guess(raw, None)


def _best_guess(raw: bytes, among: Sequence[str] | None) -> Decoded | None:
    # chardet's own widening is left off: it takes ISO-8859-2 for Windows-1250, whose letters stand elsewhere.
    found = chardet.detect(
        raw[:_SAMPLE],
        prefer_superset=False,
        compat_names=False,
        include_encodings=None if among is None else list(among),
        no_match_encoding=_WESTERN if among is None else among[0],
    )["encoding"]
    if found is None:
        return None
    encoding = codecs.lookup(found).name
    encoding = _WIDER.get(encoding, encoding)
    # A guess among a language's encodings must fit wholly; the last one may leave some bytes unread.
    if (decoded := _try(raw, encoding)) is not None or among is not None:
        return decoded
    return Decoded(raw.decode(encoding, errors="replace"), encoding, lossy=True)


def _try(raw: bytes, encoding: str) -> Decoded | None:
    try:
        return Decoded(raw.decode(encoding), encoding)
    except UnicodeDecodeError:
        return None

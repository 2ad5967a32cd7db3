"""A corpus of subtitle files made from lines of ours, in all the encodings that they used to come in."""

import random
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

from vod_subtitles.encoding import decode

LINES = {
    language: lines
    for row in Path(__file__).with_name("spoken.txt").read_text("utf-8").splitlines()
    for language, *lines in [row.split("|")]
}
_CENTRAL = ("cp1250", "iso8859-2")
LEGACY: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(["cs", "hr", "hu", "pl", "ro", "sk", "sl"], _CENTRAL),
    **dict.fromkeys(["ca", "da", "de", "en", "es", "fi", "fr", "is", "it", "nl", "no", "pt", "sq", "sv"], ("cp1252",)),
    **dict.fromkeys(["et", "lt", "lv"], ("cp1257", "iso8859-13")),
    **dict.fromkeys(["be", "bg", "mk", "sr"], ("cp1251", "iso8859-5")),
    "ru": ("cp1251", "koi8-r", "cp866", "iso8859-5"),
    "uk": ("cp1251", "koi8-u"),
    "el": ("cp1253", "iso8859-7"),
    "tr": ("cp1254",),
    "he": ("cp1255",),
    "ar": ("cp1256",),
    "fa": ("cp1256",),
    "vi": ("cp1258",),
    "th": ("cp874",),
    "ja": ("cp932", "euc-jp", "iso-2022-jp"),
    "ko": ("cp949",),
    "zh": ("gb18030", "big5hkscs"),
}
UNICODE = ("utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-16")
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_PERSIAN = str.maketrans({"ی": "ي", "\u200c": None})
_SIMPLIFIED = "现对说么这时间里从边来们盏灯经个该灭"
_TRADITIONAL = str.maketrans(_SIMPLIFIED, "現對說麼這時間裡從邊來們盞燈經個該滅")


def as_written(line: str, encoding: str) -> str:
    """Return a line as people wrote it where the encoding lacks letters."""
    if encoding == "cp1256":
        return line.translate(_PERSIAN)
    if encoding == "big5hkscs":
        return line.translate(_TRADITIONAL)
    if encoding != "cp1258":
        return line
    written = ""
    for character in line:
        base, *marks = unicodedata.normalize("NFD", character)
        kept = "".join(mark for mark in marks if mark not in _TONES)
        written += unicodedata.normalize("NFC", base + kept) + "".join(mark for mark in marks if mark in _TONES)
    return written


def file(language: str, encoding: str, *, size: int, seed: int) -> str:
    """Make a SubRip file of about *size* bytes: the language's lines and their words, in another order per seed."""
    chance = random.Random(f"{language} {encoding} {size} {seed}")
    lines = [as_written(line, encoding) for line in LINES[language]]
    words = [word for line in lines for word in line.split()]
    text, at = "", 12_000
    for number in range(1, 10_000):
        line = chance.choice(lines) if chance.random() < 0.5 else " ".join(chance.choices(words, k=5))
        end = at + chance.randint(1200, 4500)
        text += f"{number}\r\n{_time(at)} --> {_time(end)}\r\n{line}\r\n\r\n"
        at = end + chance.randint(50, 3000)
        if len(text.encode(encoding)) >= size:
            break
    return text


def _time(ms: int) -> str:
    return f"{ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02},{ms % 1000:03}"


def corpus(size: int) -> Iterator[tuple[str, str, str, bytes]]:
    """Yield (language, encoding, text, bytes)."""
    seeds = range(3 if size < 10_000 else 1)
    for language in LINES:
        for encoding in (*LEGACY[language], *UNICODE):
            for seed in seeds:
                text = file(language, encoding, size=size, seed=seed)
                yield language, encoding, text, text.encode(encoding)
        for seed in seeds:
            yield language, "broken", *_with_a_broken_byte(file(language, "utf-8", size=size, seed=seed), seed=seed)


def _with_a_broken_byte(text: str, *, seed: int) -> tuple[str, bytes]:
    at = random.Random(seed).randrange(len(text))
    return f"{text[:at]}\u2019{text[at:]}", text[:at].encode() + b"\x92" + text[at:].encode()


@pytest.mark.parametrize(("size", "wanted"), [(1_000, 0.995), (20_000, 1.0)])
def test_encodings_are_told_right(size: int, wanted: float) -> None:
    files = list(corpus(size))
    wrong = [
        (language, encoding)
        for language, encoding, text, raw in files
        if decode(raw, language=language).text != unicodedata.normalize("NFC", text)
    ]

    assert len(LINES) >= 30
    assert len(files) >= len(LINES) * 7
    assert 1 - len(wrong) / len(files) >= wanted, wrong

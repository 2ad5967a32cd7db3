"""Compares titles the way search boxes do: by words, without case, accents and punctuation."""

from __future__ import annotations

import re
import unicodedata

_SHORT = 3
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Split into words without case, accents and punctuation."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return _WORD.findall(plain.casefold())


def begin_alike(asked: list[str], title: str) -> bool:
    """Whether every asked word is the beginning of a word of the title."""
    return all(any(word.startswith(part) for word in words(title)) for part in asked)


def contains_all(asked: list[str], title: str) -> bool:
    """Whether every asked word is a word of the title, as indexers match: "Lights" finds "Light" too."""
    return {_stem(word) for word in asked} <= {_stem(word) for word in words(title)}


def _stem(word: str) -> str:
    return word.removesuffix("s") if len(word) > _SHORT else word

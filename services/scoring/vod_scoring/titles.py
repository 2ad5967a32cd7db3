"""Whether a release's title is the wanted one: exactly, on keys without case, accents, spaces and punctuation.

Similarity is not used: it takes "Ghost" for "Ghosts" and refuses real aliases. All aliases are compared instead.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

ARTICLES = ("the", "a", "an")
COUNTRIES = ("us", "uk", "au", "nz", "ca", "usa", "gb")
APOSTROPHES = str.maketrans("", "", "'`\u2019\u2018\u00b4\u02bc")
SEASON_SUFFIX = re.compile(
    r"(?:the)?(?:finalseason|season\d{1,2}|\d{1,2}(?:st|nd|rd|th)season|part\d{1,2}|cour\d{1,2}){1,2}"
)
SHORTEST_WITH_SUFFIX = 5


@lru_cache(maxsize=16384)
def words(title: str) -> tuple[str, ...]:
    """Split a title into comparable words; "S.H.I.E.L.D." is one word."""
    text = (
        unicodedata.normalize("NFKD", title).casefold().translate(APOSTROPHES).replace("&", " and ").replace("_", " ")
    )
    text = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    joined: list[str] = []
    letters = False
    for word in re.findall(r"\w+", text):
        if letters and len(word) == 1:
            joined[-1] += word
        else:
            joined.append(word)
        letters = len(word) == 1
    return tuple(joined)


def key(parts: Sequence[str]) -> str:
    """Join *parts* to what is compared, without a leading article."""
    return "".join(parts[1:] if len(parts) > 1 and parts[0] in ARTICLES else parts)


@lru_cache(maxsize=64)  # the same for all candidates of a request
def _keys(wanted: tuple[str, ...]) -> tuple[frozenset[str], tuple[tuple[str, ...], ...]]:
    """Return the keys of the wanted titles, and their words."""
    split = tuple(parts for title in wanted if (parts := words(title)))
    return frozenset(key(parts) for parts in split), split


def is_title(stated: Iterable[str], *, year: int, wanted: tuple[str, ...]) -> bool:
    """Tell whether a title that a name states, with the *year* behind it (0 if none), is one of the *wanted* titles."""
    keys, split = _keys(wanted)
    return any(
        key(parts) in keys or (year and key((*parts, str(year))) in keys) or _is_of_country(parts, split)
        for title in stated
        if (parts := words(title))
    )


def has_season_behind(stated: Iterable[str], *, wanted: tuple[str, ...]) -> bool:
    """Tell whether a stated title is a wanted one with words for a season behind it: "Title Final Season".

    Running numbers behind such a title may count from that season.
    """
    keys = [one for one in _keys(wanted)[0] if len(one) >= SHORTEST_WITH_SUFFIX]
    names = [key(words(title)) for title in stated]
    return any(name.startswith(one) and SEASON_SUFFIX.fullmatch(name[len(one) :]) for name in names for one in keys)


def states_year(stated: Iterable[str], *, year: int, wanted: tuple[str, ...]) -> bool:
    """Tell whether the number behind the stated title belongs to the wanted title itself ("Summer of 1984")."""
    return any(key((*words(title), str(year))) in _keys(wanted)[0] for title in stated)


def _is_of_country(parts: Sequence[str], wanted: Sequence[Sequence[str]]) -> bool:
    """Accept "Ghosts US" for "Ghosts", unless the aliases say that the wanted one is of another country."""
    if len(parts) < 2 or parts[-1] not in COUNTRIES:
        return False
    base = key(parts[:-1])
    countries = {one[-1] for one in wanted if len(one) > 1 and one[-1] in COUNTRIES and key(one[:-1]) == base}
    return base in {key(one) for one in wanted} and (not countries or parts[-1] in countries)

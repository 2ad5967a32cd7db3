"""Words and signs that release names use for numbers and tags, and what a numbering is."""

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass

FIRST_FILM = 1888
LONGEST_RANGE = 200  # more episodes than this "in one release" is a misreading
GAP = r"[\s._-]{0,3}"
LOOSE_GAP = r"[\s._:(#/-]{0,4}(?:n[or][\s.]{1,2}|no(?=\d))?"
SEASON_WORD = (
    r"(?:seasons?|series|saisons?|temporadas?|stagion[ei]|staffeln?|sezon(?:[ayu]|ul)?|sez[oó]na|série|seizoen(?:en)?|säsong|"
    r"s[æe]song?|kausi|évad|сезон[аы]?)"
)
SEASON = rf"(?:{SEASON_WORD}|se|temp?)"  # the short ones count only with an episode word behind them
SEASON_NUMBER = r"(?:\d{1,2}|(?:19|20)\d\d)(?!\d)"
EPISODE_WORD = (
    r"(?:episodes?|épisodes?|eps?|folgen?|epis[oó]d(?:ios?|ul)|cap[ií]tulos?|cap|puntat[ae]|odcin(?:ek|ki)|odc|"
    r"afleveringe?n?|afl|avsnitt|afsnit|jakso|"
    r"b[oö]l[uü]m|сери[яий]|эпизод|выпуск)"
)
# Where the number stands in front: "7. Bölüm", "7-я серия".
EPISODE_WORD_BEHIND = (
    r"(?:b[oö]l[uü]m|сери[яий]|сер(?=[.)\]])|выпуск|эпизод|rész|díl|jakso|osa|epizoda|episode|folge|avsnitt|odcinek)"  # noqa: RUF001  Cyrillic
)
ORDINAL = r"(?:st|nd|rd|th|[aoeªº]|ème|\.|-[ийя]|-?(?:ый|ой|ая))?"
SPELLED_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
SPELLED_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
ROMAN_NUMBERS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
SPELLED = {
    text: value
    for texts in (SPELLED_ORDINALS, SPELLED_NUMBERS, ROMAN_NUMBERS)
    for value, text in enumerate(texts, start=1)
}


@dataclass(frozen=True, slots=True)
class Numbering:
    """What a name says about its place in a series, and where it says so.

    `start` and `end` are offsets in the text that was read; `rule` names what recognised it.
    """

    rule: str
    start: int
    end: int
    seasons: tuple[int, ...] = ()
    episodes: tuple[int, ...] = ()
    absolutes: tuple[int, ...] = ()
    whole_seasons: bool = False
    date: datetime.date | None = None


Rule = Callable[[str], Numbering | None]


def pattern(*parts: str) -> re.Pattern[str]:
    """Compile the joined *parts*; case does not matter in release names."""
    return re.compile("".join(parts), re.IGNORECASE)


def word(*parts: str) -> re.Pattern[str]:
    """Compile the joined *parts* so that they match only as whole words; dots and underscores separate words."""
    return pattern(r"(?<![^\W_])(?:", *parts, r")(?![^\W_])")


def number_range(first: int, last: int) -> tuple[int, ...]:
    """Return all numbers from *first* to *last*; only the first where that can't be meant."""
    return tuple(range(first, last + 1)) if first < last <= first + LONGEST_RANGE else (first,)


def number_of(text: str) -> int:
    """Return the number that digits, an English word or a Roman numeral stand for."""
    return SPELLED.get(text.lower()) or int(text)


def is_year(number: int, digits: str) -> bool:
    """Tell whether *digits* look like a year."""
    return len(digits) == 4 and FIRST_FILM <= number <= 2099


# Tags that are no words of a title.
TECH = word(
    r"(?:bd|web|hdtv|bluray|dvd)?\d{3,4}[pi]|\d{3,4}[x*]\d{3,4}|4k|[fu]hd|web(?:[\s.-]?dl|-?rip|-?hd)?|"
    r"[hps]dtv|dsr|",
    r"blu-?ray|b[dr]-?rip(?:-?mux)?|b[dr]-?mux|bdremux|bd(?=\s?[\])\d])|m?dvd(?:rip|r|5|9|scr)?|remux|hd-?rip|hd-?cam|cam-?rip|"
    r"hd-?ts|telesync|",
    r"telecine|[xh][\s.]?26[45]|hevc|avc|av1|xvid|divx|(?:8|10)-?bit|hi10p?|aac|flac|ac3|dts|ddp?[257]\.[01]|"
    r"proper|",
    r"repack|rerip|internal|vostfr|subbed",
)

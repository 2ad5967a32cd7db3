"""Words and signs that release names use for numbers and tags, and what a numbering is."""

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass

LONGEST_RANGE = 200  # more episodes than this "in one release" is a misreading
GAP = r"[\s._-]{0,3}"
LOOSE_GAP = r"[\s._:(№#/-]{0,4}"
SEASON_WORD = r"(?:seasons?|series|saisons?|temporadas?|stagion[ei]|staffeln?|sezon[yu]?|seizoen(?:en)?|säsong|сезоны?)"
SEASON = rf"(?:{SEASON_WORD}|se|temp?)"  # the short ones count only with an episode word behind them
SEASON_NUMBER = r"(?:\d{1,2}|(?:19|20)\d\d)(?!\d)"
EPISODE_WORD = (
    r"(?:episodes?|épisodes?|eps?|folgen?|episodios?|cap[ií]tulos?|cap|puntata|odcinek|odc|aflevering|afl|"
    r"avsnitt|"
    r"b[oö]l[uü]m|сери[яи]|эпизод|выпуск)"
)


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


def is_year(number: int, digits: str) -> bool:
    """Tell whether *digits* look like a year."""
    return len(digits) == 4 and 1900 <= number <= 2099


# Tags that are no words of a title.
TECH = word(
    r"(?:bd|web|hdtv|bluray|dvd)?\d{3,4}[pi]|\d{3,4}[x*]\d{3,4}|4k|[fu]hd|web(?:[\s.-]?dl|-?rip|-?hd)?|"
    r"[hps]dtv|dsr|",
    r"blu-?ray|b[dr]-?rip|bdremux|bd(?=\s?[\])\d])|m?dvd(?:rip|r|5|9|scr)?|remux|hd-?rip|hd-?cam|cam-?rip|"
    r"hd-?ts|telesync|",
    r"telecine|[xh][\s.]?26[45]|hevc|avc|av1|xvid|divx|(?:8|10)-?bit|hi10p?|aac|flac|ac3|dts|ddp?[257]\.[01]|"
    r"proper|",
    r"repack|rerip|internal|vostfr|subbed",
)

"""Reads which episodes a file name stands for.

Rules are tried from strict to loose and the first that matches decides, so that a `1x05` never loses to a bare number
beside it. Names are cut first: the patterns are linear, but parsett's are not.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from PTT import parse_title

_MAX_NAME = 300
_MAX_RANGE = 60
_NOISE = re.compile(
    r"""(?<![a-z0-9])[hx][\s._]?26[3-6](?!\d) | (?<!\d)\d{3,4}x\d{3,4}(?!\d) | (?<![\d])[1257]\.[01](?!\d)""",
    re.IGNORECASE | re.VERBOSE,
)
"""Numbers that never count episodes: codecs, picture sizes, audio channels."""
_RESOLUTIONS = frozenset({240, 360, 480, 540, 576, 720, 1080, 1440, 2160})

_SEASON_WORD = r"(?:season|seasons|staffel|saison|temporada|stagione)"
_EPISODE_WORD = r"(?:episode|episodio|épisode|folge|cap[ií]tulo|puntata|ep|e)"
_END = r"(?:v(?P<version>\d))?(?![a-z0-9])(?!\.\d(?!\d))"
"""Nothing that makes it another number: no letters (`1080p`), no half (`05.5`)."""

_CHAIN = re.compile(
    r"""(?<![a-z0-9]) s(?P<season>\d{1,4}) [\s._-]{0,3} ep?[\s._]?(?P<first>\d{1,4})
        (?P<more>(?: [\s._]?[-&+]?[\s._]? (?:s\d{1,4}[\s._-]?)? e\d{1,4} | -\d{1,3}(?![a-z0-9]) )*)
        (?!\d)""",
    re.IGNORECASE | re.VERBOSE,
)
_CROSS = re.compile(
    r"(?<![a-z0-9])(?P<season>\d{1,2})x(?P<first>\d{2,3})(?P<more>(?:-(?:\d{1,2}x)?\d{2,3})?)(?![a-z0-9])",
    re.IGNORECASE,
)
_WORDS = re.compile(
    rf"{_SEASON_WORD}[\s._-]*(?P<season>\d{{1,2}})[\s._,-]*{_EPISODE_WORD}[\s._-]*(?P<first>\d{{1,4}})(?P<more>)(?!\d)",
    re.IGNORECASE,
)
_SEASON_DASH = re.compile(
    rf"(?<![a-z0-9])s(?P<season>\d{{1,2}})[\s._]+-[\s._]+(?P<first>\d{{1,4}})(?P<more>){_END}", re.IGNORECASE
)
_DATE = re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)[\s._-](?P<month>\d\d)[\s._-](?P<day>\d\d)(?!\d)")
_BARE = tuple(
    re.compile(pattern + _END, re.IGNORECASE)
    for pattern in (
        rf"(?<![a-z0-9]){_EPISODE_WORD}[\s._-]?(?P<number>\d{{1,4}})",
        r"[\s._]-[\s._]+(?P<number>\d{1,4})",
        r"\[(?P<number>\d{1,4})(?=(?:v\d)?\])",
        r"\#(?P<number>\d{1,4})",
        r"^(?P<number>\d{1,4})(?=(?:v\d)?(?:[\s._-]|$))",
        r"(?:^|[\s._])(?P<number>\d{2,4})(?=(?:v\d)?[\s._]*(?:[\[(]|$))",
    )
)
_HALF = re.compile(r"(?:^|[\s._])\d{1,4}\.5(?!\d)")
_VERSION = re.compile(
    r"(?<=\d)v(?P<version>[2-9])(?![a-z0-9])|(?<![a-z])(?P<word>proper|repack|rerip)(?![a-z])", re.IGNORECASE
)

_ONE_SEASON = re.compile(
    rf"(?:(?<![a-z]){_SEASON_WORD}[\s._-]*|(?<![a-z0-9])s)(?P<season>\d{{1,2}})(?![a-z0-9])"
    r"(?P<to>[\s._]*(?:-|to|&|\+|,)[\s._]*s?\d{1,2}(?![a-z0-9]))?",
    re.IGNORECASE,
)
_ORDINAL = re.compile(rf"(?<![a-z0-9])(?P<season>\d{{1,2}})(?:st|nd|rd|th)[\s._]+{_SEASON_WORD}", re.IGNORECASE)
_SPECIALS = re.compile(r"^(?:specials?|sps?|ovas?|oads?)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Numbering:
    """What a name says about the episodes in it; all empty when it says nothing."""

    season: int | None = None
    episodes: frozenset[int] = frozenset()
    """Numbers within `season`."""
    bare: frozenset[int] = frozenset()
    """Numbers that stand without a season: within some season, or counted over all of them."""
    aired: date | None = None


NOTHING = Numbering()
_BETWEEN = Numbering(season=0)
"""A recap between two episodes (`05.5`): a special whose number nobody agrees on."""


def read_numbering(name: str) -> Numbering:
    """Return what *name*, a file name without its extension or a release name, says by our own rules."""
    name = _NOISE.sub(" ", name[:_MAX_NAME])
    for rule in (_CHAIN, _CROSS, _WORDS, _SEASON_DASH):
        if match := rule.search(name):
            return Numbering(season=int(match["season"]), episodes=_chain(match))
    if aired := _aired(name):
        return Numbering(aired=aired)
    bare = frozenset(_bare(name))
    return _BETWEEN if not bare and _HALF.search(name) else Numbering(bare=bare)


def guess_numbering(name: str) -> Numbering:
    """Return what parsett makes of *name*; for names on which our own rules are silent."""
    parsed = parse_title(name[:_MAX_NAME])
    episodes = frozenset(parsed.get("episodes", ()))
    seasons = parsed.get("seasons", ())
    if not episodes:
        return NOTHING
    if len(seasons) == 1:
        return Numbering(season=seasons[0], episodes=episodes)
    return Numbering(bare=episodes) if not seasons else NOTHING


def stated_season(text: str) -> int | None:
    """Return the season that a folder or a release name stands for; None if it names none, or more than one."""
    text = text[:_MAX_NAME].strip()
    if _SPECIALS.match(text):
        return 0
    found = [*_ONE_SEASON.finditer(text), *_ORDINAL.finditer(text)]
    if any(match.groupdict().get("to") for match in found):
        return None
    seasons = {int(match["season"]) for match in found}
    return seasons.pop() if len(seasons) == 1 else None


def version_of(name: str) -> int:
    """Return 1 for the first issue of a file, 2 for `v2`, PROPER and REPACK, and so on."""
    versions = [int(match["version"] or 2) for match in _VERSION.finditer(name[:_MAX_NAME])]
    return max(versions, default=1)


def _chain(match: re.Match[str]) -> frozenset[int]:
    first = int(match["first"])
    more = match["more"]
    # The season may be said again: `-S01E03`, `-1x03`.
    numbers = [int(number) for number in re.findall(r"(?<![s\d])\d+(?![x\d])", more, re.IGNORECASE)]
    if numbers and "-" in more and first < numbers[-1] <= first + _MAX_RANGE:
        return frozenset(range(first, numbers[-1] + 1))
    return frozenset({first, *numbers})


def _aired(name: str) -> date | None:
    for match in _DATE.finditer(name):
        try:
            return date(int(match["year"]), int(match["month"]), int(match["day"]))
        except ValueError:
            continue
    return None


def _bare(name: str) -> Iterator[int]:
    for rule in _BARE:
        numbers = [int(match["number"]) for match in rule.finditer(name) if _may_number_an_episode(match["number"])]
        if numbers:
            # The last one: what comes before it may belong to the title (`Zone 9 - 05`).
            yield numbers[-1]
            return


def _may_number_an_episode(digits: str) -> bool:
    number = int(digits)
    year = len(digits) == 4 and 1900 <= number <= 2099
    return not year and number not in _RESOLUTIONS

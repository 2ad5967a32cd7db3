"""Rules for names that count in seasons and episodes, or by date.

Each rule reads a text of bounded length with bounded repetitions, so that no name can hold it up.
"""

import datetime
import re
from collections.abc import Sequence

from vod_search.terms import (
    EPISODE_WORD,
    EPISODE_WORD_BEHIND,
    GAP,
    LONGEST_RANGE,
    LOOSE_GAP,
    ORDINAL,
    SEASON,
    SEASON_NUMBER,
    SEASON_WORD,
    SPELLED_NUMBERS,
    SPELLED_ORDINALS,
    Numbering,
    number_of,
    pattern,
    word,
)

MOST_SEASONS = 40
LONGEST_GLUED = 2
NEXT_EPISODE = pattern(
    rf"(?P<join>[\s._]{{0,2}}(?:[-~&+,]|to|and)?[\s._]{{0,2}})(?:S(?P<season>\d{{1,2}}){GAP})?(?:EP?)[\s._]?"
    rf"(?P<episode>\d{{1,5}})(?!\d|(?!EP?\d)[a-z])"
)
NEXT_CROSS = pattern(r"(?P<join>[\s._]{0,2}[-~&+,]?[\s._]{0,2})(?P<season>\d{1,2})?x(?P<episode>\d{2,3})(?!\d)")
NEXT_BARE = pattern(r"(?P<join>[-~&+])(?P<episode>\d{1,5})(?![\dpikx])")
NEXT_UNDERSCORED = pattern(r"(?P<join>_)(?P<episode>\d{2,3})(?![\dpikx])")


def _follow(text: str, position: int, first: int, nexts: Sequence[re.Pattern[str]]) -> tuple[tuple[int, ...], int]:
    """Read further episodes of a chain ("E02E03", "-04") from *position* on; return all of them and the new end."""
    episodes, is_glued = [first], True
    while len(episodes) < LONGEST_RANGE:
        match = next((found for form in nexts if (found := form.match(text, position))), None)
        if match is None:
            break
        number, last = int(match["episode"]), episodes[-1]
        is_range = any(sign in match["join"] for sign in "-~") or "to" in match["join"].lower()
        if match.re in (NEXT_BARE, NEXT_UNDERSCORED) and not last < number <= last + LONGEST_RANGE:
            break
        episodes += range(last + 1, number + 1) if is_range and last < number <= last + LONGEST_RANGE else [number]
        position = match.end()
        is_glued = is_glued and not match["join"]
    if len(episodes) == 2 and is_glued and episodes[0] < episodes[1] <= episodes[0] + LONGEST_GLUED:
        episodes = list(range(episodes[0], episodes[1] + 1))  # "E07E09" is written for "E07-E09"
    return tuple(dict.fromkeys(episodes)), position


STANDARD = pattern(
    rf"(?<![A-Za-z0-9])(?:S|T(?=\d{{1,2}}[\s._]?E))(\d{{1,4}})[\s._()\[\]-]{{0,3}}(?:X?EP?|X){GAP}(\d{{1,5}})(?!\d)"
)
STANDARD_GLUED = pattern(r"S(\d{2})E(\d{2,3})(?!\d)")


def standard(text: str) -> Numbering | None:
    """`S01E02`, chains and ranges of it: `S01E02E03`, `S01E02-E04`, `S01E02-04`, `S01E01.S01E02`."""
    match = STANDARD.search(text) or STANDARD_GLUED.search(text)
    if not match:
        return None
    episodes, end = _follow(text, match.end(), int(match[2]), (NEXT_EPISODE, NEXT_BARE))
    return Numbering("standard", match.start(), end, seasons=(int(match[1]),), episodes=episodes)


CROSS = pattern(
    r"(?<![A-Za-z0-9])(\d{1,2})[x\u0445\u00d7](\d{2,3}(?!\d|x\d{3})|\d(?![A-Za-z0-9]))",
    r"|(?<![A-Za-z0-9])((?:19|20)\d\d)x(\d{2})(?!\d|\.\d)",
)
CROSS_GLUED = re.compile(r"(?<=[a-z])(\d)x(\d{2})(?!\d)")


def cross(text: str) -> Numbering | None:
    """`1x02`, chains and ranges of it: `1x02x03`, `1x02-1x04`, `1x02_03`."""
    match = CROSS.search(text) or CROSS_GLUED.search(text)
    if not match:
        return None
    season, episode = (int(group) for group in match.groups() if group)
    episodes, end = _follow(text, match.end(), episode, (NEXT_CROSS, NEXT_BARE, NEXT_UNDERSCORED))
    return Numbering("cross", match.start(), end, seasons=(season,), episodes=episodes)


WORDS = (
    pattern(
        rf"(?<!\d)(?P<season>\d{{1,2}}){ORDINAL}\s?{SEASON_WORD}[\s._,:-]{{1,4}}(?P<episode>\d{{1,4}}){ORDINAL}\s?"
        rf"{EPISODE_WORD_BEHIND}(?![^\W_])(?![\s._]{{1,2}}\d{{1,3}}(?![\dpi]))"
    ),
    pattern(
        rf"(?<![^\W_]){SEASON}{LOOSE_GAP}(?P<season>\d{{1,2}})[\s._-]{{1,3}}\(?(?P<episode>\d{{1,3}})[\s._]?of[\s._]?\d"
    ),
    pattern(
        rf"(?<![^\W_]){SEASON}{LOOSE_GAP}(?P<season>\d{{1,4}})(?:[^\d\[\]]|(?<=\()\d{{4}}(?=\))|\d{{3,4}}[pi]){{1,40}}?(?<![^\W_])"
        rf"(?:{EPISODE_WORD}|E){LOOSE_GAP}(?P<episode>\d{{1,4}})(?!\d|[pi](?![a-z]))"
    ),
    pattern(
        rf"(?<!\d)(?P<season>\d{{1,2}})(?:(?:st|nd|rd|th|[ao]|\.)\s?{SEASON_WORD}|\s(?:сезон|sezon))[\s._,:\[-]{{1,4}}"
        rf"(?:{EPISODE_WORD}{GAP})?#?(?P<episode>\d{{1,4}})(?!\d|[pi](?![a-z]))"
    ),
    pattern(
        rf"(?<![A-Za-z0-9])S(?P<season>\d{{1,2}})[\s._]+(?:-[\s._]+(?:{EPISODE_WORD}[\s._]?)?|{EPISODE_WORD}[\s._]?)"
        rf"(?P<episode>\d{{2,3}})(?:v\d)?(?=[\s._]*(?:[-\[(]|\d{{3,4}}[pi](?![a-z])|$))"
    ),
    pattern(rf"(?<![^\W_])S(?P<season>\d{{1,2}}){LOOSE_GAP}{EPISODE_WORD}{LOOSE_GAP}(?P<episode>\d{{1,4}})(?!\d)"),
    pattern(rf"(?<![^\W_]){EPISODE_WORD}{GAP}(?P<episode>\d{{1,4}}){GAP}{SEASON_WORD}{GAP}(?P<season>\d{{1,2}})(?!\d)"),
    pattern(
        rf"(?<![^\W_]){SEASON_WORD}{GAP}(?P<season>\d{{1,2}})[\s._)]{{0,3}}"
        rf"(?:(?:part|cour)[\s._]\d[\s._)]{{0,3}})?(?:-[\s._]+|\[)"
        rf"(?P<episode>\d{{2,3}})(?:v\d)?(?=[\s._]*(?:[-\[\](]|$))"
    ),
    pattern(r"(?<![A-Za-z0-9])S(?P<season>\d{1,2})[\s._]{0,2}\[(?P<episode>\d{2,3})(?:v\d)?\]"),
    pattern(
        r"(?<![A-Za-z0-9])S(?P<season>\d{1,2})[\s._]{1,2}(?P<episode>\d{1,3})(?=[-~]\d{1,3}(?![\dpi])(?![\s._-]?bit))"
    ),
    pattern(
        rf"(?<![^\W_]){SEASON_WORD}{GAP}(?P<season>\d{{1,2}})[^\d\[\](]{{0,20}}[\[(]EP?(?P<episode>\d{{1,3}})(?!\d)"
    ),
    pattern(
        rf"(?:(?<![^\W_]){SEASON_WORD}{GAP}|(?<![A-Za-z0-9])S)(?P<season>\d{{1,2}})[\s._]{{1,2}}[\[(]"
        r"(?P<episode>\d{2,3})(?=\s?[-~]\s?\d{2,3}[\])])"
    ),
)
WORD_RANGE = pattern(
    rf"[\s._]{{0,2}}(?P<join>[-~&+]|to|до|and|en|und|et|y)[\s._]{{0,2}}(?:{EPISODE_WORD}{GAP}|E)?(\d{{1,4}})(?![\da-z])"
)


def words(text: str) -> Numbering | None:
    """`Season 1 Episode 2`, `Staffel 1 Folge 2`, `2nd Season - 05`, `S2 - 05`."""
    for form in WORDS:
        if match := form.search(text):
            episodes, end = (int(match["episode"]),), match.end()
            while (last := WORD_RANGE.match(text, end)) and episodes[-1] < int(last[2]) <= episodes[-1] + LONGEST_RANGE:
                episodes, end = (*episodes, *range(episodes[-1] + 1, int(last[2]) + 1)), last.end()
            return Numbering("words", match.start(), end, seasons=(int(match["season"]),), episodes=episodes)
    return None


DOTTED = (
    pattern(rf"(?<![^\W_])(?:{EPISODE_WORD}[\s._]{{0,2}})?#(?P<season>\d{{1,2}})\.(?P<number>\d{{1,3}})(?!\d)"),
    pattern(rf"(?<![^\W_]){EPISODE_WORD}[\s._]{{1,2}}(?P<season>\d{{1,2}})\.(?P<number>\d{{2,3}})(?!\d)"),
    pattern(r"(?<![A-Za-z0-9])(?P<season>\d{1,2})E(?P<number>\d{2,3})(?![A-Za-z0-9])"),
    pattern(r"[\[(](?P<season>\d{1,2})\.(?P<number>\d{2,3})[\])]"),
)


def dotted(text: str) -> Numbering | None:
    """`Episode #3.7`, `Episode 3.07`, `03E07`, `[3.07]`."""
    match = next((found for form in DOTTED if (found := form.search(text))), None)
    return _one(match, "dotted") if match else None


DISC = pattern(
    r"(?<![A-Za-z0-9])S(\d{1,2})[\s._]?(?:D(?:is[ck][\s._]?)?|DVD[\s._]?(?![59](?!\d)))\d{1,2}(?:[-&+]\d{1,2}){0,4}"
    r"(?![A-Za-z0-9])"
)


def disc(text: str) -> Numbering | None:
    """`S03D02`: a disc of a season, with who knows which episodes."""
    match = DISC.search(text)
    return Numbering("disc", match.start(), match.end(), seasons=(int(match[1]),)) if match else None


SPACED = pattern(r"(?<![A-Za-z0-9])S(?P<season>\d{1,2})[\s._]+(?P<number>\d{2,3})(?:v\d)?(?=[\s._]*(?:[-\[(]|$))")


SPACED_BEFORE_TAGS = pattern(SPACED.pattern, r"(?=[\s._]*[\[(])")
LOST_E = pattern(r"(?<![A-Za-z0-9])S(?P<season>\d{1,2})(?:\.(?P<dotted>\d\d)(?=\.|$)|[\s_](?P<last>\d\d)$)")


def lost_e(text: str) -> Numbering | None:
    """`S02.05`, and `S02 05` at the very end: season 2, episode 5."""
    match = LOST_E.search(text)
    if not match:
        return None
    episodes = (int(match["dotted"] or match["last"]),)
    return Numbering("lost e", match.start(), match.end(), seasons=(int(match["season"]),), episodes=episodes)


def spaced(text: str) -> Numbering | None:
    """`S2 05` behind a fansub group: season 2, episode 5."""
    match = SPACED.search(text)
    return _one(match, "spaced") if match else None


def spaced_seasons(text: str) -> Numbering | None:
    """`S01 04 (…)`, which lost its dash on the way: seasons 1 to 4."""
    match = SPACED_BEFORE_TAGS.search(text)
    if not match or len(match["number"]) > 2 or not int(match["season"]) < int(match["number"]) <= MOST_SEASONS:
        return None
    seasons = tuple(range(int(match["season"]), int(match["number"]) + 1))
    return Numbering("spaced seasons", match.start(), match.end(), seasons=seasons, whole_seasons=True)


FOLDER = pattern(
    rf"(?<![^\W_]){SEASON_WORD}[\s._]?(?P<season>\d{{1,4}})(?![\d])[^/\\]{{0,80}}[/\\](?:[^/\\]{{1,80}}?\s-\s)?E?"
    r"(?P<number>\d{1,3})(?=[\s._-]|$)"
)
UNDERSCORED = pattern(r"(?<![^\W_])(?<!\d_)(?P<season>\d\d)_(?P<number>\d\d)(?=[\s.-]|$)")
LEADING = re.compile(r"^(?P<season>\d{1,2})-(?P<number>\d{2})[\s._]+(?=[^\W\d])")


def foldered(text: str) -> Numbering | None:
    """`Season 1/02 Name`, `Season 1/Title - 02`: a path, whose folder has the season and whose file the episode."""
    match = FOLDER.search(text)
    return _one(match, "foldered") if match else None


def underscored(text: str) -> Numbering | None:
    """`Name_03_19`: season 3, episode 19."""
    match = UNDERSCORED.search(text)
    return _one(match, "underscored") if match and match.start() else None


def leading(text: str) -> Numbering | None:
    """`11-02 Name`: season 11, episode 2."""
    match = LEADING.match(text)
    return _one(match, "leading") if match else None


def _one(match: re.Match[str], rule: str) -> Numbering:
    seasons, episodes = (int(match["season"]),), (int(match["number"]),)
    return Numbering(rule, match.start(), match.end(), seasons=seasons, episodes=episodes)


CAP = pattern(r"(?<![^\W_])Cap[\s._]{0,2}(\d{1,2})(\d{2})(?:_(\d{1,2})(\d{2}))?(?!\d)")


def cap(text: str) -> Numbering | None:
    """The Spanish `Cap.102`: season 1, episode 2; `Cap.102_104` is a range."""
    match = CAP.search(text)
    if not match:
        return None
    last = int(match[4] or match[2])
    episodes = tuple(range(int(match[2]), last + 1)) or (int(match[2]),)
    return Numbering("cap", match.start(), match.end(), seasons=(int(match[1]),), episodes=episodes)


YEAR_FIRST = re.compile(r"(?<!\d)((?:19|20)\d\d)([\s._-])(\d{1,2})\2(\d{1,2})(?!\d)")
YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})([\s._/-])(\d{1,2})\2((?:19|20)\d\d)(?!\d)")
NO_YEAR_BEHIND = r"(?![\s._(]{1,2}(?:19|20)\d\d(?!\d))"  # with a year behind it is the title of a film
LAST_SHORT_YEAR = 39  # "11.22.63" is a title
SHORT = re.compile(rf"(?<!\d)(?<!\d[._-])(\d\d)([._-])(\d\d)\2(\d\d)(?!\d|\2\d{{1,2}}(?!\d)){NO_YEAR_BEHIND}")
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
LONG_MONTHS = (
    "january|february|march|april|june|july|august|sept(?:ember)?|october|november|december|"
    "januar|februar|märz|mai|juni|juli|oktober|dezember"
)
MONTH = rf"(?P<month>{LONG_MONTHS}|{MONTHS}|okt|dez)"
WRITTEN = (
    pattern(
        rf"(?<![A-Za-z0-9])(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?[\s._-]{{1,2}}{MONTH}[\s._,-]{{1,2}}(?P<year>(?:19|20)\d\d)(?!\d){NO_YEAR_BEHIND}"
    ),
    pattern(
        rf"(?<![A-Za-z0-9]){MONTH}[\s._-]{{1,2}}(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?[\s._-]{{1,2}}(?P<year>(?:19|20)\d\d)(?!\d){NO_YEAR_BEHIND}"
    ),
)
NUMBER_OF_MONTH = {name: number for number, name in enumerate(MONTHS.split("|"), start=1)} | {
    "mär": 3,
    "mai": 5,
    "okt": 10,
    "dez": 12,
}
COMPACT = re.compile(r"(?<![A-Za-z0-9])((?:20)?\d\d)(\d\d)(\d\d)(?![A-Za-z0-9])(?:(?<=20\d{6})|(?!_\d))")


def _date(year: int, month: int, day: int) -> datetime.date | None:
    if month > 12 >= day:  # some write year, day, month
        month, day = day, month
    if LAST_SHORT_YEAR < year < 100:
        return None
    try:
        return datetime.date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return None


def _first_date(text: str, form: re.Pattern[str], groups: tuple[int, int, int]) -> Numbering | None:
    for match in form.finditer(text):
        year, month, day = (int(match[group]) for group in groups)
        if date := _date(year, month, day):
            return Numbering("date", match.start(), match.end(), date=date)
    return None


def air_date(text: str) -> Numbering | None:
    """Daily shows: `2024.01.31`, `31-01-2024`, `31 Jan 2024`, `January 31, 2024`."""
    return _first_date(text, YEAR_FIRST, (1, 3, 4)) or _first_date(text, YEAR_LAST, (4, 3, 1)) or _written_date(text)


def _written_date(text: str) -> Numbering | None:
    for form in WRITTEN:
        match = form.search(text)
        month = NUMBER_OF_MONTH[match["month"][:3].lower()] if match else 0
        if match and (date := _date(int(match["year"]), month, int(match["day"]))):
            return Numbering("date", match.start(), match.end(), date=date)
    return None


def compact_date(text: str) -> Numbering | None:
    """Daily shows: `240131`, `20240131`, `24.01.31`, `31.01.24`."""
    return (
        _first_date(text, COMPACT, (1, 2, 3))
        or _first_date(text, SHORT, (1, 3, 4))
        or _first_date(text, SHORT, (4, 3, 1))
    )


SEASON_LISTS = (
    pattern(rf"(?<![\d-])(\d{{1,2}})(?P<join>\s?[-\u2013]\s?)(\d{{1,2}})\s{SEASON_WORD}(?![^\W_]|\s\d)"),
    pattern(r"(?<![A-Za-z0-9])(S\d{1,2}(?:[\s._]{0,2}[+&,\s._]S\d{1,2}){2,40})(?![\dE])"),
    pattern(r"(?<![A-Za-z0-9])S(\d{1,2})(?P<join>[\s._]?(?:-{1,2}|[~&+]|to|and)?[\s._]?)S(\d{1,2})(?![\dE])"),
    pattern(r"(?<![A-Za-z0-9])S(\d{2})(?P<join>[-~])(\d{2})(?!\d)"),
    pattern(r"(?<![A-Za-z0-9])S(\d)(?P<join>[-~])(\d)(?!\d)"),
    pattern(
        rf"(?<![^\W_])(?:all{GAP})?{SEASON_WORD}{LOOSE_GAP}(\d{{1,2}})(?P<join>[\s._]?(?:[-~]|to|[aà]|до)[\s._]?"
        rf"(?:{SEASON_WORD}{GAP})?)(\d{{1,2}})(?![\da-z])"
    ),
    pattern(rf"(?<![^\W_]){SEASON_WORD}{LOOSE_GAP}(\d{{1,2}}(?:(?:[\s,.&+]|and){{1,4}}\d{{1,2}}(?![\da-z])){{1,30}})"),
)
ONE_SEASON = (
    pattern(r"(?<![A-Za-z0-9])S(\d{1,4})(?![A-Za-z0-9]|[\s._]?E\d)"),
    pattern(rf"(?<![^\W_])(?:{SEASON_WORD}|temp\.?){LOOSE_GAP}({SEASON_NUMBER})"),
    pattern(rf"(?<!\d)(\d{{1,2}}){ORDINAL}\s{SEASON_WORD}(?![^\W_])"),
    pattern(
        rf"(?<![^\W_])(?:the[\s._]+)?(?:complete[\s._]+)?({'|'.join(SPELLED_ORDINALS)})[\s._]+{SEASON_WORD}(?![^\W_])"
    ),
    pattern(rf"(?<![^\W_])seasons?[\s._]+({'|'.join(SPELLED_NUMBERS)})(?![^\W_])"),
)


def several_seasons(text: str) -> Numbering | None:
    """`S01-S03`, `Season 1-3`, `Seasons 1, 2 & 3`."""
    for form in SEASON_LISTS:
        for match in form.finditer(text):
            numbers = [int(number) for group in match.groups() for number in re.findall(r"\d{1,2}", group or "")]
            if numbers != sorted(set(numbers)) or numbers[-1] > numbers[0] + 50:
                continue
            is_range = "join" in match.groupdict()
            seasons = tuple(range(numbers[0], numbers[-1] + 1)) if is_range else tuple(numbers)
            return Numbering("several seasons", match.start(), match.end(), seasons=seasons, whole_seasons=True)
    return None


def one_season(text: str) -> Numbering | None:
    """A whole season: `S01`, `Season 1`, `2nd Season`."""
    for form in ONE_SEASON:
        if match := form.search(text):
            return Numbering(
                "one season", match.start(), match.end(), seasons=(number_of(match[1]),), whole_seasons=True
            )
    return None


BATCH = word(
    r"(?:the[\s._]+)?(?:batch|(?<=-\s)complete(?=\s*(?:[\[(]|$))|int[eé]grale|complete[\s._-]{1,3}(?:series|collection|box)|(?:series|collection)[\s._-]{1,3}complete)"
)


def whole_series(text: str) -> Numbering | None:
    """Everything there is, without a season number: `Complete Series`, `Batch`."""
    match = BATCH.search(text)
    return Numbering("whole series", match.start(), match.end(), whole_seasons=True) if match else None

"""Rules for names that count from the first episode on, as anime does, or in no stated season.

Each rule reads a text of bounded length with bounded repetitions, so that no name can hold it up.
"""

import re
from collections.abc import Iterator

from vod_search.terms import (
    EPISODE_WORD,
    EPISODE_WORD_BEHIND,
    LOOSE_GAP,
    ORDINAL,
    ROMAN_NUMBERS,
    SPELLED_NUMBERS,
    TECH,
    Numbering,
    is_year,
    number_of,
    number_range,
    pattern,
    word,
)

CJK_EPISODE = re.compile(
    r"第\s?(\d{1,4})(?:\s?[-~至到]\s?(\d{1,4}))?\s?[话話集回話화]|(?<!\d)(\d{1,4})()[화話话集회](?!\d)"
)
CJK_WHOLE_RANGE = re.compile(r"(?<!\d)(\d{1,4})\s?[-~至到]\s?(\d{1,4})[\s\[\]()]{0,2}(?:全集|合集|全)")
CJK_SEASON = re.compile(r"第\s?(\d{1,2}|[一二三四五六七八九十])\s?[季期]|시즌\s?(\d{1,2})(?!\d)")
CJK_DIGITS = {numeral: value for value, numeral in enumerate("一二三四五六七八九十", start=1)}
CJK_WHOLE = re.compile(r"全\s?\d{1,4}\s?[话話集回]|[全合]集")
SEASON_NEXT = pattern(
    r"[\s._\])]{0,3}(?:-\s|\[)(?P<number>\d{1,3})(?:[-~](?P<last>\d{1,3}))?(?:v\d|end|fin)?(?:\]|(?=[\s._]*(?:$|[\s\[(])))"
)
LATIN_SEASON = pattern(r"(?<![A-Za-z0-9])S(\d{1,2})(?![A-Za-z0-9])")


def cjk(text: str) -> Numbering | None:
    """`第05话`, `第2季 第05集`, `第01-12话`, `[全12集] … S01`."""
    episode, whole = CJK_EPISODE.search(text), CJK_WHOLE.search(text)
    match = whole or episode
    if match is None:
        return _of_cjk_season(text)
    season = CJK_SEASON.search(text) or LATIN_SEASON.search(text)
    if span := CJK_WHOLE_RANGE.search(text):
        return Numbering("cjk", span.start(), span.end(), absolutes=number_range(int(span[1]), int(span[2])))
    start, end = match.span()
    if season:
        is_behind = season.re is LATIN_SEASON and season.start() > end  # the Latin title stands in between
        start, end = season.span() if is_behind else (min(start, season.start()), max(end, season.end()))
    seasons = (_cjk_number(season[season.lastindex or 1]),) if season else ()
    if whole or episode is None:
        return Numbering("cjk", start, end, seasons=seasons, whole_seasons=True)
    first = int(episode[1] or episode[3])
    numbers = number_range(first, int(episode[2] or first))
    if seasons:
        return Numbering("cjk", start, end, seasons=seasons, episodes=numbers)
    return Numbering("cjk", start, end, absolutes=numbers)


def _of_cjk_season(text: str) -> Numbering | None:
    """`第2期][05]`, `第二季 - 05`: the season as in Chinese or Japanese, the episode as fansubs write it."""
    season = CJK_SEASON.search(text)
    found = SEASON_NEXT.match(text, season.end()) if season else None
    if season is None or found is None:
        return None
    episodes = number_range(int(found["number"]), int(found["last"] or found["number"]))
    return Numbering(
        "cjk", season.start(), found.end(), seasons=(_cjk_number(season[season.lastindex or 1]),), episodes=episodes
    )


def _cjk_number(digits: str) -> int:
    return CJK_DIGITS[digits] if digits in CJK_DIGITS else int(digits)


# A number as fansubs write it: not a year in brackets, not part of "12.5" (a recap), not a picture size.
NUMBER = r"(?P<number>\d{1,4})(?:[\s._]?v\d)?"
DASHED = pattern(
    rf"[\s._)\]!-][-\u2013][\s._]{{0,2}}(?P<word>{EPISODE_WORD}[\s._]?|E|#)?{NUMBER}(?P<rest>"
    rf"(?:\s?[-~\u2013]\s?\d{{2,4}}(?![\dpix]))*)(?:[\s._]?(?:end|final|fin))?(?=[\s._]*(?:$|[\s._\[(-]))"
    rf"(?![\s._]?\d*[pi](?![a-z]))(?!\.\d(?!\d))"
)
BRACKETED = pattern(
    r"[\[(](?:第|ep?|#)?[\s._]?(?P<number>\d{1,4})(?:v\d)?(?P<rest>\s?[-~\u2013]\s?\d{2,4})?[\s._]?(?:end|fin|"
    r"完|v\d|fin)?(?:\s?\+[^\])]{1,20})?[\])]"
)
MARKED = pattern(
    rf"(?<![^\W_])(?:{EPISODE_WORD}{LOOSE_GAP}|E[\s._]?|#)(?P<number>\d{{1,5}})(?:v\d)?(?P<rest>(?:[\s._]?"
    rf"(?:[-~\u2013&][\s._]?(?:EP?)?|EP?)\d{{2,5}}(?![\dpix])|[-~]\d(?!\w|\.\d(?!\d)))*)(?![\da-z])(?!\.\d(?![\dk]))"
)
NUMBER_FIRST = pattern(
    rf"(?<![\d.])(?P<number>\d{{1,4}})(?P<rest>\s?[-\u2013]\s?\d{{1,4}})?{ORDINAL}[\s._]{{0,2}}{EPISODE_WORD_BEHIND}(?![^\W_])"
    r"(?![\s._]{1,2}\d{1,3}(?![\dpi]))"
)
PADDED = pattern(
    r"(?<=[^\W_][\s._])(?P<number>0\d|\d\d(?=[\s._][hps]dtv))(?P<rest>)(?=[\s._]+(?:french|german|italian|spanish|"
    r"english|multi|vostfr|ita|eng|subbed|[hps]dtv|dvd|web|bd|blu|\d{3,4}[pi]|xvid|[hx]\.?26))"
)
SEASON_AND_RUNNING = pattern(
    rf"(?<![A-Za-z0-9])S(?P<season>\d{{1,2}})[\s._]+(?P<number>\d{{3,4}})(?:v\d)?(?=[\s._]*(?:$|[\[(]|{TECH.pattern}))"
)
SPACED_RANGE = re.compile(r"(?<=[\s._(])(?P<number>0\d{1,2})(?P<rest>\s[-\u2013~]\s\d{2,3})(?=[\s._)\]]|$)")
SO_FAR = re.compile(r"[\[(](?P<number>\d{1,3})\s?из\s?\d{1,3}[\])]")
NUMBER_IN_FRONT = re.compile(r"^(?P<number>\d{2,3})(?P<rest>)(?:\s-\s|\.\s)(?=[^\W\d])")
PICTURES = ("480", "540", "576", "720", "1080", "1440", "2160")
PLAIN_RANGE = re.compile(r"(?<=[\s._(])(?P<number>\d{1,4})(?P<rest>\s?[-~\u2013]\s?\d{2,4})(?=[\s._)]*(?:[\[(+]|$))")
OF_MANY = pattern(r"(?<![^\W_])(?P<number>\d{1,3})(?P<rest>\s?-\s?\d{1,3})?[\s._]?(?:of|из|di|von)[\s._]?\d{1,3}(?!\d)")
WRITTEN_NUMBER = "|".join((*SPELLED_NUMBERS, *reversed(ROMAN_NUMBERS)))
PART = word(
    rf"(?:part|pt|chapter|episode)[\s._]?(?P<number>\d{{1,3}}|{WRITTEN_NUMBER})(?P<rest>)"
    r"(?![\s._(]{1,2}(?:19|20)\d\d(?!\d))"  # with a year behind it is a film's
)


def _absolutes(form: re.Pattern[str], text: str) -> Iterator[tuple[re.Match[str], tuple[int, ...]]]:
    for match in form.finditer(text):
        digits = match["number"]
        number = number_of(digits)
        others = [int(found) for found in re.findall(r"\d{1,5}", match["rest"] or "")]
        if is_year(number, digits) and all(is_year(other, str(other)) for other in others):
            continue
        yield match, number_range(number, others[-1]) if others else (number,)


def dashed(text: str) -> Numbering | None:
    """Anime: `Title - 05`, `Title - 05v2`, `Title - 01 ~ 12`."""
    found = list(_absolutes(DASHED, text))
    if not found:
        return None
    match, numbers = found[0]
    return Numbering("dashed", match.start(), match.end(), absolutes=numbers)


def dashed_word(text: str) -> Numbering | None:
    """`Title - Episode 5`: in a series an episode of no stated season, in anime a running number (`dashed`)."""
    found = next(_absolutes(DASHED, text), None)
    if found is None or not found[0]["word"]:
        return None
    match, numbers = found
    return Numbering("dashed word", match.start(), match.end(), episodes=numbers)


def bracketed(text: str) -> Numbering | None:
    """Anime: `Title [05]`, `[Title][05v2]`, `[01-12]`."""
    for match, numbers in _absolutes(BRACKETED, text):
        if match["number"] not in PICTURES and match.start() > 0:
            return Numbering("bracketed", match.start(), match.end(), absolutes=numbers)
    return None


def marked(text: str) -> Numbering | None:
    """An episode word or sign without a season: `E05`, `Ep 05`, `Episode 5`, `#5`, `5. Bölüm`."""
    for form in (NUMBER_FIRST, MARKED):
        for match, numbers in _absolutes(form, text):
            return Numbering("marked", match.start(), match.end(), episodes=numbers)
    return None


def padded(text: str) -> Numbering | None:
    """A number with a nought in front directly before tags, or any before those of television: `Title.02.FRENCH`."""
    for match, numbers in _absolutes(PADDED, text):
        return Numbering("padded", match.start(), match.end(), episodes=numbers)
    return None


def season_and_running(text: str) -> Numbering | None:
    """`Title S21 1071`: the season, and the running number."""
    match = SEASON_AND_RUNNING.search(text)
    if not match or match["number"] in PICTURES or is_year(int(match["number"]), match["number"]):
        return None
    season, number = int(match["season"]), int(match["number"])
    return Numbering("season and running", match.start(), match.end("number"), seasons=(season,), absolutes=(number,))


def plain_range(text: str) -> Numbering | None:
    """`Title 01-12 (…)`."""
    return _range(PLAIN_RANGE, text)


def spaced_range(text: str) -> Numbering | None:
    """`Title 01 - 12`: a range, because its first number has a nought in front."""
    return _range(SPACED_RANGE, text)


def _range(form: re.Pattern[str], text: str) -> Numbering | None:
    for match, numbers in _absolutes(form, text):
        if len(numbers) > 1:
            return Numbering("range", match.start(), match.end(), absolutes=numbers)
    return None


def number_in_front(text: str) -> Numbering | None:
    """`05 - Name`: a file in a folder."""
    for match, numbers in _absolutes(NUMBER_IN_FRONT, text):
        return Numbering("number in front", match.start(), match.end("number"), absolutes=numbers)
    return None


def of_many(text: str) -> Numbering | None:
    """`2of6`; the Russian `[05 из 12]` are the first five."""
    if so_far := SO_FAR.search(text):
        numbers = number_range(1, int(so_far["number"]))
        return Numbering("so far", so_far.start(), so_far.end(), episodes=numbers)
    for match, numbers in _absolutes(OF_MANY, text):
        return Numbering("of many", match.start(), match.end(), episodes=numbers)
    return None


def part(text: str) -> Numbering | None:
    """Mini-series: `Part 2`, `Chapter One`."""
    for match, numbers in _absolutes(PART, text):
        return Numbering("part", match.start(), match.end(), episodes=numbers)
    return None


FANSUB = re.compile(
    r"(?<=[\s._])(?<!\d\.)(?<!(?i:volume)[\s._])(?<!(?i:vol)[\s._])(?P<number>\d{2,4})(?:v\d)?(?P<rest>)(?=[\s._]|$)(?!\.\d(?!\d))"
)


def fansub(text: str) -> Numbering | None:
    """A bare number in a name that begins with a group in brackets: `[Group] Title 05 [1080p]`."""
    bracket = re.search(r"[\[(]", text[1:])
    tech = TECH.search(text)
    head = text[: min((found.start() for found in (bracket, tech) if found), default=len(text)) + (1 if bracket else 0)]
    found = [hit for hit in _absolutes(FANSUB, head) if hit[0].start() > 1]
    if not found:
        return None
    match, numbers = found[-1]
    return Numbering("fansub", match.start(), match.end(), absolutes=numbers)


SCENE = pattern(
    r"(?<=[\s._])(?<![hx][\s._])(?P<season>\d{1,2})(?P<episode>\d{2})(?:(?P<second>\d{2})|-(?P=season)(?P<last>\d{2}))?(?=[\s._-]+(?:hdtv|pdtv|dsr|web|dvd|"
    r"blu|bd|\d{3,4}[pi]|proper|repack|internal|[xh]\.?26|xvid)|(?:\.\w{3})?$)"
)


def scene(text: str) -> Numbering | None:
    """Old scene names of series: `Title.102.HDTV` is season 1, episode 2."""
    match = SCENE.search(text)
    if not match or match.start() < 2:
        return None
    digits = f"{match['season']}{match['episode']}{match['second'] or ''}"
    if is_year(int(digits), digits) or digits in PICTURES:
        return None
    if int(match["season"]) == 0 or int(match["episode"]) == 0:
        return None
    episodes = tuple(int(match[group]) for group in ("episode", "second") if match[group])
    if match["last"]:
        episodes = number_range(episodes[0], int(match["last"]))
    return Numbering("scene", match.start(), match.end(), seasons=(int(match["season"]),), episodes=episodes)

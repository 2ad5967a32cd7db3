"""Which episodes a release name stands for: strict, ordered rules, the first that fits decides."""

import re
from collections.abc import Sequence
from dataclasses import replace

from vod_search.absolute_rules import (
    bracketed,
    cjk,
    dashed,
    dashed_word,
    fansub,
    marked,
    number_in_front,
    of_many,
    padded,
    part,
    plain_range,
    scene,
    season_and_running,
    spaced_range,
)
from vod_search.season_rules import (
    air_date,
    cap,
    compact_date,
    cross,
    disc,
    dotted,
    foldered,
    leading,
    lost_e,
    one_season,
    several_seasons,
    spaced,
    spaced_seasons,
    standard,
    underscored,
    whole_series,
    words,
)
from vod_search.terms import Numbering, Rule, is_year, number_range

STRICT: Sequence[Rule] = (standard, cross)
SERIES: Sequence[Rule] = (
    *(
        *STRICT,
        foldered,
        dotted,
        words,
        cap,
        air_date,
        cjk,
        several_seasons,
        spaced_seasons,
        lost_e,
        season_and_running,
        disc,
    ),
    *(
        spaced_range,
        dashed_word,
        dashed,
        bracketed,
        plain_range,
        one_season,
        marked,
        of_many,
        part,
        whole_series,
        compact_date,
        scene,
    ),
    *(padded, leading, underscored, number_in_front),
)
ANIME: Sequence[Rule] = (
    *(*STRICT, words, spaced, season_and_running, cap, cjk, several_seasons, spaced_range, dashed),
    *(bracketed, plain_range, one_season, marked, of_many, whole_series, air_date, fansub, number_in_front),
)
ABSOLUTE_BESIDE = re.compile(
    r"[\s._]{0,2}[-\[(][\s._]{0,2}(\d{2,4})(?:[-~](?:\d{2,4}-)?(\d{2,4}))?(?=[\s._]*(?:[-\])]|$)|[\s._]+[\[(])"
)
ABSOLUTE_BEFORE = re.compile(
    r"[\s._]-[\s._]{1,2}(\d{2,4})(?:-(\d{2,4}))?[\s._]{1,2}-?[\s._]{0,2}\(?$|(?<=[\s._])(0\d{2,3})[\s._]$"
)
PLAIN_AFTER = re.compile(r"[\s._](\d{3})(?=[\s._]*(?:[\[(]|$))")


def find(text: str, rules: Sequence[Rule]) -> Numbering | None:
    """Return what the first fitting rule reads in *text* (at most some hundred characters), or None."""
    found = next((numbering for rule in rules if (numbering := rule(text))), None)
    if found is None or found.absolutes or not found.episodes:
        return found
    if dated := air_date(text[: found.start]) or compact_date(text[: found.start]):
        return replace(found, start=dated.start, date=dated.date)
    return _with_absolute(text, found) if found.rule in ("standard", "cross") else found


def _with_absolute(text: str, found: Numbering) -> Numbering:
    """Add the absolute number that some names carry beside season and episode: `Title - 17 - S02E05`."""
    if found.seasons == (0,):
        return found
    for match in (ABSOLUTE_BESIDE.match(text, found.end), PLAIN_AFTER.match(text, found.end)):
        if match and not is_year(int(match[1]), match[1]) and match[1] not in ("480", "720", "1080"):
            last = int(match[2]) if match.re is ABSOLUTE_BESIDE and match[2] else int(match[1])
            return replace(found, end=match.end(), absolutes=number_range(int(match[1]), last))
    before = ABSOLUTE_BEFORE.search(text, max(0, found.start - 16), found.start)
    first = (before[1] or before[3]) if before else ""
    if before and not is_year(int(first), first):
        return replace(found, start=before.start(), absolutes=number_range(int(first), int(before[2] or first)))
    return found

"""Reads a release name: title, year, numbering, picture, sound, group.

Numbering, title, group and version are read by our own rules; picture and sound attributes come from parsett, which
sees only what is left when the title is taken away, so that a word of the title is never mistaken for a tag.
Names are cut first: parsett needs more than 20 s for 3,000 CJK characters, and under 50 ms for 300 of any sort.
"""

import html
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from vod_search import attributes, numbering
from vod_search.domain import Kind, ReleaseTraits
from vod_search.release_group import leading_group, release_group
from vod_search.terms import SEASON, SEASON_WORD, TECH, Numbering, Rule, pattern, word

LONGEST_NAME = 300
A_YEAR = r"(?:18[89]\d|19\d\d|20[0-3]\d)"  # later "years" are part of a title
MOST_TITLES = 8

MARKUP = pattern(r"</?[a-z]{1,10}(?:\s[^<>]{0,60})?/?>")
BRACKETS = str.maketrans("\u3010\u3011\u300c\u300d\u300e\u300f\u3014\u3015\u3016\u3017", "[][][][][]")
JOINERS = "\u00ad\u200c\u200d\ufeff"  # invisible inside a word; other control and format characters separate words
REPEATED = re.compile(r"([._\-\[\](){}]|[\s._\-]{2})\1{2,}")  # says nothing, and costs rules time
EXTENSION = pattern(r"\.(?:mkv|mp4|avi|m4v|wmv|mov|mpe?g|m2ts|webm|ts|iso|torrent|nzb|nfo|srt)$")
CRC = pattern(r"[\[(][0-9A-F]{8}[\])]")
TOP_LEVEL = r"(?:com|net|org|info|cc|co|nz|uk|za|de|ca|me|to|tv|site|xyz|ru|it|se|nl|fi|pl|in|is|ws|pw|vip|lol|example)"
DOMAIN = rf"(?:ww?w?\.[a-z0-9-]{{2,40}}(?:\.[a-z]{{2,10}}){{1,2}}|[a-z0-9-]{{2,40}}(?:\.(?:co|com))?\.{TOP_LEVEL})"
SITE_PREFIX = pattern(
    rf"^(?:[\[({{][^\[\](){{}}]{{0,20}}?\s?{DOMAIN}\s?[\])}}][\s._]*(?:-[\s._]*)?|{DOMAIN}\s+-+\s*|"
    rf"www\.{DOMAIN}[\s_-]+)"
)
SITE_SUFFIX = pattern(rf"[\s._-]*[\[({{]\s?{DOMAIN}\s?[\])}}]$")
DATE_PREFIX = re.compile(r"^\d{6}[\s._](?=\D)")
YEAR = re.compile(rf"(?<![^\W_]){A_YEAR}(?![^\W_])")
YEAR_IN_BRACKETS = re.compile(rf"[\[(]({A_YEAR})(?:[-\u2013](?:{A_YEAR})?)?(?:[\])]|,\s)")
YEAR_AT_END = re.compile(rf"[\s._\-(\[]+({A_YEAR})(?:[-\u2013](?:{A_YEAR})?)?[)\]]?[\s._\-(\[]*$")
LAST_YEAR = re.compile(rf"[\s._-]({A_YEAR})$")
YEAR_AND_TAG = pattern(rf"[\s._(\[]{{1,3}}({A_YEAR})[\s._)\]]{{1,3}}(?={TECH.pattern})")
TAG_IN_BRACKETS = pattern(rf"[\[(]\s?{TECH.pattern}\s?[\])]")
PICTURE_SIZE = word(r"(?:\d{3,4}[pi]|\d{3,4}[x*]\d{3,4})")
RANDOM = pattern(r"^[0-9a-z]{16,}$|^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")

CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9f"
ALTERNATIVES = pattern(r"\s+[/|]\s+|\s+a\.?k\.?a\.?\s+|[\[\]★☆]|\.aka\.")
CJK_ALTERNATIVES = re.compile(r"[/|_\[\]★☆]")
SEASON_BEHIND = pattern(
    rf"[\s._\-(\[]+(?:the[\s._]+)?(?:complete[\s._]+)?(?:(?:{SEASON})[\s._]{{1,2}}\d{{1,2}}(?!\d)|complete"
    rf"(?:[\s._]+(?:{SEASON_WORD}|collection))?[\s._\-(\[]*$).*$"
)
EDITION_BEHIND = pattern(
    r"[\s._-]+(?:extended|uncut|unrated|remastered|theatrical|imax|limited|uncensored|director'?s|final|"
    r"special|edition|cut|version|ona|ova|"
    r"ppv|dl|ml|multi|dual|german|french|italian|ita|spanish|english|eng|russian|polish|hindi|tamil|telugu|"
    r"korean|japanese|nordic|v\d)[\s._-]*$"
)
SEASON_FOLDER = pattern(rf"^(?:.*[/\\])?{SEASON_WORD}[\s._]?\d{{1,4}}[^/\\]*[/\\]")
SECOND_NAME = pattern(r"[\s)\]]{0,3}[/|]\s*([^/|]{2,80}?)\s*[(\[]?S\d{1,2}E\d")
PARENTHESES = re.compile(r"^(.{2,}?)\s*\(([^()]{2,})\)\s*$")
COUNTRY = pattern(r"[\[(]\s?(us|uk|au|nz|ca|usa|gb|ie)\s?[\])]")  # another country's is another show
IN_PARENTHESES = re.compile(r"\([^()]*(?:\([^()]*\)[^()]*)?(?:\)|$)")
LATIN_RUN = re.compile(rf"[A-Za-z0-9][^{CJK}]*")
CJK_RUN = re.compile(rf"[{CJK}][{CJK}\w\s!?\u3001\u3002\u30fb~\u2026-]*")


def tidy(name: str) -> str:
    """Return *name* as text that rules can read: at most 300 characters, entities and markup resolved, NFKC."""
    text = MARKUP.sub(" ", html.unescape(name[: 4 * LONGEST_NAME]))
    text = unicodedata.normalize("NFKC", text.translate(BRACKETS)[:LONGEST_NAME])
    text = "".join(
        "" if char in JOINERS else " " if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Co") else char
        for char in text
    )
    return re.sub(r"\s+", " ", REPEATED.sub(r"\1\1", text[:LONGEST_NAME])).strip()


@lru_cache(maxsize=8192)  # names repeat heavily between searches
def parse(name: str, kind: Kind | None = None) -> ReleaseTraits:
    """Read a release name of any length and content; never raises.

    *kind* says what is being looked for, because "Title 102" is an episode of an anime, season 1 episode 2 of an old
    series release, and just the name of a film. None reads it as its form suggests.
    """
    text = DATE_PREFIX.sub("", EXTENSION.sub("", _without_site(tidy(name))))
    if RANDOM.match(text) and any(char.isdigit() for char in text):
        return ReleaseTraits()
    text = CRC.sub("", text).rstrip()
    lead = leading_group(text)
    body = text[len(lead) :].lstrip(" _.-") if lead else text
    found = numbering.find(body, _rules(kind, lead))
    title_end, year = _title_end(body, found)
    rest = _rest(body, title_end, found)
    details = attributes.read(rest)
    return ReleaseTraits(
        titles=_titles(*_title_spans(body, title_end, found)),
        year=year or _last_year(body, found),
        seasons=found.seasons if found else (),
        episodes=found.episodes if found else (),
        absolutes=found.absolutes if found else (),
        season_pack=bool(found and found.whole_seasons),
        height=details.height,
        source=details.source,
        codec=details.codec,
        bit_depth=details.bit_depth,
        hi10p=details.hi10p,
        hdr=details.hdr,
        dolby_vision=details.dolby_vision,
        dolby_vision_fallback=details.dolby_vision_fallback,
        languages=details.languages,
        multi_audio=details.multi_audio,
        group=release_group(text, lead),
        version=attributes.version(body[title_end:]),
        extra=attributes.is_extra(body, rest, found.episodes if found else ()),
        air_date=found.date if found else None,
    )


def _without_site(text: str) -> str:
    """Take away the address of the site that a name was published on, in front and behind."""
    return SITE_SUFFIX.sub("", SITE_PREFIX.sub("", text)).strip()


def _rules(kind: Kind | None, lead: str) -> Sequence[Rule]:
    match kind:
        case Kind.MOVIE:
            return numbering.STRICT
        case Kind.ANIME:
            return numbering.ANIME
        case _:
            return numbering.ANIME if lead else numbering.SERIES


def _title_end(body: str, found: Numbering | None) -> tuple[int, int]:
    """Return where the title ends, and the year that stands behind it (0 if none)."""
    if found and found.start > 0:
        end = found.start
        tags = (
            PICTURE_SIZE.search(body, 3, end),
            YEAR_AND_TAG.search(body, 1, end),
            TAG_IN_BRACKETS.search(body, 1, end),
        )
        end = min((tag.start() for tag in tags if tag), default=end)
        if tags[1] and tags[1].start() == end:
            return end, int(tags[1][1])
    else:
        tech = TECH.search(body, 1)
        end = tech.start() if tech else len(body)
    if year := YEAR_AT_END.search(body, 0, end):
        return (year.start(), int(year[1])) if year.start() else (end, 0)
    years = [match for match in YEAR.finditer(body, 0, end) if match.start()]
    in_brackets = YEAR_IN_BRACKETS.search(body, 1, end)
    if in_brackets:
        return in_brackets.start(), int(in_brackets[1])
    if years and not found:  # a film: "Title 2023 what else there is"
        return years[-1].start(), int(years[-1][0])
    return end, 0


def _last_year(body: str, found: Numbering | None) -> int:
    """Return the year at the very end of a film's name, where nothing is behind it."""
    year = None if found else LAST_YEAR.search(body, 1)
    return int(year[1]) if year else 0


def _title_spans(body: str, title_end: int, found: Numbering | None) -> tuple[str, str]:
    """Return where the title stands, and where it may stand a second time.

    Some names begin with the number; then the title is what follows.
    """
    if found and not any(char.isalnum() for char in body[: found.start]):
        tech = TECH.search(body, found.end)
        return body[found.end : tech.start() if tech else len(body)], ""
    second = SECOND_NAME.match(body, found.end) if found else None
    file = SEASON_FOLDER.sub("", body[:title_end])
    return file if any(char.isalnum() for char in file) else body[:title_end], second[1] if second else ""


def _rest(body: str, title_end: int, found: Numbering | None) -> str:
    """Return the part of the name that is not the title, without the numbers already read."""
    opened = body.rfind("[", 1, title_end)  # the title may end in the middle of tags: "[HDTV 720p]"
    if opened > body.rfind("]", 0, title_end):
        title_end = opened
    if found and found.start >= title_end:
        # Some numbers have tags in between: "Temporada 2 [HDTV 720p][Cap.204]".
        between = [tag[0] for form in (PICTURE_SIZE, TECH) for tag in form.finditer(body, found.start, found.end)]
        return f"{body[title_end : found.start]} {' '.join(between)} {body[found.end :]}"
    return body[title_end:]


def _titles(span: str, second: str) -> tuple[str, ...]:
    """Return the title as written and its alternatives: around "/", "|", "AKA" and brackets, by script."""
    span = COUNTRY.sub(r" \1 ", span)
    bare = IN_PARENTHESES.sub(" ", span)  # many say in them who made it
    pieces = [SEASON_BEHIND.sub("", span), *ALTERNATIVES.split(span), second, *ALTERNATIVES.split(bare)]
    if re.search(f"[{CJK}]", span):
        parts = CJK_ALTERNATIVES.split(span)
        pieces += parts
        pieces += [run for part in parts for script in (LATIN_RUN, CJK_RUN) for run in script.findall(part)]
    titles = [_clean(SEASON_BEHIND.sub("", piece)) for piece in pieces]
    titles += [_clean(part) for title in titles if (both := PARENTHESES.match(title)) for part in both.groups()]
    titles += [_without_edition(title) for title in titles]
    return tuple(dict.fromkeys(title for title in titles if title))[:MOST_TITLES]


def _without_edition(title: str) -> str:
    for _ in range(4):
        title = EDITION_BEHIND.sub("", title)
    return title


def _clean(span: str) -> str:
    """Return a title as people write it: spaces for dots and underscores, no brackets or dashes around it."""
    text = re.sub(r"[._]+", " ", span)
    text = re.sub(r"[\[\]{}★☆]", " ", text)
    text = re.sub(r"\s+", " ", text).strip(" -\u2013~:|/\\,+&")
    if text.count("(") != text.count(")"):
        text = text.replace("(", " ").replace(")", " ").strip(" -")
    return text if any(char.isalnum() for char in text) else ""

"""What a release name says about picture and sound: parsett's reading, put right where it is known to be wrong.

`read` is given the name without its title, so that "The TS Show" is not a telesync and "The Italian Job" not Italian.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import PTT

from vod_search.domain import Codec, Source
from vod_search.terms import TECH, pattern, word


@dataclass(frozen=True, slots=True)
class Attributes:
    """See `ReleaseTraits` for the meaning of the fields."""

    height: int
    source: Source
    codec: Codec
    bit_depth: int
    hi10p: bool
    hdr: bool
    dolby_vision: bool
    dolby_vision_fallback: bool
    languages: tuple[str, ...]
    multi_audio: bool


# Tokens that can't be anything else.
STOLEN: Final = (
    (Source.CAM, word(r"(?:hd|hq|new)[\s.-]?cam(?:[\s.-]?rip)?|cam-?rip|s[\s.-]print")),
    (Source.TELESYNC, word(r"(?:hd|hq)[\s.-]?ts(?:rip)?|tele-?sync[h]?|ts-?rip|pre-?dvd(?:rip)?|pdvd(?:rip)?")),
    (Source.TELECINE, word(r"hd[\s.-]?tc(?:rip)?|tele-?cine|tc-?rip")),
    (Source.SCREENER, word(r"(?:dvd|bd|br|web|hd)?[\s.-]?scr(?:eener)|(?:dvd|bd|br|web)[\s.-]?scr|workprint")),
)
# Tokens that are also words ("The Cam"): they count only where no other source is named.
STOLEN_IF_ALONE: Final = (
    (Source.CAM, word("cam")),
    (Source.TELESYNC, re.compile(r"(?<![^\W_])TS(?![^\W_])")),
    (Source.TELECINE, re.compile(r"(?<![^\W_])(?:TC|R5)(?![^\W_])")),
    (Source.SCREENER, re.compile(r"(?<![^\W_])(?:SCR|WP)(?![^\W_])")),
)
REMUX: Final = word(r"(?:bd|br|uhd|dvd)?[\s.-]?remux(?:es)?")
HONEST: Final = (
    (
        Source.BLURAY,
        word(
            r"m?blu[\s.-]?ray(?:[\s.-]?rip)?|(?:uhd)?[\s.-]?(?:bd|br|blu-?ray)[\s.-]?(?:rip[\s.-]?mux|rip|mux|iso|light)|"
            r"bdr|bd(?:\d{3,4}[pi])?|bd(?:25|50|66|100)|bluray\d{3,4}[pi]|uhd[\s.-]?rip|hd-?dvd"
        ),
    ),
    (
        Source.WEBRIP,
        word(
            r"web[\s.-]?rip|web[\s.-]?dl[\s.-]?rip|web[\s.-]?mux|web[\s.-]?hd|web-?cap|hd[\s.-]?rip|"
            r"vod[\s.-]?rip|ppv[\s.-]?rip"
        ),
    ),
    (Source.WEB_DL, word(r"web[\s.-]?dl|webdl\d{3,4}[pi]|web|(?:itunes|amazon|netflix)[\s.-]?(?:hd|uhd)")),
    (
        Source.DVD,
        word(
            r"(?:hd[\s.-]?)?dvd[\s.-]?rip|[\dm]?dvd(?:[\s.-]?r|5|9|[\s.-]?mux)?|xvid[\s.-]?dvd|(?:ntsc|"
            r"pal)[\s.-]?dvd\w?"
        ),
    ),
    (
        Source.HDTV,
        word(
            r"a?[hpsu]d[\s.-]?tv(?:[\s.-]?rip)?|h[\s.-]?tv|tv[\s.-]?rip|dsr(?:ip)?|dth[\s.-]?rip|sat[\s.-]?rip|"
            r"dvb(?:[\s.-]?(?:rip|[cst]2?))?|hdtv\d{3,4}[pi]|tv"
        ),
    ),
)
GROUP_BEHIND: Final = re.compile(r"-[A-Za-z]\w*$")

CODECS: Final[Mapping[str, Codec]] = {
    "avc": Codec.H264,
    "hevc": Codec.HEVC,
    "av1": Codec.AV1,
    "xvid": Codec.MPEG4,
    "divx": Codec.MPEG4,
    "mpeg": Codec.MPEG2,
}
VP9: Final = word("vp9")
HEIGHTS: Final[Mapping[str, int]] = {"4k": 2160, "2k": 1440}
PIXELS: Final = pattern(r"(?<!\d)\d{3,4}\s?[x\u00d7*]\s?(\d{3,4})(?!\d)")
UHD: Final = word(r"uhd|4k|ultra[\s.-]?hd")
LINES: Final = pattern(r"(?<!\d)(\d{3,4})(?:[pi](?:\d{2})?|10)(?![a-z\d])")
BARE_LINES: Final = pattern(rf"(?<![^\W_])(480|576|720|1080|2160)(?=[\s._-]{{1,2}}(?:{TECH.pattern}))")
STANDARD_HEIGHTS: Final = (360, 480, 540, 576, 720, 1080, 1440, 2160, 4320)

HI10P: Final = word(r"hi10p?|hi444pp?")
TEN_BIT: Final = word(r"10[\s.-]?bits?|main\s?10|yuv420p10|\d{3,4}p10")
HDR: Final = word(r"hdr(?:10)?(?:\+|p|plus)?|hlg|pq10|hdr-?vivid")
DOLBY_VISION: Final = word(r"dv|dovi|dolby[\s.-]?vision|dvhe[\w.]*")
DV_PROFILE_5: Final = word(r"(?:p|profile[\s.]?)5|dvhe\.05[\w.]*")
DV_PROFILE_8: Final = word(r"(?:p|profile[\s.]?)[78](?:\.\d)?|dvhe\.0[78][\w.]*|hybrid")

PROPER: Final = word(r"(?:proper|repack|rerip)(\d)?")
REISSUE: Final = pattern(r"(?:\d|[\s._\[(p-])v([2-9])(?![\da-z]|\.\d(?!\d))")
EXTRA: Final = word(
    r"sample|trailers?|teaser|featurettes?|extras?|bonus|deleted[\s._-]?scenes?|bloopers|making[\s._-]?of|"
    r"behind[\s._-]?the[\s._-]?scenes|"
    r"interviews?|soundtrack|ost|artbook"
)
CREDITLESS: Final = word(r"nc(?:op|ed)\d*[a-z]?|creditless")
MULTI: Final = word(
    r"multi(?:[\s._-]?audio)?|dual(?:[\s._-]?audio)?|(?:tri(?:ple)?|quad)[\s._-]?audio|dl(?=[\s._-]+"
    r"(?:\d{3,4}p|web|bluray))|(?<=german[\s._-])dl"
)
MULTI_SUBS: Final = word(r"multi[\s._-]?(?:ple[\s._-]?)?sub\w*|dual[\s._-]?sub\w*")
LATIN_AMERICAN: Final = "la"
SHORT_LANGUAGE: Final = (
    "ger|deu|eng|fre|fra|ita|spa|esp|jpn|jap|rus|ukr|pol|cze|hun|por|dut|nld|swe|nor|dan|fin|kor|chi|ara|heb|tur|"
    "rum|ro|en|de|fr|it|es|pt|pl|nl|se|no|dk|ru|english|german|french|italian|spanish|russian|hebrew|arabic|dutch"
)
# What is read, not heard: "Ger.Eng.Sub", "EngSubs"; the words behind it say so.
SUBTITLES: Final = word(
    rf"(?:(?:{SHORT_LANGUAGE})|(?:{SHORT_LANGUAGE})(?:[\s._,+&/-]{{1,3}}(?:{SHORT_LANGUAGE})){{0,9}}[\s._-]{{1,2}})"
    r"(?:(?:soft|hard)[\s._-]?)?sub(?:s|bed|titles?|titled)?"
)
FURTHER_LANGUAGES: Final = (
    ("ca", word("cat(?:al[aá]n?)?")),
    ("ml", word("malayalam")),
    ("th", word("thai")),
    ("is", word("icelandic")),
    ("es", word("latino|castellano")),
    ("ja", word("ja|jpn")),
    ("pl", word(r"pl[\s._-]?(?:dub|lek|lektor)|lektor[\s._-]?pl|pllek|pldub")),
    ("he", word(r"heb[\s._-]?dub(?:bed)?")),
    ("bg", word(r"bg[\s._-]?audio")),
    ("ro", word(r"ro[\s._-]?dub(?:bed)?")),
    ("zh", word("gb|big5|cht|chs")),
)


def read(rest: str) -> Attributes:
    """Return what *rest*, a release name without its title, of at most some hundred characters, states."""
    heard = SUBTITLES.sub(" ", rest)
    # It takes the words before any number for the title, where it looks for no language.
    known: dict[str, Any] = PTT.parse_title(f"x.S01E01.{heard}") if rest else {}
    codec = _codec(known, rest)
    hi10p = HI10P.search(rest) is not None and codec in (Codec.H264, Codec.UNSPECIFIED)
    bit_depth = _bit_depth(known, rest)
    dolby_vision = DOLBY_VISION.search(rest) is not None
    hdr = HDR.search(rest) is not None
    return Attributes(
        height=_height(known, rest),
        source=source(rest),
        codec=codec,
        bit_depth=bit_depth,
        hi10p=hi10p or (codec is Codec.H264 and bit_depth == 10),
        hdr=hdr or dolby_vision,
        dolby_vision=dolby_vision,
        dolby_vision_fallback=dolby_vision and _has_fallback(rest, hdr),
        languages=_languages(known.get("languages", ()), heard),
        multi_audio=MULTI.search(MULTI_SUBS.sub(" ", rest)) is not None,
    )


def source(rest: str) -> Source:
    """Return where the release was taken from."""
    for kind, form in STOLEN:
        if form.search(rest):
            return kind
    honest = _honest(GROUP_BEHIND.sub("", rest)) or _honest(rest) or Source.UNSPECIFIED
    if REMUX.search(rest) and honest in (Source.UNSPECIFIED, Source.BLURAY, Source.DVD):
        return Source.REMUX
    if honest is Source.UNSPECIFIED:
        return next((kind for kind, form in STOLEN_IF_ALONE if form.search(rest)), honest)
    return honest


def _honest(rest: str) -> Source | None:
    return next((kind for kind, form in HONEST if form.search(rest)), None)


def _height(known: Mapping[str, Any], rest: str) -> int:
    if pixels := PIXELS.search(rest):
        return _standard(int(pixels[1]))
    if lines := LINES.search(rest):
        return _standard(int(lines[1]))
    stated = str(known.get("resolution", "")).lower()
    if stated in HEIGHTS:
        return HEIGHTS[stated]
    if lines := re.match(r"\d{3,4}", stated):
        return _standard(int(lines[0]))
    if bare := BARE_LINES.search(rest):
        return int(bare[1])
    return 2160 if UHD.search(rest) else 0


def _standard(height: int) -> int:
    """Return the standard height that is at least *height*; widescreen pictures are cut at top and bottom."""
    return next((standard for standard in STANDARD_HEIGHTS if height <= standard), STANDARD_HEIGHTS[-1])


def _codec(known: Mapping[str, Any], rest: str) -> Codec:
    if VP9.search(rest):
        return Codec.VP9
    stated = re.sub(r"[^a-z0-9]", "", str(known.get("codec", "")).lower())
    if stated in CODECS:
        return CODECS[stated]
    return Codec.MPEG2 if stated.startswith("mpeg") else Codec.UNSPECIFIED


def _bit_depth(known: Mapping[str, Any], rest: str) -> int:
    if stated := re.search(r"\d+", str(known.get("bit_depth", ""))):
        return int(stated[0])
    return 10 if HI10P.search(rest) or TEN_BIT.search(rest) else 0


def _has_fallback(rest: str, hdr: bool) -> bool:
    if DV_PROFILE_5.search(rest):
        return False
    return hdr or DV_PROFILE_8.search(rest) is not None


def _languages(stated: Sequence[str], heard: str) -> tuple[str, ...]:
    codes = ["es" if code == LATIN_AMERICAN else code for code in stated if len(code) == 2]
    codes += [code for code, form in FURTHER_LANGUAGES if form.search(heard)]
    return tuple(dict.fromkeys(codes))


def version(rest: str) -> int:
    """Return 1, or 2 for PROPER, REPACK, RERIP and v2, and so on."""
    versions = [int(match[1] or 1) + 1 for match in PROPER.finditer(rest)]
    versions += [int(match[1]) for match in REISSUE.finditer(rest)]
    return max(versions, default=1)


def is_extra(body: str, rest: str, episodes: Sequence[int]) -> bool:
    """Tell whether the name is that of a sample, a trailer or the like.

    Where an episode is named, these words may be its title ("The Interview"); then they count only behind a tag.
    """
    tag = TECH.search(rest)
    if episodes:
        rest = rest[tag.start() :] if tag else ""
    return CREDITLESS.search(body) is not None or EXTRA.search(rest) is not None

"""Reading SubRip and WebVTT, as tolerant as players are, in one pass over the lines.

Both are lines of text under a timing line. What real files get wrong: the index is missing, the milliseconds follow a
dot or a colon or are cut short, the arrow touches the times, coordinates follow, blank lines stand inside a cue.
"""

import re
from collections.abc import Iterator, Sequence
from enum import Enum

from vod_subtitles.cues import Cue
from vod_subtitles.markup import Markup, payload

_TIME = r"(?:(?P<{0}h>\d{{1,3}}):)?(?P<{0}m>\d{{1,3}}):(?P<{0}s>\d{{1,2}})(?:[,.:](?P<{0}f>\d{{1,3}}))?"
_TIMING = re.compile(
    r"\s{0,20}" + _TIME.format("a") + r"\s{0,20}-{1,2}>\s{0,20}" + _TIME.format("b") + r"(?P<rest>.*)", re.ASCII
)
_SETTING = re.compile(
    r"(?:line:-?\d{1,4}(?:\.\d{1,3})?%?"
    r"|(?:position|size):\d{1,3}(?:\.\d{1,3})?%"
    r"|align:(?:start|center|end|left|right))(?!\S)",
    re.ASCII,
)


class Dialect(Enum):
    """Which of the two a file is."""

    SUBRIP = Markup.SUBRIP
    WEBVTT = Markup.WEBVTT


def read_subrip(lines: Sequence[str], *, dialect: Dialect) -> Iterator[Cue]:
    """Yield a cue for each timing line in the file, also empty and backward ones."""
    timings = [(at, match) for at, line in enumerate(lines) if "->" in line and (match := _TIMING.match(line))]
    ends = [at for at, _ in timings[1:]] + [len(lines)]
    for (at, timing), end in zip(timings, ends, strict=False):
        text = _text(lines[at + 1 : end], dialect, is_last=end == len(lines))
        converted = payload(text, markup=dialect.value)
        settings = converted.settings or _settings(timing["rest"], dialect)
        yield Cue(_ms(timing, "a"), _ms(timing, "b"), converted.text, settings)


def _text(lines: Sequence[str], dialect: Dialect, *, is_last: bool) -> str:
    """Return the text below a timing line, given all lines up to the next one."""
    if dialect is Dialect.WEBVTT:
        # Whatever follows a blank line is an identifier, a note or a style.
        blank = next((at for at, line in enumerate(lines) if not line.strip()), len(lines))
        return "\n".join(lines[:blank])
    # The last number belongs to the next timing line, unless it stands where the text of this cue must be.
    if not is_last and len(lines) > 1 and lines[-1].strip().isdecimal():
        lines = lines[:-1]
    return "\n".join(lines)


def _ms(timing: re.Match[str], which: str) -> int:
    hours, minutes, seconds = (int(timing[f"{which}{unit}"] or 0) for unit in "hms")
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int((timing[f"{which}f"] or "0").ljust(3, "0"))


def _settings(rest: str, dialect: Dialect) -> str:
    return " ".join(_SETTING.findall(rest[:200])) if dialect is Dialect.WEBVTT else ""

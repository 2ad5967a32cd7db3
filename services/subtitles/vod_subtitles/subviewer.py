"""Reading SubViewer 2 (two times in one line, the text below) and SubViewer 1 (a time in brackets, the text below)."""

import re
from collections.abc import Iterator, Sequence

from vod_subtitles.cues import Cue
from vod_subtitles.markup import Markup, payload

_TIME = r"(\d{1,3}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,3}))?"
SUBVIEWER_2 = re.compile(rf"{_TIME},{_TIME}\s*$", re.ASCII)
SUBVIEWER_1 = re.compile(r"\[(\d{1,3}):(\d{1,2}):(\d{1,2})\]\s*$", re.ASCII)


def read_subviewer(lines: Sequence[str]) -> Iterator[Cue]:
    """Yield the cues of either; in the older one a cue lasts until the next time, which may have no text."""
    timings = [(at, match) for at, line in enumerate(lines) if (match := _timing(line))]
    following = [*timings[1:], (len(lines), None)]
    for (at, timing), (next_at, next_timing) in zip(timings, following, strict=True):
        start = _ms(timing.groups()[:4])
        if timing.re is SUBVIEWER_2:
            end = _ms(timing.groups()[4:])
        elif next_timing is not None:
            end = _ms(next_timing.groups()[:4])
        else:
            continue
        text = "\n".join(_text(lines[at + 1 : next_at]))
        converted = payload(re.sub(r"\[br\]|\|", "\n", text, flags=re.IGNORECASE), markup=Markup.SUBRIP)
        yield Cue(start, end, converted.text, converted.settings)


def _timing(line: str) -> re.Match[str] | None:
    return SUBVIEWER_2.match(line) or SUBVIEWER_1.match(line)


def _text(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if not line.strip() or line.startswith(("[COLF]", "[END SCRIPT]", "[END INFORMATION]", "[SUBTITLE]")):
            return
        yield line


def _ms(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds, *fraction = parts
    ms = int((fraction[0] or "0").ljust(3, "0")) if fraction else 0
    return ((int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)) * 1000 + ms

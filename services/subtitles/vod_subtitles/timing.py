"""Moving the cues of a WebVTT file of ours."""

import re

from vod_subtitles.cues import webvtt_time
from vod_subtitles.domain import Timing

# Our own writer's form; in the text of cues `>` is escaped, so nothing else looks like it.
_TIMES = re.compile(r"^(\d{2,3}):(\d\d):(\d\d)\.(\d{3}) --> (\d{2,3}):(\d\d):(\d\d)\.(\d{3})", re.ASCII | re.MULTILINE)


def retimed(webvtt: str, timing: Timing) -> str:
    """Return a file with each cue's times multiplied and moved; what would end before the video begins is dropped."""
    if timing == Timing():
        return webvtt
    offset = round(timing.offset.total_seconds() * 1000)

    def moved(parts: tuple[str | int, ...]) -> int:
        hours, minutes, seconds, ms = (int(part) for part in parts)
        return round((((hours * 60 + minutes) * 60 + seconds) * 1000 + ms) * timing.rate) + offset

    head, *blocks = webvtt.split("\n\n")
    kept = [head]
    for block in blocks:
        found = _TIMES.match(block)
        if found is None:
            continue
        start, end = moved(found.groups()[:4]), moved(found.groups()[4:])
        if end > max(0, start):
            kept.append(f"{webvtt_time(max(0, start))} --> {webvtt_time(end)}{block[found.end() :]}".rstrip("\n"))
    return "\n\n".join(kept) + "\n"

"""Cues, and WebVTT as browsers accept it (https://www.w3.org/TR/webvtt1/)."""

from collections.abc import Iterable
from dataclasses import dataclass

_LATEST_MS = 100 * 3_600_000 - 1


@dataclass(frozen=True, slots=True)
class Cue:
    """Something to show from one millisecond to another; text and settings are WebVTT already."""

    start_ms: int
    end_ms: int
    text: str
    settings: str = ""


def in_order(cues: Iterable[Cue]) -> list[Cue]:
    """Return the cues that show something, by start, each once: doubles are how other formats draw glows."""
    shown = (cue for cue in cues if cue.text and 0 <= cue.start_ms < cue.end_ms <= _LATEST_MS)
    return sorted(dict.fromkeys(shown), key=lambda cue: (cue.start_ms, cue.end_ms))


def write_webvtt(cues: Iterable[Cue]) -> str:
    """Return a WebVTT file with these cues, in the given order."""
    return "\n".join(["WEBVTT", "", *(_block(cue) for cue in cues)])


def last_end(webvtt: str) -> int:
    """Return when the last cue of a file of ours ends, in milliseconds; 0 where there is none."""
    _, arrow, rest = webvtt.rpartition(" --> ")
    if not arrow:
        return 0
    hours, minutes, seconds = rest.split(maxsplit=1)[0].split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 + round(float(seconds) * 1000)


def _block(cue: Cue) -> str:
    settings = f" {cue.settings}" if cue.settings else ""
    return f"{webvtt_time(cue.start_ms)} --> {webvtt_time(cue.end_ms)}{settings}\n{cue.text}\n"


def webvtt_time(ms: int) -> str:
    """Return milliseconds as WebVTT writes them."""
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"

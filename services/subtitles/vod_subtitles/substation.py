"""Reading SubStation (ASS, SSA) and the old formats that count frames or tenths, with pysubs2's readers.

Only its readers: its writers lose places, don't escape, and keep what can't be shown.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

import pysubs2
from pysubs2.exceptions import Pysubs2Error

from vod_subtitles.cues import Cue
from vod_subtitles.markup import Markup, alignment_of, payload
from vod_subtitles.unreadable import UnreadableSubtitleError

_SHORTEST_MS = 40
"""Less than a frame at 25 per second: a moving sign, drawn anew for each frame."""
_DEFAULT_CANVAS = (384, 288)
"""What SubStation takes where a script does not say."""
_POSITION = re.compile(r"\\(?:pos|move)\(\s{0,5}(-?\d{1,5}(?:\.\d{0,4})?)\s{0,5},\s{0,5}(-?\d{1,5}(?:\.\d{0,4})?)")
_BROKEN = (Pysubs2Error, ValueError, KeyError, IndexError, AttributeError, AssertionError, OverflowError)


def read_substation(lines: Sequence[str]) -> Iterator[Cue]:
    """Yield the cues of an ASS or SSA script: styled by its styles, placed where WebVTT can say it."""
    file = _parsed(lines, format_="ass", fps=None)
    width, height = (_number(file.info.get(name), usual) for name, usual in _canvas())
    joined = _Joined()
    for event in sorted((event for event in file.events if not event.is_comment), key=lambda event: event.start):
        if event.end - event.start < _SHORTEST_MS:
            continue
        style = file.styles.get(event.style)
        on = "".join(f"\\{name}1" for name, is_on in _emphasis(style) if is_on)
        text = f"{{{on}}}{event.text}" if on else event.text
        converted = payload(
            text, markup=Markup.SUBSTATION, alignment=alignment_of(int(style.alignment) if style else 2)
        )
        place = _place(event.text, width, height)
        joined.add(Cue(event.start, event.end, converted.text, place or converted.settings))
    yield from joined.cues


def read_frames(lines: Sequence[str], *, format_: str, fps: float | None = None) -> Iterable[Cue]:
    """Yield the cues of a MicroDVD, MPL2 or TMPlayer file (`microdvd`, `mpl2`, `tmp`)."""
    for event in _parsed(lines, format_=format_, fps=fps).events:
        converted = payload(event.text, markup=Markup.SUBSTATION)
        yield Cue(event.start, event.end, converted.text, converted.settings)


def _parsed(lines: Sequence[str], *, format_: str, fps: float | None) -> pysubs2.SSAFile:
    try:
        return pysubs2.SSAFile.from_string("\n".join(lines), format_=format_, fps=fps)
    except _BROKEN as error:
        raise UnreadableSubtitleError(f"broken {format_}: {type(error).__name__}") from error


def _canvas() -> tuple[tuple[str, int], tuple[str, int]]:
    return ("PlayResX", _DEFAULT_CANVAS[0]), ("PlayResY", _DEFAULT_CANVAS[1])


def _number(value: str | None, usual: int) -> int:
    digits = (value or "").strip()[:6]
    return int(digits) if digits.isdecimal() and int(digits) else usual


def _emphasis(style: pysubs2.SSAStyle | None) -> list[tuple[str, bool]]:
    return [("i", style.italic), ("b", style.bold), ("u", style.underline)] if style else []


def _place(text: str, width: int, height: int) -> str:
    found = _POSITION.search(text[:2000])
    if not found:
        return ""
    across, down = (min(100, max(0, round(float(found[n]) / full * 100))) for n, full in ((1, width), (2, height)))
    return f"line:{down}% position:{across}%"


class _Joined:
    """Cues in which a text that only fades on into itself is one."""

    def __init__(self) -> None:
        self.cues: list[Cue] = []
        self._last: dict[tuple[str, str], int] = {}

    def add(self, cue: Cue) -> None:
        at = self._last.get((cue.text, cue.settings))
        before = self.cues[at] if at is not None else None
        if at is not None and before and before.start_ms < cue.start_ms <= before.end_ms + _SHORTEST_MS:
            self.cues[at] = Cue(before.start_ms, max(before.end_ms, cue.end_ms), cue.text, cue.settings)
            return
        self._last[cue.text, cue.settings] = len(self.cues)
        self.cues.append(cue)

"""From the markup of subtitle formats to the payload of a WebVTT cue.

Only `<i>`, `<b>`, `<u>` come through, balanced; everything else that looks like markup to a browser is escaped, which
also makes `-->` impossible. All patterns are bounded, so that no text takes more than linear time.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

_ITALIC_BOLD_UNDERLINE = {"i": "i", "em": "i", "b": "b", "strong": "b", "u": "u"}
_DROPPED = frozenset({"s", "font", "c", "v", "lang", "ruby", "rt", "span", "p", "div"})
_ENTITIES = {
    "amp": "&",
    "lt": "<",
    "gt": ">",
    "nbsp": "\u00a0",
    "lrm": "\u200e",
    "rlm": "\u200f",
    "quot": '"',
    "apos": "'",
    "#39": "'",
}
_SPACES = {"N": "\n", "n": " ", "h": "\u00a0"}
# Control characters but tab and line feed; overrides of the writing direction, which could disguise text.
_INVISIBLE = dict.fromkeys((*range(9), *range(11, 32), 127, 65279, *range(8234, 8239), *range(8294, 8298)))

_TAG = r"<(?P<close>/?)(?P<tag>[A-Za-z]{1,10})(?:[ .\t][^<>]{0,300})?/?>"
_ENTITY = r"&(?P<entity>amp|lt|gt|nbsp|lrm|rlm|quot|apos|#39);"
_ASS_BLOCK = r"\{(?P<block>[^{}]{0,4000})\}"
_SRT_BLOCK = r"\{(?P<block>\\[^{}]{0,500})\}"
_ASS_SPACE = r"\\(?P<space>[Nnh])"

_STYLE = re.compile(r"\\(?P<style>[ibu])(?P<weight>\d{1,3})")
_ALIGNMENT = re.compile(r"\\a(?P<numpad>n?)(?P<value>\d{1,2})")
_DRAWING = re.compile(r"\\p(?P<scale>\d{1,2})")
_EMPTY_PAIR = re.compile(r"<([ibu])>(\s*)</\1>")
# SubStation's old alignment: 1-3 bottom, +4 top, +8 middle; the number pad: 1-3 bottom, 4-6 middle, 7-9 top.
_LEGACY_ALIGNMENT = {1: 1, 2: 2, 3: 3, 5: 7, 6: 8, 7: 9, 9: 4, 10: 5, 11: 6}


class Markup(Enum):
    """Whose markup a text is in."""

    SUBRIP = re.compile(f"{_TAG}|{_SRT_BLOCK}")
    WEBVTT = re.compile(f"{_TAG}|{_ENTITY}")
    SUBSTATION = re.compile(f"{_ASS_BLOCK}|{_ASS_SPACE}")


class Alignment(Enum):
    """Where a cue stands, as on a number pad; the value is the WebVTT settings that put it there."""

    BOTTOM_LEFT = "position:5% align:start"
    BOTTOM = ""
    BOTTOM_RIGHT = "position:95% align:end"
    MIDDLE_LEFT = "line:50% position:5% align:start"
    MIDDLE = "line:50%"
    MIDDLE_RIGHT = "line:50% position:95% align:end"
    TOP_LEFT = "line:0 position:5% align:start"
    TOP = "line:0"
    TOP_RIGHT = "line:0 position:95% align:end"


_NUMBER_PAD = dict(enumerate(Alignment, start=1))


@dataclass(frozen=True, slots=True)
class Payload:
    """What a cue says in WebVTT, and its settings; nothing to show is the empty text."""

    text: str
    settings: str


def alignment_of(number: int) -> Alignment:
    """Return what a digit of the number pad means, the bottom for anything else."""
    return _NUMBER_PAD.get(number, Alignment.BOTTOM)


def payload(text: str, *, markup: Markup, alignment: Alignment = Alignment.BOTTOM) -> Payload:
    """Return *text* as WebVTT; an alignment inside the text goes before *alignment*."""
    writer = _Writer(alignment)
    at = 0
    for token in _tokens(text, markup):
        writer.text(text[at : token.start()])
        writer.token(token, markup)
        at = token.end()
    writer.text(text[at:])
    return Payload(writer.finish(), writer.alignment.value)


def _tokens(text: str, markup: Markup) -> Iterator[re.Match[str]]:
    pattern: re.Pattern[str] = markup.value
    return pattern.finditer(text)


class _Writer:
    """Writes escaped text and balanced tags."""

    def __init__(self, alignment: Alignment) -> None:
        self.alignment = alignment
        self._parts: list[str] = []
        self._open: list[str] = []
        self._drawing = False

    def text(self, text: str) -> None:
        if not self._drawing:
            visible = text.translate(_INVISIBLE)
            self._parts.append(visible.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))

    def token(self, token: re.Match[str], markup: Markup) -> None:
        found = token.groupdict()
        if found.get("tag"):
            self._tag(token[0], name=found["tag"].lower(), is_end=bool(found["close"]))
        elif found.get("entity"):
            self.text(_ENTITIES[found["entity"]])
        elif found.get("space"):
            self.text(_SPACES[found["space"]])
        else:
            self._block(found["block"])

    def finish(self) -> str:
        while self._open:
            self._parts.append(f"</{self._open.pop()}>")
        written = "".join(self._parts)
        # Twice, because an empty pair may hold another one.
        for _ in range(2):
            written = _EMPTY_PAIR.sub(r"\2", written)
        # A blank line would end the cue.
        return "\n".join(line for raw in written.split("\n") if (line := raw.strip()))

    def _tag(self, whole: str, *, name: str, is_end: bool) -> None:
        if name == "br":
            self.text("\n")
        elif name in _ITALIC_BOLD_UNDERLINE:
            (self._end if is_end else self._begin)(_ITALIC_BOLD_UNDERLINE[name])
        elif name not in _DROPPED:
            # No markup of subtitles: somebody wrote it to be read.
            self.text(whole)

    def _block(self, block: str) -> None:
        for style in _STYLE.finditer(block):
            (self._end if style["weight"] == "0" else self._begin)(style["style"])
        if found := _ALIGNMENT.search(block):
            value = int(found["value"])
            self.alignment = alignment_of(value if found["numpad"] else _LEGACY_ALIGNMENT.get(value, 2))
        if drawing := _DRAWING.search(block):
            self._drawing = drawing["scale"] != "0"

    def _begin(self, tag: str) -> None:
        if tag not in self._open:
            self._open.append(tag)
            self._parts.append(f"<{tag}>")

    def _end(self, tag: str) -> None:
        if tag not in self._open:
            return
        inner: list[str] = []
        while (last := self._open.pop()) != tag:
            self._parts.append(f"</{last}>")
            inner.append(last)
        self._parts.append(f"</{tag}>")
        for again in reversed(inner):
            self._begin(again)

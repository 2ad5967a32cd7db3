"""Reading TTML (https://www.w3.org/TR/ttml2/), also known as DFXP.

A file that declares a document type is refused before any XML parser sees it: entities are how 500 bytes of XML become
megabytes, or the contents of another file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

from vod_subtitles.cues import Cue
from vod_subtitles.markup import Alignment, Markup, payload
from vod_subtitles.unreadable import UnreadableSubtitleError

_CLOCK = re.compile(r"(\d{1,4}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,9})|:(\d{1,3})(?:\.\d{1,3})?)?", re.ASCII)
_OFFSET = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)(h|ms|m|s|f|t)", re.ASCII)
_DECLARATION = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_UPPER = re.compile(r"\S{1,20} [0-3]?\d(?:\.\d{1,9})?%", re.ASCII)
_DEEPEST = 60
_EMPHASIS = {"fontStyle": ("i", {"italic", "oblique"}), "fontWeight": ("b", {"bold"})}


@dataclass(frozen=True, slots=True)
class _Rates:
    frames: float = 30.0
    ticks: float = 1.0


@dataclass(frozen=True, slots=True)
class _Within:
    """What an element has from those around it: times in milliseconds, and tags that are on."""

    begin: float = 0.0
    end: float | None = None
    tags: tuple[str, ...] = ()
    is_top: bool = False


def read_ttml(text: str) -> Iterator[Cue]:
    """Yield the cues of a TTML document."""
    if _DECLARATION.search(text):
        raise UnreadableSubtitleError("TTML with a document type")
    try:
        root = ET.fromstring(re.sub(r"^\s*<\?xml[^>]{0,200}\?>", "", text, count=1))  # noqa: S314  see above
    except (ET.ParseError, ValueError) as error:
        raise UnreadableSubtitleError("broken TTML") from error
    reader = _Reader(root)
    body = next((child for child in root if _name(child) == "body"), None)
    if body is not None:
        yield from reader.cues(body, _Within())


class _Reader:
    def __init__(self, root: ET.Element) -> None:
        self._rates = _rates(root)
        named = [(key, one) for one in root.iter() if (key := _attribute(one, "id"))]
        self._styles = {key: one for key, one in named if _name(one) == "style"}
        self._tops = {key for key, one in named if _name(one) == "region" and self._is_at_top(one)}

    def cues(self, element: ET.Element, around: _Within, depth: int = 0) -> Iterator[Cue]:
        """Yield the cues of *element* and all below; each paragraph with text is one."""
        if depth > _DEEPEST:
            raise UnreadableSubtitleError("TTML that is nested too deeply")
        here = self._within(element, around)
        if _name(element) != "p":
            for child in element:
                yield from self.cues(child, here, depth + 1)
            return
        text = self._text(element, here, depth)
        if here.end is not None:
            place = Alignment.TOP if here.is_top else Alignment.BOTTOM
            converted = payload(text, markup=Markup.WEBVTT, alignment=place)
            yield Cue(round(here.begin), round(here.end), converted.text, converted.settings)

    def _within(self, element: ET.Element, around: _Within) -> _Within:
        begin = self._time(_attribute(element, "begin"))
        end, lasting = self._time(_attribute(element, "end")), self._time(_attribute(element, "dur"))
        starts = around.begin + (begin or 0.0)
        ends = around.begin + end if end is not None else starts + lasting if lasting is not None else around.end
        if around.end is not None and ends is not None:
            ends = min(ends, around.end)
        region = _attribute(element, "region")
        tags = tuple(dict.fromkeys((*around.tags, *self._tags(element))))
        return _Within(starts, ends, tags, is_top=region in self._tops if region else around.is_top)

    def _text(self, element: ET.Element, here: _Within, depth: int) -> str:
        """Return the text below an element in WebVTT's markup, escaped."""
        if depth > _DEEPEST:
            raise UnreadableSubtitleError("TTML that is nested too deeply")
        opened = "".join(f"<{tag}>" for tag in here.tags)
        closed = "".join(f"</{tag}>" for tag in reversed(here.tags))
        parts = [opened, _plain(element.text)]
        for child in element:
            if _name(child) == "br":
                parts.append("\n")
            elif _name(child) == "span":
                inner = self._within(child, here)
                new = tuple(tag for tag in inner.tags if tag not in here.tags)
                parts.append(self._text(child, replace(inner, tags=new), depth + 1))
            parts.append(_plain(child.tail))
        return "".join([*parts, closed])

    def _tags(self, element: ET.Element) -> Iterator[str]:
        style = self._styles.get(_attribute(element, "style"))
        for one in (element, style):
            if one is None:
                continue
            for name, (tag, values) in _EMPHASIS.items():
                if _attribute(one, name) in values:
                    yield tag
            if "underline" in _attribute(one, "textDecoration").split():
                yield "u"

    def _is_at_top(self, region: ET.Element) -> bool:
        return any(
            _attribute(one, "displayAlign") == "before" or _UPPER.match(_attribute(one, "origin"))
            for one in region.iter()
            if _attribute(one, "displayAlign") != "after"
        )

    def _time(self, value: str) -> float | None:
        """Return a time expression in milliseconds."""
        if clock := _CLOCK.fullmatch(value):
            seconds = (int(clock[1]) * 60 + int(clock[2])) * 60 + int(clock[3])
            return seconds * 1000 + float(f"0.{clock[4] or 0}") * 1000 + int(clock[5] or 0) * 1000 / self._rates.frames
        if offset := _OFFSET.fullmatch(value):
            units = {"h": 3_600_000.0, "m": 60_000.0, "s": 1000.0, "ms": 1.0}
            units |= {"f": 1000 / self._rates.frames, "t": 1000 / self._rates.ticks}
            return float(offset[1]) * units[offset[2]]
        return None


def _rates(root: ET.Element) -> _Rates:
    frames = _positive(_attribute(root, "frameRate"), 30.0)
    multiplier = _attribute(root, "frameRateMultiplier").split()
    if len(multiplier) == 2:
        frames *= _positive(multiplier[0], 1.0) / _positive(multiplier[1], 1.0)
    return _Rates(frames, _positive(_attribute(root, "tickRate"), 1.0))


def _positive(text: str, usual: float) -> float:
    return float(text) if re.fullmatch(r"[1-9]\d{0,9}", text, re.ASCII) else usual


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _attribute(element: ET.Element, name: str) -> str:
    """Return an attribute by its local name: real files disagree about the namespaces."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _plain(text: str | None) -> str:
    words = re.sub(r"\s+", " ", text or "")
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

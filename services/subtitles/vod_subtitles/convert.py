"""From a subtitle file, of whatever format and encoding, to WebVTT."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pysubs2
from pysubs2.exceptions import Pysubs2Error

from vod_subtitles.cues import Cue, in_order, write_webvtt
from vod_subtitles.encoding import decode
from vod_subtitles.errors import UnreadableSubtitleError
from vod_subtitles.markup import Markup, alignment_of, payload
from vod_subtitles.subrip import Dialect, read_subrip

CONVERTER_VERSION = 1
"""Files converted by an older one are converted again."""

MAX_BYTES = 2 * 1024 * 1024
_MAX_LINES = 100_000
_MAX_LINE = 4_000
_MAX_CUES = 20_000
_LOOKED_AT = 50

_MICRODVD = re.compile(r"\{\d{1,9}\}\{\d{1,9}\}", re.ASCII)
_MICRODVD_RATE = re.compile(r"\{[01]\}\{[01]\}\s*[\d.,]{2,8}\s*$", re.ASCII)
_MPL2 = re.compile(r"\[\d{1,9}\]\[\d{1,9}\]", re.ASCII)
_TMPLAYER = re.compile(r"\d{1,2}:\d{2}:\d{2}[:=][^,.\d]", re.ASCII)
_SUBSTATION = re.compile(r"\[Script Info\]|\[V4\+? Styles\]|Dialogue:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Converted:
    """A WebVTT file, how many cues it has, and what the original was taken for."""

    webvtt: str
    cue_count: int
    encoding: str


def convert(raw: bytes, *, language: str, fps: float | None = None) -> Converted:
    """Return a subtitle file as WebVTT; takes time linear in its size.

    Args:
        language: of the track, ISO 639-1, empty if unknown; tells what letters to expect.
        fps: frames per second, for formats that count frames and don't say how fast.

    Raises:
        UnreadableSubtitleError: it is too large, of no format that we read, or has nothing to show.
    """
    if len(raw) > MAX_BYTES:
        raise UnreadableSubtitleError(f"more than {MAX_BYTES} bytes")
    decoded = decode(raw, language=language)
    lines = re.split(r"\r\n|\r|\n", decoded.text)
    if len(lines) > _MAX_LINES or max(map(len, lines)) > _MAX_LINE:
        raise UnreadableSubtitleError(f"more than {_MAX_LINES} lines, or one of more than {_MAX_LINE} characters")
    cues = in_order(_limited(_read(lines, fps=fps)))
    if not cues:
        raise UnreadableSubtitleError("nothing to show")
    return Converted(write_webvtt(cues), len(cues), decoded.encoding)


def _read(lines: list[str], *, fps: float | None) -> Iterable[Cue]:
    head = [line.strip() for line in lines if line.strip()][:_LOOKED_AT]
    first = head[0] if head else ""
    if first.startswith("WEBVTT"):
        return read_subrip(lines, dialect=Dialect.WEBVTT)
    if any(_SUBSTATION.match(line) for line in head):
        return _read_with_pysubs2(lines, format_="ass", fps=None)
    if _MICRODVD.match(first):
        # A rate inside the file is the better one, and pysubs2 heeds it only where none is given.
        return _read_with_pysubs2(lines, format_="microdvd", fps=None if _MICRODVD_RATE.match(first) else fps)
    if _MPL2.match(first):
        return _read_with_pysubs2(lines, format_="mpl2", fps=None)
    if _TMPLAYER.match(first):
        return _read_with_pysubs2(lines, format_="tmp", fps=None)
    return read_subrip(lines, dialect=Dialect.SUBRIP)


def _read_with_pysubs2(lines: list[str], *, format_: str, fps: float | None) -> Iterable[Cue]:
    try:
        file = pysubs2.SSAFile.from_string("\n".join(lines), format_=format_, fps=fps)
    except (Pysubs2Error, ValueError, KeyError, IndexError, AttributeError, AssertionError) as error:
        raise UnreadableSubtitleError(f"broken {format_}: {type(error).__name__}") from error
    for event in file.events:
        if event.is_comment:
            continue
        style = file.styles.get(event.style)
        converted = payload(
            event.text,
            markup=Markup.SUBSTATION,
            alignment=alignment_of(int(style.alignment) if style else 2),
        )
        yield Cue(event.start, event.end, converted.text, converted.settings)


def _limited(cues: Iterable[Cue]) -> Iterable[Cue]:
    for count, cue in enumerate(cues, start=1):
        if count > _MAX_CUES:
            raise UnreadableSubtitleError(f"more than {_MAX_CUES} cues")
        yield cue

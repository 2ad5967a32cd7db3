"""From a subtitle file, of whatever format and encoding, to WebVTT."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from vod_subtitles.cues import Cue, in_order, write_webvtt
from vod_subtitles.encoding import decode, decode_as
from vod_subtitles.subrip import Dialect, read_subrip
from vod_subtitles.substation import read_frames, read_substation
from vod_subtitles.subviewer import SUBVIEWER_1, SUBVIEWER_2, read_subviewer
from vod_subtitles.timedtext import read_ttml
from vod_subtitles.unreadable import UnreadableSubtitleError

CONVERTER_VERSION = 3
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
_TTML = re.compile(r"<(?:\?xml|tt\b|[a-z]{1,5}:tt\b)", re.IGNORECASE)


class Format(Enum):
    """What a file was taken for."""

    WEBVTT = "webvtt"
    SUBRIP = "subrip"
    SUBSTATION = "substation"
    MICRODVD = "microdvd"
    MPL2 = "mpl2"
    TMPLAYER = "tmp"
    SUBVIEWER = "subviewer"
    TTML = "ttml"


@dataclass(frozen=True, slots=True)
class Converted:
    """A WebVTT file, how many cues it has, and what the original was taken for."""

    webvtt: str
    cue_count: int
    encoding: str
    format: Format = Format.SUBRIP
    lossy: bool = False
    """Whether some bytes made no sense in the encoding."""
    script: str = ""
    """The whole file as text where it is SubStation: some players can show more of it than WebVTT can say."""


def convert(raw: bytes, *, language: str, fps: float | None = None, encoding: str = "") -> Converted:
    """Return a subtitle file as WebVTT; takes time linear in its size.

    Args:
        language: of the track, ISO 639-1, empty if unknown; tells what letters to expect.
        fps: frames per second, for formats that count frames and don't say how fast.
        encoding: what somebody knows it to be in; empty: what it most likely is.

    Raises:
        UnreadableSubtitleError: it is too large, of no format that we read, or has nothing to show.
    """
    if len(raw) > MAX_BYTES:
        raise UnreadableSubtitleError(f"more than {MAX_BYTES} bytes")
    decoded = decode_as(raw, encoding) if encoding else decode(raw, language=language)
    lines = re.split(r"\r\n|\r|\n", decoded.text)
    format_ = tell(lines)
    # XML may stand in one line; it has limits of its own.
    longest = MAX_BYTES if format_ is Format.TTML else _MAX_LINE
    if len(lines) > _MAX_LINES or max(map(len, lines)) > longest:
        raise UnreadableSubtitleError(f"more than {_MAX_LINES} lines, or one of more than {longest} characters")
    cues = in_order(_limited(_read(lines, format_, fps=fps)))
    if not cues:
        raise UnreadableSubtitleError("nothing to show")
    script = "\n".join(lines) if format_ is Format.SUBSTATION else ""
    return Converted(write_webvtt(cues), len(cues), decoded.encoding, format_, decoded.lossy, script)


def tell(lines: list[str]) -> Format:
    """Return what lines are most likely written in: SubRip where nothing speaks for another format."""
    head = [line.strip() for line in lines if line.strip()][:_LOOKED_AT]
    first = head[0] if head else ""
    if first.startswith("WEBVTT"):
        return Format.WEBVTT
    if _TTML.match(first) and any("<tt" in line or ":tt" in line for line in head):
        return Format.TTML
    if any(_SUBSTATION.match(line) for line in head):
        return Format.SUBSTATION
    for pattern, format_ in ((_MICRODVD, Format.MICRODVD), (_MPL2, Format.MPL2), (_TMPLAYER, Format.TMPLAYER)):
        if pattern.match(first):
            return format_
    if any(SUBVIEWER_1.match(line) or SUBVIEWER_2.match(line) for line in head):
        return Format.SUBVIEWER
    return Format.SUBRIP


def _read(lines: list[str], format_: Format, *, fps: float | None) -> Iterable[Cue]:  # noqa: PLR0911  one per format
    match format_:
        case Format.WEBVTT:
            return read_subrip(lines, dialect=Dialect.WEBVTT)
        case Format.SUBSTATION:
            return read_substation(lines)
        case Format.TTML:
            return read_ttml("\n".join(lines))
        case Format.SUBVIEWER:
            return read_subviewer(lines)
        case Format.MICRODVD:
            first = next(line.strip() for line in lines if line.strip())
            # A rate inside the file is the better one, and pysubs2 heeds it only where none is given.
            return read_frames(lines, format_="microdvd", fps=None if _MICRODVD_RATE.match(first) else fps)
        case Format.MPL2 | Format.TMPLAYER:
            return read_frames(lines, format_=format_.value)
        case Format.SUBRIP:
            return read_subrip(lines, dialect=Dialect.SUBRIP)


def _limited(cues: Iterable[Cue]) -> Iterable[Cue]:
    for count, cue in enumerate(cues, start=1):
        if count > _MAX_CUES:
            raise UnreadableSubtitleError(f"more than {_MAX_CUES} cues")
        yield cue

"""The subtitle tracks inside a video file, as far as the file is here (runs in the worker process).

Packets of subtitles lie between those of pictures and sound, so a file is read from its begin to where its bytes end
for now. https://www.matroska.org/technical/subtitles.html says how Matroska keeps SubRip and SubStation.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from time import monotonic
from typing import Any

from vod_subtitles.cues import Cue, in_order, write_webvtt
from vod_subtitles.markup import Markup, payload
from vod_subtitles.substation import read_substation

_READ_AHEAD = 1 << 20
_MAX_TRACKS = 60
_MAX_CUES = 20_000
_MAX_TEXT = 4_000
_SECONDS_PER_PART = 0.5
_FORCED = 64
_TEXT_CODECS = {"subrip": "subrip", "srt": "subrip", "text": "subrip", "webvtt": "webvtt", "mov_text": "mov_text"}
_SCRIPTS = frozenset({"ass", "ssa"})
_IMPAIRED = frozenset({"sdh", "cc", "hearing"})
# https://www.rfc-editor.org/rfc/rfc8081 says what fonts are called; the first bytes say whether it is one.
_FONT_TYPES = {".ttf": "font/ttf", ".otf": "font/otf", ".ttc": "font/collection"}
_FONT_MAGIC = frozenset({b"\0\1\0\0", b"true", b"OTTO", b"ttcf"})
_MAX_FONTS_BYTES = 40 * 1024 * 1024

Read = Callable[[int, int], bytes]


class Video(io.RawIOBase):
    """A file that is read by asking for its bytes; it seems to end where the first bytes lack that were asked for."""

    def __init__(self, read: Read, *, size: int) -> None:
        super().__init__()
        self._read = read
        self._size = size
        self._at = 0
        self._begin = 0
        self._kept = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = min(self._size, max(0, base + offset))
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return up to *size* bytes; none where they are not here."""
        wanted = self._size - self._at if size < 0 else min(size, self._size - self._at)
        if not self._begin <= self._at < self._begin + len(self._kept):
            self._begin = self._at
            self._kept = self._read(self._at, max(wanted, _READ_AHEAD)) if wanted else b""
        start = self._at - self._begin
        data = self._kept[start : start + wanted]
        self._at += len(data)
        return data


@dataclass(slots=True)
class _Found:
    """One track, as far as it was read."""

    index: int
    lang: str
    title: str
    codec: str
    forced: bool
    header: str = ""
    cues: list[Cue] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        script = "\n".join([self.header.rstrip(), *self.events]) if self.codec in _SCRIPTS else ""
        cues = in_order(read_substation(script.split("\n")) if self.events else self.cues)
        return {
            "index": self.index,
            "lang": self.lang,
            "title": self.title,
            "codec": self.codec,
            "forced": self.forced,
            "impaired": bool(_IMPAIRED & set(self.title.lower().replace("(", " ").replace(")", " ").split())),
            "cues": len(cues),
            "webvtt": write_webvtt(cues) if cues else "",
            "script": script if self.events else "",
        }


@dataclass(frozen=True, slots=True)
class Attachment:
    """A font that lies in a video file."""

    name: str
    content_type: str
    content: bytes


def extract(read: Read, *, size: int, present: int) -> Iterator[dict[str, Any] | Attachment]:
    """Yield the fonts of a video, and again and again its text tracks; the last time with all that is here.

    Tracks come as `{"runtime_ms", "fps", "tracks": [{"index", "lang", …, "webvtt", "script"}]}`.

    Args:
        read: returns bytes from an offset, fewer than asked for or none where they are not here.
        size: of the whole file.
        present: how many bytes from its begin are here.
    """
    import av  # noqa: PLC0415  workers that only convert need not load it

    with av.open(Video(read, size=size), "r", metadata_errors="ignore") as container:
        streams = [stream for stream in container.streams if stream.type == "subtitle"][:_MAX_TRACKS]
        found = {stream.index: one for stream in streams if (one := _found(stream))}
        if any(one.codec in _SCRIPTS for one in found.values()):
            yield from _fonts(container)
        about = _about(container)
        yield about | {"tracks": [one.as_json() for one in found.values()]}
        if not found:
            return
        told = monotonic()
        try:
            for packet in container.demux([stream for stream in streams if stream.index in found]):
                if packet.pts is not None and packet.size:
                    _add(found[packet.stream.index], packet)
                if monotonic() - told > _SECONDS_PER_PART:
                    yield about | {"tracks": [one.as_json() for one in found.values()]}
                    told = monotonic()
        except (av.FFmpegError, EOFError):
            pass  # the bytes end in the middle of a packet, which is what they do while they arrive
    yield about | {"tracks": [one.as_json() for one in found.values()]}


def _about(container: Any) -> dict[str, Any]:
    pictures = next((stream for stream in container.streams if stream.type == "video"), None)
    fps = float(pictures.average_rate or 0) if pictures else 0.0
    return {"runtime_ms": max(0, (container.duration or 0) // 1000), "fps": fps}


def _fonts(container: Any) -> Iterator[Attachment]:
    left = _MAX_FONTS_BYTES
    for stream in container.streams:
        if stream.type != "attachment":
            continue
        name = PurePosixPath(str(stream.name or "").replace("\\", "/")).name[:100]
        content_type = _FONT_TYPES.get(PurePosixPath(name).suffix.lower())
        content = bytes(stream.data or b"")
        if content_type and content[:4] in _FONT_MAGIC and len(content) <= left:
            left -= len(content)
            yield Attachment(name, content_type, content)


def _found(stream: Any) -> _Found | None:
    codec = str(stream.codec_context.name).lower()
    if codec not in _TEXT_CODECS and codec not in _SCRIPTS:
        return None  # pictures of text
    header = bytes(stream.codec_context.extradata or b"").decode("utf-8", errors="replace") if codec in _SCRIPTS else ""
    title = str(stream.metadata.get("title", ""))[:100]
    return _Found(
        stream.index, str(stream.language or "")[:8], title, codec, bool(int(stream.disposition) & _FORCED), header
    )


def _add(track: _Found, packet: Any) -> None:
    start = round(float(packet.pts * packet.time_base) * 1000)
    end = start + round(float((packet.duration or 0) * packet.time_base) * 1000)
    data = bytes(packet)
    if track.codec == "mov_text":
        data = data[2 : 2 + int.from_bytes(data[:2], "big")]
    text = data.decode("utf-8", errors="replace").replace("\0", "")[:_MAX_TEXT]
    if len(track.cues) + len(track.events) >= _MAX_CUES:
        return
    if track.codec in _SCRIPTS:
        # ReadOrder, Layer, Style, Name, three margins, Effect, Text
        _, layer, rest = (*text.split(",", 2), "", "")[:3]
        body = " ".join(rest.splitlines())
        track.events.append(f"Dialogue: {layer or 0},{_clock(start)},{_clock(end)},{body}")
        return
    markup = Markup.WEBVTT if track.codec == "webvtt" else Markup.SUBRIP
    converted = payload(text.replace("\r\n", "\n").replace("\r", "\n"), markup=markup)
    track.cues.append(Cue(start, end, converted.text, converted.settings))


def _clock(ms: int) -> str:
    # SubStation counts hundredths.
    seconds, rest = divmod(round(ms / 10), 100)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:02}"

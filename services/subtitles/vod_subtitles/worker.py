"""The process that parses what came from outside: it may be killed or crash, and nothing else is hurt.

    parent ──{"job": "convert", …} + bytes──▶ worker
    parent ◀──{"say": "read", "offset", "size"}── worker     only while it reads a video; answered with bytes
    parent ◀──{"say": "part", …}── worker                    what is there so far
    parent ◀──{"say": "font", …} + bytes── worker            what a video brings along
    parent ◀──{"say": "done" | "failed", …}── worker

Each message is a line of JSON with the length of the bytes that follow it. Nothing here is pickled: whoever takes over
a worker can send text, and no more.
"""

import json
import resource
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from vod_subtitles.archives import MAX_ARCHIVE_BYTES, unpacked
from vod_subtitles.convert import convert
from vod_subtitles.embedded import Attachment, extract
from vod_subtitles.members import Wanted
from vod_subtitles.unreadable import UnreadableSubtitleError

MAX_MEMORY_BYTES = 256 * 1024 * 1024
Header = Mapping[str, Any]


def main() -> None:
    """Do jobs from standard input until it ends."""
    resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Archives are handed to 7-Zip as files in memory, which count as files.
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_ARCHIVE_BYTES, MAX_ARCHIVE_BYTES))
    pipe = Pipe(sys.stdin.buffer, sys.stdout.buffer)
    while (received := pipe.receive()) is not None:
        header, body = received
        try:
            _JOBS[header["job"]](pipe, header, body)
        except UnreadableSubtitleError as error:
            pipe.send({"say": "failed", "why": str(error)})
        except MemoryError:
            pipe.send({"say": "failed", "why": "needs too much memory"})
        except Exception as error:  # noqa: BLE001  whatever a file does to a parser, it is the file that is refused
            pipe.send({"say": "failed", "why": f"breaks the converter: {type(error).__name__}"})


class Pipe:
    """Messages over two streams."""

    def __init__(self, incoming: BinaryIO, outgoing: BinaryIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing

    def receive(self) -> tuple[Header, bytes] | None:
        """Wait for a message; None at the end of the stream."""
        line = self._incoming.readline()
        if not line:
            return None
        header = json.loads(line)
        return header, self._incoming.read(header.get("length", 0))

    def send(self, header: Header, body: bytes = b"") -> None:
        """Send a message."""
        self._outgoing.write(json.dumps({**header, "length": len(body)}).encode() + b"\n" + body)
        self._outgoing.flush()

    def ask(self, offset: int, size: int) -> bytes:
        """Have the parent read from the video."""
        self.send({"say": "read", "offset": offset, "size": size})
        answer = self.receive()
        return answer[1] if answer else b""


def _convert(pipe: Pipe, header: Header, body: bytes) -> None:
    season, episode = header["season"], header["episode"]
    raw = unpacked(body, wanted=Wanted(season, episode) if season is not None else None)
    converted = convert(raw, language=header["language"], fps=header["fps"], encoding=header["encoding"])
    told = {
        "encoding": converted.encoding,
        "format": converted.format.value,
        "lossy": converted.lossy,
        "cues": converted.cue_count,
    }
    text, script = converted.webvtt.encode(), converted.script.encode()
    pipe.send({"say": "done", **told, "text": len(text)}, text + script)


def _extract(pipe: Pipe, header: Header, body: bytes) -> None:
    for part in extract(pipe.ask, size=header["size"], present=header["present"]):
        if isinstance(part, Attachment):
            pipe.send({"say": "font", "name": part.name, "type": part.content_type}, part.content)
        else:
            pipe.send({"say": "part"}, json.dumps(part).encode())
    pipe.send({"say": "done"})


def _align(pipe: Pipe, header: Header, body: bytes) -> None:
    # numpy takes its time to load, and workers that only convert need not.
    from vod_subtitles.align import Fit, align  # noqa: PLC0415

    for step in align(body[: header["text"]].decode(), body[header["text"] :].decode()):
        if isinstance(step, Fit):
            pipe.send({"say": "part", "progress": 1.0, "offset_ms": step.offset_ms, "rate": step.rate})
        else:
            pipe.send({"say": "part", "progress": step})
    pipe.send({"say": "done"})


def _nothing(pipe: Pipe, header: Header, body: bytes) -> None:
    pipe.send({"say": "done"})


_JOBS: Mapping[str, Callable[[Pipe, Header, bytes], None]] = {
    "none": _nothing,
    "convert": _convert,
    "extract": _extract,
    "align": _align,
}


if __name__ == "__main__":
    main()

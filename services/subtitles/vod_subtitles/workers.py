"""The parent's side of the worker process: one job at a time for each, with an end to every wait."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from vod_subtitles.convert import Converted, Format
from vod_subtitles.domain import Timing
from vod_subtitles.embedded import Attachment
from vod_subtitles.unreadable import UnreadableSubtitleError

_CONVERTING = timedelta(seconds=2)
_STARTING = timedelta(seconds=30)
"""A cold machine takes its time to load Python."""
_MAX_MESSAGE = 64 * 1024 * 1024
_LINE = 64 * 1024

Read = Callable[[int, int], Awaitable[bytes]]
Message = tuple[Mapping[str, Any], bytes]


class Workers:
    """At most so many processes at a time, started when they are needed; see `worker.py`."""

    def __init__(self, count: int) -> None:
        self._free: asyncio.Queue[_Process | None] = asyncio.Queue()
        for _ in range(count):
            self._free.put_nowait(None)

    async def convert(
        self,
        raw: bytes,
        *,
        language: str,
        fps: float | None = None,
        encoding: str = "",
        episode: tuple[int, int] | None = None,
        within: timedelta = _CONVERTING,
    ) -> Converted:
        """Return a subtitle file, which may be in an archive, as WebVTT.

        Raises:
            UnreadableSubtitleError: it is none, or takes too long or too much memory to be read.
        """
        season, number = episode or (None, None)
        job = {"job": "convert", "language": language, "fps": fps, "encoding": encoding}
        async with self._process() as process:
            await process.send({**job, "season": season, "episode": number}, raw)
            try:
                async with asyncio.timeout(within.total_seconds()):
                    header, body = await process.receive()
            except TimeoutError:
                raise UnreadableSubtitleError(f"takes more than {within.total_seconds():g} s to be read") from None
        if header["say"] != "done":
            raise UnreadableSubtitleError(str(header.get("why", "not converted"))[:300])
        text, script = body[: header["text"]], body[header["text"] :]
        return Converted(
            text.decode(),
            header["cues"],
            header["encoding"],
            Format(header["format"]),
            header["lossy"],
            script.decode(),
        )

    async def extract(
        self, read: Read, *, size: int, present: int, within: timedelta
    ) -> AsyncGenerator[dict[str, Any] | Attachment, None]:
        """Yield what is inside a video: fonts, and again and again its text tracks (see `embedded.extract`).

        Raises:
            UnreadableSubtitleError: it can't be read as a video, or not in time.
        """
        async with self._process() as process:
            try:
                async with asyncio.timeout(within.total_seconds()):
                    await process.send({"job": "extract", "size": size, "present": present})
                    while True:
                        header, body = await process.receive()
                        if header["say"] == "read":
                            await process.send({}, await read(int(header["offset"]), int(header["size"])))
                        elif header["say"] == "part":
                            yield json.loads(body)
                        elif header["say"] == "font":
                            yield Attachment(str(header["name"]), str(header["type"]), body)
                        elif header["say"] == "done":
                            return
                        else:
                            raise UnreadableSubtitleError(str(header.get("why", "not read"))[:300])
            except TimeoutError:
                raise UnreadableSubtitleError("the video takes too long to be read") from None

    async def align(
        self, webvtt: str, reference: str, *, within: timedelta
    ) -> AsyncGenerator[tuple[float, Timing | None], None]:
        """Yield how far the search for a track's timing is, from 0 to 1; last with what was found (see `align.align`).

        Raises:
            UnreadableSubtitleError: no timing fits, or it takes too long to find.
        """
        text, other = webvtt.encode(), reference.encode()
        async with self._process() as process:
            try:
                async with asyncio.timeout(within.total_seconds()):
                    await process.send({"job": "align", "text": len(text)}, text + other)
                    while True:
                        header, _ = await process.receive()
                        if header["say"] == "done":
                            return
                        if header["say"] != "part":
                            raise UnreadableSubtitleError(str(header.get("why", "not compared"))[:300])
                        yield header["progress"], _timing(header)
            except TimeoutError:
                raise UnreadableSubtitleError("the two take too long to be compared") from None

    async def close(self) -> None:
        """Stop those that wait for work."""
        while not self._free.empty():
            if process := self._free.get_nowait():
                await process.stop()

    @asynccontextmanager
    async def _process(self) -> AsyncIterator["_Process"]:
        """Lend a process; one whose job did not end well is killed instead of being used again."""
        process = await self._free.get()
        try:
            if process is None or not process.is_alive:
                process = await _Process.start()
            yield process
            if not process.idle:
                raise UnreadableSubtitleError("the reading was given up")
        except BaseException as error:
            if process is not None and not process.idle:
                await process.stop()
                process = None
            if isinstance(error, _DiedError):
                raise UnreadableSubtitleError("breaks the converter") from error
            raise
        finally:
            self._free.put_nowait(process)


def _timing(header: Mapping[str, Any]) -> Timing | None:
    if "rate" not in header:
        return None
    return Timing(timedelta(milliseconds=int(header["offset_ms"])), float(header["rate"]))


class _DiedError(Exception):
    """The process ended, or talks nonsense."""


class _Process:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.idle = True

    @classmethod
    async def start(cls) -> "_Process":
        async with asyncio.timeout(_STARTING.total_seconds()):
            started = cls(
                await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "vod_subtitles.worker",
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    limit=_LINE,
                    # It needs nothing of what we know: no keys, no addresses.
                    env={"PYTHONPATH": ":".join(sys.path), "PYTHONUTF8": "1", "OPENBLAS_NUM_THREADS": "1"},
                )
            )
            # Loading is not part of the first job's time.
            await started.send({"job": "none"})
            await started.receive()
        return started

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def send(self, header: Mapping[str, Any], body: bytes = b"") -> None:
        assert self._process.stdin is not None  # noqa: S101  it was asked for
        self.idle = False
        try:
            self._process.stdin.write(json.dumps({**header, "length": len(body)}).encode() + b"\n" + body)
            await self._process.stdin.drain()
        except OSError as error:
            raise _DiedError from error

    async def receive(self) -> Message:
        assert self._process.stdout is not None  # noqa: S101  it was asked for
        try:
            header = json.loads(await self._process.stdout.readline())
            length = int(header["length"])
            if not 0 <= length <= _MAX_MESSAGE:
                raise _DiedError
            body = await self._process.stdout.readexactly(length)
        except (ValueError, KeyError, TypeError, asyncio.IncompleteReadError) as error:
            raise _DiedError from error
        self.idle = header.get("say") in {"done", "failed"}
        return header, body

    async def stop(self) -> None:
        if self.is_alive:
            self._process.kill()
        await self._process.wait()
        # The transport is closed by hand: it would complain when it is collected after its loop.
        self._process._transport.close()  # type: ignore[attr-defined]


@asynccontextmanager
async def workers(count: int) -> AsyncIterator[Workers]:
    """Yield workers; their processes end with the context."""
    made = Workers(count)
    try:
        yield made
    finally:
        await made.close()

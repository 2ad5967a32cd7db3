"""The body of an answer: what the file's bytes are packed in, and where each of them comes from."""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from vod_runtime import Clock
from vod_stream_node.answers import Answer
from vod_stream_node.metrics import Metrics
from vod_stream_node.ranges import Part
from vod_stream_node.reader import FileReader
from vod_stream_node.stalls import Lag, Stalls
from vod_stream_node.tokens import Grant


class Patience(Protocol):
    """How long a body waits."""

    @property
    def stall(self) -> timedelta:
        """For a byte from the swarm."""

    @property
    def idle(self) -> timedelta:
        """For a client to take what is offered."""


@dataclass(frozen=True, slots=True)
class Packing:
    """The head of an answer with a file's bytes, and what stands before and after them."""

    status: int
    headers: Mapping[str, str]
    sections: Sequence[tuple[bytes, Part]]
    """Each part of the file, and the bytes before it."""
    closing: bytes = b""


def whole(about: Mapping[str, str], *, size: int) -> Packing:
    """Pack all of a file."""
    return Packing(200, {**about, "Content-Length": str(size)}, [(b"", Part(0, size - 1))])


def single(about: Mapping[str, str], part: Part, *, size: int) -> Packing:
    """Pack one part."""
    length = str(part.last - part.first + 1)
    headers = {**about, "Content-Length": length, "Content-Range": f"bytes {part.first}-{part.last}/{size}"}
    return Packing(206, headers, [(b"", part)])


def several(about: Mapping[str, str], parts: Sequence[Part], *, size: int) -> Packing:
    """Pack several parts as multipart/byteranges (RFC 9110 section 14.6)."""
    boundary = secrets.token_hex(12)
    sections: list[tuple[bytes, Part]] = []
    for part in parts:
        lines = [
            f"--{boundary}",
            f"Content-Type: {about['Content-Type']}",
            f"Content-Range: bytes {part.first}-{part.last}/{size}",
        ]
        head = "\r\n".join([*lines, "", ""])
        sections.append((f"\r\n{head}".encode() if sections else head.encode(), part))
    closing = f"\r\n--{boundary}--\r\n".encode()
    length = sum(len(before) + part.last - part.first + 1 for before, part in sections) + len(closing)
    kind = f"multipart/byteranges; boundary={boundary}"
    return Packing(206, {**about, "Content-Type": kind, "Content-Length": str(length)}, sections, closing)


class Sender:
    """Sends bodies. Each byte comes from the disk by way of the kernel, or from the swarm as soon as it is verified."""

    def __init__(self, *, stalls: Stalls, patience: Patience, clock: Clock, metrics: Metrics) -> None:
        self._stalls = stalls
        self._patience = patience
        self._clock = clock
        self._metrics = metrics

    async def send(self, grant: Grant, reader: FileReader, packing: Packing, answer: Answer) -> None:
        """Send an answer; its head goes with the first byte.

        Raises:
            TimeoutError: the swarm gave nothing, or the client took nothing, for too long.
            StorageFailed, TorrentGone
            ConnectionError: the client left.
        """
        lag = Lag()
        for before, part in packing.sections:
            await self._part(grant, reader, part, packing, answer, before=before, lag=lag)
        if not answer.status:
            await answer.head(packing.status, packing.headers)  # of a file without bytes
        if packing.closing:
            await answer.part(packing.closing)
        await answer.end()

    async def _part(
        self, grant: Grant, reader: FileReader, part: Part, packing: Packing, answer: Answer, *, before: bytes, lag: Lag
    ) -> None:
        position, end = part.first, part.last + 1
        while position < end:
            span = reader.settled(position, end - position)
            file = await reader.on_disk(position, span) if span else None
            data = b"" if file else await self._next(grant, reader, position, end - position, lag)
            with reader.offering():
                async with asyncio.timeout(self._patience.idle.total_seconds()):
                    if not answer.status:
                        self._metrics.first_byte_sent(grant.key, grant.holder, at=self._clock.monotonic())
                        await answer.head(packing.status, packing.headers)
                    if before:
                        await answer.part(before)
                        before = b""
                    await (answer.file(file, position, span) if file else answer.part(data))
            position += span or len(data)
            lag.came(span or len(data), rate=reader.rate)
            self._metrics.bytes_served.inc(span or len(data))

    async def _next(self, grant: Grant, reader: FileReader, position: int, size: int, lag: Lag) -> bytes:
        """Return the next bytes that the disk does not hold yet, as soon as the swarm gives them."""
        try:
            async with asyncio.timeout(self._patience.stall.total_seconds()):
                with self._stalls.waiting(grant.key, lag):
                    return await reader.read(position, size)
        except TimeoutError:
            self._metrics.reads_stalled.inc()
            raise

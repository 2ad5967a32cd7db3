"""One answer over ASGI: its head is sent once, its body in parts."""

import asyncio
import json
from collections.abc import Mapping
from io import FileIO

from starlette.types import Scope, Send

from vod_stream_node.headers import ALWAYS
from vod_stream_node.http_server import SENDFILE


class Answer:
    """The answer to one request: its head is sent once, its body in parts."""

    def __init__(self, scope: Scope, send: Send, headers: Mapping[str, str]) -> None:
        self._send = send
        # Taken out: the connection, which is behind it, must not hold itself by way of its request.
        self._send_file = scope["extensions"].pop(SENDFILE)["send"]
        self._headers = headers
        self.status = 0
        self.sent = 0

    async def head(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        merged = {**ALWAYS, **self._headers, **headers}
        encoded = [(key.lower().encode("ascii"), value.encode("latin-1")) for key, value in merged.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": encoded})

    async def part(self, data: bytes) -> None:
        """Send a part of the body; returns when the client has taken enough of what came before."""
        await asyncio.sleep(0)  # others have their turn, and that the client left is noticed
        await self._send({"type": "http.response.body", "body": data, "more_body": True})
        self.sent += len(data)

    async def file(self, file: FileIO, offset: int, count: int) -> None:
        """Send a part of a file as a part of the body, by the kernel alone."""
        await self._send_file(file, offset, count)
        self.sent += count

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def bare(self, status: int, headers: Mapping[str, str]) -> None:
        """Send an answer that has no body, whatever its headers say of one."""
        await self.head(status, headers)
        await self.end()

    async def whole(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Send an answer that is complete at once."""
        length = {} if status == 204 else {"Content-Length": str(len(body))}
        await self.head(status, {**headers, **length})
        await self.part(body)
        await self.end()

    async def problem(self, status: int, body: Mapping[str, object], headers: Mapping[str, str]) -> None:
        """Send an error as RFC 9457 has it."""
        await self.whole(status, {"Content-Type": "application/problem+json", **headers}, json.dumps(body).encode())

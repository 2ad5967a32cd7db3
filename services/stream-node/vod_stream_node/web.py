"""Streams over HTTP: `GET /stream/{node}/{token}/{name}` as RFC 9110 has it, and `/edgez` for the balancer.

The token says which file. Node and name are there for balancers and players; nothing in the path reaches the disk.

A file's headers are sent with its first byte, so a swarm that gives nothing is a clear 504. Later the connection is
closed instead: a player sees that at once and comes back with a range.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from vod_rpc import Failure, Internal, problem
from vod_runtime import Clock
from vod_stream_node.answers import Answer
from vod_stream_node.domain import short
from vod_stream_node.errors import (
    DOMAIN,
    BytesLate,
    HostUnknown,
    MethodNotAllowed,
    PathUnknown,
    PreconditionUnmet,
    RangeNotSatisfiable,
    TooManyReads,
)
from vod_stream_node.headers import Hosts, Origins, dlna_headers, file_headers
from vod_stream_node.metrics import Metrics
from vod_stream_node.pins import Pins
from vod_stream_node.preconditions import Outcome, evaluate
from vod_stream_node.ranges import Part, Several, Unsatisfiable, Whole, select
from vod_stream_node.reader import FileReader
from vod_stream_node.sending import Sender, several, single, whole
from vod_stream_node.stalls import Lag, Stalls
from vod_stream_node.successors import Successors
from vod_stream_node.takeover import Takeover
from vod_stream_node.tokens import Grant, TokenSigner

STREAM_ENDED = "stream_ended"
STREAM_FAILED = "stream_failed"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may do."""

    stall: timedelta
    """How long a read waits for a byte from the swarm."""
    idle: timedelta
    """How long a client may take nothing of what is offered."""
    reads_per_token: int


class StreamApp:
    """The ASGI application of a stream node."""

    def __init__(
        self,
        pins: Pins,
        *,
        stalls: Stalls,
        successors: Successors,
        signer: TokenSigner,
        limits: Limits,
        origins: Origins,
        hosts: Hosts,
        clock: Clock,
        metrics: Metrics,
        log: FilteringBoundLogger,
        takeover: Takeover | None,
    ) -> None:
        """*takeover*: None when this node is alone."""
        self._pins = pins
        self._stalls = stalls
        self._successors = successors
        self._signer = signer
        self._limits = limits
        self._origins = origins
        self._hosts = hosts
        self._clock = clock
        self._metrics = metrics
        self._log = log
        self._takeover = takeover
        self._sender = Sender(stalls=stalls, patience=limits, clock=clock, metrics=metrics)
        self._reads: Counter[Grant] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        answer = Answer(scope, send, self._origins.headers(headers.get("origin")))
        async with asyncio.TaskGroup() as group:
            answering = group.create_task(self._answer(scope, headers, answer))
            leaving = group.create_task(_disconnected(receive))
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
            # A client that left: its reader's window must go at once, the next request may need the peers.
            answering.cancel()
            leaving.cancel()
        self._metrics.reads.labels(str(answer.status or 499)).inc()

    async def _answer(self, scope: Scope, headers: Headers, answer: Answer) -> None:
        try:
            await self._route(scope, headers, answer)
        except Failure as failure:
            await self._fail(failure, answer)
        except (ConnectionError, asyncio.CancelledError):
            return  # the client left, or all ends; an error that ends a task keeps its frames, and bytes in them
        except Exception:  # noqa: BLE001  a client gets no trace; the log does
            self._log.exception(STREAM_FAILED)
            if not answer.status:
                await self._fail(Internal("Something went wrong."), answer)

    async def _fail(self, failure: Failure, answer: Answer, headers: Mapping[str, str] | None = None) -> None:
        if answer.status:
            return  # the body ends early, and uvicorn closes the connection
        failure.domain = failure.domain or DOMAIN
        status, body = problem(failure, instance="/stream")
        retry = {"Retry-After": str(int(failure.retry_after.total_seconds()))} if failure.retry_after else {}
        await answer.problem(status, body, {**retry, **(headers or {})})

    async def _route(self, scope: Scope, headers: Headers, answer: Answer) -> None:
        path, method = scope["path"].split("/"), scope["method"]
        if path == ["", "edgez"]:
            status, body = (404, b"draining\n") if self._pins.draining else (200, b"ok\n")
            await answer.whole(status, {"Content-Type": "text/plain"}, body)
            return
        if not self._hosts.allow(headers.get("host")):
            raise HostUnknown("This server does not answer to that name.")
        if len(path) != 5 or path[1] != "stream" or any(part in {"", ".", ".."} for part in path[2:]):
            raise PathUnknown("There is nothing here.")
        if method == "OPTIONS":
            await answer.whole(204, self._origins.preflight(headers.get("origin")) | {"Allow": "GET, HEAD, OPTIONS"})
        elif method not in {"GET", "HEAD"}:
            failure = MethodNotAllowed("A stream can only be read.")
            await self._fail(failure, answer, {"Allow": "GET, HEAD, OPTIONS"})
        else:
            grant = self._signer.verify(path[3], now=self._clock.now())
            # The path as it came: the name in it is still quoted there.
            name = scope["raw_path"].decode("ascii").rsplit("/", 1)[1]
            elsewhere = await self._elsewhere(grant, path, name)
            if elsewhere is not None:
                await answer.whole(307, {"Location": elsewhere})
            else:
                await self._stream(grant, method, headers, answer)

    async def _elsewhere(self, grant: Grant, path: Sequence[str], name: str) -> str | None:
        """Return the address at which a reader finds his bytes now, None when that is here."""
        successor = self._successors.of((grant.key, grant.holder))
        if successor is not None or self._takeover is None:
            return successor
        owner = await self._takeover.settle(grant, hint=path[2])
        if owner is None:
            return None
        return f"{owner.public_base.rstrip('/')}/stream/{quote(owner.name, safe='')}/{path[3]}/{name}"

    async def _stream(self, grant: Grant, method: str, headers: Headers, answer: Answer) -> None:
        held = grant.key, grant.holder
        with self._counted(grant):
            try:
                async with asyncio.timeout(self._limits.stall.total_seconds()) as patience:
                    with self._successors.interrupting(held, patience, waits=lambda: not answer.status):
                        await self._open_and_send(grant, patience, method, headers, answer)
            except TimeoutError:
                if answer.status:
                    return
                successor = self._successors.of(held)
                if successor is None:
                    raise BytesLate("The swarm gives nothing at the moment.") from None
                await answer.whole(307, {"Location": successor})
            finally:
                self._log.info(
                    STREAM_ENDED,
                    infohash=short(grant.key.infohash),
                    file_index=grant.key.file_index,
                    holder=grant.holder,
                    method=method,
                    range=headers.get("range", "")[:64],
                    status=answer.status,
                    bytes=answer.sent,
                )

    async def _open_and_send(
        self, grant: Grant, patience: asyncio.Timeout, method: str, headers: Headers, answer: Answer
    ) -> None:
        async with AsyncExitStack() as stack:
            with self._stalls.waiting(grant.key, Lag()):
                reader = await stack.enter_async_context(self._pins.open(grant))
            # From here on each byte has its own deadline.
            patience.reschedule(None)
            await self._send_file(grant, reader, method, headers, answer)

    async def _send_file(self, grant: Grant, reader: FileReader, method: str, headers: Headers, answer: Answer) -> None:
        file, size = reader.file, reader.file.size
        about = {**file_headers(grant.key.infohash, file), **dlna_headers(file, headers)}
        match evaluate(headers.get("if-match"), headers.get("if-none-match"), etag=about["ETag"]):
            case Outcome.UNMET:
                raise PreconditionUnmet("The file is another one.")
            case Outcome.NOT_MODIFIED:
                await answer.bare(304, {"ETag": about["ETag"]})
                return
        if method == "HEAD":
            # Range is defined for GET alone (RFC 9110 section 14.2).
            await answer.bare(200, {**about, "Content-Length": str(size)})
            return
        match select(headers.get("range"), headers.get("if-range"), etag=about["ETag"], size=size):
            case Unsatisfiable():
                failure = RangeNotSatisfiable(f"The file has {size} bytes.", metadata={"size": str(size)})
                await self._fail(failure, answer, {"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"})
                return
            case Whole():
                packing = whole(about, size=size)
            case Part() as part:
                packing = single(about, part, size=size)
            case Several(parts):
                packing = several(about, parts, size=size)
        await self._sender.send(grant, reader, packing, answer)

    @contextmanager
    def _counted(self, grant: Grant) -> Iterator[None]:
        if self._reads[grant] >= self._limits.reads_per_token:
            raise TooManyReads("Too many reads of this link at the same time.", retry_after=timedelta(seconds=1))
        self._reads[grant] += 1
        self._metrics.reads_open.inc()
        try:
            yield
        finally:
            self._metrics.reads_open.dec()
            self._reads[grant] -= 1
            if not self._reads[grant]:
                del self._reads[grant]


async def _disconnected(receive: Receive) -> None:
    """Return when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass

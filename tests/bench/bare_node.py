"""A stream node in a process of its own, with nothing around it."""

import asyncio
import contextlib
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from vod.stream.v1 import stream_service_pb2 as pb2
from vod.stream.v1 import stream_service_pb2_grpc

from vod_local.ports import kept
from vod_rpc import Failure, channel
from vod_runtime.host import new_runtime


@asynccontextmanager
async def bare_node(
    data: Path, **settings: str
) -> AsyncIterator[tuple[psutil.Process, "stream_service_pb2_grpc.StreamServiceAsyncStub"]]:
    """Run a node on *data* until the block ends, with further *settings*; it answers when the block begins."""
    with kept(1) as [port]:
        environment = {
            "PATH": "/usr/bin:/bin",
            "VOD_STREAM_NODE_LISTEN": f"unix:{data}/grpc.sock",
            "VOD_STREAM_HTTP_LISTEN": f"127.0.0.1:{port}",
            "VOD_STREAM_PUBLIC_BASE": f"http://127.0.0.1:{port}",
            "VOD_OPS_LISTEN": f"unix:{data}/ops.sock",
            "VOD_SECRET_KEY": secrets.token_hex(16),
            "VOD_DATA_DIR": str(data),
            "VOD_ALLOW_PRIVATE_PEERS": "1",
            "VOD_LOG_LEVEL": "WARNING",
            "MALLOC_ARENA_MAX": "2",  # as `make run` has it
            **settings,
        }
        running = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "vod_runtime.host", "stream-node", env=environment
        )
        try:
            # What it fails at is the bench's to tell.
            async with channel(environment["VOD_STREAM_NODE_LISTEN"], new_runtime("bench", level="CRITICAL")) as opened:
                stub: stream_service_pb2_grpc.StreamServiceAsyncStub = stream_service_pb2_grpc.StreamServiceStub(opened)
                for _ in range(60):
                    with contextlib.suppress(Failure):
                        await stub.ListPins(pb2.ListPinsRequest(), timeout=2)
                        break
                    await asyncio.sleep(0.5)
                yield psutil.Process(running.pid), stub
        finally:
            running.terminate()
            await running.wait()

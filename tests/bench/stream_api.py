"""A stream node alone behind a minimal HTTP API, for measuring its engine with an outside harness.

`python tests/bench/stream_api.py --data FOLDER --port N` serves `GET /readyz` and `POST /v1/session/start` with
`{"magnet": …, "fileIndex": n}` → `{"sessionId", "streamUrl"}`: the calls that playback makes, without catalog, search
and picks, whose time does not depend on the swarm. With `"purpose": "NEXT"` it is prepared, as prefetch does.
"""

import argparse
import asyncio
import re
import secrets
from datetime import timedelta
from pathlib import Path

import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from vod.stream.v1 import stream_service_pb2, stream_service_pb2_grpc

from vod_rpc import channel, deadline
from vod_runtime.host import new_runtime
from vod_stream_node.service import serve
from vod_stream_node.settings import Settings

START_WITHIN = timedelta(seconds=60)
INFOHASH = re.compile(r"urn:btih:([0-9a-fA-F]{40})")


def api(stub: "stream_service_pb2_grpc.StreamServiceAsyncStub") -> Starlette:
    async def ready(_: Request) -> Response:
        return Response("ok\n")

    async def start(request: Request) -> Response:
        body = await request.json()
        found = INFOHASH.search(body["magnet"])
        if found is None:
            return JSONResponse({"detail": "not a v1 magnet"}, status_code=400)
        session = secrets.token_hex(8)
        with deadline(START_WITHIN):
            answer = await stub.EnsurePin(
                stream_service_pb2.EnsurePinRequest(
                    infohash=found[1].lower(),
                    magnet_uri=body["magnet"],
                    file_index=body["fileIndex"],
                    purpose=stream_service_pb2.Purpose.Value(f"PURPOSE_{body.get('purpose', 'CURRENT')}"),
                    holder=session,
                    wait_for=stream_service_pb2.WAIT_FOR_METADATA,
                )
            )
        return JSONResponse({"sessionId": session, "streamUrl": answer.pin.stream_url})

    return Starlette(routes=[Route("/readyz", ready), Route("/v1/session/start", start, methods=["POST"])])


async def main(data: Path, port: int) -> None:
    settings = Settings(
        listen=f"unix:{data}/grpc.sock",
        http_listen=f"127.0.0.1:{port + 1}",
        public_base=f"http://127.0.0.1:{port + 1}",
        secret_key=SecretStr(secrets.token_hex(16)),
        data_dir=data,
        allow_private_peers=True,
        peer_listen="0.0.0.0:6881",
    )
    runtime = new_runtime("stream-node", level="WARNING")
    async with serve(settings, runtime) as endpoint, channel(endpoint.address, runtime) as opened:
        app = api(stream_service_pb2_grpc.StreamServiceStub(opened))
        await uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning")).serve()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8080)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.data, arguments.port))

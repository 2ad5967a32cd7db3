"""The operator's endpoint tells the truth about the process."""

import asyncio
import json

from prometheus_client import CollectorRegistry, Counter

from vod_runtime import Endpoint
from vod_runtime.ops import Hosted, ops_server


async def get(address: str, path: str) -> tuple[int, str]:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split(" ")[1]), body


async def well() -> None:
    return None


async def unwell() -> None:
    raise ConnectionError("gone")


async def test_a_process_is_ready_when_all_its_services_run_and_their_resources_work() -> None:
    hosted = {"lamps": Hosted(CollectorRegistry()), "shades": Hosted(CollectorRegistry())}
    async with ops_server("127.0.0.1:0", hosted) as address:
        starting = await get(address, "/readyz")
        hosted["lamps"].endpoint = Endpoint("a", {"postgres": well})
        hosted["shades"].endpoint = Endpoint("b", {"postgres": well})
        ready = await get(address, "/readyz")
        hosted["shades"].endpoint = Endpoint("b", {"postgres": unwell})
        failing = await get(address, "/readyz")

    assert (starting[0], ready[0], failing[0]) == (503, 200, 503)
    assert json.loads(failing[1])["shades"] == {"state": "failing", "address": "b", "postgres": "ConnectionError"}


async def test_metrics_of_all_services_are_shown_together() -> None:
    hosted = {"lamps": Hosted(CollectorRegistry())}
    Counter("lamps_lit", "Lamps lit", registry=hosted["lamps"].metrics).inc(3)
    async with ops_server("127.0.0.1:0", hosted) as address:
        status, text = await get(address, "/metrics")

    assert status == 200
    assert "lamps_lit_total 3.0" in text


async def test_other_paths_are_not_there_and_half_a_request_harms_nobody() -> None:
    async with ops_server("127.0.0.1:0", {}) as address:
        host, _, port = address.rpartition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /re")
        writer.close()
        await writer.wait_closed()
        status, _ = await get(address, "/admin")

    assert status == 404

"""Asks a process of ours whether it is ready, at its operator's endpoint."""

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta

PATIENCE = timedelta(seconds=5)
Health = Mapping[str, Mapping[str, str]]
"""By service: `state` (ready, starting, draining, failing), `address`, and per resource `ok` or why not."""


class NotYet(Exception):  # noqa: N818  not an error: asked again
    """The process answers, but not all of its services are ready."""


async def health(ops: str) -> Health:
    """Read /readyz of the process at `unix:/path`.

    Raises OSError, TimeoutError or ValueError when there is no (proper) answer.
    """
    async with asyncio.timeout(PATIENCE.total_seconds()):
        reader, writer = await asyncio.open_unix_connection(ops.removeprefix("unix:"))
        try:
            writer.write(b"GET /readyz HTTP/1.1\r\nhost: local\r\nconnection: close\r\n\r\n")
            answer = await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()
    report: Health = json.loads(answer.partition(b"\r\n\r\n")[2])
    return report


async def all_ready(ops: str) -> None:
    """Return when every service of the process is ready; raise NotYet with the others otherwise."""
    waiting = [explain(name, state) for name, state in (await health(ops)).items() if state["state"] != "ready"]
    if waiting:
        raise NotYet("; ".join(waiting))


def explain(service: str, state: Mapping[str, str]) -> str:
    """Say how a service is: `picks failing (postgres: ConnectionRefusedError)`."""
    troubles = [
        f"{name}: {value}" for name, value in state.items() if name not in {"state", "address"} and value != "ok"
    ]
    return f"{service} {state['state']}" + (f" ({', '.join(troubles)})" if troubles else "")

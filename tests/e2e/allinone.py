"""A running NovaStream for end-to-end tests: `vod up` as its users start it, reached through the public API only."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from vod_fakes.world import World
from vod_local.ports import kept
from vod_local.record import read_record
from vod_testing import eventually

# Deadlines of what has to happen on any machine; how long it takes on a good one is for `make bench`.
START_SECONDS = 150.0
STOP_SECONDS = 60.0
BEAT_SECONDS = 30.0
NEXT_SECONDS = 60.0
HARBOR = "tmdb:tv:9001"
SETTINGS = {
    "VOD_ADMIN_KEY": "the admin key of the end-to-end tests",
    # One address starts more sessions here than a household does.
    "VOD_LIMIT_SEARCH_PER_MINUTE": "6000",
    "VOD_LIMIT_SEARCH_BURST": "1000",
}
PATIENT = {
    **SETTINGS,
    # A machine that stands still for a while must not look like a silent swarm, nor a slow test like a viewer who left.
    "VOD_PICKS_PROBE_SECONDS": "10",
    "VOD_SEARCH_INDEXER_DEADLINE": "10s",
    "VOD_SESSION_TIMEOUT": "600",
}


@dataclass(slots=True)
class System:
    """One `vod up` on a data folder of its own."""

    data: Path
    port: int
    environment: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> Path:
        """What `vod up` printed."""
        return self.data.parent / f"{self.data.name}.out"

    @property
    def admin(self) -> dict[str, str]:
        """The header that opens the admin routes."""
        return {"X-Api-Key": self.environment["VOD_ADMIN_KEY"]}

    def client(self, **options: Any) -> httpx.AsyncClient:
        """A client like a viewer's: it keeps cookies, and reads start when the swarm gives."""
        return httpx.AsyncClient(base_url=self.base, timeout=httpx.Timeout(100.0), trust_env=False, **options)

    async def up(self, *flags: str) -> None:
        """Start it and wait until it is ready."""
        command = [sys.executable, "-m", "vod_local.cli", "up", "--data", str(self.data), "--port", str(self.port)]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(  # noqa: ASYNC220  it takes no time
                [*command, "--no-demo", *flags],
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        async with self.client() as client:
            await eventually(lambda: self._why_not_ready(client), within=START_SECONDS)

    async def _why_not_ready(self, client: httpx.AsyncClient) -> str | None:
        assert self.process is not None
        if self.process.poll() is not None:
            pytest.fail(f"vod up ended with {self.process.returncode}:\n{self.output.read_text()[-3000:]}")
        record = read_record(self.data)
        if record is None or record.pid != self.process.pid:
            return "no run.json of this one yet"
        try:
            answer = await client.get("/v1/readyz")
        except httpx.TransportError as error:
            return type(error).__name__
        return None if answer.status_code == 200 else answer.text

    async def down(self) -> int:
        """Stop it the way Ctrl-C does; return the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return await asyncio.to_thread(self.process.wait, STOP_SECONDS)

    async def kill_everything(self) -> None:
        """Kill the supervisor and all that it started, at once and without a warning."""
        assert self.process is not None
        family = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children(recursive=True)]
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):  # it went with its parent
                one.kill()
        await asyncio.to_thread(self.process.wait, STOP_SECONDS)
        await asyncio.to_thread(psutil.wait_procs, family[1:], STOP_SECONDS)

    async def status(self) -> dict[str, Any]:
        """What `vod status` shows: sessions and pins."""
        async with self.client() as client:
            answer = await client.get("/v1/status", headers=self.admin)
            found: dict[str, Any] = answer.raise_for_status().json()
            return found


def _data_folder(parent: Path) -> Path:
    parent.chmod(0o755)  # Postgres does not run as root and must reach its part
    data = parent / "data"
    data.mkdir()
    return data


@asynccontextmanager
async def system(
    outside: World,
    *flags: str,
    settings: Mapping[str, str] = PATIENT,
    before: Callable[[Path], AbstractContextManager[object]] = nullcontext,
) -> AsyncIterator[System]:
    """Run the all-in-one against *outside* on a new data folder, until the context is left.

    *before* is entered with the data folder before anything starts, and left after all has ended.
    """
    # The streams take the second one.
    with tempfile.TemporaryDirectory(prefix="vod-e2e-") as folder, kept(2) as ports:
        data = _data_folder(Path(folder))
        own = {name: value for name, value in os.environ.items() if not name.startswith(("VOD_", "PG_", "REDIS_"))}
        one = System(data, ports[0], {**own, **outside.environment, **settings})
        with before(data):
            await one.up(*flags)
            try:
                yield one
            finally:
                if one.process is not None and one.process.poll() is None:
                    await one.down()


async def start(client: httpx.AsyncClient, series: str, season: int, episode: int, **more: Any) -> dict[str, Any]:
    """Start a session and return the answer."""
    body = {"seriesId": series, "season": season, "episode": episode, "deviceCaps": {"h264": True}, **more}
    answer = await client.post("/v1/session/start", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def beat(client: httpx.AsyncClient, session: str, position: float, **more: Any) -> dict[str, Any]:
    """Send a heartbeat and return the answer; while it comes too late, the next one is the retry, as for a player."""
    body = {"sessionId": session, "position_s": position, **more}
    answers: list[httpx.Response] = []

    async def why_not_yet() -> str | None:
        answers.append(await client.post("/v1/session/heartbeat", json=body))
        return answers[-1].text if answers[-1].status_code in {503, 504} else None

    await eventually(why_not_yet, within=BEAT_SECONDS)
    assert answers[-1].status_code == 200, answers[-1].text
    found: dict[str, Any] = answers[-1].json()
    return found


async def next_is_ready(client: httpx.AsyncClient, session: str, position: float = 3.0) -> None:
    """Send heartbeats until the answer says that the next episode is ready."""

    async def why_not_yet() -> str | None:
        hint = (await beat(client, session, position)).get("nextHint")
        return None if hint and hint["ready"] else f"nextHint is {hint}"

    await eventually(why_not_yet, within=NEXT_SECONDS)


async def metrics(vod: System) -> dict[str, float]:
    """Return the sum of each metric over all processes and labels."""
    record = read_record(vod.data)
    assert record is not None
    found: dict[str, float] = {}
    for process in record.processes.values():
        transport = httpx.AsyncHTTPTransport(uds=process.ops.removeprefix("unix:"))
        async with httpx.AsyncClient(transport=transport, base_url="http://ops") as client:
            lines = (await client.get("/metrics")).text.splitlines()
        for line in lines:
            if not line.startswith("#"):
                name = line.partition("{")[0].partition(" ")[0]
                found[name] = found.get(name, 0.0) + float(line.split()[-1])
    return found


async def vod_command(vod: System, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `vod` on the data folder of a system."""
    command = [sys.executable, "-m", "vod_local.cli", *arguments, "--data", str(vod.data)]
    return await asyncio.to_thread(
        subprocess.run, command, env=vod.environment, capture_output=True, text=True, timeout=120, check=False
    )

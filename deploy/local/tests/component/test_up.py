import asyncio
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from vod_local.demo import Choice
from vod_local.errors import ProgramFailed
from vod_local.ports import kept
from vod_local.servers import embedded_redis
from vod_local.status import StatusOptions, status
from vod_local.supervisor import Supervisor
from vod_local.topology import Grouping
from vod_local.up import UpOptions, up
from vod_testing import eventually

NOWHERE = "127.0.0.1:1"


class Screen:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def starting(self, name: str) -> None:
        pass

    def note(self, name: str, text: str) -> None:
        pass

    def ready(self, name: str) -> None:
        pass

    def restarting(self, failure: ProgramFailed, pause: timedelta) -> None:
        self.said.append(str(failure))

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture
def port() -> Iterator[int]:
    """A port that nobody else gets, nor the one after it."""
    with kept(2) as ports:
        yield ports[0]


@pytest.fixture
def environ(short_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment without settings, with a runtime folder of its own."""
    for name in os.environ:
        if name.startswith("VOD_") or name in {"PG_DSN", "REDIS_URL", "NATS_URL", "CACHE_TTL"}:
            monkeypatch.delenv(name)
    (short_tmp / "run").mkdir(mode=0o755)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_tmp / "run"))
    return dict(os.environ)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CACHE_TTL", "banana"),
        ("PG_DSN", f"postgresql://{NOWHERE}/db"),
        ("NATS_URL", f"nats://{NOWHERE}"),
        ("VOD_PUBLIC_BASE", "vod"),
    ],
)
def test_a_mistake_in_the_environment_is_told_before_anything_is_made(
    short_tmp: Path, environ: dict[str, str], port: int, variable: str, value: str
) -> None:
    command = (sys.executable, "-m", "vod_local.cli", "up", "--data", str(short_tmp / "data"), "--port", str(port))
    ended = subprocess.run(
        command, env={**environ, variable: value}, capture_output=True, text=True, timeout=100, check=False
    )

    assert ended.returncode == 2
    assert re.match(f"vod: .*{variable}", ended.stderr)
    assert ended.stderr.count("\n") == 1
    assert not (short_tmp / "data" / "postgres").exists()
    assert list((short_tmp / "run").iterdir()) == []


@pytest.mark.timeout(300)
async def test_a_whole_run_with_a_redis_that_goes_away(
    short_tmp: Path, environ: dict[str, str], port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    data, screen = short_tmp / "data", Screen()
    options = UpOptions(data=data, port=port, demo=Choice.REAL, grouping=Grouping.GROUPS)
    async with embedded_redis(short_tmp / "redis", short_tmp / "redis-run") as redis_url:
        environ |= {"REDIS_URL": redis_url, "VOD_PUBLIC_BASE": "https://vod.example", "VOD_COLOUR": "1"}
        work = asyncio.ensure_future(up(options, environ, screen, Supervisor(screen)))

        def why_not_yet() -> str | None:
            if work.done():
                work.result()
            return None if any("NovaStream is ready" in text for text in screen.said) else "it still starts"

        await eventually(why_not_yet, within=200)

    async def why_not_well() -> str | None:
        """A service whose database stands still for two seconds is not ready, but soon is again."""
        code = await status(StatusOptions(data=data))
        return None if code == 0 else f"status gives {code}"

    await eventually(why_not_well, within=60)
    shown = capsys.readouterr().out
    record_mode = stat.S_IMODE((data / "run.json").stat().st_mode)
    work.cancel()
    await asyncio.wait({work})

    assert "redis: REDIS_URL, does not answer" in shown
    assert record_mode == 0o600
    assert screen.said[0] == "Nobody reads these variables: VOD_COLOUR."
    assert f"VOD_STREAM_PUBLIC_BASE is not set: players are sent to https://vod.example:{port + 1}" in screen.said[1]
    assert work.cancelled()
    assert list((short_tmp / "run").iterdir()) == []

"""One NovaStream: two stream nodes behind HAProxy, each service in a process of its own, and servers to take away."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from allinone import System, system
from outages import Servers, servers
from playbill import CHAOS_SETTINGS, FULL, RATE, Lengths, Report, Watch, noted, table, watcher
from stage import set_the_stage

from vod_fakes.media import Profile
from vod_fakes.world import World, shared_folder, world

_TEST_SECONDS = 1200
"""Of one test, at most: what is waited for is waited for long."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder more time than others get."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(_TEST_SECONDS))


@pytest.fixture(scope="session")
def lengths() -> Lengths:
    """`VOD_CHAOS=full` for faults of the length that is promised; `VOD_CHAOS_SEED` for other random moments."""
    seed = int(os.environ.get("VOD_CHAOS_SEED", "7"))
    if os.environ.get("VOD_CHAOS") == FULL:
        return Lengths(
            nats_down=60,
            redis_down=30,
            kills=50,
            rare_faults=True,
            beat_every=2.0,
            slack=0.0,
            patience=1,
            stall_after=2.0,
            seed=seed,
        )
    return Lengths(
        nats_down=4,
        redis_down=3,
        kills=5,
        rare_faults=False,
        beat_every=0.5,
        slack=60.0,
        patience=5,
        stall_after=8.0,
        seed=seed,
    )


@pytest.fixture(scope="session", autouse=True)
def haproxy() -> None:
    """Without HAProxy there is no edge; in CI that is a failure, elsewhere a reason to skip."""
    if shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin"):
        return
    if os.environ.get("CI"):
        pytest.fail("haproxy is not installed")
    pytest.skip("haproxy is not installed")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def outside() -> AsyncIterator[World]:
    """The outside world, with releases of our own that are long enough to be watched for a while."""
    async with world(shared_folder(), profile=Profile.TINY) as outside:
        await set_the_stage(outside)
        yield outside


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def away() -> AsyncIterator[Servers]:
    """Redis and NATS, which tests take away."""
    with tempfile.TemporaryDirectory(prefix="vod-chaos-") as folder:
        async with servers(Path(folder)) as running:
            yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def vod(outside: World, away: Servers, lengths: Lengths) -> AsyncIterator[System]:
    """The system that has to survive all of it."""
    flags = ("--isolate", "--stream-nodes", "2")
    settings = {**CHAOS_SETTINGS, **away.environment, "VOD_STALL_AFTER": f"{lengths.stall_after}s"}
    async with system(outside, *flags, settings=settings) as one:
        yield one


@pytest.fixture
def watch(vod: System, lengths: Lengths) -> Watch:
    """Starts a session and watches it at the bitrate."""

    return watcher(vod, lengths)


@pytest.fixture(autouse=True)
def whole_swarm(outside: World) -> None:
    """Give the seeder a rate at which no file is complete at once."""
    outside.seeder.limit_upload(3 * RATE)


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Report:
    """Takes what the viewer saw; all of it is printed at the end."""
    return Report(record_property)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what viewers saw, fault by fault."""
    ended = (report for of_a_kind in terminalreporter.stats.values() for report in of_a_kind)
    rows = [row for report in ended if getattr(report, "when", "") == "call" for row in noted(report.user_properties)]
    if rows:
        terminalreporter.section("what the viewer saw")
        terminalreporter.write_line(table(rows))

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from vod_local.errors import NotReady, ProgramDied, ProgramFailed
from vod_local.process import Program, run_to_end, serving
from vod_local.supervisor import Supervisor
from vod_testing import eventually

FOREVER = "import signal; open({ready!r}, 'a').write('x'); signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + FOREVER


class Notes:
    """Writes down what a supervisor tells."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.answered: list[str] = []
        self.failures: list[ProgramFailed] = []

    def starting(self, name: str) -> None:
        self.started.append(name)

    def ready(self, name: str) -> None:
        self.answered.append(name)

    def restarting(self, failure: ProgramFailed, pause: timedelta) -> None:
        self.failures.append(failure)


def program(folder: Path, name: str, code: str = FOREVER, **options: timedelta) -> Program:
    """A program that is ready once it has written a file."""
    ready = folder / f"{name}.ready"
    return Program(
        name=name,
        argv=(sys.executable, "-c", code.format(ready=str(ready))),
        log=folder / f"{name}.log",
        probe=exists(ready),
        **options,
    )


def exists(file: Path) -> Callable[[], Awaitable[None]]:
    async def probe() -> None:
        await asyncio.to_thread(file.stat)

    return probe


def children(folder: Path) -> list[psutil.Process]:
    """The running programs that write into *folder*; this process may have started servers for other tests as well."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):  # it has just ended
            if child.status() != psutil.STATUS_ZOMBIE and any(str(folder) in one for one in child.cmdline()):
                found.append(child)
    return found


async def test_the_block_begins_when_all_programs_answer_and_none_is_left_after_it(tmp_path: Path) -> None:
    notes = Notes()
    async with Supervisor(notes).keep([program(tmp_path, "one"), program(tmp_path, "two")]):
        answered = sorted(notes.answered)

    assert answered == ["one", "two"]
    assert children(tmp_path) == []


async def test_a_program_that_never_answered_ends_the_start_with_its_last_lines(tmp_path: Path) -> None:
    broken = program(tmp_path, "broken", "import sys; print('no such table', file=sys.stderr); sys.exit(3)")
    with pytest.raises(ExceptionGroup) as caught:
        async with Supervisor(Notes()).keep([program(tmp_path, "one"), broken]):
            pytest.fail("it never answered")
    failure = caught.value.exceptions[0]

    assert isinstance(failure, ProgramDied)
    assert "broken ended with code 3" in str(failure)
    assert "no such table" in str(failure)
    assert children(tmp_path) == []


async def test_the_last_lines_are_those_of_the_last_start(tmp_path: Path) -> None:
    (tmp_path / "broken.log").write_text("--- start of broken\nan old complaint\n")
    broken = program(tmp_path, "broken", "print('a new complaint')")
    with pytest.raises(ProgramDied) as caught:
        async with serving(broken):
            pytest.fail("it never answered")

    assert caught.value.tail == "a new complaint"


async def test_a_program_that_is_killed_later_starts_again_and_that_is_told(tmp_path: Path) -> None:
    notes = Notes()
    async with Supervisor(notes).keep([program(tmp_path, "one")]):
        children(tmp_path)[0].send_signal(signal.SIGKILL)
        await eventually(
            lambda: None if len(notes.answered) == 2 else f"answered {len(notes.answered)} times", within=60
        )

    assert notes.started == ["one", "one"]
    assert [str(failure).splitlines()[0] for failure in notes.failures] == [
        f"one was ended by SIGKILL. Its log: {tmp_path / 'one.log'}"
    ]


async def test_a_program_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    async with serving(program(tmp_path, "deaf", DEAF, stops_within=timedelta(milliseconds=200))) as process:
        pass

    assert process.returncode == -signal.SIGKILL


async def test_kill_ends_programs_that_are_being_stopped(tmp_path: Path) -> None:
    supervisor = Supervisor(Notes())

    async def run() -> None:
        async with supervisor.keep([program(tmp_path, "deaf", DEAF, stops_within=timedelta(minutes=10))]):
            await asyncio.Event().wait()

    work = asyncio.ensure_future(run())
    ready = tmp_path / "deaf.ready"
    await eventually(lambda: None if ready.exists() else "it has not started", within=60)
    work.cancel()
    await eventually(lambda: None if work.cancelling() else "not asked to stop", within=60)
    supervisor.kill()
    async with asyncio.timeout(60):
        await asyncio.wait({work})

    assert work.cancelled()
    assert children(tmp_path) == []


async def test_a_program_that_runs_without_answering_is_given_up(tmp_path: Path) -> None:
    async def never() -> None:
        raise ConnectionError("nobody there")

    silent = Program(
        name="silent",
        argv=(sys.executable, "-c", "import signal; signal.pause()"),
        log=tmp_path / "silent.log",
        probe=never,
        ready_within=timedelta(milliseconds=200),
    )
    with pytest.raises(NotReady, match=r"silent does not answer .*nobody there"):
        async with serving(silent):
            pytest.fail("it never answered")


async def test_a_program_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    started = tmp_path / "pid"
    code = f"import os, signal; open({str(started)!r}, 'w').write(str(os.getpid())); signal.pause()"
    parent = (
        "import asyncio, sys\nfrom datetime import timedelta\nfrom pathlib import Path\n"
        "from vod_local.process import Program, running\n"
        "async def nothing(): pass\n"
        "async def main():\n"
        f"    program = Program('child', (sys.executable, '-c', {code!r}), Path({str(tmp_path / 'log')!r}), nothing)\n"
        "    async with running(program):\n        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", parent)
    await eventually(lambda: None if started.exists() and started.read_text() else "no child yet", within=60)
    child = psutil.Process(int(started.read_text()))
    process.kill()
    await process.wait()

    def why_not_yet() -> str | None:
        return "the child still runs" if child.is_running() and child.status() != psutil.STATUS_ZOMBIE else None

    await eventually(why_not_yet, within=60)


async def test_a_step_that_fails_shows_what_it_said(tmp_path: Path) -> None:
    argv = (sys.executable, "-c", "import sys; sys.exit('0002_x.sql was changed')")
    with pytest.raises(ProgramDied, match=r"migrations ended with code 1(.|\n)*0002_x\.sql was changed"):
        await run_to_end("migrations", argv, tmp_path / "log", env=dict(os.environ))

"""Child processes: started so that they can't outlive us, awaited until they answer, stopped in time."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from vod_local.errors import NotReady, ProgramDied

LAUNCHER = Path(__file__).with_name("launcher.py")
START_MARK = b"--- start of "
TAIL_LINES = 12
TAIL_BYTES = 8192
SERVICE_READY_WITHIN = timedelta(minutes=2)
"""For a service, and for what waits for one: all of them load their code at the same time."""
PROBE_EVERY = (0.01, 0.02, 0.05, 0.1)
"""Seconds between probes; the last one repeats."""


class Files(Enum):
    """Which files a program under another account may open."""

    OWN = "own"
    ANY = "any"
    """Like root. For data in a folder that the account could not enter, such as /root."""


@dataclass(frozen=True, slots=True)
class Account:
    """The user a program runs as."""

    uid: int
    gid: int
    files: Files


@dataclass(frozen=True, slots=True)
class Program:
    """A child process: how to start it, when it is ready, how to stop it."""

    name: str
    argv: tuple[str, ...]
    log: Path
    probe: Callable[[], Awaitable[None]]
    """Returns when the program answers; raises anything else. Gets a new try until `ready_within`."""
    env: Mapping[str, str] | None = None
    """None: ours."""
    account: Account | None = None
    stop: signal.Signals = signal.SIGTERM
    orphaned: signal.Signals = signal.SIGTERM
    """What the kernel sends it when we are killed (Linux)."""
    ready_within: timedelta = timedelta(seconds=30)
    stops_within: timedelta = timedelta(seconds=10)


@asynccontextmanager
async def running(program: Program) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the program; on leaving, ask it to stop, and kill it after `stops_within`."""
    process = await _start(program)
    try:
        yield process
    finally:
        await stop(program, process)


@asynccontextmanager
async def serving(program: Program) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the program and wait until it answers.

    Raises ProgramDied or NotReady.
    """
    async with running(program) as process:
        await until_ready(program, process)
        yield process


async def run_to_end(
    name: str,
    argv: tuple[str, ...],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    account: Account | None = None,
    stdin: bytes = b"",
    within: timedelta = timedelta(minutes=2),
) -> None:
    """Run a program that ends by itself.

    Raises ProgramDied when its code is not 0, NotReady when it takes longer than `within`.
    """
    with _marked(log, name) as output:
        process = await asyncio.create_subprocess_exec(
            *_launched(argv, account, signal.SIGKILL),
            env=env,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    await _end(name, process, log, stdin=stdin, within=within)


async def output_of(
    name: str, argv: tuple[str, ...], log: Path, *, env: Mapping[str, str] | None = None, within: timedelta
) -> bytes:
    """Run a program that ends by itself and give what it prints; its complaints go to the log.

    Raises ProgramDied when its code is not 0, NotReady when it takes longer than `within`.
    """
    with _marked(log, name) as complaints:
        process = await asyncio.create_subprocess_exec(
            *_launched(argv, None, signal.SIGKILL),
            env=env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
            start_new_session=True,
        )
    return await _end(name, process, log, stdin=b"", within=within)


async def _end(name: str, process: asyncio.subprocess.Process, log: Path, *, stdin: bytes, within: timedelta) -> bytes:
    """Wait for the end; give what was printed into a pipe, if there is one."""
    try:
        async with asyncio.timeout(within.total_seconds()):
            printed, _ = await process.communicate(stdin)
    except TimeoutError:
        raise NotReady(name, f"is not done after {within.total_seconds():.0f} s", log, tail(log)) from None
    finally:
        await _kill(process)
    if process.returncode != 0:
        raise ProgramDied(name, describe_end(process.returncode or 0), log, tail(log))
    return printed or b""


@contextmanager
def _marked(log: Path, name: str) -> Iterator[BinaryIO]:
    """Open the log to go on; the mark tells `tail` where this start begins."""
    with log.open("ab") as output:
        output.write(b"%s%s\n" % (START_MARK, name.encode()))
        output.flush()
        yield output


def _launched(argv: tuple[str, ...], account: Account | None, orphaned: signal.Signals) -> tuple[str, ...]:
    who = "-" if account is None else f"{account.uid}:{account.gid}:{account.files.value}"
    return (sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(orphaned)), who, *argv)


async def _start(program: Program) -> asyncio.subprocess.Process:
    with _marked(program.log, program.name) as log:
        return await asyncio.create_subprocess_exec(
            *_launched(program.argv, program.account, program.orphaned),
            env=program.env,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Ctrl-C at the terminal is for us alone: we stop the children in order.
            start_new_session=True,
        )


async def stop(program: Program, process: asyncio.subprocess.Process) -> None:
    """Ask the process to stop and wait for it; kill it when it takes longer than `stops_within` or we are cancelled."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(program.stop)
    try:
        async with asyncio.timeout(program.stops_within.total_seconds()):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        await _kill(process)


async def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def until_ready(program: Program, process: asyncio.subprocess.Process) -> None:
    """Wait until the program answers.

    Raises ProgramDied as soon as it ends, NotReady when it does not answer within `ready_within`.
    """
    ended = asyncio.ensure_future(process.wait())
    answered = asyncio.ensure_future(_answer(program))
    try:
        await asyncio.wait({ended, answered}, return_when=asyncio.FIRST_COMPLETED)
        if not answered.done():
            raise ProgramDied(program.name, describe_end(ended.result()), program.log, tail(program.log))
        answered.result()
    finally:
        for waiter in (ended, answered):
            waiter.cancel()
        await asyncio.gather(ended, answered, return_exceptions=True)


async def _answer(program: Program) -> None:
    why_not_yet: BaseException | None = None
    pauses = iter(PROBE_EVERY)
    try:
        async with asyncio.timeout(program.ready_within.total_seconds()):
            while True:
                try:
                    return await program.probe()
                except Exception as failure:  # noqa: BLE001  a probe may fail in any way until it succeeds
                    why_not_yet = failure
                await asyncio.sleep(next(pauses, PROBE_EVERY[-1]))
    except TimeoutError:
        seconds = program.ready_within.total_seconds()
        what = f"does not answer after {seconds:.0f} s ({why_not_yet or 'no reply'})"
        raise NotReady(program.name, what, program.log, tail(program.log)) from why_not_yet


def describe_end(code: int) -> str:
    """Say how a process ended: by itself with a code, or by which signal."""
    if code >= 0:
        return f"ended with code {code}"
    return f"was ended by {signal.Signals(-code).name}"


def tail(log: Path) -> str:
    """Give the last lines that were written since the last start; an empty text when there are none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return ""
    starts = [number for number, line in enumerate(lines, 1) if line.startswith(START_MARK)]
    return b"\n".join(lines[starts[-1] if starts else 0 :][-TAIL_LINES:]).decode(errors="replace")

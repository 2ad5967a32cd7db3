"""Keeps programs alive: starts them together, starts again what ends, stops them together.

Per program: starting → ready → (ended → pause → starting …)*. One that ends before it was ever ready is not tried
again: that is a mistake in the installation or configuration, and its last lines say which.
"""

import asyncio
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Protocol

from vod_local.errors import ProgramDied, ProgramFailed
from vod_local.process import Program, describe_end, running, tail, until_ready

FIRST_PAUSE = timedelta(seconds=0.5)
LONGEST_PAUSE = timedelta(seconds=30)
STEADY_AFTER = timedelta(minutes=1)
"""One that ran so long is not in a crash loop: its next pause is the first one again."""


class Watch(Protocol):
    """Is told what happens; shows it to the person at the terminal."""

    def starting(self, name: str) -> None:
        """A program is being started."""

    def ready(self, name: str) -> None:
        """It answers."""

    def restarting(self, failure: ProgramFailed, pause: timedelta) -> None:
        """It ended or never answered, and gets another try after the pause."""


class Supervisor:
    """Runs groups of programs; knows all live processes, so that they can be ended at once."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._alive: set[Process] = set()

    def kill(self) -> None:
        """End every process now. For the second Ctrl-C."""
        for process in self._alive:
            with suppress(ProcessLookupError):
                process.kill()

    @asynccontextmanager
    async def keep(self, programs: Sequence[Program]) -> AsyncIterator[None]:
        """Run the programs until the block ends; the block begins when each has answered.

        Raises an ExceptionGroup of ProgramFailed when one fails before its first answer.
        """
        answered = [asyncio.Event() for _ in programs]
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._keep(program, event), name=program.name)
                for program, event in zip(programs, answered, strict=True)
            ]
            try:
                for event in answered:
                    await event.wait()
                yield
            finally:
                for task in tasks:
                    task.cancel()

    async def _keep(self, program: Program, answered: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        pause = FIRST_PAUSE
        while True:
            began = clock()
            try:
                await self._run_once(program, answered)
            except ProgramFailed as failure:
                if not answered.is_set():
                    raise
                if clock() - began > STEADY_AFTER.total_seconds():
                    pause = FIRST_PAUSE
                self._watch.restarting(failure, pause)
            await asyncio.sleep(pause.total_seconds())
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _run_once(self, program: Program, answered: asyncio.Event) -> None:
        """Run it until it ends; always raises: ProgramDied, NotReady, or CancelledError after it was stopped."""
        self._watch.starting(program.name)
        alive: Process | None = None
        try:
            async with running(program) as alive:
                self._alive.add(alive)
                await until_ready(program, alive)
                self._watch.ready(program.name)
                answered.set()
                code = await alive.wait()
                raise ProgramDied(program.name, describe_end(code), program.log, tail(program.log))
        finally:
            # After `running` has stopped it: until then kill() must reach it.
            self._alive -= {alive}

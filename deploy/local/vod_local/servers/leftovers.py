"""Ends the PostgreSQL that a killed run left behind, so that the next one can start on the same files."""

import asyncio
import signal
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import psutil

from vod_local.errors import DataUnusable

PATIENCE = timedelta(seconds=20)
LOOK_AGAIN = timedelta(milliseconds=20)


async def end_leftovers(cluster: Path) -> None:
    """Stop every postgres that works in this data folder, and remove a postmaster.pid that names a stranger.

    The caller holds the lock on the data folder, so whoever still works there has lost its supervisor.
    Raises DataUnusable when one does not go.
    """
    leftovers = _servers_in(cluster)
    for process in leftovers:
        with suppress(psutil.Error):
            process.send_signal(signal.SIGINT)
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            while leftovers := [process for process in leftovers if _works(process)]:  # noqa: ASYNC110  not our children
                await asyncio.sleep(LOOK_AGAIN.total_seconds())
    except TimeoutError:
        pids = ", ".join(str(process.pid) for process in leftovers)
        raise DataUnusable(f"An old PostgreSQL (process {pids}) still works in {cluster} and does not stop.") from None
    _forget_stranger(cluster / "postmaster.pid")


def _servers_in(cluster: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        # Of other users' processes we may not know the folder; those are not ours either.
        with suppress(psutil.Error):
            if process.name() == "postgres" and Path(process.cwd()) == cluster and _works(process):
                found.append(process)
    return found


def _works(process: psutil.Process) -> bool:
    """Tell whether it lives; a zombie, whose parent does not ask for its end, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _forget_stranger(pid_file: Path) -> None:
    """Remove the file when its number now belongs to another program.

    Postgres itself ignores the number of a dead process, but refuses to start when it was given to somebody else.
    """
    with suppress(FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess):
        pid = int(pid_file.read_text().splitlines()[0])
        if psutil.Process(pid).name() != "postgres":
            pid_file.unlink()

"""One `vod up` per data folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vod_local.errors import DataInUse
from vod_local.record import read_record


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold the data folder until the block ends. The kernel gives it free when we die, however we die.

    Raises DataInUse, with process and address of the holder.
    """
    with (data / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataInUse(_who_holds(data, file.fileno())) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def is_locked(data: Path) -> bool:
    """Tell whether a `vod up` holds the data folder."""
    try:
        with (data / "lock").open("a+") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _who_holds(data: Path, lock: int) -> str:
    pid = os.pread(lock, 20, 0).decode().strip() or "?"
    record = read_record(data)
    where = f" at {record.address}" if record else ", still starting"
    return (
        f"NovaStream already runs on {data} (process {pid}{where}).\n"
        "Stop it there with Ctrl-C, or start a second one on other data: vod up --data FOLDER --port 8090"
    )

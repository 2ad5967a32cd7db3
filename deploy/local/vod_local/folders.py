"""Where NovaStream keeps its things on this machine."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from vod_local.errors import DataUnusable
from vod_local.servers.places import Places, private_mode

LOG_LIMIT_BYTES = 5_000_000
LOGS_KEPT = 3
PRIVATE = ("logs", "stream", "demo")
"""Folders in the data folder that nobody else may enter. The data folder itself may be open, see private_mode."""


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of one installation; `data` names it."""

    data: Path
    run: Path
    """Unix sockets. Short (their paths are limited to 107 bytes), private, gone when nothing runs."""

    @property
    def logs(self) -> Path:
        """One file per process; the previous ones are `.1`, `.2` …"""
        return self.data / "logs"

    @property
    def places(self) -> Places:
        """What an embedded server needs to know."""
        return Places(data=self.data, run=self.run, logs=self.logs)


def data_folder(chosen: Path | None, environ: Mapping[str, str]) -> Path:
    """Give the data folder: the chosen one, else VOD_DATA_DIR, else the platform's place for a user's data."""
    folder = chosen or Path(environ.get("VOD_DATA_DIR") or platformdirs.user_data_path("novastream"))
    return Path(os.path.abspath(folder.expanduser()))  # noqa: PTH100  resolve() would lose the name the user knows


def make_data_folder(folder: Path) -> None:
    """Make the data folder; raise DataUnusable when that is impossible."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=private_mode())
        for name in PRIVATE:
            (folder / name).mkdir(exist_ok=True)
            (folder / name).chmod(0o700)  # also what an earlier version made
    except OSError as failure:
        raise DataUnusable(
            f"The data folder {folder} can't be used: {failure.strerror}. Choose another with VOD_DATA_DIR or --data."
        ) from failure


@contextmanager
def run_folder(data: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Make the runtime folder, and remove it with all that is in it when the block ends; see make_run_folder."""
    folder = make_run_folder(data, environ)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make_run_folder(data: Path, environ: Mapping[str, str]) -> Path:
    """Make an empty, private runtime folder for this data folder. Call it only with the data folder locked.

    Raises DataUnusable when somebody else has a folder of that name.
    """
    base = Path(environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    if not os.access(base, os.W_OK):
        base = Path(tempfile.gettempdir())
    mark = hashlib.sha256(bytes(data)).hexdigest()[:8]
    folder = base / f"novastream-{os.geteuid()}-{mark}"
    if folder.is_symlink() or (folder.exists() and folder.stat().st_uid != os.geteuid()):
        raise DataUnusable(f"{folder} belongs to somebody else. Set XDG_RUNTIME_DIR to a folder of your own.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=private_mode())
    return folder


def open_log(logs: Path, name: str) -> Path:
    """Give the log of a process; a big one is put aside first, and the oldest is dropped."""
    log = logs / f"{name}.log"
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        for number in range(LOGS_KEPT - 1, 0, -1):
            older = log.with_suffix(f".log.{number}")
            if older.exists():
                older.replace(log.with_suffix(f".log.{number + 1}"))
        log.replace(log.with_suffix(".log.1"))
    return log

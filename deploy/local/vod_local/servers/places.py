"""Where an embedded server keeps its things, and what one is to the rest."""

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from vod_local.errors import BadConfiguration
from vod_local.process import Program

SOCKET_PATH_LIMIT = 107
"""Bytes of a Unix socket's path: sun_path is 108 with its final zero (man 7 unix)."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that can be started, and the address its clients use."""

    program: Program
    url: str


@dataclass(frozen=True, slots=True)
class Places:
    """The folders of an embedded server. All exist; `run` and `logs` are ours alone."""

    data: Path
    """What must survive."""
    run: Path
    """Sockets and configuration of this run. Its path is short."""
    logs: Path

    @classmethod
    def beside(cls, data: Path, run: Path) -> "Places":
        """Give places whose logs are in the runtime folder, and make the folders."""
        for folder in (data, run):
            folder.mkdir(parents=True, exist_ok=True, mode=private_mode())
        return cls(data=data.resolve(), run=run.resolve(), logs=run.resolve())


def private_mode() -> int:
    """Give the permissions of a folder of ours: closed; for root enterable, since its Postgres is another user."""
    return 0o711 if os.geteuid() == 0 else 0o700


def package_folder(package: str) -> Path:
    """Give the folder of an installed package without importing it (imports of server wheels have side effects).

    Raises BadConfiguration when it is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise BadConfiguration(f"The Python package {package} is not installed. Run `make install`.")
    return Path(spec.submodule_search_locations[0])


def socket_path(path: Path) -> Path:
    """Return the path when it is short enough for a Unix socket; raise BadConfiguration otherwise."""
    if len(bytes(path)) > SOCKET_PATH_LIMIT:
        raise BadConfiguration(
            f"The path of the socket {path} is longer than {SOCKET_PATH_LIMIT} bytes: choose a shorter folder."
        )
    return path

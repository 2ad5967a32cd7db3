"""The secrets of this installation, made once.

VOD_SECRET_KEY signs URLs and cookies, VOD_ADMIN_KEY opens the admin routes.
"""

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from vod_local.errors import DataUnusable

NAMES = ("VOD_SECRET_KEY", "VOD_ADMIN_KEY")
LINE = re.compile(r"(?P<name>VOD_[A-Z_]+)=(?P<value>\S+)")


def secrets_file(data: Path) -> Path:
    """Give the place of the secrets: `NAME=value` lines, readable by their owner alone."""
    return data / "secrets"


def installation_keys(data: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Give both keys: those of the environment first, then those of the file; what is missing is made and kept.

    Raises DataUnusable when the file can't be read.
    """
    kept = _read(secrets_file(data))
    made = {name: secrets.token_urlsafe(32) for name in NAMES if name not in kept}
    if made:
        _write(secrets_file(data), kept | made)
    return {name: environ.get(name) or (kept | made)[name] for name in NAMES}


def _read(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        return {}
    except OSError as failure:
        raise DataUnusable(f"{file} can't be read: {failure.strerror}.") from failure
    found = [LINE.fullmatch(line) for line in lines]
    return {match["name"]: match["value"] for match in found if match}


def _write(file: Path, values: Mapping[str, str]) -> None:
    unfinished = file.with_name("secrets.unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.writelines(f"{name}={value}\n" for name, value in values.items())
    unfinished.replace(file)

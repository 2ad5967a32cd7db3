"""Under which user a server runs that refuses to be root."""

import os
import pwd
import stat
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from vod_local.process import Account, Files

UNPRIVILEGED = "nobody"
ENTER = stat.S_IXOTH
READ_AND_ENTER = stat.S_IROTH | stat.S_IXOTH


def account_for(data: Path, *, reads: Path, enters: Iterable[Path]) -> Account | None:
    """Choose the account for a server with these folders: None (stay as we are) unless we are root.

    Root takes the owner of existing data, else `nobody`. That account keeps the right to open any file only where
    it could not get into the folders otherwise (a clone under /root, a private temporary folder).
    """
    if os.geteuid() != 0:
        return None
    uid, gid = _owner(data)
    open_to_all = _allows(reads, READ_AND_ENTER) and all(
        _allows(folder, ENTER) for folder in chain(enters, _above(reads))
    )
    return Account(uid, gid, Files.OWN if open_to_all else Files.ANY)


def _owner(data: Path) -> tuple[int, int]:
    if data.exists() and data.stat().st_uid != 0:
        return data.stat().st_uid, data.stat().st_gid
    nobody = pwd.getpwnam(UNPRIVILEGED)
    return nobody.pw_uid, nobody.pw_gid


def _above(folder: Path) -> Iterable[Path]:
    return folder.resolve().parents


def _allows(folder: Path, mode: int) -> bool:
    own = folder.resolve().stat().st_mode
    return own & mode == mode and all(parent.stat().st_mode & ENTER for parent in _above(folder))

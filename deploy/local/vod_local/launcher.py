"""Become another program that ends together with its parent, as another user where asked.

Run as a script (`python -I -S launcher.py …`), never imported: between fork and exec a process may do very little, so
what has to happen there happens here, in a fresh interpreter of 15 ms. Standard library only.

usage: launcher.py PARENT_PID SIGNAL ACCOUNT PROGRAM [ARGUMENT …]
ACCOUNT is UID:GID:own, UID:GID:any (it may open any file, like root), or - to stay the same user.
"""

import ctypes
import os
import sys

# Linux: include/uapi/linux/prctl.h, capability.h, securebits.h
PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAP_DAC_OVERRIDE = 1
LINUX_CAPABILITY_VERSION_3 = 0x20080522

PARENT_IS_GONE = 75


def main(arguments: list[str]) -> None:
    """Prepare this process and replace it by the program."""
    parent, death_signal, account, *argv = arguments
    if account != "-":
        uid, gid, files = account.split(":")
        _become(int(uid), int(gid), files)
    if sys.platform == "linux":
        # After the change of user, which clears it.
        _prctl(PR_SET_PDEATHSIG, int(death_signal))
        if os.getppid() != int(parent):  # the parent died before the line above
            sys.exit(PARENT_IS_GONE)
    os.execvp(argv[0], argv)  # noqa: S606  that is what this script is for


def _become(uid: int, gid: int, files: str) -> None:
    """Change to the user; with files=any keep the right to open files, and nothing else of root's rights."""
    if files == "any":
        # Otherwise setuid drops all capabilities, and access(2), by which Postgres finds its own binary, ignores them.
        _prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if files == "any":
        _keep_only(CAP_DAC_OVERRIDE)


def _keep_only(capability: int) -> None:
    bits = 1 << capability
    header = (ctypes.c_uint32 * 2)(LINUX_CAPABILITY_VERSION_3, 0)
    effective_permitted_inheritable = (ctypes.c_uint32 * 6)(bits, bits, bits, 0, 0, 0)
    _check(_libc().capset(header, effective_permitted_inheritable))
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def _prctl(option: int, *values: int) -> None:
    padded = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)][:4]
    _check(_libc().prctl(option, *padded))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


if __name__ == "__main__":
    main(sys.argv[1:])

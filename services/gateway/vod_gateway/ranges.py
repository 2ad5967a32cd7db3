"""The Range header (RFC 9110, section 14), as far as players use it: one range of bytes."""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class Unsatisfiable(Exception):  # noqa: N818  named like the status it becomes
    """There are no such bytes."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes *first* to *last*; without a last one to the end; *suffix* counts from the end."""

    first: int = 0
    last: int | None = None
    suffix: int | None = None

    def within(self, total: int) -> tuple[int, int]:
        """Return the first byte and the one after the last in a file of *total* bytes.

        Raises:
            Unsatisfiable
        """
        if self.suffix is not None:
            begin, end = max(0, total - self.suffix), total
        else:
            begin, end = self.first, total if self.last is None else min(self.last + 1, total)
        if begin >= end:
            raise Unsatisfiable
        return begin, end


def read_range(header: str) -> ByteRange | None:
    """Return the range, None where there is none that we understand: the whole is answered then."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return ByteRange(suffix=int(match[2]))
    first, last = int(match[1]), int(match[2]) if match[2] else None
    return None if last is not None and last < first else ByteRange(first, last)

"""Byte ranges of RFC 9110, sections 13.1.5 and 14, as a pure function of the request's headers."""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"(\d*)-(\d*)", re.ASCII)
_BEYOND = 10**18
"""More than any file has; numbers with more digits are as good as this one."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Answer 200 with everything."""


@dataclass(frozen=True, slots=True)
class Part:
    """Answer 206 with the bytes from `first` to `last`, both included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Unsatisfiable:
    """Answer 416."""


Selection = Whole | Part | Unsatisfiable


def select(range_header: str | None, if_range: str | None, *, etag: str, size: int) -> Selection:
    """Return what a GET for a representation of *size* bytes selects.

    A malformed Range, another unit, and more than one range are ignored, as section 14.2 allows: players send one.
    If-Range holds only with the strong *etag*; with a date it never does, because nothing here has a Last-Modified.
    """
    if range_header is None or (if_range is not None and if_range.strip() != etag):
        return Whole()
    unit, _, ranges = range_header.partition("=")
    members = [member.strip(" \t") for member in ranges.split(",")]
    members = [member for member in members if member]
    if unit.strip(" \t").lower() != "bytes" or len(members) != 1:
        return Whole()
    match = _RANGE.fullmatch(members[0])
    return _single(match[1], match[2], size=size) if match else Whole()


def _single(first: str, last: str, *, size: int) -> Selection:
    if not first:
        if not last:
            return Whole()
        length = min(_number(last), size)
        return Part(size - length, size - 1) if length else Unsatisfiable()
    begin, end = _number(first), _number(last) if last else _BEYOND
    if begin > end:
        return Whole()
    return Part(begin, min(end, size - 1)) if begin < size else Unsatisfiable()


def _number(digits: str) -> int:
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) < len(str(_BEYOND)) else _BEYOND

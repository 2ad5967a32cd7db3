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


@dataclass(frozen=True, slots=True)
class Several:
    """Answer 206 with these parts, in this order, as multipart/byteranges; none touches another."""

    parts: tuple[Part, ...]


Selection = Whole | Part | Several | Unsatisfiable
_MOST = 16
"""More ranges than this, after joining those that touch, are answered with the whole: an honest reader asks for few."""
_MOST_ASKED = 200


def select(range_header: str | None, if_range: str | None, *, etag: str, size: int) -> Selection:
    """Return what a GET for a representation of *size* bytes selects.

    A malformed Range and another unit are ignored, as section 14.2 allows; of a list, what can't be satisfied is left
    out, and what overlaps or touches is joined. If-Range holds only with the strong *etag*; with a date it never does,
    because nothing here has a Last-Modified.
    """
    if range_header is None or (if_range is not None and if_range.strip() != etag):
        return Whole()
    unit, _, ranges = range_header.partition("=")
    members = [member.strip(" \t") for member in ranges.split(",", _MOST_ASKED)]
    members = [member for member in members if member]
    if unit.strip(" \t").lower() != "bytes" or not members:
        return Whole()
    found = [_single(match[1], match[2], size=size) if (match := _RANGE.fullmatch(one)) else Whole() for one in members]
    if any(isinstance(one, Whole) for one in found):
        return Whole()
    parts = _joined([one for one in found if isinstance(one, Part)])
    if len(parts) > _MOST:
        return Whole()
    if len(parts) < 2:
        return parts[0] if parts else Unsatisfiable()
    return Several(tuple(parts))


def _joined(parts: list[Part]) -> list[Part]:
    """Join parts that overlap or touch; each joined one stands where the first of them was asked for."""
    joined: list[Part] = []
    for part in parts:
        touching = [one for one in joined if one.first <= part.last + 1 and part.first <= one.last + 1]
        if not touching:
            joined.append(part)
            continue
        first = min(part.first, *(one.first for one in touching))
        last = max(part.last, *(one.last for one in touching))
        joined[joined.index(touching[0])] = Part(first, last)
        joined = [one for one in joined if one not in touching[1:]]
    return joined


def _single(first: str, last: str, *, size: int) -> Whole | Part | Unsatisfiable:
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

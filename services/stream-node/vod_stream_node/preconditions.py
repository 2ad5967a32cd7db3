"""Preconditions of RFC 9110, section 13, as a pure function of the request's headers.

Those with dates are ignored, because nothing here has a Last-Modified; If-Range is in `ranges.py`.
"""

import re
from enum import Enum

_TAG = re.compile(r'(W/)?("[^"]*")')


class Outcome(Enum):
    """What follows for a GET or HEAD."""

    SEND = "send"
    NOT_MODIFIED = "not modified"
    """Answer 304: the client has it."""
    UNMET = "unmet"
    """Answer 412: the client wants another one."""


def evaluate(if_match: str | None, if_none_match: str | None, *, etag: str) -> Outcome:
    """Say what If-Match, which compares strongly, and then If-None-Match, which compares weakly, ask for."""
    if if_match is not None and not _names(if_match, etag, weak=()):
        return Outcome.UNMET
    if if_none_match is not None and _names(if_none_match, etag, weak=("W/",)):
        return Outcome.NOT_MODIFIED
    return Outcome.SEND


def _names(listed: str, etag: str, *, weak: tuple[str, ...]) -> bool:
    if listed.strip() == "*":
        return True
    return any(tag == etag and kind in ("", *weak) for kind, tag in _TAG.findall(listed))

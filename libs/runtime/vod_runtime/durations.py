"""Durations as people write them in an environment variable."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value
    text = value.strip().lower()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return timedelta(seconds=float(text))
    if re.fullmatch(f"(?:{_PART.pattern})+", text):
        return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)))
    return value  # ISO 8601 (`PT15M`), or something that pydantic refuses with a clear sentence


Duration = Annotated[timedelta, BeforeValidator(_seconds)]
"""A setting like `900` (seconds), `15m`, `1h30m`, `250ms`, or ISO 8601 `PT15M`."""

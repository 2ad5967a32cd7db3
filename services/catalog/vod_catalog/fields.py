"""Reading upstream JSON, where any field may be missing, null, empty or of another type than documented."""

from collections.abc import Mapping
from datetime import date

Fields = Mapping[str, object]

_MOST_DIGITS = 20
_TOO_LARGE = 2**31


def text(value: object) -> str:
    """Return a string as it is, stripped of blanks and of what no database keeps; anything else is the empty string."""
    if not isinstance(value, str):
        return ""
    # Half a surrogate pair, as JSON can hold one, and NUL.
    return value.encode(errors="ignore").decode().replace("\0", "").strip()


def number(value: object) -> int | None:
    """Return a whole number of 32 bits, also one written as a string; anything else is None."""
    if isinstance(value, str) and len(value) <= _MOST_DIGITS and value.strip().isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if abs(value) < _TOO_LARGE else None


def record(value: object) -> Fields:
    """Return an object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}


def records(value: object) -> list[Fields]:
    """Return the objects of a list; what is no object in it is left out, and anything else is an empty list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def day(value: object) -> date | None:
    """Return the date that an ISO 8601 date or time begins with, None if it begins with none."""
    try:
        return date.fromisoformat(text(value)[:10])
    except ValueError:
        return None


def year(value: object) -> int | None:
    """Return the year of a date as `day` reads it."""
    read = day(value)
    return read.year if read else None

"""Reading upstream JSON, where any field may be missing, null, empty or of another type than documented."""

from collections.abc import Mapping
from datetime import date

Fields = Mapping[str, object]


def text(value: object) -> str:
    """Return a string as it is, stripped; anything else is the empty string."""
    return value.strip() if isinstance(value, str) else ""


def number(value: object) -> int | None:
    """Return a whole number, also one written as a string; anything else is None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    return None


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

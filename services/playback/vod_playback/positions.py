"""Which positions, and which times of a player's clock, can be true. Pure."""

from datetime import UTC, datetime, timedelta

_OVERSHOOT = timedelta(seconds=30)
"""Players report positions a little past the end."""
_LONGEST = timedelta(hours=48)
_AHEAD = timedelta(days=1)
"""A clock may be set to another zone's time; what is further ahead of ours is no time at all."""
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""A device that begins to count anew when it loses power tells less."""


def wrong_position(position: timedelta, duration: timedelta | None) -> str:
    """Return why a position in something of this length can't be true, as a sentence; empty if it can."""
    if not timedelta() <= position <= _LONGEST:
        return "The position must be between 0 s and 48 h."
    if duration is None:
        return ""
    if not timedelta() < duration <= _LONGEST:
        return "The duration must be between 0 s and 48 h."
    return "The position is beyond the end." if position > duration + _OVERSHOOT else ""


def wrong_time(said: datetime, *, now: datetime) -> str:
    """Return why nobody can have watched at that time, as a sentence; empty if it can be."""
    if said < _EARLIEST:
        return "This was before the year 2000: the clock is not set."
    return "This is more than a day ahead." if said > now + _AHEAD else ""

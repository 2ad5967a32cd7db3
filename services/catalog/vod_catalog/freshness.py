"""When a title that nobody asks for is looked at again: the more happens to it, the sooner."""

import re
from datetime import date, timedelta

from vod_catalog.domain import SPECIALS, Title

SOONEST = timedelta(hours=6)
"""No title is fetched more often by the background job, whatever its provider says of it."""
_QUIET = timedelta(days=30)
_PLACEHOLDER = re.compile(
    r"((episode|ep\.?|folge|chapter|part)?\s*#?\s*\d*|tb[ad]|to be (announced|determined))", re.IGNORECASE
)


def is_placeholder(name: str) -> bool:
    """Tell whether a name only holds the place of one that is to come: `Episode 5`, `TBA`, nothing."""
    return _PLACEHOLDER.fullmatch(name.strip()) is not None


def refresh_after(title: Title, *, today: date, ttl: timedelta) -> timedelta:
    """Return how long a title that is fetched now is left alone.

    Six hours while an episode comes out today, yesterday or tomorrow, or came out lately and has no name yet; *ttl*
    while it runs or nobody knows whether it does; 30 days where nothing came out for that long.
    """
    dated = [(one.air_date, one.name) for one in title.episodes if one.season != SPECIALS and one.air_date]
    if not dated:
        return ttl
    if any(abs(day - today) <= timedelta(days=1) for day, _ in dated):
        return min(SOONEST, ttl)
    if any(timedelta(0) <= today - day <= _QUIET and is_placeholder(name) for day, name in dated):
        return min(SOONEST, ttl)
    return ttl if max(day for day, _ in dated) >= today - _QUIET else max(ttl, _QUIET)

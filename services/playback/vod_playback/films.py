"""The hierarchy of sources: what is played first, and why. Pure.

Curated films come first, then torrents, then direct sources; the operator may put direct sources before torrents, or
leave them out. Of each kind the highest bitrate comes first that the device and the measured link carry.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from vod_playback.domain import DeviceProfile, Direct, Episode, Source, profile_hash

USABLE_SHARE = 0.7
"""Of a measured link: what is left is for others in the house, and for bad moments."""
_STEPS = tuple(megabits * 1_000_000 for megabits in (1, 2, 3, 4, 6, 8, 12, 16, 25, 40, 60, 100))
MEASURED_FOR = timedelta(days=7)
"""A link that was measured longer ago says nothing: devices move."""


class Policy(StrEnum):
    """When sessions play direct sources."""

    NEVER = "never"
    FALLBACK = "fallback"
    """Curated films at once; others where no torrent can be played, or none that the link carries."""
    PREFER = "prefer"
    """Before torrents, if one is well and fits."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a device's link carried when its players last measured it."""

    bitrate: int
    """Bits per second; 0 if nobody measured it lately."""

    @property
    def usable(self) -> int:
        return int(self.bitrate * USABLE_SHARE)


def within(link: Link, profile: DeviceProfile) -> DeviceProfile:
    """Return the profile limited to what the link carries, in steps, so that near links share their picks."""
    if not link.bitrate or link.usable >= _STEPS[-1]:
        return profile
    step = max((one for one in _STEPS if one <= link.usable), default=_STEPS[0])
    return profile if 0 < profile.max_bitrate <= step else replace(profile, max_bitrate=step)


def needs_more(source: Source, episode: Episode, limit: int) -> bool:
    """Tell whether a picked file needs more than *limit* bits per second; no limit is 0."""
    seconds = episode.runtime.total_seconds()
    return bool(limit and seconds and source.bytes * 8 / seconds > limit)


def best_curated(offers: Sequence[Direct]) -> Direct | None:
    """Return the best source of a curated collection that device and link carry."""
    found = next((one for one in offers if one.collection and one.fits), None)
    return explained(found, f"curated: {found.collection}", "direct source, well just now") if found else None


def best_fitting(offers: Sequence[Direct], *, why: str) -> Direct | None:
    """Return the best source that device and link carry."""
    found = next((one for one in offers if one.fits), None)
    return explained(found, why, "direct source, well just now, within what device and link carry") if found else None


def best_of_all(offers: Sequence[Direct], *, why: str) -> Direct | None:
    """Return the best source, even if it may stop now and then."""
    fitting = best_fitting(offers, why=why)
    if fitting or not offers:
        return fitting
    return explained(offers[0], why, "direct source, well just now, but more than device or link carry")


def explained(direct: Direct, *reasons: str) -> Direct:
    """Return the source with the reasons why it was chosen."""
    return replace(direct, reasons=reasons)


def kin(profile: DeviceProfile) -> frozenset[str]:
    """Return the hashes of the profile and of all that links make of it: what suited one suits the others."""
    limited = (within(Link(int(step / USABLE_SHARE) + 1), profile) for step in _STEPS)
    return frozenset(map(profile_hash, (profile, *limited)))

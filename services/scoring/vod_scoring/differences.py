"""Why one release goes before another, for people: what decides, and what each gains and loses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vod_scoring.domain import Tier

HARDLY = 500
"""Millionths: differences below this are not told."""


@dataclass(frozen=True, slots=True)
class Line:
    """Points for a component, in millionths, and why."""

    micro_points: int
    reason: str


@dataclass(frozen=True, slots=True)
class Placed:
    """What decides a release's place."""

    title: str
    tier: Tier
    score_micro: int
    lines: Mapping[str, Line]
    gates: Sequence[str]
    unknowns: Sequence[str]
    version: int
    seeders: int


@dataclass(frozen=True, slots=True)
class Difference:
    """What the first has more of than the second, or less of."""

    name: str
    micro_points: int
    reason: str


def differences(first: Placed, second: Placed) -> list[Difference]:
    """Return where the two differ, the largest difference first."""
    names = dict.fromkeys([*first.lines, *second.lines])
    nothing = Line(0, "nothing")
    found = []
    for name in names:
        one, other = first.lines.get(name, nothing), second.lines.get(name, nothing)
        gap = one.micro_points - other.micro_points
        if abs(gap) >= HARDLY:
            found.append(Difference(name, gap, f"{one.reason or 'nothing'} - the other: {other.reason or 'nothing'}"))
    return sorted(found, key=lambda one: (-abs(one.micro_points), one.name))


def summary(first: Placed, second: Placed) -> str:
    """Say in one sentence which goes before the other, and what decides."""
    ahead, behind = sorted((first, second), key=_order)
    if ahead.tier is not behind.tier:
        return f"{ahead.title} goes first: {behind.title} {_why_behind(behind)}."
    if gap := ahead.score_micro - behind.score_micro:
        most = max(differences(ahead, behind), key=lambda one: one.micro_points, default=None)
        by = f", most of them for {most.name}" if most and most.micro_points > 0 else ""
        return f"{ahead.title} goes first, by {gap / 10_000:.1f} points of 100{by}."
    if ahead.version != behind.version:
        return f"Both have the same points; {ahead.title} goes first, because it is the later issue."
    if ahead.seeders != behind.seeders:
        return f"Both have the same points; {ahead.title} goes first, because it has more seeders."
    return "Both have the same points; how near their sizes are to the usual, their age, and then their hash decide."


def _order(placed: Placed) -> tuple[int, int, int, int]:
    return placed.tier, -placed.score_micro, -placed.version, -placed.seeders


def _why_behind(placed: Placed) -> str:
    if placed.tier is Tier.UNVERIFIED:
        return f"comes behind all of which everything is known ({', '.join(placed.unknowns)} not known)"
    because = "; ".join(placed.gates) or "by the policy"
    return f"is refused ({because})" if placed.tier is Tier.REFUSED else f"is only a last resort ({because})"

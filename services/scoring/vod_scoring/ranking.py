"""The use case: candidates in, the same in order out, each with its reasons. A pure function of its arguments."""

from collections.abc import Sequence

from vod_scoring.components import Value, consistency, health, quality, size_sanity
from vod_scoring.domain import Candidate, Component, Device, GateFailure, Ranked, Tier, Wanted
from vod_scoring.gates import gate_failures
from vod_scoring.policy import Policy, Severity
from vod_scoring.rules import Rule, bonus, refusals
from vod_scoring.sizes import FileSize, file_size

MICRO = 1_000_000
DAY = 86_400


def rank(
    candidates: Sequence[Candidate], *, wanted: Wanted, device: Device, policy: Policy, rules: Sequence[Rule] = ()
) -> list[Ranked]:
    """Return *candidates*, best first, refused ones last.

    The order is total and does not depend on the order that they came in; no candidate's score depends on another's.
    """
    measured = [(candidate, file_size(candidate, wanted, policy)) for candidate in candidates]
    scored = [
        (score(one, size, wanted=wanted, device=device, policy=policy, rules=rules), size) for one, size in measured
    ]
    return [ranked for ranked, _ in sorted(scored, key=lambda pair: _order(*pair))]


def score(
    candidate: Candidate,
    size: FileSize,
    *,
    wanted: Wanted,
    device: Device,
    policy: Policy,
    rules: Sequence[Rule] = (),
) -> Ranked:
    """Rate one candidate, whose file is of *size*. Points are whole millionths, so that sums are exact."""
    weights = policy.weights
    values = (
        ("health", weights.health, health(candidate, size, policy)),
        ("quality", weights.quality, quality(candidate, device, policy)),
        ("size", weights.size, size_sanity(size, candidate, wanted, policy)),
        ("consistency", weights.consistency, consistency(candidate, wanted, policy)),
    )
    components = [_component(name, weight, value) for name, weight, value in values]
    if rules and (extra := bonus(candidate, rules, others=sum(one.micro_points for one in components))):
        components.append(extra)
    unknowns = [name for _, _, value in values for name in value.unknowns]
    gates = gate_failures(candidate, wanted=wanted, device=device, size=size, policy=policy)
    gates += refusals(candidate, rules)
    return Ranked(
        candidate=candidate,
        tier=_tier(gates, unknowns, policy),
        score_micro=sum(component.micro_points for component in components),
        components=components,
        gates=gates,
        unknowns=unknowns,
    )


def _component(name: str, weight: float, value: Value) -> Component:
    return Component(name, value.value, weight, round(value.value * weight * MICRO), value.reason)


def _tier(gates: Sequence[GateFailure], unknowns: Sequence[str], policy: Policy) -> Tier:
    severities = {policy.gates.severity[gate.code] for gate in gates}
    if Severity.HARD in severities:
        return Tier.REFUSED
    if Severity.SOFT in severities:
        return Tier.LAST_RESORT
    return Tier.UNVERIFIED if policy.tiers.unverified_without.intersection(unknowns) else Tier.OK


def _order(ranked: Ranked, size: FileSize) -> tuple[object, ...]:
    """Return what decides: tier, points, reissue, seeders, distance from the usual size, age in days, then names."""
    candidate = ranked.candidate
    distance = 0.0 if size.mb_per_minute is None else round(abs(size.mb_per_minute - size.band.centre), 6)
    return (
        ranked.tier,
        -ranked.score_micro,
        -candidate.traits.version,
        -(candidate.seeders or 0),
        distance,
        -(candidate.published_at // DAY),
        candidate.infohash,
        repr(candidate),
    )

"""Rules of the owner: a regular expression on the name or the group, and points or a refusal for what it matches.

Patterns run on RE2, whose time is linear in the text, over names cut to 300 characters; they are compiled once, with
a limit on memory. The points of all rules together are bounded, so that they tip the scales and never outweigh them.
"""

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import re2

from vod_scoring.domain import Candidate, Component, GateFailure

MOST_POINTS = 0.10
LONGEST_NAME = 300
LONGEST_PATTERN = 1000
_PATTERN_MEMORY = 1 << 20
MICRO = 1_000_000


class Subject(enum.Enum):
    """What a condition looks at."""

    TITLE = "release title"
    GROUP = "release group"
    LINES = "resolution"


class RefusedRuleError(ValueError):
    """A rule can't be taken; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A pattern and what it looks at; a resolution is compared as it stands."""

    subject: Subject
    pattern: str
    negated: bool = False
    required: bool = False
    compiled: Any = field(default=None, compare=False, repr=False)

    def holds(self, candidate: Candidate) -> bool:
        """Tell whether a candidate meets it."""
        traits = candidate.traits
        if self.subject is Subject.LINES:
            return (str(traits.height) == self.pattern) is not self.negated
        text = candidate.title if self.subject is Subject.TITLE else traits.group
        return bool(self.compiled.search(text[:LONGEST_NAME])) is not self.negated


@dataclass(frozen=True, slots=True)
class Rule:
    """What it is called, what it looks for, and what then: points, or a refusal (None)."""

    name: str
    conditions: tuple[Condition, ...]
    points: float | None

    def matches(self, candidate: Candidate) -> bool:
        """Tell whether, for each subject, all required conditions hold, and at least one does."""
        groups: dict[Subject, list[tuple[Condition, bool]]] = {}
        for one in self.conditions:
            groups.setdefault(one.subject, []).append((one, one.holds(candidate)))
        return all(
            any(held for _, held in group) and all(held for one, held in group if one.required)
            for group in groups.values()
        )


def condition(subject: Subject, pattern: str, *, negated: bool = False, required: bool = False) -> Condition:
    """Make a condition.

    Raises:
        RefusedRuleError: the pattern is too long, too costly, or not in RE2's language.
    """
    if subject is Subject.LINES:
        return Condition(subject, pattern, negated, required)
    if len(pattern) > LONGEST_PATTERN:
        raise RefusedRuleError(f"its pattern has {len(pattern)} characters, at most {LONGEST_PATTERN} are taken")
    options = re2.Options()
    options.case_sensitive, options.log_errors, options.max_mem = False, False, _PATTERN_MEMORY
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0].decode(errors="replace") if error.args and isinstance(error.args[0], bytes) else str(error)
        if "perl operator" in why:
            why += "; look-around is not possible in linear time"
        raise RefusedRuleError(f"its pattern is not taken by RE2: {why}") from None
    return Condition(subject, pattern, negated, required, compiled)


def refusals(candidate: Candidate, rules: Sequence[Rule]) -> Iterator[GateFailure]:
    """Return a failed gate for each rule that refuses a candidate."""
    for rule in rules:
        if rule.points is None and rule.matches(candidate):
            yield GateFailure("USER_RULE", f'your rule "{rule.name}" refuses it')


def bonus(candidate: Candidate, rules: Sequence[Rule], *, others: int) -> Component | None:
    """Return the line of what rules add or take, None if none matches; with the *others* points it is never below 0."""
    matching = [rule for rule in rules if rule.points is not None and rule.matches(candidate)]
    if not matching:
        return None
    total = sum(round((rule.points or 0.0) * MICRO) for rule in matching)
    most = round(MOST_POINTS * MICRO)
    bounded = max(-others, min(most, max(-most, total)))
    told = ", ".join(f'"{rule.name}" {(rule.points or 0.0) * 100:+.1f}' for rule in matching)
    limit = "" if bounded == total else f"; together at most {MOST_POINTS * 100:.0f} points count"
    return Component("rules", bounded / MICRO, 1.0, bounded, f"your rules: {told}{limit}")

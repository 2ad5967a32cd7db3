"""Reads the owner's rules: a TOML file of ours, or custom formats as TRaSH's guides publish them (JSON), or a folder.

Of a custom format these parts are taken: `name`, `specifications` of release titles, release groups and resolutions
with `negate` and `required`, and `trash_scores.default` (or `score`). Custom formats score thousands, where a score
of ours has 100 points: 2,000 become the most that rules may add, -10,000 and less a refusal.
"""

import json
import math
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from vod_scoring.rules import MOST_POINTS, Condition, RefusedRuleError, Rule, Subject, condition

MOST_RULES = 200
LARGEST_FILE = 1 << 20
FULL_SCORE = 2_000
REFUSING_SCORE = -10_000
_FIELDS = {
    "ReleaseTitleSpecification": Subject.TITLE,
    "ReleaseGroupSpecification": Subject.GROUP,
    "ResolutionSpecification": Subject.LINES,
}


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules that are in force, and sentences about those that are not."""

    rules: Sequence[Rule] = ()
    refused: Sequence[str] = ()

    @property
    def version(self) -> str:
        """Tell rules apart: empty without any, else a short hash."""
        return sha256(repr(self.rules).encode()).hexdigest()[:8] if self.rules else ""


def load_rules(path: Path | None) -> Rules:
    """Read the rules of a file or a folder, in the order of names; what can't be taken is told, the rest is in force.

    Raises:
        OSError: the file or folder can't be read.
    """
    if path is None:
        return Rules()
    files = sorted(one for one in path.iterdir() if one.suffix in {".toml", ".json"}) if path.is_dir() else [path]
    rules: list[Rule] = []
    refused: list[str] = []
    for file in files:
        for outcome in _of_file(file):
            if isinstance(outcome, Rule) and len(rules) < MOST_RULES:
                rules.append(outcome)
            else:
                refused.append(
                    outcome if isinstance(outcome, str) else f"{outcome.name}: there are {MOST_RULES} already"
                )
    return Rules(tuple(rules), tuple(refused))


def _of_file(file: Path) -> Iterator[Rule | str]:
    data = file.read_bytes()[: LARGEST_FILE + 1]
    if len(data) > LARGEST_FILE:
        yield f"{file.name} is larger than {LARGEST_FILE >> 10} KiB"
        return
    try:
        text = data.decode()
        documents = tomllib.loads(text).get("rule", []) if file.suffix == ".toml" else json.loads(text)
    except (ValueError, RecursionError) as error:
        yield f"{file.name} can't be read: {error}"
        return
    make = own_rule if file.suffix == ".toml" else custom_format
    yield from _made(make, documents if isinstance(documents, list) else [documents], file.name)


def _made(make: Any, documents: Iterable[Any], where: str) -> Iterator[Rule | str]:
    for number, document in enumerate(documents, start=1):
        name = str(document.get("name") or f"rule {number}") if isinstance(document, dict) else f"rule {number}"
        try:
            yield make(document, name)
        except RefusedRuleError as error:
            yield f'"{name}" in {where} is not in force: {error}'


def own_rule(document: Any, name: str) -> Rule:
    """Make a rule of a `[[rule]]` table: `name`, `pattern`, and `points` of 100 or `refuse = true`.

    Raises:
        RefusedRuleError: it is not complete, or its pattern is not taken.
    """
    pattern = document.get("pattern") if isinstance(document, dict) else None
    if not isinstance(pattern, str) or not pattern:
        raise RefusedRuleError("it has no pattern")
    points, refuse = document.get("points"), document.get("refuse", False)
    if refuse is True:
        return Rule(name, (condition(Subject.TITLE, pattern),), None)
    if isinstance(points, bool) or not isinstance(points, int | float) or not abs(points) <= MOST_POINTS * 100:
        raise RefusedRuleError(
            f"it needs points, from -{MOST_POINTS * 100:.0f} to {MOST_POINTS * 100:.0f}, or refuse = true"
        )
    return Rule(name, (condition(Subject.TITLE, pattern),), points / 100)


def custom_format(document: Any, name: str) -> Rule:
    """Make a rule of a custom format.

    Raises:
        RefusedRuleError: it has no score, no specification, or one that can't be taken.
    """
    if not isinstance(document, dict):
        raise RefusedRuleError("it is no custom format")
    scores = document.get("trash_scores")
    score = document.get("score", scores.get("default") if isinstance(scores, dict) else None)
    if isinstance(score, bool) or not isinstance(score, int | float) or not math.isfinite(score):
        raise RefusedRuleError('it has no score: add "score" beside its name')
    specifications = document.get("specifications")
    if not isinstance(specifications, list) or not specifications:
        raise RefusedRuleError("it has no specifications")
    conditions = tuple(_specification(one) for one in specifications)
    if score <= REFUSING_SCORE:
        return Rule(name, conditions, None)
    points = round(max(-MOST_POINTS, min(MOST_POINTS, score / FULL_SCORE * MOST_POINTS)), 6)
    return Rule(name, conditions, points)


def _specification(one: Any) -> Condition:
    implementation = one.get("implementation") if isinstance(one, dict) else None
    if implementation not in _FIELDS:
        raise RefusedRuleError(
            f"it uses {implementation or 'a specification without a name'}; "
            "only release titles, release groups and resolutions can be taken over"
        )
    fields = one.get("fields")
    value = fields.get("value") if isinstance(fields, dict) else _listed_value(fields)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise RefusedRuleError("one of its specifications has no value")
    return condition(
        _FIELDS[implementation],
        str(value),
        negated=one.get("negate") is True,
        required=one.get("required") is True,
    )


def _listed_value(fields: Any) -> Any:
    """Return the value where fields are a list, as Sonarr and Radarr export them."""
    if isinstance(fields, list):
        return next((one.get("value") for one in fields if isinstance(one, dict) and one.get("name") == "value"), None)
    return None

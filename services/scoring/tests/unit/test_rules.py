"""The owner's rules: points or refusals by pattern, bounded, in linear time, and told in the explanation."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vod_scoring.domain import Candidate, Tier, Traits
from vod_scoring.policy import Policy
from vod_scoring.ranking import rank
from vod_scoring.rules import MOST_POINTS, RefusedRuleError, Rule, Subject, bonus, condition
from vod_scoring.rules_file import Rules, load_rules


def custom_format(name: str = "Web", score: Any = 500, **changes: Any) -> dict[str, Any]:
    """Make a custom format, as TRaSH's guides publish them."""
    specification = {"name": "web", "implementation": "ReleaseTitleSpecification", "negate": False, "required": True}
    specification |= {"fields": {"value": r"\bWEB[ ._-]?DL\b"}} | changes
    return {"trash_id": "1", "name": name, "trash_scores": {"default": score}, "specifications": [specification]}


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """Write files, given by name, and load the rules in them."""

    def load(**files: str) -> Rules:
        for name, text in files.items():
            stem, _, ending = name.rpartition("_")
            (tmp_path / f"{stem}.{ending}").write_text(text)
        return load_rules(tmp_path)

    return load


def test_points_are_added_and_told(make_candidate: Any, wanted: Any, device: Any, policy: Policy, load: Any) -> None:
    rules = load(mine_toml='[[rule]]\nname = "my group"\npattern = "-TIDE$"\npoints = 4').rules
    plain = rank([make_candidate()], wanted=wanted, device=device, policy=policy)[0]

    ranked = rank([make_candidate()], wanted=wanted, device=device, policy=policy, rules=rules)[0]

    assert ranked.score_micro == plain.score_micro + 40_000
    assert ranked.components[-1].reason == 'your rules: "my group" +4.0'


def test_a_refusal_is_a_gate_with_the_rules_name(
    make_candidate: Any, wanted: Any, device: Any, policy: Policy, load: Any
) -> None:
    rules = load(mine_toml='[[rule]]\nname = "no 1080p"\npattern = "1080P"\nrefuse = true').rules

    ranked = rank([make_candidate()], wanted=wanted, device=device, policy=policy, rules=rules)[0]

    assert ranked.tier is Tier.REFUSED
    assert [(gate.code, gate.reason) for gate in ranked.gates] == [("USER_RULE", 'your rule "no 1080p" refuses it')]


@given(points=st.lists(st.floats(-0.1, 0.1), max_size=30), others=st.integers(0, 1_000_000))
def test_all_rules_together_are_bounded_and_no_score_falls_below_nothing(points: list[float], others: int) -> None:
    rules = [Rule(f"r{i}", (condition(Subject.TITLE, "."),), value) for i, value in enumerate(points)]

    line = bonus(Candidate("a" * 40, "any", Traits()), rules, others=others)

    assert (line is None) is (not points)
    assert line is None or -min(others, 100_000) <= line.micro_points <= 100_000


def test_custom_formats_are_taken_over(load: Any) -> None:
    refusing = custom_format("LQ", -10000, implementation="ReleaseGroupSpecification", fields={"value": "^(ROCK)$"})
    lines = custom_format("720p", -50, implementation="ResolutionSpecification", fields={"value": 720})
    exported = custom_format("exported", 5, fields=[{"name": "value", "value": "REPACK"}])

    loaded = load(all_json=json.dumps([custom_format(score=500), refusing, lines, exported]))

    assert loaded.refused == ()
    assert [(rule.name, rule.points) for rule in loaded.rules] == [
        ("Web", 0.025),
        ("LQ", None),
        ("720p", -0.0025),
        ("exported", 0.00025),
    ]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (custom_format(fields={"value": "(?<!HD)TV"}), "look-around is not possible in linear time"),
        (custom_format(fields={"value": "x" * 1001}), "1001 characters, at most 1000 are taken"),
        (custom_format(fields={"value": "(((a{100}){100}){100})"}), "not taken by RE2"),
        (custom_format(implementation="LanguageSpecification"), "uses LanguageSpecification; only release titles"),
        (custom_format(score=None), 'it has no score: add "score" beside its name'),
        (custom_format(fields={}), "one of its specifications has no value"),
        (custom_format() | {"specifications": []}, "it has no specifications"),
        ("text", "it is no custom format"),
    ],
)
def test_what_can_not_be_taken_is_told_and_the_rest_is_in_force(load: Any, document: Any, why: str) -> None:
    loaded = load(all_json=json.dumps([document, custom_format("good")]))

    assert [rule.name for rule in loaded.rules] == ["good"]
    assert len(loaded.refused) == 1
    assert why in loaded.refused[0]


@pytest.mark.parametrize(
    "text", ["[[rule]]\npoints = 3", '[[rule]]\npattern = "a"', '[[rule]]\npattern = "a"\npoints = 11', "no toml ["]
)
def test_a_rule_of_ones_own_that_is_not_complete_is_told(load: Any, text: str) -> None:
    loaded = load(mine_toml=text)

    assert (len(loaded.rules), len(loaded.refused)) == (0, 1)


def test_required_and_other_conditions_decide_as_in_custom_formats(make_candidate: Any) -> None:
    web, hevc = condition(Subject.TITLE, "WEB-DL", required=True), condition(Subject.TITLE, "HEVC")
    no_cam = condition(Subject.TITLE, "CAM", negated=True, required=True)
    group = condition(Subject.GROUP, "^NOVA$")

    def matches(*conditions: Any) -> bool:
        return Rule("r", conditions, 0.1).matches(make_candidate())

    assert matches(web, hevc)
    assert matches(web, no_cam)
    assert not matches(hevc)
    assert not matches(web, group)
    assert not matches(web, condition(Subject.TITLE, "1080p", negated=True, required=True))


def test_a_pattern_that_explodes_elsewhere_takes_linear_time(make_candidate: Any) -> None:
    evil = condition(Subject.TITLE, "(a+)+$")

    assert not evil.holds(make_candidate(title="a" * 290 + "!"))


def test_rules_have_a_version_and_none_has_none(load: Any) -> None:
    assert load_rules(None).version == ""
    first = load(mine_toml='[[rule]]\nname = "a"\npattern = "x"\npoints = 1').version
    second = load(mine_toml='[[rule]]\nname = "a"\npattern = "x"\npoints = 2').version

    assert len(first) == 8
    assert first != second


def test_a_pattern_may_not_need_much_memory() -> None:
    with pytest.raises(RefusedRuleError):
        condition(Subject.TITLE, r"\pL{900}\pL{900}\pL{900}")

    assert MOST_POINTS == 0.10

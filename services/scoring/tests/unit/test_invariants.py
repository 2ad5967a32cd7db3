"""What holds for any ranking: bounds, repeatability anywhere, and no dependence on how a title is typed."""

import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.json_format import MessageToJson, Parse
from hypothesis import given
from hypothesis import strategies as st
from vod.scoring.v1 import scoring_pb2

from vod_scoring.domain import Candidate, Codec, Device, Source, Tier, Traits, Wanted
from vod_scoring.policy import Severity, load_policy
from vod_scoring.ranking import rank
from vod_scoring.rules import Rule, Subject, condition

POLICY = load_policy()
WANTED = Wanted(titles=("Häfen & Lichter",), season=1, episode=2, runtime=timedelta(minutes=45))
DEVICE = Device(codecs=frozenset({Codec.H264, Codec.HEVC}), max_height=1080)
RULES = (
    Rule("web", (condition(Subject.TITLE, "WEB"),), 0.1),
    Rule("tide", (condition(Subject.GROUP, "TIDE"),), -0.1),
    Rule("cam", (condition(Subject.TITLE, "CAM"),), None),
)
traits = st.builds(
    Traits,
    titles=st.sampled_from([("Häfen & Lichter",), ("Other",)]),
    seasons=st.just((1,)),
    episodes=st.sampled_from([(2,), (3,)]),
    height=st.sampled_from([0, 480, 720, 1080, 2160]),
    source=st.sampled_from(Source),
    codec=st.sampled_from(Codec),
    group=st.sampled_from(["", "TIDE"]),
)
candidates = st.builds(
    Candidate,
    infohash=st.integers(0, 2**160 - 1).map(lambda number: f"{number:040x}"),
    title=st.sampled_from(["A.WEB", "A.CAM", "A"]),
    traits=traits,
    size_bytes=st.integers(0, 2**36),
    seeders=st.none() | st.integers(0, 5000),
    leechers=st.none() | st.integers(0, 5000),
    held=st.booleans(),
    web_seeded=st.booleans(),
    blocked=st.sampled_from(["", "it stalled"]),
)


@given(st.lists(candidates, max_size=8))
def test_with_rules_too_scores_are_bounded_and_the_sum_of_their_lines(some: list[Candidate]) -> None:
    for ranked in rank(some, wanted=WANTED, device=DEVICE, policy=POLICY, rules=RULES):
        assert 0 <= ranked.score_micro <= 1_100_000
        assert ranked.score_micro == sum(line.micro_points for line in ranked.components)


@given(st.lists(candidates, max_size=8))
def test_a_candidate_is_refused_exactly_when_a_hard_gate_says_so(some: list[Candidate]) -> None:
    for ranked in rank(some, wanted=WANTED, device=DEVICE, policy=POLICY, rules=RULES):
        hard = [gate for gate in ranked.gates if POLICY.gates.severity[gate.code] is Severity.HARD]

        assert (ranked.tier is Tier.REFUSED) is bool(hard)


@given(st.lists(candidates, max_size=8))
def test_ranking_what_is_ranked_changes_nothing(some: list[Candidate]) -> None:
    once = rank(some, wanted=WANTED, device=DEVICE, policy=POLICY, rules=RULES)

    again = rank([one.candidate for one in once], wanted=WANTED, device=DEVICE, policy=POLICY, rules=RULES)

    assert once == again


@given(candidates, st.sampled_from([("NFC", str.upper), ("NFD", str.lower), ("NFKC", str.title), ("NFKD", str)]))
def test_how_a_title_is_typed_does_not_matter(candidate: Candidate, typing: tuple[Any, Callable[[str], str]]) -> None:
    form, case = typing
    titles = tuple(unicodedata.normalize(form, case(title)) for title in WANTED.titles)
    wanted = Wanted(titles=titles, season=1, episode=2, runtime=WANTED.runtime)

    before = rank([candidate], wanted=WANTED, device=DEVICE, policy=POLICY)[0]
    after = rank([candidate], wanted=wanted, device=DEVICE, policy=POLICY)[0]

    codes = [gate.code for gate in before.gates]
    assert (before.tier, before.score_micro, codes) == (after.tier, after.score_micro, [g.code for g in after.gates])


@given(st.integers(0, 5000), st.floats(0, 1), st.text(max_size=20))
def test_candidates_survive_the_trip_through_json(seeders: int, trust: float, title: str) -> None:
    candidate = scoring_pb2.Candidate(infohash="a" * 40, title=title, seeders=seeders, trust=trust)

    assert Parse(MessageToJson(candidate), scoring_pb2.Candidate()) == candidate


_PROGRAM = """
import random
from datetime import timedelta
from vod_scoring.domain import *
from vod_scoring.policy import load_policy
from vod_scoring.ranking import rank
chance = random.Random(7)
some = [
    Candidate(
        infohash=f"{chance.getrandbits(160):040x}",
        title="Harbor.Lights",
        traits=Traits(titles=("Harbor Lights",), seasons=(1,), episodes=(2,), height=chance.choice((480, 720, 1080)),
                      source=chance.choice(list(Source)), codec=chance.choice(list(Codec)), languages=("de", "en")),
        size_bytes=chance.randrange(2**33),
        seeders=chance.randrange(100),
        leechers=chance.randrange(100),
    )
    for _ in range(50)
]
wanted = Wanted(titles=("Harbor Lights",), season=1, episode=2, runtime=timedelta(minutes=45))
device = Device(codecs=frozenset({Codec.H264, Codec.HEVC, Codec.AV1}), audio_languages=("de",))
print(rank(some, wanted=wanted, device=device, policy=load_policy()))
"""


@pytest.fixture(scope="module")
def elsewhere() -> set[bytes]:
    """What two processes print that have another hash seed, another locale and another time zone."""
    others = ({"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "UTC"}, {"PYTHONHASHSEED": "2", "LC_ALL": "tr_TR.UTF-8"})
    return {
        subprocess.run(
            [sys.executable, "-c", _PROGRAM], env={**os.environ, **env}, check=True, capture_output=True
        ).stdout
        for env in others
    }


def test_the_same_input_gives_the_same_bytes_in_any_process(elsewhere: set[bytes]) -> None:
    assert len(elsewhere) == 1
    assert len(elsewhere.pop()) > 10_000

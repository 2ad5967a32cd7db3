"""A wanted episode, a device, and candidates that are right in every respect unless a test says otherwise."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from vod_scoring.domain import Candidate, Codec, Device, Ranked, Source, Traits, Wanted
from vod_scoring.policy import Policy, load_policy
from vod_scoring.ranking import rank

MakeCandidate = Callable[..., Candidate]
ScoreOne = Callable[..., Ranked]


@pytest.fixture(scope="session")
def policy() -> Policy:
    return load_policy()


@pytest.fixture
def wanted() -> Wanted:
    return Wanted(
        titles=("Harbor Lights", "Hafenlichter"),
        year=2024,
        season=1,
        episode=2,
        runtime=timedelta(minutes=45),
        season_episode_count=4,
    )


@pytest.fixture
def device() -> Device:
    return Device(codecs=frozenset({Codec.H264, Codec.HEVC}), max_height=1080)


@pytest.fixture
def make_candidate() -> MakeCandidate:
    """Make a good candidate for the wanted episode; keyword arguments change its fields or its traits'."""

    def make(**changes: Any) -> Candidate:
        traits = Traits(
            titles=("Harbor Lights",),
            seasons=(1,),
            episodes=(2,),
            height=1080,
            source=Source.WEB_DL,
            codec=Codec.H264,
            group="TIDE",
        )
        names = set(Traits.__dataclass_fields__) & set(changes)
        traits = replace(traits, **{name: changes.pop(name) for name in names})
        good = Candidate(
            infohash="a" * 40,
            title="Harbor.Lights.S01E02.1080p.WEB-DL.H264-TIDE",
            traits=traits,
            size_bytes=2_000_000_000,
            seeders=40,
            leechers=4,
            indexer="Breakwater",
            published_at=1_710_000_000,
        )
        return replace(good, **changes)

    return make


@pytest.fixture
def score_one(make_candidate: MakeCandidate, wanted: Wanted, device: Device, policy: Policy) -> ScoreOne:
    """Score the good candidate with changes."""

    def one(**changes: Any) -> Ranked:
        return rank([make_candidate(**changes)], wanted=wanted, device=device, policy=policy)[0]

    return one

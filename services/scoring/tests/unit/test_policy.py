"""The policy file is complete, and a broken one is refused."""

from importlib import resources

import pytest

from vod_scoring.policy import InvalidPolicyError, Policy, parse_policy

TEXT = resources.files("vod_scoring").joinpath("policy.toml").read_text()


def test_the_weights_are_the_owners(policy: Policy) -> None:
    weights = policy.weights

    assert (weights.health, weights.quality, weights.size, weights.consistency) == (0.45, 0.35, 0.15, 0.05)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("health = 0.45", "health = 0.50"),
        ("source = 1.0", "source = 1.5"),
        ("WEBRIP = 0.90", ""),
        ('codec = "AV1"', 'codec = "VHS"'),
        ("lines = [240, 480,", "lines = [480, 240,"),
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(old: str, new: str) -> None:
    with pytest.raises(InvalidPolicyError):
        parse_policy(TEXT.replace(old, new, 1))

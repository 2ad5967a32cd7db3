"""The policy file, read and checked."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from importlib import resources
from typing import Any

from pydantic import TypeAdapter

from vod_scoring.domain import Codec, Source


class Severity(Enum):
    """What failing a gate means."""

    HARD = "hard"
    SOFT = "soft"


@dataclass(frozen=True, slots=True)
class Weights:
    health: float
    quality: float
    size: float
    consistency: float


@dataclass(frozen=True, slots=True)
class Health:
    unknown: float
    leecher_weight: float
    assumed_leechers: float
    mbps_per_seeder: float
    headroom: float
    steepness: float
    web_seeded: float
    memory: timedelta
    trust_of_unknown: float
    left_of_a_lie: float
    gone: float


@dataclass(frozen=True, slots=True)
class QualityShares:
    """How much of the quality is lost where a part is worth nothing, 0 to 1."""

    picture: float
    source: float
    codec: float
    audio: float
    hdr: float


@dataclass(frozen=True, slots=True)
class Picture:
    unknown: float
    lines: tuple[int, ...]
    looks: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CodecValues:
    supported: float
    unknown: float
    unsupported: float


@dataclass(frozen=True, slots=True)
class Audio:
    wanted: float
    multi: float
    unknown: float
    other: float


@dataclass(frozen=True, slots=True)
class Hdr:
    matches: float
    plain: float
    tone_mapped: float


@dataclass(frozen=True, slots=True)
class Quality:
    shares: QualityShares
    picture: Picture
    source: Mapping[str, float]
    codec: CodecValues
    audio: Audio
    hdr: Hdr


@dataclass(frozen=True, slots=True)
class Band:
    """A range of MB (10^6 bytes) per minute."""

    low: float
    high: float

    @property
    def centre(self) -> float:
        """The geometric middle."""
        return float((self.low * self.high) ** 0.5)


@dataclass(frozen=True, slots=True)
class EncodeBand:
    lines: int
    codec: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FilmSize:
    """Films: the more bits, the better, up to `full_mbps`; the least of a plausible one is `floor` of the value."""

    floor: float
    full_mbps: float


@dataclass(frozen=True, slots=True)
class Size:
    unknown: float
    below: float
    above: float
    implausible: float
    bands: tuple[EncodeBand, ...]
    remux: Mapping[int, Band]
    mpeg4: Band
    film: FilmSize


@dataclass(frozen=True, slots=True)
class Consistency:
    same_pack: float
    same_group: float
    unknown: float
    other_group: float


@dataclass(frozen=True, slots=True)
class Gates:
    min_seeders: int
    year_tolerance: int
    bitrate_tolerance: float
    severity: Mapping[str, Severity]


@dataclass(frozen=True, slots=True)
class Tiers:
    unverified_without: frozenset[str]


@dataclass(frozen=True, slots=True)
class Policy:
    """All numbers that a ranking depends on; the file explains each of them."""

    version: str
    weights: Weights
    health: Health
    quality: Quality
    size: Size
    consistency: Consistency
    gates: Gates
    tiers: Tiers


class InvalidPolicyError(ValueError):
    """The policy file contradicts itself."""


_POLICY = TypeAdapter(Policy)


def load_policy() -> Policy:
    """Read the policy that comes with this package."""
    return parse_policy(resources.files("vod_scoring").joinpath("policy.toml").read_text())


def parse_policy(text: str) -> Policy:
    """Read a policy from TOML.

    Raises:
        InvalidPolicyError: weights do not add up to 1, a share is none, or a source, a codec or a step is not covered.
        ValidationError: a number is missing or no number.
    """
    policy = _POLICY.validate_python(tomllib.loads(text))
    if abs((total := sum(_values(policy.weights))) - 1) > 1e-9:
        raise InvalidPolicyError(f"weights add up to {total}, not to 1")
    if not all(0 <= share <= 1 for share in _values(policy.quality.shares)):
        raise InvalidPolicyError("quality.shares are parts of 1")
    if set(policy.quality.source) != {source.name for source in Source}:
        raise InvalidPolicyError("quality.source does not name every source once")
    if any(band.codec not in Codec.__members__ for band in policy.size.bands):
        raise InvalidPolicyError("size.bands names an unknown codec")
    picture = policy.quality.picture
    if len(picture.lines) != len(picture.looks) or list(picture.lines) != sorted(set(picture.lines)):
        raise InvalidPolicyError("quality.picture needs ascending lines, each with its look")
    return policy


def _values(weights: Any) -> list[float]:
    return [getattr(weights, name) for name in weights.__dataclass_fields__]

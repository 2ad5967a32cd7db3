"""The gRPC face of scoring."""

from datetime import date, timedelta
from typing import Any

from grpc import aio
from prometheus_client import CollectorRegistry, Histogram
from vod.scoring.v1 import scoring_pb2, scoring_service_pb2, scoring_service_pb2_grpc

from vod_runtime import Clock
from vod_scoring.differences import Line, Placed, differences, summary
from vod_scoring.domain import Candidate, Codec, Component, Device, Observation, Ranked, Source, Tier, Traits, Wanted
from vod_scoring.errors import InvalidRanking
from vod_scoring.policy import Policy
from vod_scoring.ranking import rank
from vod_scoring.rules_file import Rules

MOST_CANDIDATES = 2000
_Context = aio.ServicerContext[Any, Any]
_SOURCES = {scoring_pb2.Source.Value(f"SOURCE_{source.name}"): source for source in Source}
_CODECS = {scoring_pb2.Codec.Value(f"CODEC_{codec.name}"): codec for codec in Codec}
_NUMBERED_TIERS = {scoring_pb2.Tier.Value(f"TIER_{tier.name}"): tier for tier in Tier}
_TIERS = {tier: scoring_pb2.Tier.Value(f"TIER_{tier.name}") for tier in Tier}


class ScoringServicer(scoring_service_pb2_grpc.ScoringServiceServicer):
    """vod.scoring.v1.ScoringService."""

    def __init__(self, policy: Policy, rules: Rules, *, metrics: CollectorRegistry, clock: Clock) -> None:
        self._policy = policy
        self._rules = rules.rules
        self._version = f"{policy.version}+{rules.version}" if rules.version else policy.version
        self._clock = clock
        self._latency = Histogram(
            "score_latency_ms",
            "Time to rank the candidates of one request, in milliseconds",
            registry=metrics,
            buckets=(0.5, 1, 2, 5, 10, 25, 50, 100, 250, 1000),
        )

    async def RankReleases(
        self, request: scoring_service_pb2.RankReleasesRequest, context: _Context
    ) -> scoring_service_pb2.RankReleasesResponse:
        started = self._clock.monotonic()
        wanted, device = _wanted(request.wanted), _device(request)
        if len(request.candidates) > MOST_CANDIDATES:
            raise InvalidRanking(f"At most {MOST_CANDIDATES} candidates can be ranked at once.")
        candidates = [_candidate(one) for one in request.candidates]
        ranked = rank(candidates, wanted=wanted, device=device, policy=self._policy, rules=self._rules)
        response = scoring_service_pb2.RankReleasesResponse(
            ranked=[_ranked(one) for one in ranked], policy_version=self._version
        )
        self._latency.observe((self._clock.monotonic() - started) * 1000)
        return response

    async def DiffReleases(
        self, request: scoring_service_pb2.DiffReleasesRequest, context: _Context
    ) -> scoring_service_pb2.DiffReleasesResponse:
        first, second = _placed(request.first), _placed(request.second)
        return scoring_service_pb2.DiffReleasesResponse(
            summary=summary(first, second),
            differences=[
                scoring_service_pb2.Difference(name=one.name, micro_points=one.micro_points, reason=one.reason)
                for one in differences(first, second)
            ],
        )


def _placed(release: scoring_service_pb2.PlacedRelease) -> Placed:
    candidate, ranked = release.candidate, release.ranked
    return Placed(
        title=candidate.title,
        tier=_NUMBERED_TIERS.get(ranked.tier, Tier.UNVERIFIED),
        score_micro=ranked.score_micro,
        lines={one.name: Line(one.micro_points, one.reason) for one in ranked.components},
        gates=[gate.reason for gate in ranked.gates],
        unknowns=list(ranked.unknowns),
        version=candidate.traits.version or 1,
        seeders=max(0, candidate.seeders),
    )


def _wanted(wanted: scoring_pb2.Wanted) -> Wanted:
    titles = tuple(title for title in wanted.titles if title.strip())
    if not titles:
        raise InvalidRanking("wanted.titles has no title.")
    return Wanted(
        titles=titles,
        year=wanted.year,
        movie=wanted.movie,
        season=wanted.season,
        episode=wanted.episode,
        absolute=wanted.absolute,
        runtime=wanted.runtime.ToTimedelta(),
        season_episode_count=wanted.season_episode_count,
        previous_group=wanted.previous_group,
        air_date=_date(wanted.air_date),
        previous_infohash=wanted.previous_infohash,
    )


def _device(request: scoring_service_pb2.RankReleasesRequest) -> Device:
    if not request.HasField("device"):
        raise InvalidRanking("device is missing.")
    device = request.device
    codecs = ((Codec.H264, device.h264), (Codec.HEVC, device.hevc), (Codec.AV1, device.av1))
    return Device(
        codecs=frozenset(codec for codec, is_decoded in codecs if is_decoded),
        hi10p=device.hi10p,
        hdr=device.hdr,
        dolby_vision=device.dolby_vision,
        max_height=device.max_height,
        max_bitrate=device.max_bitrate,
        audio_languages=tuple(device.audio_languages),
    )


def _candidate(one: scoring_pb2.Candidate) -> Candidate:
    return Candidate(
        infohash=one.infohash,
        title=one.title,
        traits=_traits(one.traits),
        size_bytes=max(0, one.size_bytes),
        seeders=max(0, one.seeders) if one.HasField("seeders") else None,
        leechers=max(0, one.leechers) if one.HasField("leechers") else None,
        indexer=one.indexer,
        published_at=one.published_at,
        trust=min(1.0, max(0.0, one.trust)) if one.HasField("trust") else None,
        observed=_observation(one.observed) if one.HasField("observed") else None,
        held=one.held,
        web_seeded=one.web_seeded,
        blocked=one.blocked,
    )


def _observation(seen: scoring_pb2.Observation) -> Observation:
    age = max(timedelta(0), seen.age.ToTimedelta())
    return Observation(peers=max(0, seen.peers), bytes_per_second=max(0, seen.bytes_per_second), age=age)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidRanking("air_date is an ISO 8601 date.") from None


def _traits(traits: scoring_pb2.ReleaseTraits) -> Traits:
    return Traits(
        titles=tuple(traits.titles),
        year=traits.year,
        seasons=tuple(traits.seasons),
        episodes=tuple(traits.episodes),
        absolutes=tuple(traits.absolutes),
        season_pack=traits.season_pack,
        height=max(0, traits.height),
        source=_SOURCES.get(traits.source, Source.UNSPECIFIED),
        codec=_CODECS.get(traits.codec, Codec.UNSPECIFIED),
        hi10p=traits.hi10p,
        hdr=traits.hdr,
        dolby_vision=traits.dolby_vision,
        dolby_vision_fallback=traits.dolby_vision_fallback,
        languages=tuple(traits.languages),
        multi_audio=traits.multi_audio,
        group=traits.group,
        version=traits.version or 1,
        extra=traits.extra,
        air_date=_date(traits.air_date),
    )


def _ranked(ranked: Ranked) -> scoring_pb2.RankedCandidate:
    return scoring_pb2.RankedCandidate(
        infohash=ranked.candidate.infohash,
        tier=_TIERS[ranked.tier],
        score_micro=ranked.score_micro,
        components=[_component(component) for component in ranked.components],
        gates=[scoring_pb2.GateFailure(code=gate.code, reason=gate.reason) for gate in ranked.gates],
        unknowns=ranked.unknowns,
    )


def _component(component: Component) -> scoring_pb2.Component:
    return scoring_pb2.Component(
        name=component.name,
        value=component.value,
        weight=component.weight,
        micro_points=component.micro_points,
        reason=component.reason,
    )

"""What was seen counts more than what is claimed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vod_scoring.domain import Candidate, Codec, Device, Observation, Ranked, Tier, Traits, Wanted
from vod_scoring.policy import Policy, load_policy
from vod_scoring.ranking import rank

ScoreOne = Callable[..., Ranked]
TRAITS = Traits(titles=("Harbor Lights",), seasons=(1,), episodes=(2,), height=1080)


def health(ranked: Ranked) -> float:
    return next(one.value for one in ranked.components if one.name == "health")


def alone(candidate: Candidate) -> float:
    """Health of a candidate for the episode that TRAITS are of."""
    wanted = Wanted(titles=("Harbor Lights",), season=1, episode=2, runtime=timedelta(minutes=45))
    device = Device(codecs=frozenset({Codec.H264}))
    return health(rank([candidate], wanted=wanted, device=device, policy=load_policy())[0])


def seen(megabits: float, *, hours: float = 0.0) -> Observation:
    return Observation(peers=3, bytes_per_second=round(megabits * 125_000), age=timedelta(hours=hours))


def test_data_that_is_here_is_full_health_whatever_is_claimed(score_one: ScoreOne) -> None:
    ranked = score_one(held=True, seeders=0)

    assert (health(ranked), ranked.tier) == (1.0, Tier.OK)


def test_a_measured_rate_outweighs_many_claimed_seeders(score_one: ScoreOne) -> None:
    liar = score_one(seeders=900, leechers=0, observed=seen(0.0))
    honest = score_one(seeders=5, leechers=0, observed=seen(40.0))

    assert health(liar) < 0.01
    assert health(honest) > 0.85


def test_a_swarm_that_gave_enough_is_not_dead_because_an_indexer_says_so(score_one: ScoreOne) -> None:
    assert score_one(seeders=0, observed=seen(40.0)).gates == []
    assert [gate.code for gate in score_one(seeders=0, observed=seen(40.0, hours=7)).gates] == ["DEAD_SWARM"]


@given(first=st.floats(0, 6), further=st.floats(0, 6))
def test_memory_fades_towards_what_is_claimed(first: float, further: float) -> None:
    def at(hours: float) -> float:
        one = Candidate("a" * 40, "x", traits=TRAITS, size_bytes=2_000_000_000, seeders=40, leechers=4)
        return alone(replace(one, observed=seen(0.0, hours=hours)))

    assert at(first) <= at(first + further) + 1e-9


@given(trust=st.floats(0, 1), more=st.floats(0, 1))
def test_more_trust_never_lowers_health(trust: float, more: float) -> None:
    def with_trust(value: float) -> float:
        one = Candidate("a" * 40, "x", traits=TRAITS, seeders=40, leechers=4, trust=value)
        return alone(one)

    assert with_trust(trust) <= with_trust(min(1.0, trust + more))


def test_an_indexer_that_often_lied_is_named_in_the_reason(score_one: ScoreOne) -> None:
    ranked = score_one(trust=0.3)

    assert ranked.components[0].reason.endswith("Breakwater often claims too many")
    assert health(ranked) < 0.65 * health(score_one())


def test_seeders_do_not_decide_where_web_seeds_serve_it(score_one: ScoreOne) -> None:
    ranked = score_one(seeders=None, leechers=None, web_seeded=True)

    assert (round(health(ranked), 2), ranked.tier) == (0.85, Tier.OK)


def test_what_failed_before_is_refused_with_its_reason(score_one: ScoreOne) -> None:
    ranked = score_one(blocked="it stalled twice on 3 May")

    assert [(gate.code, gate.reason) for gate in ranked.gates] == [("BLOCKLISTED", "it stalled twice on 3 May")]
    assert ranked.tier is Tier.REFUSED


def test_daily_shows_are_compared_by_date(
    make_candidate: Callable[..., Candidate], wanted: Wanted, device: Device, policy: Policy
) -> None:
    daily = make_candidate(seasons=(), episodes=(), air_date=date(2024, 1, 31))

    def codes(aired: date | None) -> list[str]:
        ranked = rank([daily], wanted=replace(wanted, air_date=aired), device=device, policy=policy)[0]
        return [gate.code for gate in ranked.gates]

    assert [codes(date(2024, 1, 31)), codes(date(2024, 2, 1)), codes(None)] == [
        [],
        ["WRONG_EPISODE"],
        ["AMBIGUOUS_NUMBERING"],
    ]


def test_the_pack_that_the_episode_before_is_in_is_preferred(
    make_candidate: Callable[..., Candidate], wanted: Wanted, device: Device, policy: Policy
) -> None:
    pack, other = make_candidate(infohash="b" * 40), make_candidate(infohash="a" * 40)

    ranked = rank([other, pack], wanted=replace(wanted, previous_infohash="b" * 40), device=device, policy=policy)

    assert [one.candidate.infohash[0] for one in ranked] == ["b", "a"]

"""The order and the values, as properties that hold for any candidates."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vod_scoring.components import health
from vod_scoring.domain import Candidate, Codec, Device, Ranked, Source, Tier, Traits, Wanted
from vod_scoring.policy import load_policy
from vod_scoring.ranking import rank
from vod_scoring.sizes import file_size

POLICY = load_policy()
WANTED = Wanted(
    titles=("Harbor Lights",),
    year=2024,
    season=1,
    episode=2,
    absolute=2,
    runtime=timedelta(minutes=40),
    season_episode_count=8,
    previous_group="TIDE",
)
DEVICE = Device(
    codecs=frozenset({Codec.H264, Codec.HEVC}), max_height=1080, max_bitrate=20_000_000, audio_languages=("en", "de")
)
numbers = st.lists(st.integers(1, 4), max_size=2, unique=True).map(tuple)
traits = st.builds(
    Traits,
    titles=st.sampled_from([("Harbor Lights",), ("harbor lights us",), ("Harbor Light",), ()]),
    year=st.sampled_from([0, 2023, 2024, 2011]),
    seasons=numbers,
    episodes=numbers,
    absolutes=numbers,
    season_pack=st.booleans(),
    height=st.sampled_from([0, 240, 480, 576, 720, 1080, 2160, 4320]),
    source=st.sampled_from(Source),
    codec=st.sampled_from(Codec),
    hi10p=st.booleans(),
    hdr=st.booleans(),
    dolby_vision=st.booleans(),
    dolby_vision_fallback=st.booleans(),
    languages=st.lists(st.sampled_from(["en", "de", "fr"]), max_size=2, unique=True).map(tuple),
    multi_audio=st.booleans(),
    group=st.sampled_from(["", "TIDE", "NOVA"]),
    version=st.integers(1, 3),
    extra=st.booleans(),
)
candidates = st.builds(
    Candidate,
    infohash=st.integers(0, 2**160 - 1).map(lambda number: f"{number:040x}"),
    title=st.text(max_size=30),
    traits=traits,
    size_bytes=st.integers(0, 2**40),
    seeders=st.none() | st.integers(0, 1_000_000),
    leechers=st.none() | st.integers(0, 1_000_000),
    indexer=st.sampled_from(["", "Breakwater"]),
    published_at=st.integers(0, 2_000_000_000),
)
GOOD = Candidate(
    infohash="a" * 40,
    title="Harbor.Lights.S01E02.1080p.WEB-DL.H264-TIDE",
    traits=Traits(
        titles=("Harbor Lights",),
        seasons=(1,),
        episodes=(2,),
        height=1080,
        source=Source.WEB_DL,
        codec=Codec.H264,
        languages=("en",),
        group="TIDE",
    ),
    size_bytes=2_000_000_000,
    seeders=40,
    leechers=4,
)


def scored(candidate: Candidate, device: Device = DEVICE) -> Ranked:
    return rank([candidate], wanted=WANTED, device=device, policy=POLICY)[0]


def health_of(candidate: Candidate) -> float:
    return health(candidate, file_size(candidate, WANTED, POLICY), POLICY).value


def micro(candidate: Candidate) -> int:
    return scored(candidate).score_micro


@given(st.lists(candidates, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_the_input_does_not_matter(some: list[Candidate], chance: random.Random) -> None:
    shuffled = chance.sample(some, len(some))

    assert rank(shuffled, wanted=WANTED, device=DEVICE, policy=POLICY) == rank(
        some, wanted=WANTED, device=DEVICE, policy=POLICY
    )


@given(st.lists(candidates, max_size=8), candidates)
def test_another_candidate_changes_neither_scores_nor_order(some: list[Candidate], another: Candidate) -> None:
    before = rank(some, wanted=WANTED, device=DEVICE, policy=POLICY)
    after = rank([*some, another], wanted=WANTED, device=DEVICE, policy=POLICY)
    after.remove(scored(another))

    assert after == before


@given(st.lists(candidates, max_size=12))
def test_tiers_never_mix(some: list[Candidate]) -> None:
    tiers = [ranked.tier for ranked in rank(some, wanted=WANTED, device=DEVICE, policy=POLICY)]

    assert tiers == sorted(tiers)


@given(candidates)
def test_a_score_is_the_sum_of_its_lines_and_at_most_one(candidate: Candidate) -> None:
    ranked = scored(candidate)
    values = [component.value for component in ranked.components]

    assert ranked.score_micro == sum(component.micro_points for component in ranked.components)
    assert [value for value in values if not 0 <= value <= 1] == []
    assert 0 <= ranked.score_micro <= 1_000_000


@given(candidates)
def test_what_is_refused_or_a_last_resort_has_a_reason(candidate: Candidate) -> None:
    ranked = scored(candidate)

    assert (ranked.tier >= Tier.LAST_RESORT) == bool(ranked.gates)


@given(candidates, st.integers(0, 1000))
def test_more_seeders_never_lower_health(candidate: Candidate, more: int) -> None:
    few = replace(candidate, seeders=candidate.seeders or 0)

    assert health_of(few) <= health_of(replace(few, seeders=(few.seeders or 0) + more))


@given(candidates, st.integers(0, 1000))
def test_more_leechers_never_raise_health(candidate: Candidate, more: int) -> None:
    few = replace(candidate, leechers=candidate.leechers or 0)

    assert health_of(few) >= health_of(replace(few, leechers=(few.leechers or 0) + more))


@given(candidates, st.integers(0, 2**40))
def test_a_larger_file_never_has_better_health(candidate: Candidate, more: int) -> None:
    sized = replace(candidate, size_bytes=max(1, candidate.size_bytes))

    assert health_of(sized) >= health_of(replace(sized, size_bytes=sized.size_bytes + more))


@given(st.integers(600, 100_000))
def test_twice_as_many_seeders_as_enough_change_next_to_nothing(seeders: int) -> None:
    enough = replace(GOOD, seeders=seeders, leechers=0)

    assert micro(replace(enough, seeders=2 * seeders)) - micro(enough) < 10_000


@given(candidates)
def test_unknown_seeders_lie_between_the_best_and_the_worst(candidate: Candidate) -> None:
    worst, best = replace(candidate, seeders=0), replace(candidate, seeders=1_000_000, leechers=0)

    assert health_of(worst) <= health_of(replace(candidate, seeders=None)) <= health_of(best)


@given(candidates, st.sampled_from([0, 720, 1080, 2160]), st.sampled_from([0, 5_000_000, 50_000_000]))
def test_a_more_able_device_refuses_no_more(candidate: Candidate, height: int, bitrate: int) -> None:
    device = replace(DEVICE, max_height=height, max_bitrate=bitrate)
    able = Device(codecs=frozenset(Codec), hi10p=True, hdr=True, dolby_vision=True)

    assert scored(candidate, able).tier <= scored(candidate, device).tier


@given(candidates, st.integers(0, 1_000_000))
def test_gates_about_the_content_do_not_depend_on_the_swarm(candidate: Candidate, seeders: int) -> None:
    def refusals(one: Candidate) -> list[str]:
        gates = scored(one).gates
        return [gate.code for gate in gates if gate.code != "DEAD_SWARM"]

    assert refusals(candidate) == refusals(replace(candidate, seeders=seeders))


@settings(max_examples=50)
@given(st.floats(0.5, 400), st.floats(0, 1))
def test_a_size_nearer_to_the_usual_is_never_rated_lower(mb_per_minute: float, step: float) -> None:
    def sanity(per_minute: float) -> float:
        sized = replace(GOOD, size_bytes=round(per_minute * 40 * 1_000_000))
        ranked = scored(sized)
        return next(component.value for component in ranked.components if component.name == "size")

    usual = min(max(mb_per_minute, 22.0), 90.0)

    assert sanity(mb_per_minute) <= sanity(mb_per_minute + step * (usual - mb_per_minute)) + 1e-6


FILM = Wanted(titles=("The Glass Orchard",), year=2023, movie=True, season=1, episode=1, runtime=timedelta(minutes=100))


def film(
    name: str, mbps: float, *, source: Source = Source.WEB_DL, height: int = 1080, seeders: int = 500
) -> Candidate:
    traits = Traits(titles=("The Glass Orchard",), year=2023, height=height, source=source, codec=Codec.H264)
    size = round(mbps * 1_000_000 / 8 * FILM.runtime.total_seconds())
    return replace(GOOD, infohash=name * 40, title=name, traits=traits, size_bytes=size, seeders=seeders)


def test_films_with_more_bits_come_first_as_far_as_device_and_link_carry_them() -> None:
    found = [film("a", 6), film("b", 11), film("c", 28, source=Source.REMUX), film("d", 3, height=720)]

    def order(max_bitrate: int) -> list[str]:
        device = replace(DEVICE, max_bitrate=max_bitrate, audio_languages=())
        return [one.candidate.title for one in rank(found, wanted=FILM, device=device, policy=POLICY)]

    assert order(0) == ["c", "b", "a", "d"]
    assert order(12_000_000) == ["b", "a", "d", "c"]
    assert order(8_000_000)[:2] == ["a", "d"]


def test_of_films_with_few_seeders_the_one_that_they_can_carry_is_first() -> None:
    large, small = film("c", 28, seeders=30), film("b", 11, seeders=30)

    ranked = rank([large, small], wanted=FILM, device=DEVICE, policy=POLICY)

    assert [one.candidate.title for one in ranked] == ["b", "c"]


def test_a_number_that_may_be_a_lie_still_tells_a_crowd_from_a_few() -> None:
    def doubted(seeders: int) -> float:
        return health_of(replace(GOOD, seeders=seeders, leechers=0, trust=0.5))

    assert doubted(2000) > 0.9
    assert doubted(20) < 0.65


def test_what_one_part_of_the_quality_spoils_no_other_mends() -> None:
    def quality(height: int, source: Source) -> float:
        ranked = scored(replace(GOOD, traits=replace(GOOD.traits, height=height, source=source)))
        return next(one.value for one in ranked.components if one.name == "quality")

    lost_at = {height: quality(height, Source.WEB_DL) - quality(height, Source.HDTV) for height in (480, 1080)}

    assert lost_at[1080] == pytest.approx(0.25 * quality(1080, Source.WEB_DL))
    assert lost_at[480] == pytest.approx(0.25 * quality(480, Source.WEB_DL))


def test_missing_seeders_rank_behind_known_ones_and_are_named() -> None:
    unknown = replace(GOOD, infohash="b" * 40, seeders=None, leechers=None)

    best, second = rank([unknown, replace(GOOD, seeders=5)], wanted=WANTED, device=DEVICE, policy=POLICY)

    assert (best.tier, second.tier, second.unknowns) == (Tier.OK, Tier.UNVERIFIED, ["seeders"])


@pytest.mark.parametrize(
    ("better", "worse"),
    [((200, 7), (4, 3)), ((44, 4), (40, 4)), ((40, 4), (40, 400))],
)
def test_the_healthier_of_two_equal_releases_is_first(better: tuple[int, int], worse: tuple[int, int]) -> None:
    first = replace(GOOD, infohash="f" * 40, seeders=better[0], leechers=better[1])
    second = replace(GOOD, infohash="0" * 40, seeders=worse[0], leechers=worse[1])

    ranked = rank([second, first], wanted=WANTED, device=DEVICE, policy=POLICY)

    assert [one.candidate for one in ranked] == [first, second]


def test_a_reissue_goes_before_the_first_issue_of_the_same_score() -> None:
    first, reissue = GOOD, replace(GOOD, infohash="b" * 40, traits=replace(GOOD.traits, version=2))

    ranked = rank([first, reissue], wanted=WANTED, device=DEVICE, policy=POLICY)

    assert [one.candidate.infohash for one in ranked] == ["b" * 40, "a" * 40]


def test_the_group_of_the_episode_before_is_preferred() -> None:
    same, other = GOOD, replace(GOOD, infohash="0" * 40, traits=replace(GOOD.traits, group="NOVA"))

    ranked = rank([other, same], wanted=WANTED, device=DEVICE, policy=POLICY)

    assert [one.candidate.traits.group for one in ranked] == ["TIDE", "NOVA"]


def test_reasons_are_for_people() -> None:
    ranked = scored(GOOD)

    assert [(component.name, component.reason) for component in ranked.components] == [
        ("health", "40 seeders and 4 leechers for 6.7 Mbit/s"),
        ("quality", "1080p, WEB-DL, H.264, audio in en"),
        ("size", "50.0 MB per minute, 22 to 90 are usual"),
        ("consistency", "TIDE, like the episode before"),
    ]


def test_of_a_season_pack_one_file_is_measured() -> None:
    pack = replace(
        GOOD, size_bytes=16_000_000_000, traits=replace(GOOD.traits, episodes=(), season_pack=True, seasons=(1,))
    )

    assert file_size(pack, WANTED, POLICY).mb_per_minute == 50.0

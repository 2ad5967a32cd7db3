"""What is refused, what is a last resort, and why."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from vod_scoring.domain import Candidate, Codec, Device, Ranked, Source, Tier, Wanted
from vod_scoring.policy import Policy
from vod_scoring.ranking import rank

ScoreOne = Callable[..., Ranked]
MakeCandidate = Callable[..., Candidate]


def codes(ranked: Ranked) -> list[str]:
    return [gate.code for gate in ranked.gates]


def test_a_good_candidate_passes_every_gate(score_one: ScoreOne) -> None:
    ranked = score_one()

    assert (ranked.tier, codes(ranked), ranked.unknowns) == (Tier.OK, [], [])


@pytest.mark.parametrize(
    ("changes", "code", "tier"),
    [
        ({"titles": ("Harbor Light",)}, "TITLE_MISMATCH", Tier.REFUSED),
        ({"titles": ()}, "TITLE_MISMATCH", Tier.REFUSED),
        ({"year": 2011}, "YEAR_MISMATCH", Tier.REFUSED),
        ({"seasons": (2,)}, "WRONG_SEASON", Tier.REFUSED),
        ({"episodes": (3,)}, "WRONG_EPISODE", Tier.REFUSED),
        ({"seasons": (), "episodes": ()}, "AMBIGUOUS_NUMBERING", Tier.REFUSED),
        ({"extra": True}, "SAMPLE_OR_EXTRA", Tier.REFUSED),
        ({"title": "Harbor.Lights.S01E02.mkv.lnk"}, "DANGEROUS_FILES", Tier.REFUSED),
        ({"source": Source.CAM}, "BAD_SOURCE", Tier.REFUSED),
        ({"source": Source.TELESYNC}, "BAD_SOURCE", Tier.REFUSED),
        ({"codec": Codec.AV1}, "CODEC_UNSUPPORTED", Tier.REFUSED),
        ({"codec": Codec.MPEG4, "size_bytes": 400_000_000}, "CODEC_UNSUPPORTED", Tier.REFUSED),
        ({"hi10p": True}, "HI10P_UNSUPPORTED", Tier.REFUSED),
        ({"dolby_vision": True, "hdr": True}, "DV_NO_FALLBACK", Tier.REFUSED),
        ({"size_bytes": 3_000_000}, "SIZE_IMPLAUSIBLE", Tier.REFUSED),
        ({"size_bytes": 60_000_000_000}, "SIZE_IMPLAUSIBLE", Tier.REFUSED),
        ({"height": 2160, "codec": Codec.HEVC, "size_bytes": 4_000_000_000}, "RESOLUTION_ABOVE_CAP", Tier.LAST_RESORT),
        ({"seeders": 0}, "DEAD_SWARM", Tier.LAST_RESORT),
        ({"seeders": 2}, "DEAD_SWARM", Tier.LAST_RESORT),
    ],
)
def test_one_fault_fails_one_gate(score_one: ScoreOne, changes: dict[str, Any], code: str, tier: Tier) -> None:
    ranked = score_one(**changes)

    assert (codes(ranked), ranked.tier) == ([code], tier)


@pytest.mark.parametrize(
    "changes",
    [
        {"titles": ("harbor lights",)},
        {"titles": ("HAFENLICHTER",)},
        {"titles": ("Harbor Lights US",)},
        {"titles": ("Something Else", "Harbor Lights")},
        {"year": 2025},
        {"episodes": (1, 2)},
        {"episodes": (), "season_pack": True, "size_bytes": 8_000_000_000},
        {"episodes": (), "season_pack": True, "seasons": (1, 2), "size_bytes": 16_000_000_000},
        {"episodes": (), "seasons": (), "absolutes": (2,)},
        {"dolby_vision": True, "hdr": True, "dolby_vision_fallback": True},
        {"codec": Codec.UNSPECIFIED},
    ],
)
def test_what_is_right_in_another_way_passes(score_one: ScoreOne, changes: dict[str, Any]) -> None:
    assert codes(score_one(**changes)) == []


def test_all_failed_gates_are_reported_with_numbers(score_one: ScoreOne) -> None:
    ranked = score_one(titles=("Harbor Light",), source=Source.CAM, seeders=1, seasons=(3,))

    assert [(gate.code, gate.reason) for gate in ranked.gates] == [
        ("TITLE_MISMATCH", 'the name says "Harbor Light", wanted is "Harbor Lights" or its alias "Hafenlichter"'),
        ("WRONG_SEASON", "the name says S03E02, wanted is S01E02"),
        ("BAD_SOURCE", "the source is bad: filmed in a cinema"),
        ("DEAD_SWARM", "only 1 of 3 seeders reported by Breakwater"),
    ]


def test_a_bitrate_above_the_device_is_a_last_resort(
    make_candidate: MakeCandidate, wanted: Wanted, device: Device, policy: Policy
) -> None:
    slow = replace(device, max_bitrate=4_000_000)

    ranked = rank([make_candidate()], wanted=wanted, device=slow, policy=policy)[0]

    assert [(gate.code, gate.reason) for gate in ranked.gates] == [
        ("BITRATE_ABOVE_DEVICE", "5.9 Mbit/s, the device takes 4.0")
    ]
    assert ranked.tier == Tier.LAST_RESORT


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ({"absolutes": (5,), "seasons": (), "episodes": ()}, []),
        ({"absolutes": (1, 2, 3, 4, 5, 6), "seasons": (), "episodes": ()}, []),
        ({"seasons": (2,), "episodes": (2,)}, []),
        ({"seasons": (2,), "episodes": (2,), "absolutes": (5,)}, []),
        ({"seasons": (), "episodes": (5,)}, []),
        # number 2 is the second episode of all, or the second of the second season
        ({"absolutes": (2,), "seasons": (), "episodes": ()}, ["AMBIGUOUS_NUMBERING"]),
        ({"seasons": (2,), "episodes": (2,), "absolutes": (6,)}, ["AMBIGUOUS_NUMBERING"]),
        ({"absolutes": (4,), "seasons": (), "episodes": ()}, ["WRONG_EPISODE"]),
        (
            {"absolutes": (5,), "seasons": (), "episodes": (), "titles": ("Lantern Sea Final Season",)},
            ["AMBIGUOUS_NUMBERING"],
        ),
    ],
)
def test_running_numbers_are_compared_with_the_running_number(
    make_candidate: MakeCandidate, device: Device, policy: Policy, numbers: dict[str, Any], expected: list[str]
) -> None:
    wanted = Wanted(titles=("Lantern Sea",), season=2, episode=2, absolute=5)
    candidate = make_candidate(**{"titles": ("Lantern Sea",), **numbers})

    ranked = rank([candidate], wanted=wanted, device=device, policy=policy)[0]

    assert codes(ranked) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"year": 2023}, []),
        ({"year": 2022}, []),
        ({"year": 0}, []),
        ({"year": 1999}, ["YEAR_MISMATCH"]),
        ({"seasons": (1,), "episodes": (1,)}, ["WRONG_EPISODE"]),
        ({"titles": ("The Glass Orchard Part 2",)}, ["TITLE_MISMATCH"]),
    ],
)
def test_a_film_has_a_year_and_no_numbers(
    make_candidate: MakeCandidate, device: Device, policy: Policy, changes: dict[str, Any], expected: list[str]
) -> None:
    wanted = Wanted(titles=("The Glass Orchard",), year=2023, movie=True, season=1, episode=1)
    candidate = make_candidate(**{"titles": ("Glass Orchard",), "seasons": (), "episodes": (), **changes})

    ranked = rank([candidate], wanted=wanted, device=device, policy=policy)[0]

    assert codes(ranked) == expected


def test_small_files_of_a_minute_are_plausible(
    make_candidate: MakeCandidate, wanted: Wanted, device: Device, policy: Policy
) -> None:
    short = replace(wanted, runtime=timedelta(minutes=1))

    refused = [
        size
        for size in (4_400_000, 8_000_000, 12_000_000, 40_000_000)
        if rank([make_candidate(size_bytes=size)], wanted=short, device=device, policy=policy)[0].gates
    ]

    assert refused == []


@pytest.mark.parametrize("changes", [{"size_bytes": 0}, {"season_pack": True, "episodes": (), "seasons": ()}])
def test_a_size_per_minute_that_is_not_known_is_neutral(score_one: ScoreOne, changes: dict[str, Any]) -> None:
    ranked = score_one(**changes)

    assert [component.value for component in ranked.components if component.name == "size"] == [0.5]
    assert codes(ranked) == []


def test_a_site_behind_a_name_is_no_program(score_one: ScoreOne) -> None:
    assert score_one(title="Harbor.Lights.S01E02.1080p.WEB-DL.H264-TIDE - www.Site.com").gates == []

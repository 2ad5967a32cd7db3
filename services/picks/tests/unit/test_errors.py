"""What a failure tells about the candidates that were refused."""

import json

from vod_picks.domain import EpisodeKey, Reason, Refusal, Release
from vod_picks.errors import NoPlayableRelease

KEY = EpisodeKey("tmdb:tv:9001", 1, 3)


def refusal(number: int, *, title: str = "Harbor.Lights.S01E03.1080p.CAM.x264-ROCK", reason: str = "a CAM") -> Refusal:
    release = Release(
        infohash=f"{number:040x}",
        title=title,
        magnet_uri="magnet:?xt=x",
        group="",
        resolution="",
        codec="",
        announced={},
    )
    return Refusal(release, (Reason("BAD_SOURCE", reason), Reason("DEAD_SWARM", "no seeder")))


def test_each_refused_candidate_is_listed_with_its_reasons() -> None:
    failure = NoPlayableRelease(KEY, refused=[refusal(1)], unavailable=[("nova-indexer", "timed out after 4 s")])

    assert json.loads(failure.metadata["refused"]) == [
        {
            "title": "Harbor.Lights.S01E03.1080p.CAM.x264-ROCK",
            "infohash": f"{1:040x}",
            "reasons": ["BAD_SOURCE: a CAM", "DEAD_SWARM: no seeder"],
        }
    ]
    assert json.loads(failure.metadata["unavailable"]) == [{"indexer": "nova-indexer", "reason": "timed out after 4 s"}]
    assert failure.metadata["refused_count"] == "1"


def test_no_more_than_twenty_are_listed_but_all_are_counted() -> None:
    failure = NoPlayableRelease(KEY, refused=[refusal(n, title="x", reason="x") for n in range(50)], unavailable=[])

    assert len(json.loads(failure.metadata["refused"])) == 20
    assert failure.metadata["refused_count"] == "50"


def test_long_and_foreign_texts_keep_the_failure_small_enough_for_a_trailer() -> None:
    refused = [refusal(n, title="港の灯" * 100, reason="理由" * 100) for n in range(50)]

    failure = NoPlayableRelease(KEY, refused=refused, unavailable=[("港" * 50, "x" * 500)] * 50)

    assert sum(len(key) + len(value) for key, value in failure.metadata.items()) < 5_000


def test_a_long_reason_ends_with_a_whole_word() -> None:
    [told] = json.loads(
        NoPlayableRelease(KEY, refused=[refusal(1, reason="words " * 50)], unavailable=[]).metadata["refused"]
    )

    assert told["reasons"][0].endswith("words …")


def test_magnets_are_not_told() -> None:
    failure = NoPlayableRelease(KEY, refused=[refusal(1)], unavailable=[])

    assert "magnet" not in str(failure) + str(failure.metadata)

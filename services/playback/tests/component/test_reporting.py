"""Positions from elsewhere: which of two counts, which can't be true, and where they show."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from vod.catalog.v1 import catalog_pb2
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2

from vod_rpc import InvalidArgument, NotFound

HARBOR, FOG = "tmdb:tv:9001", "tmdb:tv:9002"
YESTERDAY = timedelta(days=1)


def key(episode: int, *, series: str = HARBOR) -> catalog_pb2.EpisodeKey:
    return catalog_pb2.EpisodeKey(series_id=series, season=1, episode=episode)


def report(
    position: float,
    *,
    ago: timedelta | None = None,
    at: datetime | None = None,
    duration: float = 2400,
    episode: int = 1,
    series: str = HARBOR,
    device: str = "tv",
) -> pb2.RecordProgressRequest:
    request = pb2.RecordProgressRequest(key=key(episode, series=series), device_id=device)
    request.position.FromTimedelta(timedelta(seconds=position))
    request.duration.FromTimedelta(timedelta(seconds=duration))
    if ago is not None:
        at = datetime.now(UTC) - ago
    if at is not None:
        request.update_time.FromDatetime(at)
    return request


async def watch(playback: Any, position: float, *, device: str = "tv", series: str = HARBOR, **fields: str) -> str:
    """Watch the first episode of a series in a session until a second; return the session."""
    device_caps = scoring_pb2.DeviceProfile(h264=True)
    request = pb2.StartSessionRequest(key=key(1, series=series), device=device_caps, device_id=device, **fields)
    session: str = (await playback.StartSession(request)).session.id
    beat = pb2.RecordHeartbeatRequest(session_id=session)
    beat.position.FromTimedelta(timedelta(seconds=position))
    await playback.RecordHeartbeat(beat)
    return session


async def resumed(playback: Any, **fields: str) -> pb2.GetResumeResponse:
    answer: pb2.GetResumeResponse = await playback.GetResume(pb2.GetResumeRequest(**{"device_id": "tv", **fields}))
    return answer


@pytest.mark.parametrize("slow", [timedelta(), timedelta(hours=1), timedelta(days=400)])
async def test_reports_of_a_clock_that_is_slow_count_in_its_own_order(playback: Any, slow: timedelta) -> None:
    for position, ago in ((100, 60), (300, 20), (200, 40), (300, 20)):
        await playback.RecordProgress(report(position, ago=slow + timedelta(seconds=ago)))

    assert (await resumed(playback)).position.seconds == 300


async def test_what_was_watched_offline_yesterday_is_kept_unless_it_was_watched_since(playback: Any) -> None:
    await watch(playback, 700)
    await playback.RecordProgress(report(1500, ago=YESTERDAY))
    await playback.RecordProgress(report(900, ago=YESTERDAY, episode=2))
    await playback.RecordProgress(report(950, ago=YESTERDAY - timedelta(hours=1), episode=2))

    shelf = (await playback.ListContinuations(pb2.ListContinuationsRequest(device_id="tv"))).continuations
    [entry] = shelf
    await playback.RecordProgress(report(2390, ago=timedelta()))
    offline = await resumed(playback)

    assert (entry.key, entry.position.seconds) == (key(1), 700)
    assert (offline.key, offline.position.seconds) == (key(2), 950)


async def test_a_clock_that_is_fast_locks_nobody_out(playback: Any) -> None:
    await playback.RecordProgress(report(100, ago=-timedelta(hours=5)))
    await playback.RecordProgress(report(200, ago=-timedelta(hours=4)))
    assert (await resumed(playback)).position.seconds == 200

    await watch(playback, 300)

    assert (await resumed(playback)).position.seconds == 300


async def test_a_session_goes_on_after_a_report_and_a_report_after_a_session(playback: Any) -> None:
    session = await watch(playback, 100)
    await playback.RecordProgress(report(500))
    between = await resumed(playback)
    beat = pb2.RecordHeartbeatRequest(session_id=session)
    beat.position.FromSeconds(600)
    await playback.RecordHeartbeat(beat)

    assert (between.position.seconds, between.pick.infohash) == (500, "a" * 40)
    assert (await resumed(playback)).position.seconds == 600


async def test_what_was_only_reported_is_resumed_and_on_the_shelf_though_nobody_knows_the_file(playback: Any) -> None:
    await playback.RecordProgress(report(900, ago=YESTERDAY))
    await playback.RecordProgress(report(2300, ago=timedelta(hours=2), series=FOG))

    answer = await resumed(playback)
    shelf = (await playback.ListContinuations(pb2.ListContinuationsRequest(device_id="tv"))).continuations

    assert (answer.key, answer.position.seconds, answer.duration.seconds) == (key(1), 900, 2400)
    assert not answer.HasField("pick")
    assert not answer.HasField("direct")
    assert [(one.key.series_id, one.key.episode, one.position.seconds) for one in shelf] == [
        (FOG, 2, 0),
        (HARBOR, 1, 900),
    ]


async def test_a_length_that_nobody_said_is_the_catalogs(playback: Any) -> None:
    await playback.RecordProgress(report(900, duration=0))

    assert (await resumed(playback)).duration.seconds == 2400


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"position": 900, "duration": 60}, "beyond the end"),
        ({"position": -1}, "between 0 s and 48 h"),
        ({"position": 200_000, "duration": 0}, "between 0 s and 48 h"),
        ({"position": 1, "duration": -5}, "between 0 s and 48 h"),
        ({"position": 1, "at": datetime(1, 1, 1, tzinfo=UTC)}, "before the year 2000"),
        ({"position": 1, "at": datetime(1970, 1, 1, 0, 5, tzinfo=UTC)}, "before the year 2000"),
        ({"position": 1, "at": datetime(9999, 12, 31, tzinfo=UTC)}, "more than a day ahead"),
        ({"position": 1, "ago": -timedelta(days=3)}, "more than a day ahead"),
    ],
)
async def test_what_can_not_be_true_is_refused_with_the_reason(playback: Any, wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await playback.RecordProgress(report(**wrong))
    with pytest.raises(NotFound):
        await resumed(playback)

    assert refused.value.reason == "REPORT_INVALID"
    assert why in str(refused.value)


async def test_a_strangers_hundred_reports_lift_no_title(playback: Any) -> None:
    for number in range(100):
        await playback.RecordProgress(report(2000, device=f"stranger-{number}"))

    answer = await playback.ListWatched(pb2.ListWatchedRequest())

    assert (list(answer.series), answer.viewers) == ([], 0)


async def test_whoever_jumps_to_the_end_has_watched_nothing(playback: Any) -> None:
    await watch(playback, 2390)

    assert list((await playback.ListWatched(pb2.ListWatchedRequest())).series) == []


async def test_who_really_watched_counts_once_by_device_and_by_name(playback: Any, pg_dsn: str) -> None:
    for name in ("ada", "bob", "eve"):
        await watch(playback, 1200, device="one-device", series=FOG, subject_id=name)
    for device in ("tv", "phone"):
        await watch(playback, 1200, device=device, subject_id="ada")
    await watch(playback, 1200, device="bobs", subject_id="bob")
    connection = await asyncpg.connect(pg_dsn)
    await connection.execute("UPDATE playback.sessions SET started_at = started_at - interval '30 minutes'")
    await connection.close()

    answer = await playback.ListWatched(pb2.ListWatchedRequest())

    scores = {one.series_id: round(one.score, 2) for one in answer.series}
    assert scores == {HARBOR: 1.0, FOG: 0.5}
    assert list(scores) == [HARBOR, FOG]

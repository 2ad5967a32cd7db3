"""Which heartbeats count, however they arrive, and whose progress they are."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from vod.catalog.v1 import catalog_pb2
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2

from vod_rpc import InvalidArgument
from vod_testing import eventually


def start(episode: int, **fields: Any) -> pb2.StartSessionRequest:
    key = catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=episode)
    device = scoring_pb2.DeviceProfile(h264=True)
    return pb2.StartSessionRequest(**{"key": key, "device": device, "device_id": "tv", **fields})


def beat(
    session_id: str, position: float, *, sequence: int | None = None, at: datetime | None = None, duration: int = 0
) -> pb2.RecordHeartbeatRequest:
    request = pb2.RecordHeartbeatRequest(session_id=session_id, sequence=sequence)
    request.position.FromTimedelta(timedelta(seconds=position))
    if at is not None:
        request.event_time.FromDatetime(at)
    if duration:
        request.duration.FromSeconds(duration)
    return request


async def positions(pg_dsn: str) -> dict[tuple[str, int], int]:
    """Return how far each subject got in each episode."""
    connection = await asyncpg.connect(pg_dsn)
    try:
        rows = await connection.fetch("SELECT subject_id, episode, position_s FROM playback.watch_progress")
        return {(row["subject_id"], row["episode"]): row["position_s"] for row in rows}
    finally:
        await connection.close()


@pytest.mark.parametrize("seed", range(6))
async def test_the_newest_heartbeat_counts_in_whatever_order_they_arrive_and_however_often(
    playback: Any, pg_dsn: str, seed: int
) -> None:
    session = (await playback.StartSession(start(1))).session
    chance, begin = random.Random(seed), datetime.now(UTC)
    # Times repeat, so that the sequence has to decide; positions are anywhere, because viewers go back.
    said = [(begin + timedelta(milliseconds=chance.randrange(4)), sequence) for sequence in range(12)]
    beats = {one: chance.randrange(1, 2000) for one in said}
    arriving = [*said, *chance.sample(said, 6)]
    chance.shuffle(arriving)

    async with asyncio.TaskGroup() as group:
        for at, sequence in arriving:
            request = beat(session.id, beats[at, sequence], sequence=sequence, at=at)
            group.create_task(_send(playback, request))
            if chance.random() < 0.5:
                await asyncio.wait_for(_send(playback, request), 30)

    assert (await positions(pg_dsn))["tv", 1] == beats[max(said)]


async def _send(playback: Any, request: pb2.RecordHeartbeatRequest) -> Any:
    return await playback.RecordHeartbeat(request)


async def test_without_times_the_sequence_decides_and_without_both_the_arrival(playback: Any, pg_dsn: str) -> None:
    counted = (await playback.StartSession(start(1))).session
    plain = (await playback.StartSession(start(2))).session

    for position, sequence in ((100, 0), (300, 2), (200, 1), (300, 2)):
        await playback.RecordHeartbeat(beat(counted.id, position, sequence=sequence))
        await playback.RecordHeartbeat(beat(plain.id, position))

    assert await positions(pg_dsn) == {("tv", 1): 300, ("tv", 2): 300}
    await playback.RecordHeartbeat(beat(plain.id, 7))
    assert (await positions(pg_dsn))["tv", 2] == 7


@pytest.mark.parametrize("wrong", [timedelta(days=400), timedelta(hours=1), -timedelta(hours=1), -timedelta(days=400)])
async def test_a_player_whose_clock_is_wrong_is_heard_and_one_that_is_set_right_too(
    playback: Any, pg_dsn: str, wrong: timedelta
) -> None:
    session = (await playback.StartSession(start(1))).session
    seen = []

    for sequence, position in enumerate((10, 20, 5)):
        await playback.RecordHeartbeat(beat(session.id, position, sequence=sequence, at=datetime.now(UTC) + wrong))
        seen.append((await positions(pg_dsn))["tv", 1])
    await playback.RecordHeartbeat(beat(session.id, 10, sequence=0, at=datetime.now(UTC) + wrong))
    seen.append((await positions(pg_dsn))["tv", 1])
    await playback.RecordHeartbeat(beat(session.id, 30, sequence=3, at=datetime.now(UTC)))
    seen.append((await positions(pg_dsn))["tv", 1])

    assert seen == [10, 20, 5, 5, 30]


async def test_a_late_heartbeat_is_answered_like_any_other_and_keeps_the_session_alive(playback: Any) -> None:
    session = (await playback.StartSession(start(1))).session
    newest = await playback.RecordHeartbeat(beat(session.id, 100, sequence=5))
    before = (await playback.ListSessions(pb2.ListSessionsRequest())).sessions[0]

    late = await playback.RecordHeartbeat(beat(session.id, 90, sequence=4))

    after = (await playback.ListSessions(pb2.ListSessionsRequest())).sessions[0]
    assert late == newest
    assert after.position == before.position
    assert after.heartbeat_time.ToDatetime() > before.heartbeat_time.ToDatetime()


async def test_a_negative_sequence_is_refused(playback: Any) -> None:
    with pytest.raises(InvalidArgument):
        await playback.RecordHeartbeat(beat("x", 1, sequence=-1))


async def test_many_viewers_at_once_are_all_stored(playback: Any, pg_dsn: str) -> None:
    starts = [playback.StartSession(start(1, device_id=f"device-{number}")) for number in range(60)]
    sessions = [(await one).session for one in starts]

    calls = [playback.RecordHeartbeat(beat(one.id, 100 + number)) for number, one in enumerate(sessions)]
    for call in calls:
        await call

    assert await positions(pg_dsn) == {(f"device-{number}", 1): 100 + number for number in range(60)}


async def test_a_paused_player_does_not_take_back_what_was_watched_elsewhere(playback: Any, pg_dsn: str) -> None:
    paused = (await playback.StartSession(start(1, subject_id="ada"))).session
    await playback.RecordHeartbeat(beat(paused.id, 100))
    phone = (await playback.StartSession(start(1, subject_id="ada", device_id="phone"))).session
    await playback.RecordHeartbeat(beat(phone.id, 500))

    await playback.RecordHeartbeat(beat(paused.id, 100))
    assert (await positions(pg_dsn))["ada", 1] == 500
    await playback.RecordHeartbeat(beat(paused.id, 110))

    assert (await positions(pg_dsn))["ada", 1] == 110


async def test_whoever_is_inside_the_endings_range_has_watched_the_episode(
    playback: Any, neighbours: Any, pg_dsn: str
) -> None:
    neighbours.catalog.endings[1] = 1200
    session = (await playback.StartSession(start(1))).session

    async def why_not_finished() -> str | None:
        await playback.RecordHeartbeat(beat(session.id, chance.random() + 1201, duration=1440))
        resumes = await playback.ListContinuations(pb2.ListContinuationsRequest(device_id="tv"))
        [entry] = resumes.continuations
        return None if entry.key.episode == 2 else f"to go on with: {entry}"

    chance = random.Random(1)
    await playback.RecordHeartbeat(beat(session.id, 600))
    assert neighbours.catalog.lengths == []
    await eventually(why_not_finished, within=30)
    await playback.RecordHeartbeat(beat(session.id, 1190, duration=1440))

    assert neighbours.catalog.lengths == [1440]
    assert (await playback.GetResume(pb2.GetResumeRequest(device_id="tv"))).position.seconds == 1190


async def test_an_ending_in_the_first_half_is_not_believed(playback: Any, neighbours: Any) -> None:
    neighbours.catalog.endings[1] = 100
    session = (await playback.StartSession(start(1))).session
    await playback.RecordHeartbeat(beat(session.id, 300, duration=1440))
    await eventually(lambda: None if neighbours.catalog.lengths else "nobody asked", within=30)

    await playback.RecordHeartbeat(beat(session.id, 310, duration=1440))

    assert (await playback.GetResume(pb2.GetResumeRequest(device_id="tv"))).position.seconds == 310

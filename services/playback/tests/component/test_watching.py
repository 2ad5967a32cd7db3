"""Heartbeats, ends, what comes next, and going on later."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

import asyncpg
import nats
import pytest
from google.protobuf.duration_pb2 import Duration
from pydantic import SecretStr
from vod.catalog.v1 import catalog_pb2
from vod.playback.v1 import events_pb2, playback_pb2
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2
from vod.stream.v1 import stream_service_pb2 as stream

from vod_rpc import DeadlineExceeded, FailedPrecondition, InvalidArgument, NotFound
from vod_testing import eventually

DEVICE = scoring_pb2.DeviceProfile(h264=True)


def key(episode: int) -> catalog_pb2.EpisodeKey:
    return catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=episode)


def start(episode: int, **fields: Any) -> pb2.StartSessionRequest:
    return pb2.StartSessionRequest(**{"key": key(episode), "device": DEVICE, "device_id": "tv", **fields})


def beat(session_id: str, position: int, *, duration: int | None = None) -> pb2.RecordHeartbeatRequest:
    length = None if duration is None else Duration(seconds=duration)
    return pb2.RecordHeartbeatRequest(session_id=session_id, position=Duration(seconds=position), duration=length)


async def progress(pg_dsn: str) -> list[tuple[int, int, int, float]]:
    connection = await asyncpg.connect(pg_dsn)
    try:
        rows = await connection.fetch(
            "SELECT episode, position_s, duration_s, percent FROM playback.watch_progress ORDER BY episode"
        )
        return [(row["episode"], row["position_s"], row["duration_s"], float(row["percent"])) for row in rows]
    finally:
        await connection.close()


@asynccontextmanager
async def listening(nats_url: str, subject: str) -> AsyncIterator[list[bytes]]:
    """Collect what is published on a subject."""
    heard: list[bytes] = []

    async def hear(message: Any) -> None:
        heard.append(message.data)

    client = await nats.connect(nats_url)
    try:
        await client.subscribe(subject, cb=hear)
        await client.flush()
        yield heard
    finally:
        await client.close()


async def let_time_pass(pg_dsn: str, session_id: str) -> None:
    """Let a session not have been heard of for an hour."""
    connection = await asyncpg.connect(pg_dsn)
    try:
        await connection.execute(
            "UPDATE playback.sessions SET heartbeat_at = heartbeat_at - interval '1 hour' WHERE id = $1", session_id
        )
    finally:
        await connection.close()


async def test_a_heartbeat_stores_the_position_and_tells_what_comes_next(playback: Any, pg_dsn: str) -> None:
    session = (await playback.StartSession(start(1))).session

    answer = await playback.RecordHeartbeat(beat(session.id, 600))

    assert answer.next_hint == playback_pb2.NextHint(key=key(2), ready=False)
    assert await progress(pg_dsn) == [(1, 600, 2400, 25.0)]


async def test_the_players_duration_is_worth_more_than_the_catalogs(playback: Any, pg_dsn: str) -> None:
    session = (await playback.StartSession(start(1))).session

    await playback.RecordHeartbeat(beat(session.id, 600, duration=1200))
    await playback.RecordHeartbeat(beat(session.id, 900))

    assert await progress(pg_dsn) == [(1, 900, 1200, 75.0)]


async def test_a_viewer_may_go_back(playback: Any, pg_dsn: str) -> None:
    session = (await playback.StartSession(start(1))).session

    await playback.RecordHeartbeat(beat(session.id, 1200))
    await playback.RecordHeartbeat(beat(session.id, 300))

    assert await progress(pg_dsn) == [(1, 300, 2400, 12.5)]


async def test_a_heartbeat_is_told_with_all_that_prefetch_needs(playback: Any, nats_url: str) -> None:
    session = (await playback.StartSession(start(1, subtitle_languages=["en", "de"]))).session

    async with listening(nats_url, f"playback.v1.heartbeat.{session.id}") as heard:
        await playback.RecordHeartbeat(beat(session.id, 600))
        await eventually(lambda: None if heard else "nothing heard", within=30)

    event = events_pb2.HeartbeatRecorded.FromString(heard[0])
    assert (event.session_id, event.key, event.next) == (session.id, key(1), key(2))
    assert (event.position.seconds, event.duration.seconds) == (600, 2400)
    assert (event.device, list(event.subtitle_languages)) == (DEVICE, ["en", "de"])
    assert len(event.profile_hash) == 16


@pytest.mark.parametrize("request_", [beat("x", -1), beat("x", 100, duration=10), beat("x", 10**6), beat("", 1)])
async def test_senseless_heartbeats_are_refused(playback: Any, request_: pb2.RecordHeartbeatRequest) -> None:
    with pytest.raises(InvalidArgument):
        await playback.RecordHeartbeat(request_)


async def test_heartbeats_of_unknown_and_ended_sessions_fail_each_in_its_way(playback: Any) -> None:
    session = (await playback.StartSession(start(1))).session
    await playback.EndSession(pb2.EndSessionRequest(session_id=session.id))

    with pytest.raises(FailedPrecondition) as ended:
        await playback.RecordHeartbeat(beat(session.id, 1))
    with pytest.raises(NotFound) as unknown:
        await playback.RecordHeartbeat(beat("nobody", 1))

    assert (ended.value.reason, unknown.value.reason) == ("SESSION_ENDED", "SESSION_NOT_FOUND")


async def test_the_end_tells_the_next_pick_and_holds_nothing_else(playback: Any, neighbours: Any) -> None:
    session = (await playback.StartSession(start(1))).session
    neighbours.stream_node.prepare(2, holder=session.id)
    await playback.SetNextHint(
        pb2.SetNextHintRequest(session_id=session.id, next_hint=playback_pb2.NextHint(key=key(2), ready=True))
    )

    answer = await playback.EndSession(pb2.EndSessionRequest(session_id=session.id))

    assert (answer.next_pick.infohash, answer.next_pick.file_index) == ("a" * 40, 1)
    assert answer.next_hint == playback_pb2.NextHint(key=key(2), ready=True)
    assert answer.autoplay_in.seconds == 10
    assert neighbours.stream_node.pins == {("a", 1, session.id): stream.PURPOSE_NEXT}


async def test_ending_twice_ends_once_and_answers_the_same(playback: Any, nats_url: str) -> None:
    session = (await playback.StartSession(start(1))).session
    await playback.RecordHeartbeat(beat(session.id, 600))

    async with listening(nats_url, f"playback.v1.episode-ended.{session.id}") as heard:
        calls = [playback.EndSession(pb2.EndSessionRequest(session_id=session.id)) for _ in range(3)]
        answers = [await call for call in calls]
        await eventually(lambda: None if heard else "nothing heard", within=30)

    assert answers[0] == answers[1] == answers[2]
    assert len(heard) == 1
    event = events_pb2.EpisodeEnded.FromString(heard[0])
    assert (event.session_id, event.key, event.next, event.position.seconds) == (session.id, key(1), key(2), 600)


async def test_without_a_next_pick_the_end_is_still_an_end(playback: Any, neighbours: Any) -> None:
    session = (await playback.StartSession(start(1))).session
    neighbours.picks.unplayable = {2}

    answer = await playback.EndSession(pb2.EndSessionRequest(session_id=session.id))

    assert not answer.HasField("next_pick")
    assert answer.next_hint.key == key(2)
    assert neighbours.stream_node.pins == {}


async def test_a_next_pick_that_takes_too_long_is_left_out(playback: Any, neighbours: Any) -> None:
    session = (await playback.StartSession(start(1))).session
    neighbours.picks.go_on.clear()
    answers: list[pb2.EndSessionResponse] = []

    async def why_not_answered() -> str | None:
        # Only a second is kept back for the answer: on a slow machine it may be lost, and is asked for once more.
        with suppress(DeadlineExceeded):
            answers.append(await playback.EndSession(pb2.EndSessionRequest(session_id=session.id), timeout=2))
        return None if answers else "no answer in time"

    await eventually(why_not_answered, within=30)

    assert not answers[0].HasField("next_pick")


async def test_the_last_episode_ends_without_a_next_one(playback: Any) -> None:
    session = (await playback.StartSession(start(4))).session

    answer = await playback.EndSession(pb2.EndSessionRequest(session_id=session.id))

    assert not answer.HasField("next_pick")
    assert not answer.HasField("next_hint")


async def test_a_next_episode_that_already_plays_is_not_told_to_be_prepared(playback: Any, nats_url: str) -> None:
    first = (await playback.StartSession(start(1))).session
    await playback.StartSession(start(2))

    async with listening(nats_url, f"playback.v1.episode-ended.{first.id}") as heard:
        await playback.EndSession(pb2.EndSessionRequest(session_id=first.id))
        await eventually(lambda: None if heard else "nothing heard", within=30)

    assert not events_pb2.EpisodeEnded.FromString(heard[0]).HasField("next")


async def test_a_silent_session_is_ended_at_its_last_position(
    settings: Any, open_playback: Any, neighbours: Any, nats_url: str, *, pg_dsn: str
) -> None:
    impatient = settings.model_copy(update={"session_timeout": 8.0})
    async with open_playback(impatient) as running, listening(nats_url, "playback.v1.episode-ended.*") as heard:
        session = (await running.stub.StartSession(start(1))).session
        await running.stub.RecordHeartbeat(beat(session.id, 600))
        neighbours.stream_node.prepare(2, holder=session.id)

        await let_time_pass(pg_dsn, session.id)
        await eventually(lambda: None if heard else "the session has not ended", within=30)

        active = (await running.stub.ListSessions(pb2.ListSessionsRequest())).sessions
        assert list(active) == []
        assert events_pb2.EpisodeEnded.FromString(heard[0]).position.seconds == 600

        def why_not_given_up() -> str | None:
            pins = neighbours.stream_node.pins
            return None if pins == {("a", 1, session.id): stream.PURPOSE_NEXT} else f"held: {pins}"

        await eventually(why_not_given_up, within=30)


async def test_a_player_without_heartbeats_keeps_its_session_by_asking_for_the_address(
    settings: Any, open_playback: Any, pg_dsn: str
) -> None:
    impatient = settings.model_copy(update={"session_timeout": 8.0})
    async with open_playback(impatient) as running:
        quiet = (await running.stub.StartSession(start(1))).session
        playing = (await running.stub.StartSession(start(2))).session
        heard: list[datetime] = []

        async def why_not() -> str | None:
            await running.stub.GetStream(pb2.GetStreamRequest(session_id=playing.id))
            active = {one.id: one for one in (await running.stub.ListSessions(pb2.ListSessionsRequest())).sessions}
            heard.append(active[playing.id].heartbeat_time.ToDatetime())
            return None if quiet.id not in active else "the quiet one has not ended"

        await let_time_pass(pg_dsn, quiet.id)
        await eventually(why_not, within=30)

    assert min(heard) > playing.start_time.ToDatetime()


async def test_the_two_best_candidates_are_told_and_refused_ones_are_not(playback: Any, neighbours: Any) -> None:
    session = (await playback.StartSession(start(1))).session

    answer = await playback.GetNext(pb2.GetNextRequest(session_id=session.id))

    assert [one.candidate.infohash[0] for one in answer.candidates] == ["a", "c"]
    assert answer.next_hint.key == key(2)
    assert neighbours.picks.ensured == [1, 2]


async def test_what_the_viewer_chose_to_come_next_is_told_first_however_few_points_it_has(playback: Any) -> None:
    session = (await playback.StartSession(start(1))).session
    for digit in ("d", "b"):  # the least of those that play, and one that is refused
        choice = pb2.OverridePickRequest(session_id=session.id, infohash=digit * 40, target=pb2.OVERRIDE_TARGET_NEXT)
        await playback.OverridePick(choice)

        answer = await playback.GetNext(pb2.GetNextRequest(session_id=session.id))

        assert [one.candidate.infohash[0] for one in answer.candidates] == [digit, "a"]


async def test_an_unplayable_next_episode_has_no_candidates(playback: Any, neighbours: Any) -> None:
    session = (await playback.StartSession(start(1))).session
    neighbours.picks.unplayable = {2}

    answer = await playback.GetNext(pb2.GetNextRequest(session_id=session.id))

    assert (list(answer.candidates), answer.next_hint.key) == ([], key(2))


async def test_a_hint_is_told_with_the_next_heartbeat_and_can_be_taken_back(playback: Any) -> None:
    session = (await playback.StartSession(start(1))).session
    told = []

    for ready in (True, False):
        hint = playback_pb2.NextHint(key=key(2), ready=ready)
        await playback.SetNextHint(pb2.SetNextHintRequest(session_id=session.id, next_hint=hint))
        told.append((await playback.RecordHeartbeat(beat(session.id, 1))).next_hint.ready)

    assert told == [True, False]


async def test_who_tells_a_hint_learns_whether_the_session_still_runs(playback: Any) -> None:
    session = (await playback.StartSession(start(1))).session
    hint = pb2.SetNextHintRequest(session_id=session.id, next_hint=playback_pb2.NextHint(key=key(2), ready=True))

    before = await playback.SetNextHint(hint)
    await playback.EndSession(pb2.EndSessionRequest(session_id=session.id))
    afterwards = await playback.SetNextHint(hint)

    assert (before.ended, afterwards.ended) == (False, True)


async def test_hints_for_other_episodes_and_unknown_sessions_are_refused(playback: Any) -> None:
    session = (await playback.StartSession(start(1))).session
    hint = playback_pb2.NextHint(key=key(3), ready=True)

    with pytest.raises(InvalidArgument) as mismatch:
        await playback.SetNextHint(pb2.SetNextHintRequest(session_id=session.id, next_hint=hint))
    with pytest.raises(NotFound) as unknown:
        await playback.SetNextHint(pb2.SetNextHintRequest(session_id="nobody", next_hint=hint))

    assert (mismatch.value.reason, unknown.value.reason) == ("NEXT_MISMATCH", "SESSION_NOT_FOUND")


async def test_active_sessions_are_listed_newest_first(playback: Any) -> None:
    ids = [(await playback.StartSession(start(episode))).session.id for episode in (1, 2, 3)]
    await playback.EndSession(pb2.EndSessionRequest(session_id=ids[1]))

    listed = (await playback.ListSessions(pb2.ListSessionsRequest())).sessions

    assert [one.id for one in listed] == [ids[2], ids[0]]
    assert {one.state for one in listed} == {playback_pb2.SESSION_STATE_ACTIVE}


@pytest.fixture
def own_nats(tmp_path_factory: Any) -> Callable[[], Any]:
    """A NATS of this test's own, which it may stop."""
    from vod_local.servers.nats import embedded_nats

    data, run = tmp_path_factory.mktemp("nats-data"), tmp_path_factory.mktemp("nats-run")
    return lambda: embedded_nats(data, run)


async def test_without_nats_positions_are_stored_and_the_end_is_told_later(
    settings: Any, open_playback: Any, own_nats: Any, pg_dsn: str
) -> None:
    server = own_nats()
    url = await server.__aenter__()
    async with open_playback(settings.model_copy(update={"nats_url": SecretStr(url)})) as running:
        session = (await running.stub.StartSession(start(1))).session
        await server.__aexit__(None, None, None)

        async with asyncio.timeout(60):
            answer = await running.stub.RecordHeartbeat(beat(session.id, 600))
            await running.stub.EndSession(pb2.EndSessionRequest(session_id=session.id))

        assert answer.next_hint.key == key(2)
        assert await progress(pg_dsn) == [(1, 600, 2400, 25.0)]
    connection = await asyncpg.connect(pg_dsn)
    waiting = await connection.fetch("SELECT event_id FROM playback.outbox")
    await connection.close()
    assert [row["event_id"] for row in waiting] == [f"{session.id}:ended"]

    async with (
        own_nats() as url,
        listening(url, f"playback.v1.episode-ended.{session.id}") as heard,
        open_playback(settings.model_copy(update={"nats_url": SecretStr(url)})),
    ):
        await eventually(lambda: None if heard else "not told yet", within=30)

    assert events_pb2.EpisodeEnded.FromString(heard[0]).session_id == session.id


async def test_all_who_fell_silent_at_once_are_ended_in_one_sweep_and_who_was_just_heard_is_not(
    settings: Any, open_playback: Any, pg_dsn: str
) -> None:
    async with open_playback(settings.model_copy(update={"session_timeout": 8.0})) as running:
        first = (await running.stub.StartSession(start(1))).session
        connection = await asyncpg.connect(pg_dsn)
        try:
            columns = await connection.fetchval(
                "SELECT string_agg(column_name, ', ') FROM information_schema.columns "
                "WHERE table_schema = 'playback' AND table_name = 'sessions' "
                "AND column_name NOT IN ('id', 'heartbeat_at')"
            )
            await connection.execute(
                f"INSERT INTO playback.sessions (id, heartbeat_at, {columns}) "
                f"SELECT 'copy-' || n, now() - interval '1 hour', {columns} "
                "FROM playback.sessions, generate_series(1, 230) AS n WHERE id = $1",
                first.id,
            )
        finally:
            await connection.close()

        async def why_not() -> str | None:
            await running.stub.RecordHeartbeat(beat(first.id, 1))
            active = (await running.stub.ListSessions(pb2.ListSessionsRequest())).sessions
            return None if [one.id for one in active] == [first.id] else f"{len(active)} are active"

        await eventually(why_not, within=90)

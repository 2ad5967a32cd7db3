"""Starting: the same request gives the same session, and a failed start leaves nothing behind."""

import asyncio
from typing import Any

import asyncpg
import pytest
from vod.catalog.v1 import catalog_pb2
from vod.picks.v1 import events_pb2 as picks_events
from vod.playback.v1 import playback_pb2
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2
from vod.stream.v1 import stream_service_pb2 as stream_pb2

from vod_rpc import DeadlineExceeded, FailedPrecondition, InvalidArgument, NotFound
from vod_testing import eventually, rpc_edges

DEVICE = scoring_pb2.DeviceProfile(h264=True, max_height=1080, audio_languages=["en"])
CURRENT = stream_pb2.PURPOSE_CURRENT


def key(episode: int) -> catalog_pb2.EpisodeKey:
    return catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=episode)


def start(episode: int, **fields: Any) -> pb2.StartSessionRequest:
    return pb2.StartSessionRequest(**{"key": key(episode), "device": DEVICE, "device_id": "tv", **fields})


async def count(pg_dsn: str, table: str) -> int:
    connection = await asyncpg.connect(pg_dsn)
    try:
        found: int = await connection.fetchval(f"SELECT count(*) FROM playback.{table}")
        return found
    finally:
        await connection.close()


async def test_a_session_plays_the_pick_and_knows_what_comes_next(playback: Any, neighbours: Any) -> None:
    answer = await playback.StartSession(start(1, subtitle_languages=["en", "de"]))

    assert (answer.pick.infohash, answer.pick.file_index, answer.pick.size_bytes) == ("a" * 40, 0, 10**12)
    assert answer.stream_url == "http://node/stream/n1/token-1/x.mkv"
    assert answer.session.subject_id == "tv"
    assert answer.session.duration.ToSeconds() == 2400
    assert answer.session.next_hint == playback_pb2.NextHint(key=key(2), ready=False)
    assert neighbours.stream_node.pins == {("a", 0, answer.session.id): CURRENT}


async def test_the_last_episode_has_no_next_hint(playback: Any) -> None:
    answer = await playback.StartSession(start(4))

    assert not answer.session.HasField("next_hint")


async def test_a_warm_start_takes_three_rpcs(playback: Any, spans: Any) -> None:
    await playback.StartSession(start(1))

    below = [edge.callee for edge in rpc_edges(spans.get_finished_spans()) if edge.caller == "playback"]
    assert sorted(below) == ["catalog", "picks", "stream_node"]


async def test_one_request_id_makes_one_session(playback: Any, neighbours: Any, pg_dsn: str) -> None:
    first = await playback.StartSession(start(1, request_id="r1"))
    second = await playback.StartSession(start(1, request_id="r1"))

    assert second.session == first.session
    assert second.stream_url != first.stream_url
    assert await count(pg_dsn, "sessions") == 1
    assert neighbours.stream_node.pins == {("a", 0, first.session.id): CURRENT}


async def test_concurrent_starts_with_one_request_id_make_one_session_and_one_pin(
    playback: Any, neighbours: Any, pg_dsn: str
) -> None:
    neighbours.picks.go_on.clear()
    calls = [asyncio.ensure_future(playback.StartSession(start(1, request_id="r1"))) for _ in range(5)]
    await eventually(lambda: None if len(neighbours.picks.ensured) == 5 else "not all have asked", within=30)
    neighbours.picks.go_on.set()
    answers = [await call for call in calls]

    assert len({answer.session.id for answer in answers}) == 1
    assert await count(pg_dsn, "sessions") == 1
    assert neighbours.stream_node.pins == {("a", 0, answers[0].session.id): CURRENT}


async def test_request_ids_belong_to_a_device(playback: Any) -> None:
    one = await playback.StartSession(start(1, request_id="r1"))
    other = await playback.StartSession(start(1, request_id="r1", device_id="phone"))

    assert one.session.id != other.session.id


async def test_a_request_id_can_not_be_used_for_another_episode(playback: Any) -> None:
    await playback.StartSession(start(1, request_id="r1"))

    with pytest.raises(FailedPrecondition) as caught:
        await playback.StartSession(start(2, request_id="r1"))

    assert caught.value.reason == "REQUEST_ID_REUSED"


async def test_without_a_playable_release_nothing_is_left_behind(playback: Any, neighbours: Any, pg_dsn: str) -> None:
    neighbours.picks.unplayable = {1}

    with pytest.raises(NotFound) as caught:
        await playback.StartSession(start(1))

    assert (caught.value.reason, caught.value.domain) == ("NO_PLAYABLE_RELEASE", "picks.vod")
    assert caught.value.metadata == {"refused": "[]"}
    assert neighbours.stream_node.pins == {}
    assert await count(pg_dsn, "sessions") + await count(pg_dsn, "devices") == 0


async def test_a_pin_that_fails_leaves_nothing_behind(playback: Any, neighbours: Any, pg_dsn: str) -> None:
    neighbours.stream_node.silent = True

    with pytest.raises(DeadlineExceeded):
        await playback.StartSession(start(1))

    assert neighbours.stream_node.pins == {}
    assert await count(pg_dsn, "sessions") == 0


async def test_a_pick_whose_swarm_is_silent_is_rejected_and_the_next_one_plays(playback: Any, neighbours: Any) -> None:
    neighbours.stream_node.silent_swarms = {"a"}

    started = await playback.StartSession(start(1))

    assert neighbours.picks.rejected == [(1, picks_events.REJECTION_REASON_STALLED)]
    assert started.pick.infohash == "c" * 40
    assert neighbours.stream_node.pins == {("c", 0, started.session.id): CURRENT}


async def test_a_node_that_does_not_answer_is_not_held_against_the_pick(playback: Any, neighbours: Any) -> None:
    neighbours.stream_node.frozen = 1

    started = await playback.StartSession(start(1))

    assert neighbours.picks.rejected == []
    assert started.pick.infohash == "a" * 40
    assert neighbours.stream_node.pins == {("a", 0, started.session.id): CURRENT}


async def test_what_was_watched_and_is_silent_now_makes_room_for_what_plays(playback: Any, neighbours: Any) -> None:
    before = await playback.StartSession(start(1))
    await playback.EndSession(pb2.EndSessionRequest(session_id=before.session.id))
    neighbours.stream_node.silent_swarms = {"a"}

    after = await playback.StartSession(start(1))

    assert (before.pick.infohash, after.pick.infohash) == ("a" * 40, "c" * 40)


async def test_a_session_that_can_not_be_stored_releases_its_pin(playback: Any, neighbours: Any, pg_dsn: str) -> None:
    connection = await asyncpg.connect(pg_dsn)
    await connection.execute("ALTER TABLE playback.devices RENAME TO devices_away")
    await connection.close()

    with pytest.raises(Exception, match="internal error"):
        await playback.StartSession(start(1))

    assert neighbours.stream_node.urls == 1
    assert neighbours.stream_node.pins == {}
    assert await count(pg_dsn, "sessions") == 0


async def test_a_caller_that_gives_up_leaves_no_pin(playback: Any, neighbours: Any, pg_dsn: str) -> None:
    connection = await asyncpg.connect(pg_dsn)
    async with connection.transaction():
        await connection.execute("LOCK TABLE playback.devices IN ACCESS EXCLUSIVE MODE")
        starting = playback.StartSession(start(1))

        async def why_not_waiting() -> str | None:
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            return None if await connection.fetchval(waiting) else "nobody waits"

        # The pin is there; storing the session waits for the lock.
        await eventually(why_not_waiting, within=30)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        # Released too early, the lock would let the session be stored before playback hears that nobody waits for it.
        await eventually(lambda: None if not neighbours.stream_node.pins else "a pin is left", within=30)
    await connection.close()

    assert neighbours.stream_node.urls == 1
    assert await count(pg_dsn, "sessions") == 0


async def test_an_unknown_episode_is_not_found(playback: Any) -> None:
    with pytest.raises(NotFound) as caught:
        await playback.StartSession(start(9))

    assert (caught.value.reason, caught.value.domain) == ("EPISODE_NOT_FOUND", "catalog.vod")


@pytest.mark.parametrize(
    "request_",
    [
        start(1, device_id=""),
        start(1, device_id="x" * 201),
        start(1, device_id="a\0b"),
        start(1, subtitle_languages=["../x"]),
        start(1, key=catalog_pb2.EpisodeKey()),
        start(1, device=scoring_pb2.DeviceProfile(max_height=-1)),
    ],
)
async def test_senseless_starts_are_refused(playback: Any, request_: pb2.StartSessionRequest) -> None:
    with pytest.raises(InvalidArgument):
        await playback.StartSession(request_)


async def test_the_device_and_what_it_can_show_are_remembered(playback: Any, pg_dsn: str) -> None:
    await playback.StartSession(start(1))
    connection = await asyncpg.connect(pg_dsn)
    capabilities = await connection.fetchval("SELECT capabilities FROM playback.devices WHERE id = 'tv'")
    await connection.close()

    assert '"h264": true' in capabilities


async def test_the_next_session_takes_over_what_was_kept_warm(running: Any, neighbours: Any) -> None:
    first = await running.stub.StartSession(start(1))
    neighbours.stream_node.prepare(2, holder=first.session.id)
    await running.stub.EndSession(pb2.EndSessionRequest(session_id=first.session.id))

    second = await running.stub.StartSession(start(2))

    assert neighbours.stream_node.pins == {("a", 1, second.session.id): CURRENT}
    assert running.metric("vod_playback_prefetch_total", outcome="hit") == 1
    assert running.metric("prefetch_hit_ratio") == 1.0


async def test_a_next_episode_that_was_not_ready_is_a_miss(running: Any) -> None:
    await running.stub.StartSession(start(1))

    await running.stub.StartSession(start(2))

    assert running.metric("vod_playback_prefetch_total", outcome="miss") == 1
    assert running.metric("prefetch_hit_ratio") == 0.0


async def test_one_that_is_played_from_another_source_than_was_prepared_is_a_miss(
    running: Any, neighbours: Any
) -> None:
    first = await running.stub.StartSession(start(1))
    neighbours.stream_node.prepare(2, holder=first.session.id)
    neighbours.picks.overridden[2, neighbours.picks.asked[-1][1]] = "d"

    await running.stub.StartSession(start(2))

    assert running.metric("prefetch_hit_ratio") == 0.0


async def test_who_skips_what_was_prepared_neither_hits_nor_misses(running: Any, neighbours: Any) -> None:
    first = await running.stub.StartSession(start(1))
    neighbours.stream_node.prepare(2, holder=first.session.id)

    await running.stub.StartSession(start(3))

    counts = [running.metric("vod_playback_prefetch_total", outcome=outcome) for outcome in ("hit", "miss")]
    assert counts == [0.0, 0.0]


async def test_a_fresh_url_pins_the_file_again(playback: Any, neighbours: Any) -> None:
    session = (await playback.StartSession(start(1))).session
    neighbours.stream_node.pins.clear()

    url = (await playback.GetStream(pb2.GetStreamRequest(session_id=session.id))).stream_url

    assert url == "http://node/stream/n1/token-2/x.mkv"
    assert neighbours.stream_node.pins == {("a", 0, session.id): CURRENT}


async def test_the_address_can_still_be_asked_for_when_the_session_has_ended(playback: Any) -> None:
    session = (await playback.StartSession(start(1))).session
    await playback.EndSession(pb2.EndSessionRequest(session_id=session.id))

    url = (await playback.GetStream(pb2.GetStreamRequest(session_id=session.id))).stream_url

    assert url.endswith("x.mkv")


async def test_an_override_switches_the_session_and_gives_up_the_old_file(playback: Any, neighbours: Any) -> None:
    session = (await playback.StartSession(start(1))).session

    answer = await playback.OverridePick(pb2.OverridePickRequest(session_id=session.id, infohash="C" * 40))

    assert answer.pick.infohash == "c" * 40
    assert answer.stream_url == "http://node/stream/n1/token-2/x.mkv"
    assert neighbours.stream_node.pins == {("c", 0, session.id): CURRENT}
    assert (await playback.GetStream(pb2.GetStreamRequest(session_id=session.id))).stream_url.endswith("token-3/x.mkv")


async def test_an_override_that_can_not_be_pinned_leaves_the_session_as_it_was(playback: Any, neighbours: Any) -> None:
    session = (await playback.StartSession(start(1))).session
    neighbours.stream_node.silent = True

    with pytest.raises(DeadlineExceeded):
        await playback.OverridePick(pb2.OverridePickRequest(session_id=session.id, infohash="c" * 40))

    assert neighbours.stream_node.pins == {("a", 0, session.id): CURRENT}


async def test_overriding_with_what_plays_keeps_it(playback: Any, neighbours: Any) -> None:
    session = (await playback.StartSession(start(1))).session

    await playback.OverridePick(pb2.OverridePickRequest(session_id=session.id, infohash="a" * 40))

    assert neighbours.stream_node.pins == {("a", 0, session.id): CURRENT}


async def test_an_unknown_candidate_keeps_the_failure_of_picks(playback: Any) -> None:
    session = (await playback.StartSession(start(1))).session

    with pytest.raises(NotFound) as caught:
        await playback.OverridePick(pb2.OverridePickRequest(session_id=session.id, infohash="f" * 40))

    assert caught.value.reason == "CANDIDATE_UNKNOWN"

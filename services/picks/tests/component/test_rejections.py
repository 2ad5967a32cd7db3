"""What failed is rejected for a while; the next candidate takes its place, and that is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import nats
import pytest
from pydantic import SecretStr
from vod.catalog.v1 import catalog_pb2
from vod.picks.v1 import events_pb2
from vod.picks.v1 import picks_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2
from vod.stream.v1 import events_pb2 as stream_events

from vod_events import event_bus
from vod_rpc import InvalidArgument, NotFound, Unavailable
from vod_runtime import Runtime
from vod_testing import eventually, publish

DEVICE = scoring_pb2.DeviceProfile(h264=True, max_height=1080)


def key(episode: int) -> catalog_pb2.EpisodeKey:
    return catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=episode)


def ensure(episode: int, *, profile: str = "p1") -> pb2.EnsurePickRequest:
    return pb2.EnsurePickRequest(key=key(episode), device=DEVICE, profile_hash=profile)


def stall(
    pick: pb2.Pick, *, age: timedelta = timedelta(0), told_ago: timedelta = timedelta(0)
) -> stream_events.PinStalled:
    event = stream_events.PinStalled(
        infohash=pick.infohash,
        file_index=pick.file_index,
        node="node-a",
        reason=stream_events.STALL_REASON_NO_BYTES,
        peers=2,
    )
    event.stall_time.FromDatetime(datetime.now(UTC) - age)
    event.told_time.FromDatetime(datetime.now(UTC) - told_ago)
    return event


@pytest.fixture
async def tell(nats_url: str, runtime: Runtime) -> AsyncIterator[Any]:
    """Tell picks that a file stalled, as a stream node does."""
    async with event_bus(SecretStr(nats_url), runtime) as bus:

        async def tell(event: stream_events.PinStalled) -> None:
            number = event.stall_time.ToNanoseconds()
            subject = f"stream.v1.pin-stalled.{event.infohash}"
            await publish(bus, subject, event, message_id=f"{event.infohash}:{number}")

        yield tell


@asynccontextmanager
async def rejections(nats_url: str) -> AsyncIterator[list[events_pb2.PickRejected]]:
    """Yield a list that fills with the rejections that are told."""
    heard: list[events_pb2.PickRejected] = []

    async def on_message(message: Any) -> None:
        heard.append(events_pb2.PickRejected.FromString(message.data))

    client = await nats.connect(nats_url)
    try:
        await client.subscribe("picks.v1.pick-rejected.*", cb=on_message)
        await client.flush()
        yield heard
    finally:
        await client.close()


async def history(picks: Any, episode: int) -> list[pb2.Pick]:
    return list((await picks.ListPicks(pb2.ListPicksRequest(key=key(episode)))).picks)


async def fetch(pg_dsn: str, query: str) -> Any:
    connection = await asyncpg.connect(pg_dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def expire_rejections(pg_dsn: str) -> None:
    await fetch(pg_dsn, "UPDATE picks.rejections SET blocked_until = now() - interval '1 second'")


async def test_a_stalled_pick_is_replaced_by_the_next_candidate_and_that_is_told(
    picks: Any, neighbours: Any, tell: Any, nats_url: str
) -> None:
    neighbours.offer_single("a", 3)
    neighbours.offer_single("b", 3)
    first = (await picks.EnsurePick(ensure(3))).pick

    async with rejections(nats_url) as heard:
        await tell(stall(first))
        await eventually(lambda: None if heard else "nothing was told", within=30)

    second = (await picks.EnsurePick(ensure(3))).pick
    assert (first.infohash, second.infohash) == ("a" * 40, "b" * 40)
    assert second.replaces_pick_id == first.id
    assert heard == [
        events_pb2.PickRejected(
            key=key(3),
            profile_hash="p1",
            pick_id=first.id,
            infohash=first.infohash,
            file_index=0,
            reason=events_pb2.REJECTION_REASON_STALLED,
            explanation="it stalled while it was watched: 2 peers sent nothing that was needed",
            replacement_pick_id=second.id,
        )
    ]


async def test_why_a_pick_was_replaced_stays_in_the_audit_trail(picks: Any, neighbours: Any, tell: Any) -> None:
    neighbours.offer_single("a", 3)
    neighbours.offer_single("b", 3)
    first = (await picks.EnsurePick(ensure(3))).pick

    await tell(stall(first))
    await eventually(lambda: _is_replaced(picks, 3), within=30)

    now, before = await history(picks, 3)
    assert (now.replaced, now.replaced_because) == (False, "")
    assert (before.id, before.replaced) == (first.id, True)
    assert before.replaced_because.startswith("rejected: it stalled while it was watched")
    candidates = (await picks.ListCandidates(pb2.ListCandidatesRequest(key=key(3), profile_hash="p1"))).candidates
    refused = next(one.ranking for one in candidates if one.candidate.infohash == first.infohash)
    assert [gate.code for gate in refused.gates] == ["BLOCKLISTED"]
    assert "not tried again before" in refused.gates[0].reason


async def _is_replaced(picks: Any, episode: int) -> str | None:
    made = await history(picks, episode)
    return None if made[0].replaces_pick_id or made[0].replaced else "the first pick is still in force"


async def test_the_next_candidate_is_found_without_searching_again(picks: Any, neighbours: Any, tell: Any) -> None:
    neighbours.offer_single("a", 3)
    neighbours.offer_single("b", 3)
    first = (await picks.EnsurePick(ensure(3))).pick

    await tell(stall(first))
    await eventually(lambda: _is_replaced(picks, 3), within=30)

    assert neighbours.search.calls == 1


async def test_a_stall_that_is_told_again_changes_nothing(
    picks: Any, neighbours: Any, tell: Any, nats_url: str, pg_dsn: str
) -> None:
    for digit in "abc":
        neighbours.offer_single(digit, 3)
    first = (await picks.EnsurePick(ensure(3))).pick

    async with rejections(nats_url) as heard:
        for age in (3, 2, 1):
            await tell(stall(first, age=timedelta(milliseconds=age)))
        await eventually(lambda: None if heard else "nothing was told", within=30)
        # Handled in the order of the file that stalls next: when its rejection is told, the others are done.
        second = (await picks.EnsurePick(ensure(3))).pick
        await tell(stall(second))
        await eventually(lambda: None if len(heard) == 2 else "the second stall was not handled", within=30)

    assert [one.pick_id for one in heard] == [first.id, second.id]
    assert await fetch(pg_dsn, "SELECT max(weight) FROM picks.rejections") == 1.0


async def test_a_stall_from_before_the_pick_was_made_does_not_concern_it(
    picks: Any, neighbours: Any, tell: Any, nats_url: str
) -> None:
    neighbours.offer_single("a", 3)
    neighbours.offer_single("b", 3)
    pick = (await picks.EnsurePick(ensure(3))).pick

    async with rejections(nats_url) as heard:
        await tell(stall(pick, age=timedelta(minutes=5)))
        await tell(stall(pick))
        await eventually(lambda: None if heard else "nothing was told", within=30)
        await tell(stall(pick, age=timedelta(minutes=4)))
        second = (await picks.EnsurePick(ensure(3))).pick

    assert [one.pick_id for one in heard] == [pick.id]
    assert not second.replaced


async def test_who_still_waits_after_a_long_outage_gets_another_and_who_waited_before_it_does_not(
    picks: Any, neighbours: Any, tell: Any, *, nats_url: str, pg_dsn: str
) -> None:
    for digit, episode in ("a", 3), ("b", 3), ("c", 4), ("d", 4):
        neighbours.offer_single(digit, episode)
    left, waits = (await picks.EnsurePick(ensure(3))).pick, (await picks.EnsurePick(ensure(4))).pick
    await fetch(pg_dsn, "UPDATE picks.picks SET picked_at = picked_at - interval '1 hour'")
    long = timedelta(minutes=20)

    async with rejections(nats_url) as heard:
        await tell(stall(left, age=long, told_ago=long))
        await tell(stall(waits, age=long))
        await eventually(lambda: None if heard else "nothing was told", within=30)

    assert [one.pick_id for one in heard] == [waits.id]
    assert (await picks.EnsurePick(ensure(3))).pick.id == left.id


async def test_when_all_known_ones_are_used_up_a_fresh_search_is_made(picks: Any, neighbours: Any, tell: Any) -> None:
    neighbours.offer_single("a", 3)
    first = (await picks.EnsurePick(ensure(3))).pick
    neighbours.offer_single("n", 3)
    neighbours.search.releases[-1].candidate.infohash = "e" * 40
    neighbours.stream_node.torrents["e" * 40] = neighbours.stream_node.torrents.pop("n" * 40)

    await tell(stall(first))
    await eventually(lambda: _is_replaced(picks, 3), within=30)

    assert (await picks.EnsurePick(ensure(3))).pick.infohash == "e" * 40
    assert neighbours.search.calls == 2


async def test_no_answer_is_final_while_the_stream_node_answers_nothing(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3)
    neighbours.offer_single("b", 3)
    first = (await picks.EnsurePick(ensure(3))).pick
    neighbours.stream_node.late = {"b" * 40}

    with pytest.raises(Unavailable):
        await picks.RejectPick(pb2.RejectPickRequest(pick_id=first.id, reason=events_pb2.REJECTION_REASON_STALLED))
    with pytest.raises(Unavailable):
        await picks.EnsurePick(ensure(3))

    assert [one.replaced for one in await history(picks, 3)] == [False]
    neighbours.stream_node.late.clear()
    assert (await picks.EnsurePick(ensure(3))).pick.infohash == "b" * 40


async def test_after_the_last_candidate_the_answer_is_final_and_says_why_each_failed(
    picks: Any, neighbours: Any, tell: Any, nats_url: str
) -> None:
    neighbours.offer_single("a", 3)
    neighbours.search.offer("d", "Harbor.Lights.S01E03.1080p.WEB-DL.H264-DEAD")
    first = (await picks.EnsurePick(ensure(3))).pick

    async with rejections(nats_url) as heard:
        await tell(stall(first))
        await eventually(lambda: None if heard else "nothing was told", within=30)

    assert (heard[0].pick_id, heard[0].replacement_pick_id) == (first.id, 0)
    with pytest.raises(NotFound) as refused:
        await picks.EnsurePick(ensure(3))
    assert refused.value.reason == "NO_PLAYABLE_RELEASE"
    assert "BLOCKLISTED: rejected: it stalled" in refused.value.metadata["refused"]
    assert "SWARM_SILENT" in refused.value.metadata["refused"]
    assert [one.replaced for one in await history(picks, 3)] == [True]


async def test_a_chain_of_stalls_ends(picks: Any, neighbours: Any, tell: Any, nats_url: str) -> None:
    for digit in "abc":
        neighbours.offer_single(digit, 3)
    pick = (await picks.EnsurePick(ensure(3))).pick

    async with rejections(nats_url) as heard:
        for number in (1, 2, 3):
            await tell(stall(pick))
            await eventually(lambda at=number: None if len(heard) == at else f"stall {at} was not handled", within=30)
            made = await history(picks, 3)
            pick = made[0]

    assert [one.replacement_pick_id > 0 for one in heard] == [True, True, False]
    assert {one.infohash for one in heard} == {"a" * 40, "b" * 40, "c" * 40}


async def test_a_rejected_torrent_is_not_chosen_for_other_episodes_or_profiles(picks: Any, neighbours: Any) -> None:
    neighbours.search.offer("a", "Harbor.Lights.S01.1080p.WEB-DL.H264-NOVA")
    neighbours.stream_node.torrents["a" * 40] = ["x/S01E02.mkv", "x/S01E03.mkv"]
    pick = (await picks.EnsurePick(ensure(3))).pick
    other = (await picks.EnsurePick(ensure(2, profile="p2"))).pick
    neighbours.search.offer("b", "Harbor.Lights.S01.720p.WEB-DL.H264-TIDE", group="TIDE")
    neighbours.stream_node.torrents["b" * 40] = ["x/S01E02.mkv", "x/S01E03.mkv"]

    answer = await picks.RejectPick(pb2.RejectPickRequest(pick_id=pick.id))

    assert (answer.rejected.id, answer.rejected.replaced) == (pick.id, True)
    assert answer.replacement.infohash == "b" * 40
    moved = (await picks.EnsurePick(ensure(2, profile="p2"))).pick
    assert (moved.infohash, moved.replaces_pick_id) == ("b" * 40, other.id)


async def test_a_rejected_file_leaves_the_other_episodes_of_its_torrent_alone(picks: Any, neighbours: Any) -> None:
    neighbours.search.offer("a", "Harbor.Lights.S01.1080p.WEB-DL.H264-NOVA")
    neighbours.stream_node.torrents["a" * 40] = ["x/S01E02.mkv", "x/S01E03.mkv"]
    neighbours.offer_single("b", 3)
    pick = (await picks.EnsurePick(ensure(3))).pick

    request = pb2.RejectPickRequest(
        pick_id=pick.id, reason=events_pb2.REJECTION_REASON_BROKEN, scope=events_pb2.REJECTION_SCOPE_FILE
    )
    replacement = (await picks.RejectPick(request)).replacement

    assert replacement.infohash == "b" * 40
    assert (await picks.EnsurePick(ensure(3, profile="p2"))).pick.infohash == "b" * 40
    assert (await picks.EnsurePick(ensure(2))).pick.infohash == "a" * 40


async def test_a_rejected_group_is_not_chosen_for_the_series(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3, group="Nova")
    neighbours.offer_single("b", 3, group="NOVA")
    neighbours.offer_single("c", 3, group="TIDE")
    pick = (await picks.EnsurePick(ensure(3))).pick

    request = pb2.RejectPickRequest(
        pick_id=pick.id, scope=events_pb2.REJECTION_SCOPE_GROUP, explanation="burnt-in subtitles"
    )
    answer = await picks.RejectPick(request)

    assert answer.replacement.infohash == "c" * 40
    assert answer.rejected.replaced_because == "rejected: burnt-in subtitles"


async def test_rejecting_twice_changes_nothing(picks: Any, neighbours: Any) -> None:
    for digit in "abc":
        neighbours.offer_single(digit, 3)
    pick = (await picks.EnsurePick(ensure(3))).pick

    first = await picks.RejectPick(pb2.RejectPickRequest(pick_id=pick.id))
    second = await picks.RejectPick(pb2.RejectPickRequest(pick_id=pick.id))

    assert first == second
    assert first.replacement.infohash == "b" * 40


async def test_nobody_can_reject_what_there_never_was_or_a_group_without_a_name(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3, group="")
    pick = (await picks.EnsurePick(ensure(3))).pick

    with pytest.raises(NotFound) as unknown:
        await picks.RejectPick(pb2.RejectPickRequest(pick_id=pick.id + 1))
    with pytest.raises(InvalidArgument) as nameless:
        await picks.RejectPick(pb2.RejectPickRequest(pick_id=pick.id, scope=events_pb2.REJECTION_SCOPE_GROUP))

    assert (unknown.value.reason, nameless.value.reason) == ("PICK_UNKNOWN", "GROUP_UNKNOWN")


async def test_a_rejection_fades(picks: Any, neighbours: Any, pg_dsn: str) -> None:
    neighbours.offer_single("a", 3)
    neighbours.offer_single("b", 3)
    pick = (await picks.EnsurePick(ensure(3))).pick
    await picks.RejectPick(pb2.RejectPickRequest(pick_id=pick.id))

    await expire_rejections(pg_dsn)

    assert (await picks.EnsurePick(ensure(3))).pick.infohash == "b" * 40
    assert (await picks.EnsurePick(ensure(3, profile="p2"))).pick.infohash == "a" * 40


async def test_a_stalled_swarm_gets_a_second_chance_soon_when_nothing_else_is_left(
    picks: Any, neighbours: Any, pg_dsn: str
) -> None:
    neighbours.offer_single("a", 3)
    pick = (await picks.EnsurePick(ensure(3))).pick

    answer = await picks.RejectPick(pb2.RejectPickRequest(pick_id=pick.id, reason=events_pb2.REJECTION_REASON_STALLED))

    assert not answer.HasField("replacement")
    left = await fetch(pg_dsn, "SELECT max(blocked_until) - now() FROM picks.rejections")
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    await expire_rejections(pg_dsn)
    again = (await picks.EnsurePick(ensure(3))).pick
    assert (again.infohash, again.replaces_pick_id) == ("a" * 40, pick.id)


async def test_choosing_a_rejected_release_by_hand_takes_the_rejection_back(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3)
    neighbours.offer_single("b", 3)
    pick = (await picks.EnsurePick(ensure(3))).pick
    await picks.RejectPick(pb2.RejectPickRequest(pick_id=pick.id))

    override = pb2.OverridePickRequest(key=key(3), device=DEVICE, profile_hash="p1", infohash="a" * 40)
    await picks.OverridePick(override)

    assert (await picks.EnsurePick(ensure(3))).pick.infohash == "a" * 40
    assert (await picks.EnsurePick(ensure(3, profile="p2"))).pick.infohash == "a" * 40

"""Picks are made once, explained, replaced on demand, and never forgotten."""

import asyncio
import json
from typing import Any

import asyncpg
import pytest
from vod.catalog.v1 import catalog_pb2
from vod.picks.v1 import picks_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2

from vod_rpc import FailedPrecondition, InvalidArgument, NotFound, Unavailable
from vod_testing import Edge, eventually, rpc_edges

DEVICE = scoring_pb2.DeviceProfile(h264=True, max_height=1080)


def key(episode: int) -> catalog_pb2.EpisodeKey:
    return catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=episode)


def ensure(episode: int, *, profile: str = "p1") -> pb2.EnsurePickRequest:
    return pb2.EnsurePickRequest(key=key(episode), device=DEVICE, profile_hash=profile)


def override(episode: int, digit: str, *, profile: str = "p1") -> pb2.OverridePickRequest:
    return pb2.OverridePickRequest(key=key(episode), device=DEVICE, profile_hash=profile, infohash=digit * 40)


async def test_the_best_candidate_is_picked_and_the_file_found_by_name(picks: Any, neighbours: Any) -> None:
    neighbours.search.offer("a", "Harbor.Lights.S01.1080p.WEB-DL.H264-NOVA")
    neighbours.stream_node.torrents["a" * 40] = [
        "x/2 S01E04.mkv",
        "x/Extras/S01E03.mkv",
        "x/3 S01E03.mkv",
        "x/1 S01E01.mkv",
    ]

    pick = (await picks.EnsurePick(ensure(3))).pick

    assert (pick.infohash, pick.file_index, pick.file_path) == ("a" * 40, 2, "x/3 S01E03.mkv")
    assert pick.source_kind == pb2.SOURCE_KIND_SEASON_PACK
    assert (pick.release_group, pick.resolution, pick.codec) == ("NOVA", "1080p", "h264")
    assert pick.magnet_uri.startswith("magnet:?xt=urn:btih:aaaa")
    assert pick.score.score_micro == 800_000
    assert (pick.replaces_pick_id, pick.replaced) == (0, False)


async def test_a_hit_asks_nobody(picks: Any, neighbours: Any, spans: Any) -> None:
    neighbours.offer_single("a", 3)
    first = await picks.EnsurePick(ensure(3))
    spans.clear()

    second = await picks.EnsurePick(ensure(3))

    assert second == first
    assert {edge.callee for edge in rpc_edges(spans.get_finished_spans())} == {"picks"}


async def test_a_miss_asks_each_neighbour_once_and_the_swarm_twice(picks: Any, neighbours: Any, spans: Any) -> None:
    neighbours.offer_single("a", 3)

    await picks.EnsurePick(ensure(3))

    called = [edge for edge in rpc_edges(spans.get_finished_spans()) if edge.caller == "picks"]
    together, one_by_one = called[:2], called[2:]
    assert set(together) == {
        Edge("picks", "catalog", "/vod.catalog.v1.CatalogService/GetEpisode"),
        Edge("picks", "stream_node", "/vod.stream.v1.StreamService/ListPins"),
    }
    assert one_by_one == [
        Edge("picks", "search", "/vod.search.v1.SearchService/SearchReleases"),
        Edge("picks", "scoring", "/vod.scoring.v1.ScoringService/RankReleases"),
        Edge("picks", "stream_node", "/vod.stream.v1.StreamService/ProbeSwarm"),  # what is in it
        Edge("picks", "stream_node", "/vod.stream.v1.StreamService/ProbeSwarm"),  # how fast it comes
    ]


async def test_concurrent_calls_agree_and_search_once(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3)
    neighbours.search.go_on.clear()

    calls = [asyncio.ensure_future(picks.EnsurePick(ensure(3))) for _ in range(5)]
    await eventually(lambda: None if neighbours.search.calls else "no search yet", within=30)
    neighbours.search.go_on.set()
    answers = {(await call).pick.id for call in calls}

    assert len(answers) == 1
    assert neighbours.search.calls == 1


async def test_two_processes_agree_on_one_pick(settings: Any, open_picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3)
    neighbours.search.go_on.clear()

    async with open_picks(settings) as one, open_picks(settings) as other:
        calls = [asyncio.ensure_future(stub.EnsurePick(ensure(3))) for stub in (one, other)]
        await eventually(lambda: None if neighbours.search.calls == 2 else "not both search yet", within=30)
        neighbours.search.go_on.set()
        answers = [(await call).pick for call in calls]

    assert answers[0] == answers[1]


async def test_a_caller_that_leaves_does_not_end_the_search_of_the_other(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3)
    neighbours.search.go_on.clear()
    leaving = asyncio.ensure_future(picks.EnsurePick(ensure(3)))
    await eventually(lambda: None if neighbours.search.calls else "no search yet", within=30)
    staying = asyncio.ensure_future(picks.EnsurePick(ensure(3)))

    leaving.cancel()
    await asyncio.wait([leaving])
    neighbours.search.go_on.set()

    assert (await staying).pick.infohash == "a" * 40
    assert neighbours.search.calls == 1


async def test_a_silent_swarm_is_passed_over(picks: Any, neighbours: Any) -> None:
    neighbours.search.offer("d", "Harbor.Lights.S01E03.1080p.WEB-DL.H264-DEAD", group="DEAD")
    neighbours.offer_single("b", 3)

    pick = (await picks.EnsurePick(ensure(3))).pick

    assert pick.infohash == "b" * 40
    assert neighbours.stream_node.probed == ["d" * 40, "b" * 40]
    assert max(neighbours.stream_node.budgets) < 10.5


async def test_refused_candidates_are_never_probed(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("c", 3, group="ROCK")
    neighbours.offer_single("b", 3)
    neighbours.scoring.refused = {"c" * 40: "filmed in a cinema"}

    pick = (await picks.EnsurePick(ensure(3))).pick

    assert (pick.infohash, neighbours.stream_node.probed) == ("b" * 40, ["b" * 40])


async def test_without_a_playable_release_every_reason_is_told_and_no_pick_is_kept(
    picks: Any, neighbours: Any, pg_dsn: str
) -> None:
    neighbours.search.offer("c", "Harbor.Lights.S01E03.1080p.CAM.x264-ROCK")
    neighbours.search.offer("d", "Harbor.Lights.S01E03.1080p.WEB-DL.H264-DEAD")
    neighbours.search.offer("e", "Harbor.Lights.S01E03.1080p.WEB-DL.H264-LIAR")
    neighbours.search.is_down("slow", "timed out after 4 s")
    neighbours.scoring.refused = {"c" * 40: "filmed in a cinema"}
    neighbours.stream_node.torrents["e" * 40] = ["Harbor.Lights.S01E04.mkv"]

    with pytest.raises(NotFound) as caught:
        await picks.EnsurePick(ensure(3))

    failure = caught.value
    assert (failure.reason, failure.domain) == ("NO_PLAYABLE_RELEASE", "picks.vod")
    assert json.loads(failure.metadata["unavailable"]) == [{"indexer": "slow", "reason": "timed out after 4 s"}]
    reasons = {one["infohash"][0]: one["reasons"] for one in json.loads(failure.metadata["refused"])}
    assert reasons["c"] == ["BAD_SOURCE: filmed in a cinema"]
    assert reasons["d"][0].startswith("SWARM_SILENT: ")
    assert reasons["e"][0].startswith("NO_SUCH_FILE: ")
    connection = await asyncpg.connect(pg_dsn)
    try:
        kept = await connection.fetchval("SELECT count(*) FROM picks.picks")
    finally:
        await connection.close()
    assert kept == 0
    shown = (await picks.ListCandidates(pb2.ListCandidatesRequest(key=key(3)))).candidates
    told = {one.candidate.infohash[0]: (one.ranking.observations, one.ranking.gates) for one in shown}
    assert told["c"][1][0].reason == "filmed in a cinema"
    assert told["d"][0][0].startswith("nobody told within")


async def test_hundreds_of_refused_candidates_still_make_a_clear_failure(picks: Any, neighbours: Any) -> None:
    for number in range(300):
        neighbours.search.offer("a", f"Harbor.Lights.S01E03.{number}.港の灯.CAM-ROCK")
        neighbours.search.releases[-1].candidate.infohash = f"{number:040x}"
        neighbours.scoring.refused[f"{number:040x}"] = "filmed in a cinema " * 20

    with pytest.raises(NotFound) as caught:
        await picks.EnsurePick(ensure(3))

    assert caught.value.reason == "NO_PLAYABLE_RELEASE"
    assert caught.value.metadata["refused_count"] == "300"


async def test_no_more_than_six_swarms_are_tried(picks: Any, neighbours: Any) -> None:
    for digit in "abcdef12":
        neighbours.search.offer(digit, "Harbor.Lights.S01E03.1080p.WEB-DL.H264-DEAD")

    with pytest.raises(NotFound) as caught:
        await picks.EnsurePick(ensure(3))

    assert len(neighbours.stream_node.probed) == 6
    assert json.loads(caught.value.metadata["refused"])[-1]["reasons"][0].startswith("NOT_TRIED: ")


async def test_a_stream_node_that_is_down_does_not_condemn_the_releases(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3)
    neighbours.stream_node.down = True

    with pytest.raises(Unavailable):
        await picks.EnsurePick(ensure(3))

    neighbours.stream_node.down = False
    assert (await picks.EnsurePick(ensure(3))).pick.infohash == "a" * 40


async def test_an_unknown_episode_keeps_the_failure_of_the_catalog(picks: Any) -> None:
    with pytest.raises(NotFound) as caught:
        await picks.EnsurePick(ensure(9))

    assert (caught.value.reason, caught.value.domain) == ("EPISODE_NOT_FOUND", "catalog.vod")


@pytest.mark.parametrize("request_", [pb2.EnsurePickRequest(profile_hash="p1"), ensure(3, profile="")])
async def test_a_request_without_key_or_profile_is_refused(picks: Any, request_: pb2.EnsurePickRequest) -> None:
    with pytest.raises(InvalidArgument):
        await picks.EnsurePick(request_)


async def test_scoring_learns_the_group_of_the_episode_before(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 2, group="TIDE")
    await picks.EnsurePick(ensure(2))
    neighbours.search.releases.clear()
    neighbours.offer_single("b", 3)

    await picks.EnsurePick(ensure(3))

    assert [request.wanted.previous_group for request in neighbours.scoring.requests] == ["", "TIDE"]


async def test_an_override_replaces_the_pick_and_keeps_the_old_one(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3)
    neighbours.offer_single("b", 3, group="TIDE")
    old = (await picks.EnsurePick(ensure(3))).pick

    new = (await picks.OverridePick(override(3, "b"))).pick

    assert (new.infohash, new.replaces_pick_id) == ("b" * 40, old.id)
    assert (await picks.EnsurePick(ensure(3))).pick == new
    history = (await picks.ListPicks(pb2.ListPicksRequest(key=key(3)))).picks
    assert [(one.id, one.infohash, one.replaced) for one in history] == [
        (new.id, "b" * 40, False),
        (old.id, "a" * 40, True),
    ]


async def test_the_overrides_group_is_preferred_where_there_is_no_episode_before(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3)
    neighbours.offer_single("b", 3, group="TIDE")
    await picks.EnsurePick(ensure(3))
    await picks.OverridePick(override(3, "b"))
    neighbours.search.releases.clear()
    neighbours.offer_single("e", 1)

    await picks.EnsurePick(ensure(1))

    assert neighbours.scoring.requests[-1].wanted.previous_group == "TIDE"


async def test_concurrent_overrides_leave_one_pick_and_a_whole_chain(picks: Any, neighbours: Any) -> None:
    for digit in "abcd":
        neighbours.offer_single(digit, 3, group=f"G{digit}")
    await picks.EnsurePick(ensure(3))

    await asyncio.gather(*(picks.OverridePick(override(3, digit)) for digit in "bcd"))

    history = (await picks.ListPicks(pb2.ListPicksRequest(key=key(3)))).picks
    assert [one.replaces_pick_id for one in history] == [one.id for one in history[1:]] + [0]
    assert [one.replaced for one in history] == [False, True, True, True]


async def test_overriding_with_the_pick_in_force_changes_nothing(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3)
    pick = (await picks.EnsurePick(ensure(3))).pick

    assert (await picks.OverridePick(override(3, "a"))).pick == pick


async def test_an_unknown_candidate_is_not_found(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3)
    await picks.EnsurePick(ensure(3))

    with pytest.raises(NotFound) as caught:
        await picks.OverridePick(override(3, "f"))

    assert caught.value.reason == "CANDIDATE_UNKNOWN"


async def test_a_refused_candidate_can_not_be_forced(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3)
    neighbours.offer_single("c", 3, group="ROCK")
    neighbours.scoring.refused = {"c" * 40: "filmed in a cinema"}
    pick = (await picks.EnsurePick(ensure(3))).pick

    with pytest.raises(FailedPrecondition) as caught:
        await picks.OverridePick(override(3, "c"))

    assert caught.value.reason == "CANDIDATE_REFUSED"
    assert json.loads(caught.value.metadata["reasons"]) == ["BAD_SOURCE: filmed in a cinema"]
    assert (await picks.EnsurePick(ensure(3))).pick == pick


async def test_candidates_are_listed_best_first_without_searching_again(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("c", 3, group="ROCK")
    neighbours.offer_single("a", 3)
    neighbours.offer_single("b", 3, group="TIDE")
    neighbours.scoring.refused = {"c" * 40: "filmed in a cinema"}
    await picks.EnsurePick(ensure(3))

    request = pb2.ListCandidatesRequest(key=key(3), profile_hash="p1")
    candidates = (await picks.ListCandidates(request)).candidates

    assert [one.candidate.infohash[0] for one in candidates] == ["a", "b", "c"]
    assert candidates[0].candidate.seeders == 20
    assert candidates[2].ranking.gates[0].reason == "filmed in a cinema"
    assert neighbours.search.calls == 1


async def test_profiles_have_picks_of_their_own(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3)

    first = (await picks.EnsurePick(ensure(3, profile="p1"))).pick
    second = (await picks.EnsurePick(ensure(3, profile="p2"))).pick

    assert first.id != second.id
    assert neighbours.search.calls == 2


async def test_a_pick_survives_a_restart(settings: Any, open_picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3)
    async with open_picks(settings) as stub:
        before = (await stub.EnsurePick(ensure(3))).pick
    neighbours.search.releases.clear()

    async with open_picks(settings) as stub:
        after = (await stub.EnsurePick(ensure(3))).pick

    assert after == before


async def test_two_candidates_are_compared_as_they_were_ranked(picks: Any, neighbours: Any) -> None:
    neighbours.offer_single("a", 3)
    neighbours.offer_single("b", 3, group="TIDE")
    await picks.EnsurePick(ensure(3))

    request = pb2.DiffCandidatesRequest(key=key(3), first_infohash="a" * 40, second_infohash="b" * 40)
    answer = await picks.DiffCandidates(request)

    assert answer.summary.endswith("-NOVA against Harbor.Lights.S01E03.1080p.WEB-DL.H264-TIDE")
    assert [(one.name, one.micro_points) for one in answer.differences] == [("health", 800_000)]
    request.second_infohash = "e" * 40
    with pytest.raises(NotFound) as unknown:
        await picks.DiffCandidates(request)
    assert unknown.value.reason == "CANDIDATE_UNKNOWN"


async def test_the_group_whose_episodes_are_watched_to_the_end_is_preferred(
    picks: Any, neighbours: Any, pg_dsn: str
) -> None:
    for episode, group in ((1, "NOVA"), (2, "TIDE"), (3, "TIDE"), (4, "TIDE")):
        neighbours.search.releases.clear()
        neighbours.offer_single(str(episode), episode, group=group)
        await picks.EnsurePick(ensure(episode))
    learned = []

    for episode in (1, 2, 2, 3, 4):
        await picks.NoteWatched(pb2.NoteWatchedRequest(key=key(episode), profile_hash="p1"))
        connection = await asyncpg.connect(pg_dsn)
        try:
            learned.append(await connection.fetchval("SELECT preferred_group FROM picks.group_preferences"))
        finally:
            await connection.close()

    assert learned == ["NOVA", "TIDE", "TIDE", "TIDE", "TIDE"]


async def test_a_choice_by_hand_outweighs_two_watched_episodes(picks: Any, neighbours: Any, pg_dsn: str) -> None:
    neighbours.offer_single("a", 1, group="NOVA")
    neighbours.offer_single("b", 1, group="TIDE")
    await picks.EnsurePick(ensure(1))
    await picks.OverridePick(override(1, "b"))
    for episode in (2, 3):
        neighbours.search.releases.clear()
        neighbours.offer_single(str(episode), episode, group="NOVA")
        await picks.EnsurePick(ensure(episode))
        await picks.NoteWatched(pb2.NoteWatchedRequest(key=key(episode), profile_hash="p1"))

    connection = await asyncpg.connect(pg_dsn)
    try:
        row = await connection.fetchrow("SELECT preferred_group, confidence FROM picks.group_preferences")
    finally:
        await connection.close()
    assert tuple(row) == ("TIDE", 1)

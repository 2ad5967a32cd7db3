"""A season pack that is on a node already plays the next episode without a search."""

from contextlib import suppress
from typing import Any

from vod.catalog.v1 import catalog_pb2
from vod.picks.v1 import picks_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2

from vod_rpc import DeadlineExceeded

PACK = "f" * 40
SLOW = 10  # bytes per second
PROFILES = ("p1", "p2", "p3")
"""Where a node takes longer than a second to tell what it has, others are searched for, so another one tries again."""


def key(episode: int) -> catalog_pb2.EpisodeKey:
    return catalog_pb2.EpisodeKey(series_id="tmdb:tv:9001", season=1, episode=episode)


def ensure(episode: int, *, profile: str = "p1") -> pb2.EnsurePickRequest:
    device = scoring_pb2.DeviceProfile(h264=True, max_height=1080)
    return pb2.EnsurePickRequest(key=key(episode), device=device, profile_hash=profile)


async def watch_the_pack(picks: Any, neighbours: Any, *, profiles: tuple[str, ...] = ("p1",)) -> None:
    """Pick the pack for the second episode, and have a node hold its data."""
    neighbours.search.offer("f", "Harbor.Lights.S01.1080p.WEB-DL.H264-NOVA")
    names = [f"Harbor.Lights.S01E{number:02}.1080p.WEB-DL.H264-NOVA.mkv" for number in range(1, 5)]
    neighbours.stream_node.torrents[PACK] = names
    for profile in profiles:
        assert (await picks.EnsurePick(ensure(2, profile=profile))).pick.infohash == PACK
    neighbours.stream_node.pins = [PACK]
    neighbours.stream_node.probed.clear()


async def test_the_next_episode_is_picked_from_the_pack_while_no_indexer_answers(picks: Any, neighbours: Any) -> None:
    await watch_the_pack(picks, neighbours, profiles=PROFILES)
    neighbours.offer_single("a", 3)
    neighbours.search.go_on.clear()

    pick = pb2.Pick()
    for profile in PROFILES:
        neighbours.stream_node.probed.clear()
        with suppress(DeadlineExceeded):
            pick = (await picks.EnsurePick(ensure(3, profile=profile), timeout=5)).pick
            break

    assert (pick.infohash, pick.file_index) == (PACK, 2)
    assert neighbours.stream_node.probed == [PACK]
    assert [one.held for one in neighbours.scoring.requests[-1].candidates] == [True]


async def test_who_asks_what_else_there_is_is_told_when_that_is_known(picks: Any, neighbours: Any) -> None:
    await watch_the_pack(picks, neighbours)
    neighbours.offer_single("a", 3)
    await picks.EnsurePick(ensure(3))

    listed = (await picks.ListCandidates(pb2.ListCandidatesRequest(key=key(3), profile_hash="p1"))).candidates

    assert [one.candidate.infohash for one in listed] == [PACK, "a" * 40]


async def test_another_than_the_pack_can_be_chosen_at_once(picks: Any, neighbours: Any) -> None:
    await watch_the_pack(picks, neighbours)
    neighbours.offer_single("a", 3)
    await picks.EnsurePick(ensure(3))

    chosen = await picks.OverridePick(
        pb2.OverridePickRequest(key=key(3), device=ensure(3).device, profile_hash="p1", infohash="a" * 40)
    )

    assert chosen.pick.infohash == "a" * 40


async def test_a_pack_whose_bytes_do_not_come_is_no_reason_not_to_search(picks: Any, neighbours: Any) -> None:
    await watch_the_pack(picks, neighbours)
    neighbours.search.releases.clear()
    neighbours.offer_single("a", 3)
    neighbours.stream_node.rates[PACK] = SLOW

    assert (await picks.EnsurePick(ensure(3))).pick.infohash == "a" * 40


async def test_a_pack_that_was_chosen_for_another_sort_of_device_is_one_candidate_of_many(
    picks: Any, neighbours: Any
) -> None:
    await watch_the_pack(picks, neighbours)
    searches = neighbours.search.calls

    await picks.EnsurePick(ensure(3, profile="p2"))

    assert neighbours.search.calls == searches + 1


async def test_a_pack_that_is_gone_from_the_node_is_one_candidate_of_many(picks: Any, neighbours: Any) -> None:
    await watch_the_pack(picks, neighbours)
    neighbours.stream_node.pins = []
    searches = neighbours.search.calls

    await picks.EnsurePick(ensure(3))

    assert neighbours.search.calls == searches + 1

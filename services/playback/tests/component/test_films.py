"""The hierarchy of sources: curated, torrents, direct ones; and sessions that play a direct source."""

from datetime import timedelta
from typing import Any

import grpc
import pytest
from vod.catalog.v1.catalog_pb2 import EpisodeKey
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.scoring.v1.scoring_pb2 import DeviceProfile
from vod.sources.v1 import sources_service_pb2 as sources_pb2

from vod_playback.films import Policy
from vod_rpc import NotFound

FILM, SERIES = "tmdb:movie:9101", "tmdb:tv:9001"
MEGABIT = 1_000_000


def wish(series: str = FILM, episode: int = 1, **device: Any) -> pb2.StartSessionRequest:
    key = EpisodeKey(series_id=series, season=1, episode=episode)
    return pb2.StartSessionRequest(key=key, device_id="tv", device=DeviceProfile(h264=True, **device))


def beat(started: pb2.StartSessionResponse, seconds: int, bitrate: int | None = None) -> pb2.RecordHeartbeatRequest:
    request = pb2.RecordHeartbeatRequest(session_id=started.session.id, bitrate_estimate=bitrate)
    request.position.FromTimedelta(timedelta(seconds=seconds))
    return request


async def test_a_curated_film_is_played_before_any_torrent(playback: Any, neighbours: Any) -> None:
    neighbours.sources.have("better", quality="2160p")
    neighbours.sources.have("curated", collection="Open films", provider="editorial")

    started = await playback.StartSession(wish())

    assert started.stream_url == "http://vod.example/v1/play/curated/master.m3u8"
    assert (started.HasField("pick"), started.direct.collection) == (False, "Open films")
    assert started.direct.reasons[0] == "curated: Open films"
    assert neighbours.stream_node.pins == {}
    [asked] = neighbours.sources.asked
    assert (asked.scope, dict(asked.content.external_ids)) == (sources_pb2.SCOPE_EDITORIAL, {"imdb": "tt9000101"})


async def test_other_films_come_from_torrents_as_long_as_there_are_any(playback: Any, neighbours: Any) -> None:
    neighbours.sources.have("direct", quality="2160p")

    started = await playback.StartSession(wish())

    assert (started.HasField("direct"), started.pick.infohash) == (False, "a" * 40)


async def test_an_episode_without_a_torrent_starts_from_a_direct_source(playback: Any, neighbours: Any) -> None:
    neighbours.picks.unplayable.add(2)
    neighbours.sources.have("direct")

    started = await playback.StartSession(wish(SERIES, 2))

    assert started.stream_url == "http://vod.example/v1/play/direct/master.m3u8"
    assert started.direct.reasons[0] == "no torrent can be played"
    assert started.session.next_hint.key.episode == 3


async def test_a_direct_source_that_the_device_can_not_decode_is_not_played(playback: Any, neighbours: Any) -> None:
    neighbours.picks.unplayable.add(2)
    neighbours.sources.have("film", codec="hevc", undecodable=True, fits=False)

    with pytest.raises(NotFound) as refused:
        await playback.StartSession(wish(SERIES, 2))

    assert refused.value.reason == "NO_PLAYABLE_RELEASE"
    assert neighbours.sources.asked[-1].codecs == ["h264"]


async def test_when_there_is_nothing_at_all_picks_answer_says_why(playback: Any, neighbours: Any) -> None:
    neighbours.picks.unplayable.add(2)

    with pytest.raises(NotFound) as failure:
        await playback.StartSession(wish(SERIES, 2))

    assert (failure.value.reason, "refused" in failure.value.metadata) == ("NO_PLAYABLE_RELEASE", True)


async def test_a_series_that_has_its_pick_does_not_ask_for_direct_sources(playback: Any, neighbours: Any) -> None:
    await playback.StartSession(wish(SERIES, 1))

    assert neighbours.sources.asked == []


async def test_a_search_that_takes_too_long_does_not_keep_a_direct_source_from_starting(
    playback: Any, neighbours: Any
) -> None:
    neighbours.picks.go_on.clear()
    neighbours.sources.have("direct")

    started = await playback.StartSession(wish(SERIES, 2), timeout=8)
    neighbours.picks.go_on.set()

    assert started.direct.reasons[0] == "no torrent was found in time"


async def test_films_start_from_torrents_while_sources_is_down(playback: Any, neighbours: Any) -> None:
    neighbours.sources.down = True

    started = await playback.StartSession(wish())

    assert started.pick.infohash == "a" * 40


@pytest.mark.parametrize(("policy", "plays"), [(Policy.NEVER, "torrent"), (Policy.PREFER, "direct")])
async def test_the_operator_may_put_direct_sources_first_or_leave_them_out(
    settings: Any, open_playback: Any, neighbours: Any, policy: Policy, plays: str
) -> None:
    neighbours.sources.have("direct", collection="Open films" if policy is Policy.NEVER else "")

    async with open_playback(settings.model_copy(update={"direct_sources": policy})) as running:
        started = await running.stub.StartSession(wish())

    assert plays == ("direct" if started.HasField("direct") else "torrent")


async def test_a_film_is_chosen_for_what_the_devices_link_carried_last(playback: Any, neighbours: Any) -> None:
    earlier = await playback.StartSession(wish(SERIES, 1))
    await playback.RecordHeartbeat(beat(earlier, 10, 20 * MEGABIT))
    neighbours.picks.size = 5 * 10**9

    series = await playback.StartSession(wish(SERIES, 2))
    film = await playback.StartSession(wish())
    narrow = await playback.StartSession(wish(max_bitrate=8 * MEGABIT))
    wide = await playback.StartSession(wish(max_bitrate=50 * MEGABIT))

    # 0.7 of 20 Mbit/s, in steps; a device's own limit stays where it is lower; series are not touched.
    assert neighbours.picks.limits == [0, 0, 12 * MEGABIT, 8 * MEGABIT, 12 * MEGABIT]
    assert all(one.HasField("pick") for one in (series, film, narrow, wide))


async def test_a_film_goes_on_from_its_torrent_although_the_link_carries_less_than_when_it_was_chosen(
    playback: Any, neighbours: Any
) -> None:
    earlier = await playback.StartSession(wish(SERIES, 1))
    await playback.RecordHeartbeat(beat(earlier, 10, 20 * MEGABIT))
    film = await playback.StartSession(wish())
    await playback.RecordHeartbeat(beat(film, 600, 4 * MEGABIT))
    asked = len(neighbours.picks.limits)

    again = await playback.StartSession(wish())

    assert (again.pick.infohash, len(neighbours.picks.limits)) == (film.pick.infohash, asked)


async def test_a_torrent_that_the_link_does_not_carry_gives_way_to_a_direct_source_that_it_does(
    playback: Any, neighbours: Any
) -> None:
    earlier = await playback.StartSession(wish(SERIES, 1))
    await playback.RecordHeartbeat(beat(earlier, 10, 10 * MEGABIT))
    neighbours.picks.size = 15 * 10**9  # 20 Mbit/s

    alone = await playback.StartSession(wish())
    neighbours.sources.have("heavy", fits=False)
    neighbours.sources.have("light", quality="720p")
    beside = await playback.StartSession(wish())

    assert alone.HasField("pick")
    assert beside.stream_url.endswith("/light/master.m3u8")
    assert beside.direct.reasons[0] == "the best torrent needs more than device and link carry"
    assert neighbours.sources.asked[-1].max_bitrate == 10 * MEGABIT
    assert neighbours.sources.asked[-1].codecs == ["h264"]


async def test_heartbeats_resume_and_a_start_later_keep_to_the_same_direct_source(
    playback: Any, neighbours: Any
) -> None:
    neighbours.sources.have("first", collection="Open films", bitrate=5 * MEGABIT)
    started = await playback.StartSession(wish())
    await playback.RecordHeartbeat(beat(started, 600, 10 * MEGABIT))
    await playback.EndSession(pb2.EndSessionRequest(session_id=started.session.id))
    neighbours.sources.found.insert(0, sources_pb2.Source())
    neighbours.sources.found[0].CopyFrom(neighbours.sources.found[1])
    neighbours.sources.found[0].play_id = "newer"

    resumed = await playback.GetResume(pb2.GetResumeRequest(device_id="tv"))
    # The link is known by now: the profile that picks are asked for would be another.
    again = await playback.StartSession(wish())

    assert (resumed.HasField("pick"), resumed.direct.collection) == (False, "Open films")
    assert resumed.position.ToTimedelta() == timedelta(seconds=600)
    assert again.stream_url == started.stream_url


async def test_a_direct_source_that_is_gone_is_replaced_at_the_next_start_and_in_a_running_session(
    playback: Any, neighbours: Any
) -> None:
    neighbours.sources.have("first", collection="Open films")
    neighbours.sources.have("second", collection="Open films")
    started = await playback.StartSession(wish())
    await playback.RecordHeartbeat(beat(started, 600))
    neighbours.sources.gone.add("first")

    fresh = await playback.GetStream(pb2.GetStreamRequest(session_id=started.session.id))
    again = await playback.StartSession(wish())
    neighbours.sources.gone.add("second")
    torrent = await playback.GetStream(pb2.GetStreamRequest(session_id=again.session.id))

    assert fresh.stream_url == again.stream_url == "http://vod.example/v1/play/second/master.m3u8"
    assert torrent.stream_url.startswith("http://node/stream/")


async def test_a_viewer_may_override_a_direct_source_by_a_torrent(playback: Any, neighbours: Any) -> None:
    neighbours.sources.have("first", collection="Open films")
    started = await playback.StartSession(wish())

    changed = await playback.OverridePick(pb2.OverridePickRequest(session_id=started.session.id, infohash="c" * 40))
    url = await playback.GetStream(pb2.GetStreamRequest(session_id=started.session.id))

    assert changed.pick.infohash == "c" * 40
    assert url.stream_url.startswith("http://node/stream/")
    assert [pinned[0] for pinned in neighbours.stream_node.pins] == ["c"]


async def test_an_episode_that_is_none_is_not_found_whatever_sources_has(playback: Any, neighbours: Any) -> None:
    neighbours.sources.have("direct", collection="Open films")

    with pytest.raises(NotFound) as failure:
        await playback.StartSession(wish(SERIES, 9))

    assert failure.value.reason == "EPISODE_NOT_FOUND"
    assert failure.value.code == grpc.StatusCode.NOT_FOUND

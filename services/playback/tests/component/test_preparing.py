"""The next episode from a direct source: found while the one before is watched, and started at once."""

from typing import Any

import pytest
from vod.catalog.v1.catalog_pb2 import EpisodeKey
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.playback.v1.playback_pb2 import NextHint
from vod.scoring.v1.scoring_pb2 import DeviceProfile

from vod_rpc import InvalidArgument, NotFound

SERIES = "tmdb:tv:9001"


def key(episode: int) -> EpisodeKey:
    return EpisodeKey(series_id=SERIES, season=1, episode=episode)


def wish(episode: int, **device: Any) -> pb2.StartSessionRequest:
    return pb2.StartSessionRequest(key=key(episode), device_id="tv", device=DeviceProfile(h264=True, **device))


def without_torrents(session_id: str, episode: int) -> pb2.SetNextHintRequest:
    hint = NextHint(key=key(episode))
    return pb2.SetNextHintRequest(session_id=session_id, next_hint=hint, without_torrents=True)


async def hint(playback: Any, started: pb2.StartSessionResponse) -> NextHint:
    answer = await playback.RecordHeartbeat(pb2.RecordHeartbeatRequest(session_id=started.session.id))
    found: NextHint = answer.next_hint
    return found


@pytest.fixture
async def watching(playback: Any, neighbours: Any) -> pb2.StartSessionResponse:
    """Somebody watches episode 1 from a direct source; episode 2 has no torrent either."""
    neighbours.picks.unplayable |= {1, 2}
    neighbours.sources.have("direct")
    started: pb2.StartSessionResponse = await playback.StartSession(wish(1))
    return started


async def test_it_is_ready_and_starts_without_asking_for_torrents_or_sources_again(
    running: Any, playback: Any, neighbours: Any, watching: pb2.StartSessionResponse
) -> None:
    await playback.SetNextHint(without_torrents(watching.session.id, 2))
    told = await hint(playback, watching)
    neighbours.sources.ensured.clear()
    looked, picked = len(neighbours.sources.asked), len(neighbours.picks.asked)
    following = await playback.StartSession(wish(2))

    assert (told.key.episode, told.ready) == (2, True)
    assert following.stream_url == "http://vod.example/v1/play/direct/master.m3u8"
    assert following.direct.provider == "mirror"
    assert (len(neighbours.sources.asked), len(neighbours.picks.asked)) == (looked, picked)
    # Once to see that it is well, once to hold it.
    assert neighbours.sources.ensured == ["direct", "direct"]
    assert running.metric("prefetch_hit_ratio") == 1.0


async def test_where_there_is_none_the_next_one_is_not_ready(
    playback: Any, neighbours: Any, watching: pb2.StartSessionResponse
) -> None:
    await playback.SetNextHint(without_torrents(watching.session.id, 2))
    neighbours.sources.found.clear()
    await playback.SetNextHint(without_torrents(watching.session.id, 2))

    assert not (await hint(playback, watching)).ready
    with pytest.raises(NotFound):
        await playback.StartSession(wish(2))


async def test_one_that_died_meanwhile_is_not_taken(
    playback: Any, neighbours: Any, watching: pb2.StartSessionResponse
) -> None:
    await playback.SetNextHint(without_torrents(watching.session.id, 2))
    neighbours.sources.gone.add("direct")
    neighbours.sources.found.clear()
    neighbours.sources.have("other")
    following = await playback.StartSession(wish(2))

    assert following.stream_url == "http://vod.example/v1/play/other/master.m3u8"


async def test_a_torrent_that_was_prepared_later_is_what_is_started(
    playback: Any, neighbours: Any, watching: pb2.StartSessionResponse
) -> None:
    await playback.SetNextHint(without_torrents(watching.session.id, 2))
    neighbours.picks.unplayable.discard(2)
    ready = NextHint(key=key(2), ready=True)
    await playback.SetNextHint(pb2.SetNextHintRequest(session_id=watching.session.id, next_hint=ready))
    following = await playback.StartSession(wish(2))

    assert (following.HasField("direct"), following.HasField("pick")) == (False, True)


async def test_another_kind_of_device_chooses_for_itself(
    playback: Any, neighbours: Any, watching: pb2.StartSessionResponse
) -> None:
    await playback.SetNextHint(without_torrents(watching.session.id, 2))
    neighbours.picks.unplayable.discard(2)
    other = await playback.StartSession(wish(2, hevc=True))

    assert (other.HasField("direct"), other.HasField("pick")) == (False, True)


async def test_only_what_follows_is_prepared(playback: Any, watching: pb2.StartSessionResponse) -> None:
    with pytest.raises(InvalidArgument) as mismatch:
        await playback.SetNextHint(without_torrents(watching.session.id, 3))
    with pytest.raises(NotFound):
        await playback.SetNextHint(without_torrents("nobody", 2))

    assert mismatch.value.reason == "NEXT_MISMATCH"

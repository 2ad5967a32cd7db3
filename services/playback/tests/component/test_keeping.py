"""What is watched stays pinned, whatever the nodes forget."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from vod.catalog.v1 import catalog_pb2
from vod.playback.v1 import playback_service_pb2 as pb2
from vod.scoring.v1 import scoring_pb2
from vod.stream.v1 import stream_service_pb2 as stream_pb2

from vod_playback.settings import Settings
from vod_testing import eventually

from .conftest import FILM, SERIES, Neighbours, Open, Running

CURRENT = stream_pb2.PURPOSE_CURRENT


def start(episode: int = 1, *, series: str = SERIES[0], device: str = "tv") -> pb2.StartSessionRequest:
    key = catalog_pb2.EpisodeKey(series_id=series, season=1, episode=episode)
    return pb2.StartSessionRequest(key=key, device=scoring_pb2.DeviceProfile(h264=True), device_id=device)


@pytest.fixture
async def playback(settings: Settings, open_playback: Open) -> AsyncIterator[Any]:
    """One that looks all the time."""
    async with open_playback(settings.model_copy(update={"pins_looked_at_every": 0.05})) as running:
        assert isinstance(running, Running)
        yield running.stub


def why_not_held(neighbours: Neighbours, *sessions: str) -> str | None:
    held = {holder for (_, _, holder), purpose in neighbours.stream_node.pins.items() if purpose == CURRENT}
    return None if held == set(sessions) else f"{held} are held"


async def test_what_a_paused_viewer_watches_is_pinned_anew_when_his_claim_has_lapsed(
    playback: Any, neighbours: Neighbours
) -> None:
    one = (await playback.StartSession(start(1))).session
    two = (await playback.StartSession(start(2, device="phone"))).session
    before = dict(neighbours.stream_node.pins)

    neighbours.stream_node.pins.clear()

    await eventually(lambda: why_not_held(neighbours, one.id, two.id), within=30)
    assert before == neighbours.stream_node.pins


async def test_nothing_is_pinned_for_sessions_that_are_over_or_play_no_torrent(
    playback: Any, neighbours: Neighbours
) -> None:
    neighbours.sources.have("film", collection="open films")
    film = await playback.StartSession(start(series=FILM, device="projector"))
    over = (await playback.StartSession(start(1))).session
    await playback.EndSession(pb2.EndSessionRequest(session_id=over.id))
    runs = (await playback.StartSession(start(2, device="phone"))).session

    for _ in range(2):  # whoever was to be pinned with the first look is by the second one
        neighbours.stream_node.pins.clear()
        await eventually(lambda: why_not_held(neighbours, runs.id), within=30)

    assert film.direct.provider == "mirror"


async def test_what_was_not_given_up_when_its_session_ended_is_given_up_later(
    playback: Any, neighbours: Neighbours
) -> None:
    over = (await playback.StartSession(start(1))).session
    runs = (await playback.StartSession(start(2, device="phone"))).session
    left = dict(neighbours.stream_node.pins)
    await playback.EndSession(pb2.EndSessionRequest(session_id=over.id))

    neighbours.stream_node.pins.update(left)

    await eventually(lambda: why_not_held(neighbours, runs.id), within=30)

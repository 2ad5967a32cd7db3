"""GET /v1/session/{id}/events: Server-Sent Events, and what a heartbeat says of a switch."""

import asyncio
import json

import pytest
from google.protobuf.duration_pb2 import Duration
from vod.playback.v1 import playback_service_pb2 as playback
from vod.playback.v1.playback_pb2 import DirectStream
from vod.stream.v1 import stream_service_pb2 as stream

from vod_rpc import NotFound
from vod_testing import eventually

EVENTS = "/v1/session/session-1/events"


def changed(known: str = "k", **change) -> playback.SessionChange:
    return playback.SessionChange(known=known, **change)


def answer(*changes: playback.SessionChange, ended: bool = False) -> playback.AwaitChangesResponse:
    return playback.AwaitChangesResponse(changes=changes, ended=ended)


def parsed(text: str) -> list[tuple[str, str, object]]:
    """Return id, name and data of each event."""
    events = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith((":", "retry")))
        if fields:
            events.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return events


def source_json(samples) -> dict[str, object]:
    pick = samples.pick_json
    return {
        "type": "torrent",
        "quality": pick["resolution"],
        "provider": "torrent",
        "collection": "",
        "reasons": pick["reasons"],
    }


@pytest.fixture
def switch(samples) -> playback.Switched:
    return playback.Switched(
        pick=samples.pick, stream_url=samples.stream_url, position=Duration(seconds=612), reason="Nobody sends it."
    )


async def test_each_change_is_an_event_with_an_id_to_come_back_with(http, fakes, samples, switch) -> None:
    swarm = playback.Swarm(state=stream.PIN_STATE_BUFFERING, peers=7, download_rate=9, downloaded_bytes=5, size_bytes=8)
    fakes.answers["AwaitChanges"] = answer(
        changed("aa", switched=switch),
        changed("bb", next_hint=samples.hint),
        changed("cc", buffering=playback.Buffering(waiting=True, reason="NO_PEERS")),
        changed("dd", swarm=swarm),
        changed("ee", ended=playback.Ended()),
        ended=True,
    )
    told = await http.get(EVENTS, headers={"Last-Event-ID": "00"})

    assert told.headers["content-type"].startswith("text/event-stream")
    assert told.headers["cache-control"] == "no-store"
    moved = {
        "pick": samples.pick_json,
        "source": source_json(samples),
        "streamUrl": samples.stream_url,
        "position_s": 612.0,
    }
    assert parsed(told.text) == [
        ("aa", "switched", {**moved, "reason": "Nobody sends it."}),
        ("bb", "next-hint", samples.hint_json),
        ("cc", "buffering", {"waiting": True, "reason": "NO_PEERS"}),
        (
            "dd",
            "swarm",
            {"state": "buffering", "peers": 7, "downloadRate": 9, "downloadedBytes": 5, "sizeBytes": 8},
        ),
        ("ee", "ended", {}),
    ]
    assert fakes.asked["AwaitChanges"][0].known == "00"


async def test_while_nothing_changes_a_comment_keeps_the_connection_and_the_known_is_asked_on(
    http, fakes, samples
) -> None:
    fakes.answers["AwaitChanges"] = answer(changed("aa", next_hint=samples.hint))
    seen: list[str] = []
    async with asyncio.timeout(60), http.stream("GET", EVENTS) as told:
        async for line in told.aiter_lines():
            seen.append(line)
            if line.startswith("event"):
                fakes.answers["AwaitChanges"] = answer()
            if line.startswith(":"):
                break

    assert seen[0] == "retry: 2000"
    assert "event: next-hint" in seen
    assert fakes.asked["AwaitChanges"][-1].known == "aa"


async def test_when_playback_is_away_the_stream_ends_so_that_the_player_comes_again(http, fakes, samples) -> None:
    fakes.answers["AwaitChanges"] = answer(changed("aa", next_hint=samples.hint))
    async with asyncio.timeout(60), http.stream("GET", EVENTS) as told:
        lines = told.aiter_lines()
        async for line in lines:
            if line.startswith("event"):
                fakes.answers["AwaitChanges"] = NotFound("gone", reason="SESSION_NOT_FOUND")
                break
        assert [line async for line in lines][-1] == ""


async def test_a_session_that_ended_and_was_told_so_needs_no_connection(http, fakes) -> None:
    fakes.answers["AwaitChanges"] = answer(ended=True)

    assert (await http.get(EVENTS)).status_code == 204


async def test_an_unknown_session_is_a_problem(http, fakes) -> None:
    fakes.answers["AwaitChanges"] = NotFound("none", reason="SESSION_NOT_FOUND", domain="playback.vod")
    told = await http.get(EVENTS)

    assert (told.status_code, told.json()["reason"]) == (404, "SESSION_NOT_FOUND")


@pytest.mark.parametrize("limits", [{"max_listeners": 2}, {}])
async def test_listeners_are_bounded_and_leaving_makes_room(run_gateway, fakes, samples, limits) -> None:
    most = limits.get("max_listeners", 4)
    async with run_gateway(**limits) as (http, _), asyncio.timeout(90):
        silence = asyncio.Event()

        async def once(request: playback.AwaitChangesRequest) -> playback.AwaitChangesResponse:
            if request.known:
                await silence.wait()
            return answer(changed("aa", next_hint=samples.hint))

        fakes.answers["AwaitChanges"] = once
        streams = [http.stream("GET", EVENTS) for _ in range(most)]
        # Kept: a line iterator that nobody holds closes its response.
        lines = [(await one.__aenter__()).aiter_lines() for one in streams]
        for one in lines:
            await anext(one)
        refused = await http.get(EVENTS)
        for one in streams:
            await one.__aexit__(None, None, None)
        fakes.answers["AwaitChanges"] = answer(changed("bb", ended=playback.Ended()), ended=True)

        async def why_not() -> str | None:
            status = (await http.get(EVENTS)).status_code
            return None if status == 200 else f"still {status}"

        await eventually(why_not, within=30)
        silence.set()
    assert (refused.status_code, refused.json()["reason"]) == (429, "RATE_LIMITED")


async def test_a_heartbeat_says_where_to_go_on(http, fakes, samples, switch) -> None:
    fakes.answers["RecordHeartbeat"] = playback.RecordHeartbeatResponse(next_hint=samples.hint, switched=switch)
    body = {"sessionId": "s", "position_s": 612, "playingPickId": 16}
    told = await http.post("/v1/session/heartbeat", json=body)

    assert told.json() == {
        "ok": True,
        "nextHint": samples.hint_json,
        "streamUrl": samples.stream_url,
        "position_s": 612.0,
        "pick": {name: value for name, value in samples.pick_json.items() if value is not None},
        "source": source_json(samples),
        "switchReason": "Nobody sends it.",
    }
    assert fakes.asked["RecordHeartbeat"][0].playing_pick_id == 16


async def test_after_a_switch_to_a_direct_source_its_kind_is_told_to_listeners_and_heartbeats(http, fakes) -> None:
    direct = DirectStream(type="hls", provider="mirror", quality="auto", reasons=["no torrent is left that plays"])
    switch = playback.Switched(direct=direct, stream_url="http://vod.example/v1/play/a/master.m3u8", reason="Stalled.")
    fakes.answers["AwaitChanges"] = answer(
        changed("aa", switched=switch), changed("bb", ended=playback.Ended()), ended=True
    )
    fakes.answers["RecordHeartbeat"] = playback.RecordHeartbeatResponse(switched=switch)
    told = await http.get(EVENTS)
    beaten = await http.post("/v1/session/heartbeat", json={"sessionId": "s", "position_s": 612})

    source = {
        "type": "hls",
        "quality": "auto",
        "provider": "mirror",
        "collection": "",
        "reasons": ["no torrent is left that plays"],
    }
    [(_, name, data), _] = parsed(told.text)
    assert (name, data["source"], data["pick"]) == ("switched", source, None)
    assert (beaten.json()["source"], "pick" in beaten.json()) == (source, False)


async def test_a_heartbeat_says_that_nothing_is_left(http, fakes) -> None:
    refused = [{"title": "Harbor.Lights", "reasons": ["STALLED: nobody sends it"]}]
    given_up = playback.GivenUp(
        reason="NO_PLAYABLE_RELEASE",
        message="No release can be played.",
        domain="picks.vod",
        metadata={"refused": json.dumps(refused), "refused_count": "1"},
    )
    fakes.answers["RecordHeartbeat"] = playback.RecordHeartbeatResponse(given_up=given_up)
    fakes.answers["AwaitChanges"] = answer(changed(given_up=given_up), ended=True)
    told = (await http.post("/v1/session/heartbeat", json={"sessionId": "s", "position_s": 612})).json()
    [(_, name, data)] = parsed((await http.get(EVENTS)).text)

    assert told["givenUp"] == {
        "reason": "NO_PLAYABLE_RELEASE",
        "detail": "No release can be played.",
        "domain": "picks.vod",
        "metadata": {"refused_count": "1"},
        "refused": refused,
        "unavailable": [],
    }
    assert (name, data) == ("given-up", told["givenUp"])

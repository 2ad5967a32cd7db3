"""Direct play: the owner names a torrent instead of an episode."""

from base64 import b64encode

import pytest
from vod.playback.v1 import playback_service_pb2 as playback
from vod.stream.v1 import stream_service_pb2 as stream

from vod_rpc import NotFound

MAGNET = "magnet:?xt=urn:btih:5d1ce7a9b0f34e2c8a6d7b9e0f1a2b3c4d5e6f70&dn=Harbor"
START = "/v1/session/start"


@pytest.fixture(autouse=True)
def _playback_starts_without_a_pick(fakes, samples) -> None:
    started = playback.StartSessionResponse()
    started.CopyFrom(samples.started)
    started.ClearField("pick")
    started.session.ClearField("next_hint")
    fakes.answers["StartSession"] = started


@pytest.mark.parametrize("headers", [{"X-Api-Key": "{key}"}, {"Authorization": "Bearer {key}"}])
async def test_the_owner_plays_a_magnet(http, fakes, samples, headers) -> None:
    given = {name: value.format(key=samples.admin_key) for name, value in headers.items()}
    answer = await http.post(START, json={"magnet": MAGNET, "fileIndex": 2}, headers=given)

    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "sessionId": "session-1",
        "pick": None,
        "source": {"type": "torrent", "quality": "", "provider": "torrent", "collection": "", "reasons": []},
        "streamUrl": samples.stream_url,
        "nextHint": None,
    }
    [asked] = fakes.asked["StartSession"]
    assert asked.direct == playback.DirectSource(magnet_uri=MAGNET, file_index=2)
    assert asked.device.h264
    assert not asked.HasField("key")


async def test_without_an_index_the_node_chooses_the_file(http, fakes, samples) -> None:
    await http.post(START, json={"magnet": "a" * 40}, headers={"X-Api-Key": samples.admin_key})

    [asked] = fakes.asked["StartSession"]
    assert asked.direct == playback.DirectSource(magnet_uri="a" * 40)


async def test_the_owner_sends_a_torrent_file_larger_than_other_bodies(http, fakes, samples) -> None:
    torrent = bytes(300_000)
    answer = await http.post(
        START, json={"torrent": b64encode(torrent).decode()}, headers={"X-Api-Key": samples.admin_key}
    )

    assert answer.status_code == 200, answer.text
    [asked] = fakes.asked["StartSession"]
    assert asked.direct.torrent == torrent


async def test_a_stranger_may_not(http, fakes) -> None:
    answer = await http.post(START, json={"magnet": MAGNET})

    assert (answer.status_code, answer.json()["reason"]) == (403, "DIRECT_PLAY_OFF")
    assert not fakes.asked["StartSession"]


async def test_a_wrong_key_does_not_help_and_is_counted(http) -> None:
    for _ in range(5):
        answer = await http.post(START, json={"magnet": MAGNET}, headers={"X-Api-Key": "wrong"})
        assert (answer.status_code, answer.json()["reason"]) == (403, "DIRECT_PLAY_OFF")

    answer = await http.post(START, json={"magnet": MAGNET}, headers={"X-Api-Key": "wrong"})
    assert (answer.status_code, answer.json()["reason"]) == (429, "RATE_LIMITED")


async def test_a_strangers_body_stays_small(http) -> None:
    answer = await http.post(START, json={"torrent": b64encode(bytes(100_000)).decode()})

    assert (answer.status_code, answer.json()["reason"]) == (413, "BODY_TOO_LARGE")


async def test_a_setting_lets_everybody(run_gateway, fakes) -> None:
    async with run_gateway(direct_play=True, admin_key=None) as (http, _):
        answer = await http.post(START, json={"magnet": MAGNET})

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"magnet": "http://x/"}, "#/magnet"),
        ({"magnet": MAGNET, "fileIndex": -1}, "#/fileIndex"),
        ({"magnet": MAGNET, "torrent": "AAAA"}, "#/torrent"),
        ({"torrent": "no base64"}, "#/torrent"),
        ({"magnet": MAGNET, "season": 1}, "#/season"),
    ],
)
async def test_what_is_wrong_is_named(http, samples, body, where) -> None:
    answer = await http.post(START, json=body, headers={"X-Api-Key": samples.admin_key})

    assert answer.status_code == 400
    assert [place["pointer"] for place in answer.json()["errors"]] == [where]


async def test_progress_is_told(http, fakes) -> None:
    pin = stream.Pin(
        state=stream.PIN_STATE_READY,
        file_name="Harbor.mkv",
        size_bytes=1000,
        downloaded_bytes=300,
        download_rate=50,
        peers=3,
        stats=stream.PinStats(distinct_copies=2.5, buffered_bytes=200, stalls=1, upload_rate=7),
    )
    fakes.answers["GetProgress"] = playback.GetProgressResponse(pin=pin)
    answer = await http.get("/v1/session/session-1/progress")

    assert answer.json() == {
        "state": "ready",
        "fileName": "Harbor.mkv",
        "sizeBytes": 1000,
        "downloadedBytes": 300,
        "bufferedBytes": 200,
        "downloadRate": 50,
        "uploadRate": 7,
        "peers": 3,
        "distinctCopies": 2.5,
        "stalls": 1,
    }


async def test_the_progress_of_nothing_is_404(http, fakes) -> None:
    fakes.answers["GetProgress"] = NotFound("Nobody holds that file here.", reason="PIN_UNKNOWN")
    answer = await http.get("/v1/session/session-1/progress")

    assert (answer.status_code, answer.json()["reason"]) == (404, "PIN_UNKNOWN")

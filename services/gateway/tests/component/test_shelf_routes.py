"""/v1/continue-watching and /v1/devices."""

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from vod.playback.v1 import playback_service_pb2 as playback
from vod.scoring.v1 import scoring_pb2 as scoring

WATCHED = Timestamp(seconds=1_795_000_000)


async def test_what_to_go_on_with_is_told_with_its_place(http, fakes, samples) -> None:
    fakes.answers["ListContinuations"] = playback.ListContinuationsResponse(
        continuations=[
            playback.Continuation(
                key=samples.key,
                position=Duration(seconds=612, nanos=500_000_000),
                duration=Duration(seconds=1260),
                kind=playback.CONTINUATION_KIND_UNFINISHED,
                watch_time=WATCHED,
            ),
            playback.Continuation(
                key=samples.key, kind=playback.CONTINUATION_KIND_NEXT, watch_time=WATCHED, ready=True
            ),
        ]
    )
    answer = await http.get("/v1/continue-watching", params={"subjectId": "anna", "limit": 2})

    place = {"seriesId": "tmdb:tv:9001", "season": 1, "episode": 3, "watchedAt": "2026-11-18T11:06:40Z"}
    assert answer.json() == {
        "entries": [
            {**place, "position_s": 612.5, "duration_s": 1260.0, "why": "unfinished", "ready": False},
            {**place, "position_s": 0.0, "duration_s": None, "why": "next", "ready": True},
        ]
    }
    [asked] = fakes.asked["ListContinuations"]
    assert (asked.subject_id, asked.page_size, len(asked.device_id)) == ("anna", 2, 32)


async def test_without_a_subject_it_is_the_devices_shelf(http, fakes) -> None:
    fakes.answers["ListContinuations"] = playback.ListContinuationsResponse()
    answer = await http.get("/v1/continue-watching")

    assert answer.json() == {"entries": []}
    assert "deviceId" in answer.cookies
    [asked] = fakes.asked["ListContinuations"]
    assert (asked.subject_id, asked.page_size) == ("", 20)


async def test_devices_are_told_with_what_they_can(http, fakes) -> None:
    profile = scoring.DeviceProfile(h264=True, dolby_vision=True, max_bitrate=9, audio_languages=["en"])
    device = playback.Device(name="n", self=True, profile=profile, profile_hash="h", seen_time=WATCHED)
    fakes.answers["ListDevices"] = playback.ListDevicesResponse(devices=[device])
    answer = await http.get("/v1/devices")

    caps = {"h264": True, "dv": True, "maxBitrate": 9, "audioLanguages": ["en"]}
    seen = "2026-11-18T11:06:40Z"
    assert answer.json() == {
        "devices": [{"name": "n", "self": True, "profileHash": "h", "deviceCaps": caps, "seenAt": seen}]
    }
